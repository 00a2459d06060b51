package org.malote.offload;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the operator of certificates of ours that end soon, once a day. Not for several threads at
/// a time.
final class ExpiryWarning {
    private static final Logger LOG = LoggerFactory.getLogger(ExpiryWarning.class);

    /// When a certificate's end is worth a warning. Ours: two weeks are enough to renew by hand,
    /// and less than what is left when automatic renewal works.
    static final Duration AHEAD = Duration.ofDays(14);

    private static final Duration DAY = Duration.ofDays(1);

    private Instant warnedAt = Instant.EPOCH;

    void look(List<CertificateInfo> certificates, Instant now) {
        if (now.isBefore(warnedAt.plus(DAY))) {
            return;
        }
        for (CertificateInfo certificate : certificates) {
            Duration left = Duration.between(now, certificate.notAfter());
            if (left.compareTo(AHEAD) < 0) {
                warnedAt = now;
                LOG.warn(
                        left.isNegative()
                                ? "certificate {} expired at {}: renew it"
                                : "certificate {} expires at {}: renew it",
                        certificate.file(),
                        certificate.notAfter());
            }
        }
    }
}
