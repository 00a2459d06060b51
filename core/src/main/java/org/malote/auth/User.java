package org.malote.auth;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;
import org.malote.dns.Idna;
import org.malote.smtp.DomainName;
import org.malote.smtp.Mailbox;
import org.malote.smtp.ReversePath;

/// Who may submit mail: a line of the file of users.
///
/// @param name prepared
/// @param hash for PLAIN; null: not with a password that is told
/// @param verifier for SCRAM; null: not by SCRAM
/// @param senders addresses that it may send as, and `@domain` for all of one, each by [#key];
///     empty for any
/// @param code the Mail Policy Code of its messages that come without one; null for none
/// @param certificates the names, in lower case, whose certificates vouch for it
public record User(
        String name,
        @Nullable PasswordHash hash,
        @Nullable ScramVerifier verifier,
        Set<String> senders,
        @Nullable MailPolicyCode code,
        List<String> certificates) {

    public User {
        senders = Set.copyOf(senders);
        certificates = List.copyOf(certificates);
    }

    /// Whether it may send as that. Nobody is kept from the null reverse-path: what answers a
    /// message by machine has it (RFC 3834 §3.3).
    public boolean maySendAs(ReversePath from) {
        return switch (from) {
            case ReversePath.Null _ -> true;
            case ReversePath.Sender(var mailbox) ->
                    senders.isEmpty()
                            || senders.contains(key(mailbox))
                            || senders.contains("@" + domainKey(mailbox.host().text()));
        };
    }

    /// An address in the form in which senders are compared: in lower case, its domain in A-labels.
    static String key(Mailbox mailbox) {
        return mailbox.localPart().toLowerCase(Locale.ROOT)
                + "@"
                + domainKey(mailbox.host().text());
    }

    static String key(DomainName domain) {
        return "@" + domainKey(domain.text());
    }

    private static String domainKey(String domain) {
        String ascii = Idna.toAscii(domain);
        return (ascii == null ? domain : ascii).toLowerCase(Locale.ROOT);
    }
}
