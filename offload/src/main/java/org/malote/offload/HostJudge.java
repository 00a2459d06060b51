package org.malote.offload;

import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXCertPathBuilderResult;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Verifies the certificates of hosts: chain and dates (RFC 5280 §6), use, what the issuer says of
/// it by the host ([StapledStatus]), and name (RFC 9525 §6).
final class HostJudge {
    /// RFC 5280 §4.2.1.12.
    private static final String ANY_USE = "2.5.29.37.0";

    private static final String SERVER_USE = "1.3.6.1.5.5.7.3.1";

    /// Of a name in a sentence. Ours: a host can show one of any length.
    private static final int SHOWN_CHARS_MAX = 200;

    private final Authorities authorities;

    HostJudge(Authorities authorities) {
        this.authorities = authorities;
    }

    /// @param chain as the host sent it, the leaf first, in any order after that (RFC 8446 §4.4.2)
    /// @param status of the leaf, as the host sent it
    void judge(List<X509Certificate> chain, StapledStatus status, Instant now)
            throws CertificateRefused {
        X509Certificate leaf = chain.getFirst();
        if (chain.size() > CertificateStore.CHAIN_CERTIFICATES_MAX) {
            throw refused(CertificateRefused.Reason.UNTRUSTED, "its chain is too long");
        }
        requireDates(leaf, "it", now);
        X509Certificate issuer = requireAuthority(chain, now);
        requireUse(leaf);
        if (issuer != null) {
            status.judge(leaf, issuer, now);
        }
    }

    /// @param expected names, of which the leaf must have one
    static void requireName(X509Certificate leaf, List<String> expected) throws CertificateRefused {
        if (!HostNames.isFor(leaf, expected)) {
            List<String> shown = HostNames.shown(leaf);
            throw refused(
                    CertificateRefused.Reason.NAME,
                    "it is not for "
                            + String.join(" or ", expected)
                            + " but for "
                            + (shown.isEmpty() ? "no host" : cut(String.join(", ", shown))));
        }
    }

    private static void requireDates(X509Certificate certificate, String which, Instant now)
            throws CertificateRefused {
        if (now.isAfter(certificate.getNotAfter().toInstant())) {
            throw refused(
                    CertificateRefused.Reason.EXPIRED,
                    which + " expired at " + certificate.getNotAfter().toInstant());
        }
        if (now.isBefore(certificate.getNotBefore().toInstant())) {
            throw refused(
                    CertificateRefused.Reason.NOT_YET_VALID,
                    which + " is not valid before " + certificate.getNotBefore().toInstant());
        }
    }

    /// @return who issued the leaf; null when nobody needs to have
    private @Nullable X509Certificate requireAuthority(List<X509Certificate> chain, Instant now)
            throws CertificateRefused {
        X509Certificate leaf = chain.getFirst();
        if (authorities.has(leaf)) {
            return null; // the operator named this very certificate
        }
        try {
            X509CertSelector target = new X509CertSelector();
            target.setCertificate(leaf);
            PKIXBuilderParameters parameters =
                    new PKIXBuilderParameters(authorities.anchors(), target);
            parameters.addCertStore(
                    CertStore.getInstance("Collection", new CollectionCertStoreParameters(chain)));
            // No mail waits for a revocation list; what the host brings along is looked at below.
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            parameters.setMaxPathLength(CertificateStore.CHAIN_CERTIFICATES_MAX);
            // It is built from what the host sent and what we have: nothing is fetched.
            var built =
                    (PKIXCertPathBuilderResult)
                            CertPathBuilder.getInstance("PKIX").build(parameters);
            List<? extends Certificate> path = built.getCertPath().getCertificates();
            return path.size() > 1
                    ? (X509Certificate) path.get(1)
                    : built.getTrustAnchor().getTrustedCert();
        } catch (CertPathBuilderException e) {
            for (X509Certificate one : chain) {
                requireDates(one, cut(one.getSubjectX500Principal().getName()), now);
            }
            throw refused(CertificateRefused.Reason.UNTRUSTED, distrust(leaf));
        } catch (GeneralSecurityException e) {
            throw refused(
                    CertificateRefused.Reason.UNTRUSTED,
                    "it cannot be understood: " + PemFile.firstLine(e.getMessage()));
        }
    }

    private static String distrust(X509Certificate leaf) {
        return leaf.getSubjectX500Principal().equals(leaf.getIssuerX500Principal())
                ? "it is signed by itself and not known here"
                : "no authority that is known here stands behind it; it was issued by "
                        + cut(leaf.getIssuerX500Principal().getName());
    }

    private static void requireUse(X509Certificate leaf) throws CertificateRefused {
        List<String> uses;
        try {
            uses = leaf.getExtendedKeyUsage();
        } catch (GeneralSecurityException e) {
            throw refused(CertificateRefused.Reason.USE, "its use cannot be understood");
        }
        if (uses != null && !uses.contains(ANY_USE) && !uses.contains(SERVER_USE)) {
            throw refused(CertificateRefused.Reason.USE, "it is not for servers");
        }
    }

    static CertificateRefused refused(CertificateRefused.Reason reason, String sentence) {
        return new CertificateRefused(reason, "the certificate is not believed: " + sentence);
    }

    private static String cut(String text) {
        return text.length() <= SHOWN_CHARS_MAX ? text : text.substring(0, SHOWN_CHARS_MAX) + "...";
    }
}
