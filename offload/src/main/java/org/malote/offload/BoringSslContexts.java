package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslCredential;
import io.netty.handler.ssl.OpenSslCredentialBuilder;
import io.netty.handler.ssl.OpenSslServerSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.ReferenceCountedOpenSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.IllegalReferenceCountException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// BoringSSL through netty-tcnative, reference-counted: a context lives until its last connection
/// is gone.
///
/// Keys in this process become BoringSSL credentials, among which it chooses by all that the peer
/// says: signature schemes, cipher suites and groups. When a provider signs itself,
/// [ServerKeys] chooses by signature schemes, and [InlineSignatures] or [OffloadedSignatures] sign.
final class BoringSslContexts implements EngineContexts {
    /// Post-quantum first (draft-ietf-tls-ecdhe-mlkem), then what is cheapest.
    static final List<String> GROUPS = List.of("X25519MLKEM768", "X25519", "P-256");

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
        List<ReferenceCountedOpenSslContext> servers = new ArrayList<>();
        boolean opened = false;
        try {
            for (List<ServedCertificate> served : sets) {
                servers.add(openServer(served, protocols, demand, sessionSeconds, keys));
            }
            BoringSslContexts contexts = new BoringSslContexts(servers, openClient(sessionSeconds));
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
            List<String> protocols,
            ClientCertificates.Demand demand,
            int sessionSeconds,
            OpenSslSessionTicketKey[] keys)
            throws SSLException {
        List<OpenSslCredential> credentials = new ArrayList<>();
        try {
            SslContextBuilder builder;
            if (served.stream().allMatch(one -> one.key() instanceof OpenedKey.InProcess)) {
                addCredentials(served, credentials);
                builder =
                        SslContextBuilder.forServer(new ServerKeys(List.of(), _ -> {}))
                                .addCredentials(credentials)
                                // Signing inline is cheaper than a task for each signature:
                                // measured.
                                .option(OpenSslContextOption.USE_TASKS, false);
            } else if (served.stream().noneMatch(BoringSslContexts::isAwaited)) {
                builder =
                        keyManaged(served)
                                // A key method is only called in a task, which the handler runs
                                // at once, on the event loop.
                                .option(OpenSslContextOption.USE_TASKS, true)
                                .option(
                                        OpenSslContextOption.PRIVATE_KEY_METHOD,
                                        new InlineSignatures(served));
            } else {
                builder =
                        keyManaged(served)
                                .option(OpenSslContextOption.USE_TASKS, true)
                                .option(
                                        OpenSslContextOption.ASYNC_PRIVATE_KEY_METHOD,
                                        new OffloadedSignatures(served));
            }
            var context =
                    (ReferenceCountedOpenSslContext)
                            common(builder)
                                    .applicationProtocolConfig(alpn(protocols))
                                    .clientAuth(EngineContexts.clientAuth(demand))
                                    .trustManager(new AnyCertificate(_ -> {}))
                                    .build();
            // Tickets hold the state (RFC 5077 §1); a cache beside them would only take memory.
            var sessions = (OpenSslServerSessionContext) context.sessionContext();
            sessions.setSessionCacheEnabled(false);
            sessions.setSessionTimeout(sessionSeconds);
            sessions.setTicketKeys(keys);
            return context;
        } finally {
            credentials.forEach(OpenSslCredential::release); // the context holds its own reference
        }
    }

    /// Answers to a peer that offers one of these. Others are not refused here: [ClientHelloGuard]
    /// does that.
    private static @Nullable ApplicationProtocolConfig alpn(List<String> protocols) {
        return protocols.isEmpty()
                ? null
                : new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        protocols);
    }

    private static SslContextBuilder keyManaged(List<ServedCertificate> served) {
        return SslContextBuilder.forServer(
                new OpenSslCachingX509KeyManagerFactory(
                        new KeyManagerForm(new ServerKeys(served, _ -> {}))));
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

    private static ReferenceCountedOpenSslContext openClient(int sessionSeconds)
            throws SSLException {
        var context =
                (ReferenceCountedOpenSslContext)
                        common(SslContextBuilder.forClient())
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

    static SslContextBuilder common(SslContextBuilder builder) {
        return builder.sslProvider(SslProvider.OPENSSL_REFCNT)
                .protocols(PROTOCOLS)
                // Netty's default filter drops the TLS 1.3 names, and with them TLS 1.3, without a
                // word.
                .ciphers(CIPHERS, IdentityCipherSuiteFilter.INSTANCE)
                .option(OpenSslContextOption.GROUPS, GROUPS.toArray(String[]::new));
    }

    @Override
    public SslHandler server(ByteBufAllocator allocator, int set) {
        ReferenceCountedOpenSslContext context = servers.get(set);
        retain(context);
        try {
            return context.newHandler(allocator);
        } finally {
            context.release();
        }
    }

    @Override
    public SslHandler client(ByteBufAllocator allocator, String host, int port) {
        retain(client);
        try {
            return client.newHandler(allocator, host, port);
        } finally {
            client.release();
        }
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
