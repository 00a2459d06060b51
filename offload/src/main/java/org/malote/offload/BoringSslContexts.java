package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslCredential;
import io.netty.handler.ssl.OpenSslCredentialBuilder;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.ReferenceCountedOpenSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.IllegalReferenceCountException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;

/// BoringSSL through netty-tcnative, reference-counted: a context lives until its last connection
/// is gone.
///
/// Keys in this process become BoringSSL credentials, among which it chooses by all that the peer
/// says: signature schemes, cipher suites and groups. When a provider signs itself,
/// [ServerKeys] chooses by signature schemes, and [InlineSignatures] or [OffloadedSignatures] sign.
final class BoringSslContexts implements EngineContexts {
    /// Post-quantum first (draft-ietf-tls-ecdhe-mlkem), then what is cheapest. The last is there
    /// for certificates: in TLS 1.2 the list says as well on which curves a key may be (RFC 8422
    /// §5.1.1).
    static final List<String> GROUPS = List.of("X25519MLKEM768", "X25519", "P-256", "P-384");

    /// One for each set of certificates.
    private final List<ReferenceCountedOpenSslContext> servers;

    private final ReferenceCountedOpenSslContext client;

    private BoringSslContexts(
            List<ReferenceCountedOpenSslContext> servers, ReferenceCountedOpenSslContext client) {
        this.servers = List.copyOf(servers);
        this.client = client;
    }

    static BoringSslContexts open(
            List<List<ServedCertificate>> sets,
            List<String> protocols,
            ClientCertificates.Demand demand,
            int sessionSeconds,
            OpenSslSessionTicketKey[] keys)
            throws SSLException {
        var server = new NativeContexts.Server(protocols, demand, sessionSeconds, GROUPS);
        List<ReferenceCountedOpenSslContext> servers = new ArrayList<>();
        boolean opened = false;
        try {
            for (List<ServedCertificate> served : sets) {
                servers.add(openServer(served, server, keys));
            }
            BoringSslContexts contexts =
                    new BoringSslContexts(servers, openClient(sessionSeconds, GROUPS));
            opened = true;
            return contexts;
        } finally {
            if (!opened) {
                servers.forEach(ReferenceCountedOpenSslContext::release);
            }
        }
    }

    private static ReferenceCountedOpenSslContext openServer(
            List<ServedCertificate> served,
            NativeContexts.Server server,
            OpenSslSessionTicketKey[] keys)
            throws SSLException {
        List<OpenSslCredential> credentials = new ArrayList<>();
        try {
            SslContextBuilder builder;
            if (served.stream().allMatch(one -> one.key() instanceof OpenedKey.InProcess)) {
                addCredentials(served, credentials);
                builder =
                        SslContextBuilder.forServer(ServerKeys.ofEngine(served))
                                .addCredentials(credentials)
                                // Signing inline is cheaper than a task for each signature:
                                // measured.
                                .option(OpenSslContextOption.USE_TASKS, false);
            } else if (served.stream().noneMatch(BoringSslContexts::isAwaited)) {
                builder =
                        NativeContexts.keyManaged(served)
                                // A key method is only called in a task, which the handler runs
                                // at once, on the event loop.
                                .option(OpenSslContextOption.USE_TASKS, true)
                                .option(
                                        OpenSslContextOption.PRIVATE_KEY_METHOD,
                                        new InlineSignatures(served));
            } else {
                builder =
                        NativeContexts.keyManaged(served)
                                .option(OpenSslContextOption.USE_TASKS, true)
                                .option(
                                        OpenSslContextOption.ASYNC_PRIVATE_KEY_METHOD,
                                        new OffloadedSignatures(served));
            }
            return server.build(builder, keys);
        } finally {
            credentials.forEach(OpenSslCredential::release); // the context holds its own reference
        }
    }

    private static boolean isAwaited(ServedCertificate one) {
        return switch (one.key()) {
            case OpenedKey.InProcess _, OpenedKey.Inline _ -> false;
            case OpenedKey.Offloaded _ -> true;
        };
    }

    /// P-256 before RSA, whatever the order in the settings: it makes a full handshake 2 to 4 times
    /// cheaper.
    private static void addCredentials(
            List<ServedCertificate> served, List<OpenSslCredential> credentials) {
        for (SignatureScheme.Family family :
                List.of(SignatureScheme.Family.EC, SignatureScheme.Family.RSA)) {
            for (ServedCertificate one : served) {
                if (one.family() == family
                        && one.key() instanceof OpenedKey.InProcess(var privateKey)) {
                    credentials.add(
                            OpenSslCredentialBuilder.forX509(privateKey, one.chainArray()).build());
                }
            }
        }
    }

    static ReferenceCountedOpenSslContext openClient(int sessionSeconds, List<String> groups)
            throws SSLException {
        var context =
                (ReferenceCountedOpenSslContext)
                        NativeContexts.common(SslContextBuilder.forClient(), groups)
                                .trustManager(new AnyCertificate(_ -> {}))
                                // Netty checks names by default; opportunistic TLS does not.
                                .endpointIdentificationAlgorithm(null)
                                .option(OpenSslContextOption.USE_TASKS, false)
                                .build();
        var sessions = context.sessionContext();
        sessions.setSessionCacheEnabled(true);
        sessions.setSessionCacheSize(CLIENT_SESSIONS_MAX);
        sessions.setSessionTimeout(sessionSeconds);
        sessions.setTicketKeys(); // no keys: only allows tickets in TLS 1.2
        return context;
    }

    @Override
    public SslHandler server(ByteBufAllocator allocator, int set) {
        SslHandler handler = NativeContexts.handler(servers.get(set), allocator);
        if (handler == null) {
            throw new IllegalStateException("these TLS contexts are closed");
        }
        return handler;
    }

    @Override
    public SslHandler client(ByteBufAllocator allocator, String host, int port) {
        return client(client, allocator, host, port);
    }

    static SslHandler client(
            ReferenceCountedOpenSslContext client,
            ByteBufAllocator allocator,
            String host,
            int port) {
        retain(client);
        try {
            return client.newHandler(allocator, host, port);
        } finally {
            client.release();
        }
    }

    @Override
    public List<String> groups() {
        return GROUPS;
    }

    /// Holds a context while a handler takes its own hold, so that a close at the same time cannot
    /// free it in between.
    static void retain(ReferenceCountedOpenSslContext context) {
        try {
            context.retain();
        } catch (IllegalReferenceCountException e) {
            throw new IllegalStateException("these TLS contexts are closed", e);
        }
    }

    @Override
    public void useTicketKeys(OpenSslSessionTicketKey[] keys) {
        for (ReferenceCountedOpenSslContext server : servers) {
            server.sessionContext().setTicketKeys(keys);
        }
    }

    @Override
    public void close() {
        servers.forEach(ReferenceCountedOpenSslContext::release);
        client.release();
    }
}
