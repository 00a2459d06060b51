package org.malote.offload;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorResult;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXCertPathValidatorResult;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Judges the certificates of peers, by RFC 5280 §6 and by what the leaf may be used for.
final class PeerJudge {
    /// RFC 5280 §4.2.1.12.
    private static final String ANY_USE = "2.5.29.37.0";

    private static final String SERVER_USE = "1.3.6.1.5.5.7.3.1";
    private static final String CLIENT_USE = "1.3.6.1.5.5.7.3.2";

    private final boolean acceptsServerUse;
    private final Set<TrustAnchor> anchors;

    PeerJudge(boolean acceptsServerUse, Collection<X509Certificate> authorities) {
        this.acceptsServerUse = acceptsServerUse;
        this.anchors =
                authorities.stream()
                        .map(authority -> new TrustAnchor(authority, null))
                        .collect(Collectors.toUnmodifiableSet());
    }

    static PeerJudge of(ClientCertificates settings) throws TlsProblems {
        Path file = settings.authorities();
        return new PeerJudge(
                settings.acceptsServerUse(),
                file == null ? List.of() : PemFile.read(file, "certificate").certificates());
    }

    /// What a chain comes to.
    sealed interface Finding {
        /// It holds.
        ///
        /// @param path from the leaf to below the authority
        record Holds(List<X509Certificate> path, X509Certificate authority) implements Finding {
            public Holds {
                path = List.copyOf(path);
            }
        }

        /// It does not.
        ///
        /// @param reason for the operator
        record Fails(String reason) implements Finding {}
    }

    /// @param chain as the peer sent it, the leaf first, in any order after that
    PeerIdentity judge(List<X509Certificate> chain, Instant now) {
        X509Certificate leaf = chain.getFirst();
        List<String> names = ServedCertificate.dnsNames(leaf);
        return switch (find(chain, now)) {
            case Finding.Holds _ ->
                    new PeerIdentity.Trusted(names, leaf.getSubjectX500Principal().getName());
            case Finding.Fails(var reason) -> new PeerIdentity.Untrusted(names, reason);
        };
    }

    /// @param chain as of [#judge]
    Finding find(List<X509Certificate> chain, Instant now) {
        if (anchors.isEmpty()) {
            return new Finding.Fails("no authority is configured");
        }
        if (chain.size() > CertificateStore.CHAIN_CERTIFICATES_MAX) {
            return new Finding.Fails("the chain is too long");
        }
        try {
            String misuse = misuse(chain.getFirst());
            if (!misuse.isEmpty()) {
                return new Finding.Fails(misuse);
            }
            PKIXParameters parameters = new PKIXParameters(anchors);
            // No peer of a mail server waits for a revocation list.
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            List<X509Certificate> path = pathOf(chain);
            CertPathValidatorResult result =
                    CertPathValidator.getInstance("PKIX")
                            .validate(
                                    CertificateFactory.getInstance("X.509").generateCertPath(path),
                                    parameters);
            return new Finding.Holds(
                    path, ((PKIXCertPathValidatorResult) result).getTrustAnchor().getTrustedCert());
        } catch (CertPathValidatorException | InvalidAlgorithmParameterException e) {
            return new Finding.Fails(PemFile.firstLine(e.getMessage()));
        } catch (GeneralSecurityException e) {
            return new Finding.Fails("it cannot be understood: " + e.getMessage());
        }
    }

    private String misuse(X509Certificate leaf) throws GeneralSecurityException {
        List<String> uses = leaf.getExtendedKeyUsage();
        if (uses == null || uses.contains(ANY_USE) || uses.contains(CLIENT_USE)) {
            return "";
        }
        if (uses.contains(SERVER_USE)) {
            return acceptsServerUse ? "" : "the certificate is for servers alone";
        }
        return "the certificate is for another use";
    }

    /// From the leaf to below an anchor: RFC 8446 §4.4.2 lets a peer send more, and in any order.
    private List<X509Certificate> pathOf(List<X509Certificate> chain) {
        List<X509Certificate> path = new ArrayList<>();
        List<X509Certificate> left = new ArrayList<>(chain);
        X509Certificate next = left.removeFirst();
        while (next != null && !isAnchor(next)) {
            path.add(next);
            X509Certificate below = next;
            next =
                    left.stream()
                            .filter(
                                    one ->
                                            one.getSubjectX500Principal()
                                                    .equals(below.getIssuerX500Principal()))
                            .findFirst()
                            .orElse(null);
            left.remove(next);
        }
        if (path.isEmpty()) {
            path.add(chain.getFirst()); // the anchor itself, as a peer with its own certificate
        }
        return path;
    }

    private boolean isAnchor(X509Certificate certificate) {
        return anchors.stream().anyMatch(anchor -> certificate.equals(anchor.getTrustedCert()));
    }
}
