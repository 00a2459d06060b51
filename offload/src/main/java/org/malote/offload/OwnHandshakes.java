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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Handshakes with ourselves, in memory: the last proof before contexts serve, and a measure of
/// their cost.
final class OwnHandshakes implements AutoCloseable {
    /// Far above the limit of a key's signature.
    private static final int SECONDS_MAX = 20;

    private static final List<String> VERSIONS = List.of("TLSv1.3", "TLSv1.2");

    /// One for each end: in memory, ends on the same loop would call each other in the middle of
    /// what they do.
    private final EventLoopGroup serverLoop;

    private final EventLoopGroup clientLoop;
    private final LongSupplier nanoTime;
    private final Channel listener;

    /// What the server's end said last; the client's end knows less.
    private final AtomicReference<@Nullable Throwable> serverFailure = new AtomicReference<>();

    private OwnHandshakes(TlsContexts server, KeyEnvironment environment) {
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
                                        channel.pipeline()
                                                .addLast(
                                                        server.serverHandler(
                                                                UnpooledByteBufAllocator.DEFAULT))
                                                .addLast(new Echo());
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
    record Outcome(TlsSummary summary, long nanos) {}

    /// One full and, where sessions are resumed, one resumed handshake of each version.
    ///
    /// @throws TlsProblems when one fails
    static void prove(TlsContexts contexts, TlsEnvironment environment) throws TlsProblems {
        KeyEnvironment keys = environment.providers().environment();
        if (keys == null || !contexts.hasServer()) {
            return;
        }
        List<HandshakeCost> _ = measure(contexts, environment, keys, 1);
    }

    /// The cost of each kind of handshake.
    ///
    /// @param rounds of whose second half the middle one counts; the first warms up
    static List<HandshakeCost> measure(
            TlsContexts contexts, TlsEnvironment environment, KeyEnvironment keys, int rounds)
            throws TlsProblems {
        List<HandshakeCost> costs = new ArrayList<>();
        try (OwnHandshakes own = new OwnHandshakes(contexts, keys)) {
            for (String version : VERSIONS) {
                long[] full = new long[rounds];
                long[] resumed = new long[rounds];
                for (int i = 0; i < rounds; i++) {
                    // A client of its own each time, which knows no session.
                    try (TlsContexts client =
                            TlsContexts.open(
                                    TlsSettings.withDefaults(List.of())
                                            .withEngine(contexts.engine()),
                                    environment)) {
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

    private static long median(long[] values) {
        int warm = values.length / 2;
        Arrays.sort(values, warm, values.length);
        return values[(warm + values.length) / 2];
    }

    private Outcome converse(TlsContexts client, String version) throws TlsProblems {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        long begin = nanoTime.getAsLong();
        new Bootstrap()
                .group(clientLoop)
                .channel(LocalChannel.class)
                .handler(
                        new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                SslHandler tls =
                                        client.clientHandler(
                                                UnpooledByteBufAllocator.DEFAULT, "localhost", 25);
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
            throw failure(version, cause == null ? e.toString() : cause.toString());
        } catch (TimeoutException _) {
            throw failure(version, "no end within " + SECONDS_MAX + " seconds");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw failure(version, "interrupted");
        }
    }

    private static TlsProblems failure(String version, String reason) {
        return PemFile.problem(
                String.format(
                        "a handshake of our own with %s failed (%s): try other certificates, or"
                                + " another provider",
                        version, reason));
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
            Outcome reached = new Outcome(TlsContexts.summary(tls), nanos);
            context.close().addListener(_ -> outcome.complete(reached));
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
