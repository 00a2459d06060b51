package org.malote.delivery;

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
