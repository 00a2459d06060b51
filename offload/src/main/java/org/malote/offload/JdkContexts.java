package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/// The JDK's own engine. It seals tickets with keys of its own, which it makes and drops by itself.
final class JdkContexts implements EngineContexts {
    /// The same as BoringSSL's, but for the first, which JDK 25 does not have.
    static final List<String> GROUPS = List.of("X25519", "P-256", "P-384");

    private static final String[] JDK_GROUPS = {"x25519", "secp256r1", "secp384r1"};

    private final List<SslContext> servers;
    private final SslContext client;
    private final List<String> protocols;
    private final FullHandshakes fullHandshakes;

    private JdkContexts(
            List<SslContext> servers,
            SslContext client,
            List<String> protocols,
            FullHandshakes fullHandshakes) {
        this.protocols = protocols;
        this.fullHandshakes = fullHandshakes;
        this.servers = List.copyOf(servers);
        this.client = client;
    }

    static JdkContexts open(
            List<List<ServedCertificate>> sets,
            List<String> protocols,
            ClientCertificates.Demand demand,
            int sessionSeconds)
            throws SSLException {
        FullHandshakes fullHandshakes = new FullHandshakes();
        List<SslContext> servers = new ArrayList<>();
        for (List<ServedCertificate> served : sets) {
            servers.add(
                    common(
                                    SslContextBuilder.forServer(
                                            new ServerKeys(served, fullHandshakes::mark)),
                                    sessionSeconds)
                            .clientAuth(EngineContexts.clientAuth(demand))
                            .trustManager(new AnyCertificate(_ -> {}))
                            .build());
        }
        SslContext client =
                common(SslContextBuilder.forClient(), sessionSeconds)
                        .trustManager(new AnyCertificate(fullHandshakes::mark))
                        .endpointIdentificationAlgorithm(null)
                        .sessionCacheSize(CLIENT_SESSIONS_MAX)
                        .build();
        return new JdkContexts(servers, client, protocols, fullHandshakes);
    }

    static SslContextBuilder common(SslContextBuilder builder, int sessionSeconds) {
        return builder.sslProvider(SslProvider.JDK)
                .protocols(PROTOCOLS)
                .ciphers(CIPHERS, IdentityCipherSuiteFilter.INSTANCE)
                .sessionTimeout(sessionSeconds);
    }

    @Override
    public SslHandler server(ByteBufAllocator allocator, int set) {
        return handler(servers.get(set).newEngine(allocator), protocols, fullHandshakes);
    }

    @Override
    public SslHandler client(ByteBufAllocator allocator, String host, int port) {
        return handler(client.newEngine(allocator, host, port), List.of(), fullHandshakes);
    }

    static SslHandler handler(
            SSLEngine engine, List<String> spoken, FullHandshakes fullHandshakes) {
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setApplicationProtocols(spoken.toArray(String[]::new));
        parameters.setNamedGroups(JDK_GROUPS);
        engine.setSSLParameters(parameters);
        return new JdkHandler(engine, fullHandshakes);
    }

    @Override
    public List<String> groups() {
        return GROUPS;
    }

    @Override
    public void useTicketKeys(OpenSslSessionTicketKey[] keys) {
        // The JDK has no way to be given ticket keys.
    }

    @Override
    public void close() {}
}
