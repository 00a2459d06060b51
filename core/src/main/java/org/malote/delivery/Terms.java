package org.malote.delivery;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.malote.offload.HostPolicy;
import org.malote.offload.HostWay;

/// On what terms hosts are spoken to. A connection on other terms is another connection.
///
/// @param source null for the address that the system chooses
public record Terms(TlsPolicy tls, @Nullable Source source) {
    /// TLS where it can be had, from wherever the system chooses.
    public static final Terms USUAL = new Terms(TlsPolicy.OPPORTUNISTIC, null);

    /// The same to a store of our own, which LMTP leads to (RFC 2033 §1): it knows us without a
    /// source.
    public Terms forLmtp() {
        return source == null ? this : new Terms(tls, null);
    }

    /// `verified from out1`, with a checksum of what else there is to tell terms apart.
    String text() {
        boolean isPlain = tls.authorities() == null && tls.names().isEmpty();
        return tls.use().word()
                + (source == null ? "" : " from " + source.name())
                + (isPlain
                        ? ""
                        : "#" + Integer.toHexString(Objects.hash(tls.authorities(), tls.names())));
    }

    Terms towards(Hop hop) {
        return hop.isLmtp() ? forLmtp() : this;
    }

    /// The way that a TLS context is made for; null without TLS.
    public @Nullable HostWay way() {
        HostPolicy policy = tls.hostPolicy();
        return policy == null
                ? null
                : new HostWay(policy, source == null ? null : source.identity());
    }
}
