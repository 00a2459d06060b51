package org.malote.offload;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// The certificates that the chains of hosts must end in.
///
/// @param anchors at least one
record Authorities(Set<TrustAnchor> anchors) {
    /// Where systems keep the authorities that their administrator believes: Debian and Arch;
    /// Fedora
    /// and its kin; SUSE; Alpine and the BSDs.
    static final List<Path> SYSTEM_BUNDLES =
            List.of(
                    Path.of("/etc/ssl/certs/ca-certificates.crt"),
                    Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
                    Path.of("/etc/ssl/ca-bundle.pem"),
                    Path.of("/etc/ssl/cert.pem"));

    Authorities {
        anchors = Set.copyOf(anchors);
    }

    /// @param file null for those of the system, or of the JDK where the system has none
    static Authorities read(@Nullable Path file) throws TlsProblems {
        Path bundle = file == null ? systemBundle() : file;
        return of(bundle == null ? ofTheJdk() : PemFile.read(bundle, "certificate").certificates());
    }

    private static Authorities of(List<X509Certificate> certificates) {
        return new Authorities(
                certificates.stream()
                        .map(authority -> new TrustAnchor(authority, null))
                        .collect(Collectors.toUnmodifiableSet()));
    }

    static @Nullable Path systemBundle() {
        return SYSTEM_BUNDLES.stream().filter(Files::isReadable).findFirst().orElse(null);
    }

    private static List<X509Certificate> ofTheJdk() throws TlsProblems {
        try {
            TrustManagerFactory factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((KeyStore) null);
            List<X509Certificate> all = new ArrayList<>();
            for (TrustManager one : factory.getTrustManagers()) {
                if (one instanceof X509TrustManager manager) {
                    all.addAll(Arrays.asList(manager.getAcceptedIssuers()));
                }
            }
            if (!all.isEmpty()) {
                return all;
            }
        } catch (GeneralSecurityException _) {
            // The sentence below says what to do.
        }
        throw PemFile.problem(
                "this system has no list of authorities to verify hosts by: install its package"
                        + " ca-certificates, or name a file with \"tls-authorities\"");
    }

    /// The same value for the same authorities, in whatever order they are.
    List<X509Certificate> certificates() {
        return anchors.stream().map(TrustAnchor::getTrustedCert).toList();
    }

    boolean has(X509Certificate certificate) {
        return anchors.stream().anyMatch(anchor -> certificate.equals(anchor.getTrustedCert()));
    }
}
