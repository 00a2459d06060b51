package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedTrustManager;

/// The JDK's own engine as a client. The context keeps the sessions, by host and port.
final class JdkClient implements EngineClient {
    private final SslContext context;
    private final FullHandshakes fullHandshakes;

    private JdkClient(SslContext context, FullHandshakes fullHandshakes) {
        this.context = context;
        this.fullHandshakes = fullHandshakes;
    }

    /// @param trust marks the full handshakes
    /// @param own our certificates; none to show none
    static JdkClient open(
            X509ExtendedTrustManager trust,
            FullHandshakes fullHandshakes,
            List<ServedCertificate> own,
            SessionLimits limits)
            throws SSLException {
        SslContextBuilder builder =
                JdkContexts.common(SslContextBuilder.forClient(), limits.lifetimeSeconds())
                        .trustManager(trust)
                        // The trust manager looks at names where that is asked for.
                        .endpointIdentificationAlgorithm(null)
                        .sessionCacheSize(limits.sessionsMax());
        if (!own.isEmpty()) {
            builder.keyManager(new HostKeys(own));
        }
        return new JdkClient(builder.build(), fullHandshakes);
    }

    @Override
    public SslHandler handler(ByteBufAllocator allocator, String host, int port) {
        return JdkContexts.handler(
                context.newEngine(allocator, host, port), List.of(), fullHandshakes);
    }

    @Override
    public void close() {}
}
