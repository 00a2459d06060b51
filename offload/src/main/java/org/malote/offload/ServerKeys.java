package org.malote.offload;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// Chooses the server's certificate: that of an elliptic curve for every peer that can verify it,
/// RSA for the rest.
///
/// The aliases are fixed (`EC`, `RSA`): the JDK's own PKIX manager makes new ones at each call,
/// which defeats a cache of key material.
final class ServerKeys extends X509ExtendedKeyManager {
    /// Leads to no chain, which leaves the choice to BoringSSL among the credentials that its
    /// context holds.
    static final String ENGINE_CHOOSES = "engine";

    /// The name of what is noted of a peer: the schemes that it verifies.
    static final String VERIFIED = "org.malote.offload.verified";

    private final Consumer<SSLEngine> onFullHandshake;

    /// What an engine that chooses has no choice but to take; null when it has.
    private final @Nullable ServedCertificate only;

    private final Map<SignatureScheme.Family, ServedCertificate> entries =
            new EnumMap<>(SignatureScheme.Family.class);

    /// @param served the certificates to choose from; with none there is no server
    /// @param onFullHandshake told of each engine that asks for a certificate, which a resumed
    ///     handshake does not
    ServerKeys(List<ServedCertificate> served, Consumer<SSLEngine> onFullHandshake) {
        this.onFullHandshake = onFullHandshake;
        this.only = null;
        served.forEach(one -> entries.put(one.family(), one));
    }

    private ServerKeys(@Nullable ServedCertificate only) {
        this.onFullHandshake = _ -> {};
        this.only = only;
    }

    /// Leaves the choice to an engine.
    ///
    /// @param served what it has
    static ServerKeys ofEngine(List<ServedCertificate> served) {
        return new ServerKeys(served.size() == 1 ? served.getFirst() : null);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
        SSLSession session = engine.getHandshakeSession();
        if (session != null) {
            onFullHandshake.accept(engine);
        }
        if (entries.isEmpty()) {
            // The session keeps what it was asked once; when the handshake is over it is too late.
            boolean _ = isVerifiable(SignatureScheme.ECDSA_SECP256R1_SHA256, session);
            if (session != null) {
                FailedHandshake.note(engine, session, only);
            }
            return ENGINE_CHOOSES;
        }
        for (SignatureScheme.Family family : SignatureScheme.Family.values()) {
            ServedCertificate served = entries.get(family);
            if (served != null && family.name().equals(keyType)) {
                if (!isVerifiable(served.usualScheme(), session)) {
                    return null;
                }
                if (session != null) {
                    FailedHandshake.note(engine, session, served);
                }
                return family.name();
            }
        }
        return null;
    }

    /// Notes what the peer's ClientHello says, so that the session need not be asked: Netty's looks
    /// each scheme up with a regular expression (3 % of a connection: benchmarks/NOTES.md).
    ///
    /// @param session whose handshake has begun
    static void note(SSLSession session, Set<SignatureScheme> verified) {
        session.putValue(VERIFIED, verified);
    }

    /// Whether the peer verifies what a key usually signs with. A peer that lists nothing is of
    /// TLS 1.2 and old: it means RSA and SHA-1, and gets RSA (RFC 5246 §7.4.1.4.1).
    ///
    /// @param session of the handshake; null while the JDK restores a session from its ticket, when
    ///     it asks for the certificate that the session began with
    static boolean isVerifiable(SignatureScheme usual, @Nullable SSLSession session) {
        if (usual.family() == SignatureScheme.Family.RSA || session == null) {
            return true; // the last choice: the engine fails the handshake if it does not fit
        }
        if (session.getValue(VERIFIED) instanceof Set<?> noted) {
            return noted.contains(usual);
        }
        return session instanceof ExtendedSSLSession extended
                && List.of(extended.getPeerSupportedSignatureAlgorithms())
                        .contains(usual.jcaName());
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(@Nullable String alias) {
        ServedCertificate served = find(alias);
        return served == null ? null : served.chainArray();
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(@Nullable String alias) {
        ServedCertificate served = find(alias);
        if (served == null) {
            return null;
        }
        return switch (served.key()) {
            case OpenedKey.InProcess(var privateKey) -> privateKey;
            case OpenedKey.Inline _, OpenedKey.Offloaded _ -> null;
        };
    }

    private @Nullable ServedCertificate find(@Nullable String alias) {
        for (SignatureScheme.Family family : SignatureScheme.Family.values()) {
            if (family.name().equals(alias)) {
                return entries.get(family);
            }
        }
        return null;
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null; // asked by nobody: engines ask chooseEngineServerAlias
    }

    @Override
    public @Nullable String chooseServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null; // only for sockets
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null; // a server's keys only
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null; // a server's keys only
    }
}
