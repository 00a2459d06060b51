package org.malote.offload;

import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslHandler;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/// A server's handshake that failed, for the meters: few words, and what is known. A peer that does
/// not get as far as a certificate has no version yet; the JDK's engine tells nothing.
///
/// @param cause a word of [HandshakeFault#of]
/// @param version `TLSv1.3` or `TLSv1.2`
/// @param keyType of the certificate that was chosen, such as `P-256`; null where the engine chose
///     among several
/// @param provider of its key, or `fallback`
public record FailedHandshake(
        String cause,
        @Nullable String version,
        @Nullable String keyType,
        @Nullable String provider) {

    private static final Set<String> VERSIONS = Set.of("TLSv1.3", "TLSv1.2");

    /// The name of what is noted of a session: the engine forgets all when it fails.
    private static final String COURSE = "org.malote.offload.course";

    /// How far a handshake came.
    private record Course(String version, @Nullable ServedCertificate certificate) {}

    /// @param handler whose handshake failed, on its event loop; null when there was none yet
    /// @param cause as the handler tells it
    public static FailedHandshake of(@Nullable SslHandler handler, @Nullable Throwable cause) {
        String word = HandshakeFault.of(cause);
        Object noted =
                handler != null && handler.engine() instanceof ReferenceCountedOpenSslEngine engine
                        ? engine.getSession().getValue(COURSE)
                        : null;
        if (!(noted instanceof Course(String version, ServedCertificate certificate))) {
            return new FailedHandshake(word, null, null, null);
        }
        return new FailedHandshake(
                word,
                VERSIONS.contains(version) ? version : null,
                certificate == null
                        ? null
                        : ServedCertificate.keyType(certificate.leaf().getPublicKey()),
                certificate == null ? null : certificate.signer());
    }

    /// To be called when a certificate is chosen.
    ///
    /// @param chosen null when the engine does that
    static void note(SSLEngine engine, SSLSession session, @Nullable ServedCertificate chosen) {
        // The JDK makes no TLS 1.2 ticket for a session with values.
        if (engine instanceof ReferenceCountedOpenSslEngine) {
            session.putValue(COURSE, new Course(session.getProtocol(), chosen));
        }
    }
}
