package org.malote.amtp;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.malote.smtp.Mailbox;

/// What the site, its domains and its recipients take, compiled to masks. A decision looks up at
/// most two of them and makes no object, but to lower the case of a local part that is not lower
/// already.
public final class CodePolicies {
    /// A domain, and those of its recipients that have said something.
    private record DomainPolicy(PolicyMask mask, Map<String, PolicyMask> recipients) {}

    private final PolicyMask site;
    private final Map<String, DomainPolicy> domains = new HashMap<>();

    public CodePolicies(CodeSettings settings) {
        site = settings.site().mask();
        settings.domains()
                .forEach(
                        (domain, declarations) ->
                                domains.put(
                                        domain,
                                        new DomainPolicy(declarations.mask(), new HashMap<>())));
        settings.recipients()
                .forEach(
                        (mailbox, declarations) ->
                                domains.computeIfAbsent(
                                                mailbox.host().text(),
                                                _ ->
                                                        new DomainPolicy(
                                                                PolicyMask.ALL, new HashMap<>()))
                                        .recipients()
                                        .put(key(mailbox), declarations.mask()));
    }

    /// Whether the site takes such messages (draft-weinman-amtp-03 §4.4.3: after MAIL).
    public boolean allows(MailPolicyCode code) {
        return site.allows(code);
    }

    /// Whether the site, the domain and the recipient all take such messages (draft-weinman-amtp-03
    /// §4.4.3: after any RCPT).
    ///
    /// @param domain of the recipient, in lower case and A-labels
    /// @param recipient whose local part is looked at, in any case: which cases are one mailbox is
    ///     the next hop's to know, and no spelling must get around a policy
    public boolean allows(MailPolicyCode code, String domain, Mailbox recipient) {
        if (!site.allows(code)) {
            return false;
        }
        DomainPolicy policy = domains.get(domain);
        if (policy == null) {
            return true;
        }
        PolicyMask own = policy.recipients().get(key(recipient));
        return policy.mask().allows(code) && (own == null || own.allows(code));
    }

    private static String key(Mailbox mailbox) {
        return mailbox.localPart().toLowerCase(Locale.ROOT);
    }
}
