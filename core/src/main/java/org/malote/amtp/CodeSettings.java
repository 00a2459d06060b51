package org.malote.amtp;

import java.util.Map;
import org.malote.smtp.Mailbox;

/// `[mpc]` of the configuration: what is taken, and from whom a code is asked.
///
/// @param site of the whole host; announced by EHLO
/// @param domains by the domain of a recipient, in lower case and A-labels
/// @param recipients by the address of a recipient, its domain in A-labels
/// @param isRequired whether MAIL without a code is refused on listeners for SMTP too; on those for
///     AMTP it always is
/// @param foreignHeaders what an `MPC:` header of a message without a code means
public record CodeSettings(
        PolicyDeclarations site,
        Map<String, PolicyDeclarations> domains,
        Map<Mailbox, PolicyDeclarations> recipients,
        boolean isRequired,
        ForeignHeaders foreignHeaders) {

    public CodeSettings {
        domains = Map.copyOf(domains);
        recipients = Map.copyOf(recipients);
    }

    /// Denies nothing.
    public static CodeSettings defaults() {
        return new CodeSettings(
                PolicyDeclarations.ALL, Map.of(), Map.of(), false, ForeignHeaders.REFUSE);
    }
}
