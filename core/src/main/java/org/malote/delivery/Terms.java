package org.malote.delivery;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.malote.offload.HostPolicy;
import org.malote.offload.HostWay;

/// On what terms hosts are spoken to. A connection on other terms is another connection.
///
/// @param source null for the address that the system chooses
/// @param amtp for hosts of AMTP; null for the authorities of the system and the same source
public record Terms(TlsPolicy tls, @Nullable Source source, @Nullable Terms amtp) {
    /// TLS where it can be had, from wherever the system chooses.
    public static final Terms USUAL = new Terms(TlsPolicy.OPPORTUNISTIC, null);

    public Terms {
        if (amtp != null && (amtp.tls.use() != TlsUse.AMTP || amtp.amtp != null)) {
            throw new IllegalArgumentException("hosts of AMTP are spoken to as AMTP has it");
        }
    }

    /// Terms that say nothing of AMTP.
    public Terms(TlsPolicy tls, @Nullable Source source) {
        this(tls, source, null);
    }

    /// To hosts of AMTP.
    public Terms forAmtp() {
        return amtp == null ? new Terms(TlsPolicy.AMTP, source) : amtp;
    }

    /// The same to a store of our own, which LMTP leads to (RFC 2033 §1): it knows us without a
    /// source.
    public Terms forLmtp() {
        return source == null ? this : new Terms(tls, null, amtp);
    }

    /// `verified from out1`, with a checksum of what else there is to tell terms apart.
    String text() {
        boolean isPlain = tls.authorities() == null && tls.names().isEmpty();
        return tls.use().word()
                + (source == null ? "" : " from " + source.name())
                + (isPlain && amtp == null
                        ? ""
                        : "#"
                                + Integer.toHexString(
                                        Objects.hash(tls.authorities(), tls.names(), amtp)));
    }

    Terms towards(Hop hop) {
        return switch (hop.protocol()) {
            case SMTP -> this;
            case LMTP -> forLmtp();
            case AMTP -> forAmtp();
        };
    }

    /// Whether we have a certificate to show.
    public boolean hasCertificate() {
        return source != null && source.identity() != null;
    }

    /// The way that a TLS context is made for; null without TLS.
    public @Nullable HostWay way() {
        HostPolicy policy = tls.hostPolicy();
        return policy == null
                ? null
                : new HostWay(policy, source == null ? null : source.identity());
    }
}
