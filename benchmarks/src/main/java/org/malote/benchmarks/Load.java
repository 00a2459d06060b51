package org.malote.benchmarks;

import java.nio.file.Path;
import java.security.cert.Certificate;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.malote.offload.Engine;

/// What a load consists of.
///
/// @param version TLSv1.2 or TLSv1.3
/// @param group the only group that is offered; empty for all
/// @param keyType of the only certificates that the server may use
/// @param resumedShare of the sessions with TLS, from 0 to 1, those that resume an earlier one
/// @param chain of the client's certificate, with its `key`; null for none
/// @param code the Mail Policy Code of each message, with the keyword that it is given by; empty
///     for none
/// @param helo what EHLO says; empty for a QUIT in its place
/// @param sessions at once, at most
/// @param rate connections begun in a second, whatever becomes of them; 0 for as many as end
/// @param connections to make; 0 for no end
/// @param messages to send; 0 for no end
/// @param seconds in which connections and messages are begun; 0 for no end
/// @param perConnection messages of a connection, the last one's may be fewer; 0 for none
/// @param octets of a message, about
/// @param holdSeconds how long the sessions stay idle once all are up; 0 for not at all
/// @param patienceSeconds how long a session may wait for a reply before it has failed
record Load(
        String host,
        int port,
        Security security,
        String version,
        String group,
        KeyType keyType,
        double resumedShare,
        @Nullable Path chain,
        @Nullable Path key,
        String helo,
        String code,
        int sessions,
        double rate,
        long connections,
        long messages,
        long seconds,
        int perConnection,
        int octets,
        int recipients,
        String recipient,
        boolean isPipelined,
        boolean isChunked,
        long holdSeconds,
        long patienceSeconds) {

    /// What a server proves itself with.
    enum KeyType {
        ANY,
        ECDSA,
        RSA;

        /// RFC 8446 §4.2.3: those with which a server of TLS 1.3 can sign. The one of PKCS #1 is
        /// for signatures in certificates alone.
        List<String> signatureSchemes() {
            return switch (this) {
                case ANY -> List.of();
                case ECDSA -> List.of("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384");
                case RSA ->
                        List.of("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pkcs1_sha256");
            };
        }

        /// RFC 5289 §3.2, RFC 7905 §2: the suites of TLS 1.2 name the key.
        List<String> cipherSuites() {
            return this == ANY
                    ? List.of()
                    : Stream.of(
                                    "AES_128_GCM_SHA256",
                                    "AES_256_GCM_SHA384",
                                    "CHACHA20_POLY1305_SHA256")
                            .map(cipher -> "TLS_ECDHE_" + this + "_WITH_" + cipher)
                            .toList();
        }

        /// Whether a certificate is of it.
        boolean is(Certificate certificate) {
            return switch (this) {
                case ANY -> true;
                case ECDSA -> certificate.getPublicKey().getAlgorithm().equals("EC");
                case RSA -> certificate.getPublicKey().getAlgorithm().equals("RSA");
            };
        }
    }

    /// By which the load secures itself. BoringSSL is cheapest, but Netty has no way to tell it
    /// which signatures to offer, which choose the server's key in TLS 1.3.
    Engine engine() {
        return keyType != KeyType.ANY && version.equals("TLSv1.3") ? Engine.JDK : Engine.BORINGSSL;
    }

    /// The group by the engine's own name.
    String groupOfEngine() {
        if (engine() != Engine.JDK) {
            return group;
        }
        return switch (group) {
            case "P-256" -> "secp256r1";
            case "P-384" -> "secp384r1";
            default -> group.toLowerCase(Locale.ROOT);
        };
    }

    /// When TLS begins.
    enum Security {
        NONE,
        STARTTLS,
        IMPLICIT
    }
}
