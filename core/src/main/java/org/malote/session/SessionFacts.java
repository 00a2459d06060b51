package org.malote.session;

import org.jspecify.annotations.Nullable;
import org.malote.amtp.CodeRules;
import org.malote.amtp.IdentityRules;
import org.malote.auth.AuthRules;
import org.malote.offload.PeerIdentity;
import org.malote.offload.TlsSummary;
import org.malote.smtp.DomainName;

/// What is known of a session beside its dialogue. Made at the start, and anew after STARTTLS.
///
/// @param hostname our name, in the greeting and in every Received header
/// @param offersStartTls whether STARTTLS is offered now: never once TLS is on (RFC 3207 §4.2)
/// @param isTlsAiling whether it would be, if a private key could sign
/// @param tls what protects the session, or null in clear text
/// @param peer who the peer is by its certificate
/// @param limits what the session may use
/// @param codes what becomes of Mail Policy Codes
/// @param auth what becomes of authentication
/// @param identity what becomes of who the peer is
public record SessionFacts(
        DomainName hostname,
        boolean offersStartTls,
        boolean isTlsAiling,
        @Nullable TlsSummary tls,
        PeerIdentity peer,
        SessionLimits limits,
        CodeRules codes,
        AuthRules auth,
        IdentityRules identity) {

    /// A peer that has shown no certificate, at a listener without Mail Policy Codes and
    /// users.
    public SessionFacts(
            DomainName hostname,
            boolean offersStartTls,
            @Nullable TlsSummary tls,
            SessionLimits limits) {
        this(
                hostname,
                offersStartTls,
                false,
                tls,
                new PeerIdentity.Unknown(),
                limits,
                CodeRules.OFF,
                AuthRules.OFF,
                IdentityRules.OFF);
    }

    /// The same session once TLS is on (RFC 3207 §4.2).
    public SessionFacts secured(TlsSummary established, PeerIdentity shown) {
        return new SessionFacts(
                hostname, false, false, established, shown, limits, codes, auth, identity);
    }

    /// A session that cannot have TLS for the time being.
    public SessionFacts withTlsAiling() {
        return new SessionFacts(hostname, false, true, tls, peer, limits, codes, auth, identity);
    }

    /// A session at a listener with other rules for Mail Policy Codes.
    public SessionFacts withCodes(CodeRules rules) {
        return new SessionFacts(
                hostname, offersStartTls, isTlsAiling, tls, peer, limits, rules, auth, identity);
    }

    /// A session at a listener with other rules for authentication.
    public SessionFacts withAuth(AuthRules rules) {
        return new SessionFacts(
                hostname, offersStartTls, isTlsAiling, tls, peer, limits, codes, rules, identity);
    }

    /// A session at a listener with other rules for who its peers are.
    public SessionFacts withIdentity(IdentityRules rules) {
        return new SessionFacts(
                hostname, offersStartTls, isTlsAiling, tls, peer, limits, codes, auth, rules);
    }
}
