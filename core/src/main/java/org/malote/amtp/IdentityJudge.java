package org.malote.amtp;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.offload.PeerCertificate;
import org.malote.offload.PeerCertificate.Standing;
import org.malote.smtp.DomainName;
import org.malote.smtp.MailHost;

/// Compares the certificate, the name that EHLO gave and the names of the address: all three must
/// be one (draft-weinman-amtp-03 §4.2, §4.3.2, §4.4.2). Pure.
final class IdentityJudge {
    private final TrustBase base;
    private final ReverseRule rule;

    IdentityJudge(TrustBase base, ReverseRule rule) {
        this.base = base;
        this.rule = rule;
    }

    /// @param isSecured whether the session is inside TLS
    /// @param shown the peer's certificate; null when it showed none
    /// @param named what EHLO gave
    HopIdentity judge(
            boolean isSecured,
            @Nullable PeerCertificate shown,
            MailHost named,
            ReverseFinding reverse) {
        String name = named instanceof DomainName domain ? HostName.plain(domain.text()) : null;
        HopNetwork network =
                shown == null
                        ? HopNetwork.NONE
                        : switch (shown.standing()) {
                            case Standing.Held(var authority) -> base.networkOf(authority);
                            case Standing.Revoked _, Standing.NotHeld _ -> HopNetwork.NONE;
                        };
        boolean isNamed =
                network != HopNetwork.NONE
                        && shown != null
                        && name != null
                        && hasName(shown, network, name);
        Shortcoming shortcoming = shortcoming(isSecured, shown, name, network, isNamed, reverse);
        return new HopIdentity(
                network,
                isNamed && name != null ? name : "",
                network == HopNetwork.NONE || shown == null ? "" : shown.issuer(),
                reverse.summary(),
                shortcoming,
                shown != null
                                && (shortcoming == Shortcoming.CHAIN
                                        || shortcoming == Shortcoming.DENIED)
                        ? fault(shown, name)
                        : "");
    }

    private String fault(PeerCertificate shown, @Nullable String name) {
        return switch (shown.standing()) {
            case Standing.NotHeld(var reason) -> reason;
            case Standing.Revoked(var reason) -> reason;
            case Standing.Held _ -> {
                String entry = base.denied().find(shown, name);
                yield entry == null ? "" : "the deny list has " + entry;
            }
        };
    }

    private @Nullable Shortcoming shortcoming(
            boolean isSecured,
            @Nullable PeerCertificate shown,
            @Nullable String name,
            HopNetwork network,
            boolean isNamed,
            ReverseFinding reverse) {
        if (!isSecured) {
            return Shortcoming.NO_TLS; // draft-weinman-amtp-03 §4.2
        }
        // Draft-weinman-amtp-03 §4.4.2: `ehlo = "EHLO" SP Domain`, and it is fully qualified.
        if (name == null || !HostName.isQualified(name)) {
            return Shortcoming.NOT_QUALIFIED;
        }
        if (shown == null) {
            return Shortcoming.NO_CERTIFICATE;
        }
        return switch (shown.standing()) {
            case Standing.NotHeld _ -> Shortcoming.CHAIN;
            case Standing.Revoked _ -> Shortcoming.DENIED;
            case Standing.Held _ -> {
                if (base.denied().find(shown, name) != null) {
                    yield Shortcoming.DENIED;
                }
                // On a private network, too (draft-weinman-amtp-03 §4.4.2).
                yield isNamed ? reverseShortcoming(name, network, reverse) : Shortcoming.OTHER_NAME;
            }
        };
    }

    /// Draft-weinman-amtp-03 §4.2: the certificate names the host. A wildcard names none, since a
    /// peer is one host.
    ///
    /// Deviation: names are those of the subject alternative name, as [CommonNames] says.
    private boolean hasName(PeerCertificate shown, HopNetwork network, String name) {
        List<String> names = shown.names();
        String commonName = shown.commonName();
        if (names.isEmpty() && commonName != null && base.commonNames().countIn(network)) {
            names = List.of(commonName);
        }
        return names.stream().anyMatch(one -> name.equals(HostName.plain(one)));
    }

    /// Draft-weinman-amtp-03 §4.3.2: the address has a name, which is the certificate's and that of
    /// EHLO; of several, one is.
    ///
    /// Deviation: the name must have the address, too (RFC 8601 §3), where the listener does not
    /// say otherwise. A name that its holder alone has written proves nothing.
    private @Nullable Shortcoming reverseShortcoming(
            String name, HopNetwork network, ReverseFinding reverse) {
        if (rule == ReverseRule.UNASKED || network == HopNetwork.PRIVATE) {
            return null; // draft-weinman-amtp-03 §4.3, §7
        }
        ReverseFinding.Forward forward = reverse.names().get(name);
        if (forward != null) {
            return rule == ReverseRule.PTR
                    ? null
                    : switch (forward) {
                        case CONFIRMED -> null;
                        case ELSEWHERE -> Shortcoming.REVERSE_UNCONFIRMED;
                        case UNKNOWN -> Shortcoming.REVERSE_LATER;
                    };
        }
        return switch (reverse.summary()) {
            case ReverseDns.Nameless _ -> Shortcoming.REVERSE_MISSING;
            case ReverseDns.Confirmed _, ReverseDns.Unconfirmed _ -> Shortcoming.REVERSE_OTHER;
            case ReverseDns.TryLater _ ->
                    reverse.names().isEmpty()
                            ? Shortcoming.REVERSE_LATER
                            : Shortcoming.REVERSE_OTHER;
            case ReverseDns.Unasked _ -> Shortcoming.REVERSE_LATER;
        };
    }
}
