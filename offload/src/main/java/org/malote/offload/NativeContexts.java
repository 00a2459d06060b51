package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslServerSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.ReferenceCountedOpenSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.IllegalReferenceCountException;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// What contexts of netty-tcnative have in common, whichever library is under it.
final class NativeContexts {
    private NativeContexts() {}

    /// What every context of a server has but its keys.
    ///
    /// @param groups for the key agreement, the best first
    record Server(
            List<String> protocols,
            ClientCertificates.Demand demand,
            int sessionSeconds,
            List<String> groups) {

        /// @param keys that seal and open tickets; with none, no ticket is given
        ReferenceCountedOpenSslContext build(
                SslContextBuilder builder, OpenSslSessionTicketKey[] keys) throws SSLException {
            var context =
                    (ReferenceCountedOpenSslContext)
                            common(builder, groups)
                                    .applicationProtocolConfig(alpn(protocols))
                                    .clientAuth(EngineContexts.clientAuth(demand))
                                    .trustManager(new AnyCertificate(_ -> {}))
                                    .build();
            // Tickets hold the state (RFC 5077 §1); a cache beside them would only take memory.
            var sessions = (OpenSslServerSessionContext) context.sessionContext();
            sessions.setSessionCacheEnabled(false);
            sessions.setSessionTimeout(sessionSeconds);
            if (keys.length > 0) {
                sessions.setTicketKeys(keys);
            }
            return context;
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

    /// A server whose certificate [ServerKeys] chooses.
    static SslContextBuilder keyManaged(List<ServedCertificate> served) {
        return SslContextBuilder.forServer(
                new OpenSslCachingX509KeyManagerFactory(
                        new KeyManagerForm(new ServerKeys(served, _ -> {}))));
    }

    static SslContextBuilder common(SslContextBuilder builder, List<String> groups) {
        return builder.sslProvider(SslProvider.OPENSSL_REFCNT)
                .protocols(EngineContexts.PROTOCOLS)
                // Netty's default filter drops the TLS 1.3 names, and with them TLS 1.3, without a
                // word.
                .ciphers(EngineContexts.CIPHERS, IdentityCipherSuiteFilter.INSTANCE)
                .option(OpenSslContextOption.GROUPS, groups.toArray(String[]::new));
    }

    /// A handler of a context that may be closed at the same time: it is held while the handler
    /// takes its own hold.
    ///
    /// @return null when it is closed
    static @Nullable SslHandler handler(
            ReferenceCountedOpenSslContext context, ByteBufAllocator allocator) {
        try {
            context.retain();
        } catch (IllegalReferenceCountException _) {
            return null;
        }
        try {
            return context.newHandler(allocator);
        } finally {
            context.release();
        }
    }
}
