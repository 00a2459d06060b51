package org.malote.offload;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/// Handshakes with ourselves, in memory: the last proof before contexts serve, and a measure of
/// their cost.
final class OwnHandshakes implements AutoCloseable {
    /// Far above the limit of a key's signature.
    private static final int SECONDS_MAX = 20;

    private static final String HOST = "localhost";
    private static final int PORT = 25;

    /// Of one client, which is asked for one more than once at most.
    private static final SessionLimits FEW_SESSIONS = new SessionLimits(10, 60);

    private static final List<String> VERSIONS = List.of("TLSv1.3", "TLSv1.2");

    /// One for each end: in memory, ends on the same loop would call each other in the middle of
    /// what they do.
    private final EventLoopGroup serverLoop;

    private final EventLoopGroup clientLoop;
    private final LongSupplier nanoTime;
    private final Channel listener;

    /// What the server's end said last; the client's end knows less.
    private final AtomicReference<@Nullable Throwable> serverFailure = new AtomicReference<>();

    /// @param set the number of the certificates to serve
    /// @param isLenient whether a peer without a certificate is served, though the settings demand
    ///     one
    private OwnHandshakes(
            TlsContexts server, KeyEnvironment environment, int set, boolean isLenient) {
        this.serverLoop = loop(environment);
        this.clientLoop = loop(environment);
        this.nanoTime = environment.nanoTime();
        this.listener =
                new ServerBootstrap()
                        .group(serverLoop)
                        .channel(LocalServerChannel.class)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        SslHandler tls =
                                                server.serverHandler(
                                                        UnpooledByteBufAllocator.DEFAULT, set);
                                        if (isLenient) {
                                            tls.engine().setWantClientAuth(true);
                                        }
                                        channel.pipeline().addLast(tls).addLast(new Echo());
                                    }
                                })
                        .bind(new LocalAddress(OwnHandshakes.class))
                        .syncUninterruptibly()
                        .channel();
    }

    private static EventLoopGroup loop(KeyEnvironment environment) {
        return new MultiThreadIoEventLoopGroup(
                1, environment.threads(), LocalIoHandler.newFactory());
    }

    /// A handshake.
    ///
    /// @param nanos of both ends together
    /// @param leaf the certificate that the server showed, or had shown; null when none is known
    record Outcome(TlsSummary summary, long nanos, @Nullable X509Certificate leaf) {}

    /// For each set of certificates one full and, where sessions are resumed, one resumed handshake
    /// of each version, and one for each certificate with a peer that verifies its kind of key
    /// alone.
    ///
    /// @throws TlsProblems when one fails
    static void prove(TlsContexts contexts, TlsEnvironment environment) throws TlsProblems {
        KeyEnvironment keys = environment.providers().environment();
        if (keys == null || !contexts.hasServer()) {
            return;
        }
        for (int set = 0; set < contexts.certificateSets(); set++) {
            List<HandshakeCost> _ = measure(contexts, environment, keys, 1, set);
            List<ServedCertificate> served = contexts.certificateSet(set);
            if (served.size() == 1) {
                continue; // it was that one
            }
            try (OwnHandshakes own = new OwnHandshakes(contexts, keys, set, true)) {
                for (ServedCertificate one : served) {
                    if (contexts.engine() != Engine.OPENSSL || isOfItsKind(one)) {
                        own.proveAlone(one);
                    }
                }
            }
        }
    }

    /// Whether a key of the certificate's kind has signed it, too. OpenSSL shows a certificate only
    /// to a peer that verifies both (RFC 8446 §4.4.2.2), which is then shown the other for a
    /// reason.
    private static boolean isOfItsKind(ServedCertificate one) {
        String signed = one.leaf().getSigAlgName();
        return switch (one.family()) {
            case EC -> signed.endsWith("withECDSA");
            case RSA -> signed.endsWith("withRSA") || signed.startsWith("RSASSA");
        };
    }

    private void proveAlone(ServedCertificate certificate) throws TlsProblems {
        for (String version : VERSIONS) {
            String what = version + " and certificate " + certificate.file();
            EngineClient client = verifierOf(certificate);
            try {
                Outcome outcome =
                        converse(() -> restricted(client, certificate.family()), version, what);
                if (!certificate.leaf().equals(outcome.leaf())) {
                    throw failure(what, "another was shown");
                }
            } finally {
                client.close();
            }
        }
    }

    /// The JDK's engine, whatever the server's: only it can be told what to verify.
    private static EngineClient verifierOf(ServedCertificate certificate) throws TlsProblems {
        FullHandshakes full = new FullHandshakes();
        try {
            return JdkClient.open(new AnyCertificate(full::mark), full, List.of(), FEW_SESSIONS);
        } catch (SSLException e) {
            throw failure(String.valueOf(certificate.file()), e.toString());
        }
    }

    private static SslHandler restricted(EngineClient client, SignatureScheme.Family family) {
        SslHandler tls = client.handler(UnpooledByteBufAllocator.DEFAULT, HOST, PORT);
        SSLParameters parameters = tls.engine().getSSLParameters();
        parameters.setSignatureSchemes(
                Arrays.stream(SignatureScheme.values())
                        .filter(scheme -> scheme.family() == family)
                        .map(scheme -> scheme.name().toLowerCase(Locale.ROOT))
                        .toArray(String[]::new));
        tls.engine().setSSLParameters(parameters);
        return tls;
    }

    /// The cost of each kind of handshake with the first set of certificates.
    ///
    /// @param rounds of whose second half the middle one counts; the first warms up
    static List<HandshakeCost> measure(
            TlsContexts contexts, TlsEnvironment environment, KeyEnvironment keys, int rounds)
            throws TlsProblems {
        return measure(contexts, environment, keys, rounds, 0);
    }

    private static List<HandshakeCost> measure(
            TlsContexts contexts,
            TlsEnvironment environment,
            KeyEnvironment keys,
            int rounds,
            int set)
            throws TlsProblems {
        List<ServedCertificate> shown =
                contexts.demandsCertificates() ? shown(environment) : List.of();
        List<HandshakeCost> costs = new ArrayList<>();
        try (OwnHandshakes own = new OwnHandshakes(contexts, keys, set, false)) {
            for (String version : VERSIONS) {
                long[] full = new long[rounds];
                long[] resumed = new long[rounds];
                for (int i = 0; i < rounds; i++) {
                    // A client of its own each time, which knows no session.
                    EngineClient client = contexts.openClient(shown, FEW_SESSIONS);
                    try {
                        full[i] = own.converse(client, version).nanos();
                        if (!contexts.isResuming()) {
                            continue;
                        }
                        Outcome second = own.converse(client, version);
                        resumed[i] = second.nanos();
                        if (!second.summary().resumed()) {
                            throw PemFile.problem(
                                    "a handshake of our own with "
                                            + version
                                            + " was not resumed: report this");
                        }
                    } finally {
                        client.close();
                    }
                }
                costs.add(new HandshakeCost(version, false, median(full)));
                if (contexts.isResuming()) {
                    costs.add(new HandshakeCost(version, true, median(resumed)));
                }
            }
        }
        return costs;
    }

    /// What we show to ourselves. Nobody believes it, which fails no handshake.
    private static List<ServedCertificate> shown(TlsEnvironment environment) {
        return List.of(SelfSigned.inMemory(environment.clock().instant(), environment.random()));
    }

    private static long median(long[] values) {
        int warm = values.length / 2;
        Arrays.sort(values, warm, values.length);
        return values[(warm + values.length) / 2];
    }

    private Outcome converse(EngineClient client, String version) throws TlsProblems {
        return converse(
                () -> client.handler(UnpooledByteBufAllocator.DEFAULT, HOST, PORT),
                version,
                version);
    }

    /// @param what the handshake is with, for the operator
    private Outcome converse(Supplier<SslHandler> client, String version, String what)
            throws TlsProblems {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        long begin = nanoTime.getAsLong();
        new Bootstrap()
                .group(clientLoop)
                .channel(LocalChannel.class)
                .handler(
                        new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                SslHandler tls = client.get();
                                tls.setHandshakeTimeoutMillis(
                                        TimeUnit.SECONDS.toMillis(SECONDS_MAX));
                                tls.engine().setEnabledProtocols(new String[] {version});
                                channel.pipeline()
                                        .addLast(tls)
                                        .addLast(new Caller(tls, outcome, begin));
                            }
                        })
                .connect(listener.localAddress())
                .addListener(
                        connected -> {
                            if (!connected.isSuccess()) {
                                outcome.completeExceptionally(connected.cause());
                            }
                        });
        try {
            return outcome.get(SECONDS_MAX, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            Throwable server = serverFailure.get();
            Throwable cause = server != null ? server : e.getCause();
            throw failure(what, cause == null ? e.toString() : cause.toString());
        } catch (TimeoutException _) {
            throw failure(what, "no end within " + SECONDS_MAX + " seconds");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw failure(what, "interrupted");
        }
    }

    private static TlsProblems failure(String what, String reason) {
        return PemFile.problem(
                String.format(
                        "a handshake of our own with %s failed (%s): try other certificates, or"
                                + " another provider",
                        what, reason));
    }

    @Override
    public void close() {
        listener.close().syncUninterruptibly();
        var _ = clientLoop.shutdownGracefully(0, SECONDS_MAX, TimeUnit.SECONDS);
        var _ = serverLoop.shutdownGracefully(0, SECONDS_MAX, TimeUnit.SECONDS);
    }

    private final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // a failure is the caller's to see
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.writeAndFlush(message);
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored")
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            serverFailure.set(cause);
            context.close();
        }
    }

    /// Sends a word, for the tickets that come with the first record.
    private final class Caller extends ChannelInboundHandlerAdapter {
        private final SslHandler tls;
        private final CompletableFuture<Outcome> outcome;
        private final long begin;
        private long nanos;

        private Caller(SslHandler tls, CompletableFuture<Outcome> outcome, long begin) {
            this.tls = tls;
            this.outcome = outcome;
            this.begin = begin;
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // a failure comes as an exception
        public void channelActive(ChannelHandlerContext context) {
            tls.handshakeFuture().addListener(_ -> nanos = nanoTime.getAsLong() - begin);
            context.writeAndFlush(ByteBufUtil.writeAscii(context.alloc(), "ping"));
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored")
        public void channelRead(ChannelHandlerContext context, Object message) {
            ReferenceCountUtil.release(message);
            Outcome reached = new Outcome(TlsContexts.summary(tls), nanos, leaf());
            context.close().addListener(_ -> outcome.complete(reached));
        }

        private @Nullable X509Certificate leaf() {
            List<X509Certificate> chain = TlsContexts.shown(tls);
            return chain.isEmpty() ? null : chain.getFirst();
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored")
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            outcome.completeExceptionally(cause);
            context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            outcome.completeExceptionally(
                    new IllegalStateException("the connection ended in the middle"));
        }
    }
}
