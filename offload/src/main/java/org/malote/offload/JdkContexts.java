package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// The JDK's own engine. It seals tickets with keys of its own, which it makes and drops by itself.
final class JdkContexts implements EngineContexts {
    private final @Nullable SslContext server;
    private final SslContext client;
    private final FullHandshakes fullHandshakes;

    private JdkContexts(
            @Nullable SslContext server, SslContext client, FullHandshakes fullHandshakes) {
        this.fullHandshakes = fullHandshakes;
        this.server = server;
        this.client = client;
    }

    static JdkContexts open(List<ServedCertificate> served, int sessionSeconds)
            throws SSLException {
        FullHandshakes fullHandshakes = new FullHandshakes();
        SslContext server =
                served.isEmpty()
                        ? null
                        : common(
                                        SslContextBuilder.forServer(
                                                new ServerKeys(served, fullHandshakes::mark)),
                                        sessionSeconds)
                                .build();
        SslContext client =
                common(SslContextBuilder.forClient(), sessionSeconds)
                        .trustManager(new AnyCertificate(fullHandshakes::mark))
                        .endpointIdentificationAlgorithm(null)
                        .sessionCacheSize(CLIENT_SESSIONS_MAX)
                        .build();
        return new JdkContexts(server, client, fullHandshakes);
    }

    private static SslContextBuilder common(SslContextBuilder builder, int sessionSeconds) {
        return builder.sslProvider(SslProvider.JDK)
                .protocols(PROTOCOLS)
                .ciphers(CIPHERS, IdentityCipherSuiteFilter.INSTANCE)
                .sessionTimeout(sessionSeconds);
    }

    @Override
    public SslHandler server(ByteBufAllocator allocator) {
        SslContext context = Objects.requireNonNull(server, "no certificate, so no TLS server");
        return new JdkHandler(context.newEngine(allocator), fullHandshakes);
    }

    @Override
    public SslHandler client(ByteBufAllocator allocator, String host, int port) {
        return new JdkHandler(client.newEngine(allocator, host, port), fullHandshakes);
    }

    @Override
    public void useTicketKeys(OpenSslSessionTicketKey[] keys) {
        // The JDK has no way to be given ticket keys.
    }

    @Override
    public void close() {}
}
