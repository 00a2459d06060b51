package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.ReferenceCountedOpenSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedTrustManager;

/// BoringSSL or OpenSSL as a client, with groups, suites and versions as a server has them. The
/// context keeps the sessions, by host and port.
final class NativeClient implements EngineClient {
    private final ReferenceCountedOpenSslContext context;

    private NativeClient(ReferenceCountedOpenSslContext context) {
        this.context = context;
    }

    /// @param asksForStatus whether the host is asked to staple what its issuer says
    /// @param own our certificates; none to show none
    /// @param groups for the key agreement, the best first
    static NativeClient open(
            X509ExtendedTrustManager trust,
            boolean asksForStatus,
            List<ServedCertificate> own,
            SessionLimits limits,
            List<String> groups)
            throws SSLException {
        SslContextBuilder builder =
                NativeContexts.common(SslContextBuilder.forClient(), groups)
                        .trustManager(trust)
                        .enableOcsp(asksForStatus)
                        // The trust manager looks at names where that is asked for.
                        .endpointIdentificationAlgorithm(null);
        var context = (ReferenceCountedOpenSslContext) withKeys(builder, own).build();
        var sessions = context.sessionContext();
        sessions.setSessionCacheEnabled(true);
        sessions.setSessionCacheSize(limits.sessionsMax());
        sessions.setSessionTimeout(limits.lifetimeSeconds());
        sessions.setTicketKeys(); // no keys: only allows tickets in TLS 1.2
        return new NativeClient(context);
    }

    private static SslContextBuilder withKeys(
            SslContextBuilder builder, List<ServedCertificate> own) {
        if (own.isEmpty()) {
            return builder.option(OpenSslContextOption.USE_TASKS, false);
        }
        builder.keyManager(
                new OpenSslCachingX509KeyManagerFactory(new KeyManagerForm(new HostKeys(own))));
        if (own.stream().allMatch(one -> one.key() instanceof OpenedKey.InProcess)) {
            return builder.option(OpenSslContextOption.USE_TASKS, false);
        }
        // A key method is only called in a task, which the handler runs on the event loop.
        builder.option(OpenSslContextOption.USE_TASKS, true);
        return own.stream().noneMatch(one -> one.key() instanceof OpenedKey.Offloaded)
                ? builder.option(OpenSslContextOption.PRIVATE_KEY_METHOD, new InlineSignatures(own))
                : builder.option(
                        OpenSslContextOption.ASYNC_PRIVATE_KEY_METHOD,
                        new OffloadedSignatures(own));
    }

    @Override
    public SslHandler handler(ByteBufAllocator allocator, String host, int port) {
        BoringSslContexts.retain(context);
        try {
            return context.newHandler(allocator, host, port);
        } finally {
            context.release();
        }
    }

    @Override
    public void close() {
        context.release();
    }
}
