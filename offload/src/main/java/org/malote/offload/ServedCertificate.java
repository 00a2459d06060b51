package org.malote.offload;

import java.nio.file.Path;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A chain with its opened key, proven to belong together.
///
/// @param provider the name of the one that has the key
/// @param fallback the same key from a file, for when the first cannot sign; or null
record ServedCertificate(
        Path file,
        List<X509Certificate> chain,
        SignatureScheme.Family family,
        String provider,
        OpenedKey key,
        @Nullable OpenedKey fallback) {

    /// In place of a provider's name, where a fallback signs: for the meters.
    static final String FALLBACK = "fallback";

    /// RFC 5280 §4.2.1.6: the tag of a dNSName in a subject alternative name.
    private static final int DNS_NAME = 2;

    ServedCertificate {
        chain = List.copyOf(chain);
    }

    X509Certificate leaf() {
        return chain.getFirst();
    }

    /// What its key signs with for peers of TLS 1.3.
    SignatureScheme usualScheme() {
        return SignatureScheme.usual(leaf().getPublicKey());
    }

    X509Certificate[] chainArray() {
        return chain.toArray(X509Certificate[]::new);
    }

    /// What the chain takes in a handshake, but for a few octets.
    int chainOctets() {
        int octets = 0;
        for (X509Certificate one : chain) {
            try {
                octets += one.getEncoded().length;
            } catch (CertificateEncodingException e) {
                throw new IllegalStateException(file() + " was read, and cannot be written", e);
            }
        }
        return octets;
    }

    /// The key's operations: its own, or plain signatures when the key is in this process.
    PrivateKeyOps operations() {
        return operations(key);
    }

    @Nullable PrivateKeyOps fallbackOperations() {
        return fallback == null ? null : operations(fallback);
    }

    static PrivateKeyOps operations(OpenedKey opened) {
        return switch (opened) {
            case OpenedKey.InProcess(var privateKey) -> new InProcessOps(privateKey);
            case OpenedKey.Inline(var operations) -> operations;
            case OpenedKey.Offloaded(var operations) -> operations;
        };
    }

    /// Who signs now: the provider, or [#FALLBACK].
    String signer() {
        return fallback != null && operations().health() instanceof PrivateKeyOps.Health.Ailing
                ? FALLBACK
                : provider;
    }

    void close() {
        operations().close();
        PrivateKeyOps other = fallbackOperations();
        if (other != null) {
            other.close();
        }
    }

    CertificateInfo info() {
        return new CertificateInfo(
                file,
                leaf().getSubjectX500Principal().getName(),
                dnsNames(leaf()),
                keyType(leaf().getPublicKey()),
                leaf().getNotAfter().toInstant());
    }

    static String keyType(PublicKey key) {
        return switch (key) {
            case ECPublicKey ec -> "P-" + ec.getParams().getCurve().getField().getFieldSize();
            case RSAPublicKey rsa -> "RSA-" + rsa.getModulus().bitLength();
            default -> key.getAlgorithm();
        };
    }

    static List<String> dnsNames(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        try {
            Collection<List<?>> all = certificate.getSubjectAlternativeNames();
            if (all != null) {
                for (List<?> name : all) {
                    if (name.get(0) instanceof Integer tag
                            && tag == DNS_NAME
                            && name.get(1) instanceof String value) {
                        names.add(value);
                    }
                }
            }
        } catch (CertificateParsingException _) {
            // A damaged extension means no names; the peer judges the certificate.
        }
        return names;
    }
}
