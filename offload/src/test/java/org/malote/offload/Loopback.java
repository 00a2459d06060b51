package org.malote.offload;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;

/// A TLS server that echoes, on a port of the system's choice, and clients for it.
final class Loopback implements AutoCloseable {
    private static final long WAIT_SECONDS_MAX = 20;

    private final EventLoopGroup loops;
    private final ChannelGroup accepted = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Channel listener;

    record Outcome(TlsSummary summary, String servedKey) {}

    Loopback(TlsContexts contexts) {
        this(() -> contexts);
    }

    /// One whose peers get no tickets.
    static Loopback withoutTickets(TlsContexts contexts) {
        return new Loopback(() -> contexts, false, 2);
    }

    /// One that does everything, its clients too, on one event loop.
    static Loopback onOneLoop(TlsContexts contexts) {
        return new Loopback(() -> contexts, true, 1);
    }

    /// @param contexts asked for each connection
    Loopback(Supplier<TlsContexts> contexts) {
        this(contexts, true, 2);
    }

    private Loopback(Supplier<TlsContexts> contexts, boolean hasTickets, int loopCount) {
        loops = new MultiThreadIoEventLoopGroup(loopCount, NioIoHandler.newFactory());
        listener =
                new ServerBootstrap()
                        .group(loops)
                        .channel(NioServerSocketChannel.class)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        accepted.add(channel);
                                        channel.pipeline().addLast(new Echo());
                                        addServerHandlers(
                                                contexts,
                                                channel.pipeline().context(Echo.class),
                                                hasTickets);
                                    }
                                })
                        .bind(InetAddress.getLoopbackAddress(), 0)
                        .syncUninterruptibly()
                        .channel();
    }

    /// As a server does: contexts that were exchanged in between are asked for again.
    private static void addServerHandlers(
            Supplier<TlsContexts> contexts, ChannelHandlerContext before, boolean hasTickets) {
        try {
            contexts.get().addServerHandlers(before, hasTickets);
        } catch (IllegalStateException _) {
            contexts.get().addServerHandlers(before, hasTickets);
        }
    }

    int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /// Connects, sends a word, waits for it to come back, closes.
    Outcome converse(TlsContexts client, String version) throws Exception {
        return start(client, version).get(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
    }

    void converseTogether(TlsContexts client, int connections) throws Exception {
        List<CompletableFuture<Outcome>> all = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            all.add(start(client, "TLSv1.3"));
        }
        for (CompletableFuture<Outcome> one : all) {
            one.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
        }
    }

    /// The same with a handler of the caller's making.
    Outcome converse(Function<ByteBufAllocator, SslHandler> client, String version)
            throws Exception {
        return start(client, version).get(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
    }

    private CompletableFuture<Outcome> start(TlsContexts client, String version) {
        return start(
                allocator -> client.clientHandler(allocator, "mx1.isp.example", port()), version);
    }

    /// The same, without the wait.
    CompletableFuture<Outcome> start(
            Function<ByteBufAllocator, SslHandler> client, String version) {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .handler(
                        new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                SslHandler tls = client.apply(channel.alloc());
                                tls.engine().setEnabledProtocols(new String[] {version});
                                channel.pipeline().addLast(tls).addLast(new Caller(tls, outcome));
                            }
                        })
                .connect(listener.localAddress())
                .addListener(
                        connected -> {
                            if (!connected.isSuccess()) {
                                outcome.completeExceptionally(connected.cause());
                            }
                        });
        return outcome;
    }

    /// Notes the longest time for which an event loop did not come to a task that was due.
    void watch(long periodMillis, AtomicLong longestStallNanos) {
        long period = TimeUnit.MILLISECONDS.toNanos(periodMillis);
        for (EventExecutor loop : loops) {
            long[] last = {System.nanoTime()};
            var _ =
                    loop.scheduleWithFixedDelay(
                            () -> {
                                long now = System.nanoTime();
                                longestStallNanos.accumulateAndGet(
                                        now - last[0] - period, Math::max);
                                last[0] = now;
                            },
                            period,
                            period,
                            TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void close() {
        listener.close().syncUninterruptibly();
        accepted.close().syncUninterruptibly();
        loops.shutdownGracefully(0, WAIT_SECONDS_MAX, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a void promise reports to exceptionCaught
    private static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.writeAndFlush(message, context.voidPromise());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a void promise reports to exceptionCaught
    private static final class Caller extends ChannelInboundHandlerAdapter {
        private final SslHandler tls;
        private final CompletableFuture<Outcome> outcome;

        private Caller(SslHandler tls, CompletableFuture<Outcome> outcome) {
            this.tls = tls;
            this.outcome = outcome;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.writeAndFlush(
                    ByteBufUtil.writeAscii(context.alloc(), "ping"), context.voidPromise());
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
            ReferenceCountUtil.release(message);
            TlsSummary summary = TlsContexts.summary(tls);
            String key =
                    summary.resumed()
                            ? "none"
                            : tls.engine()
                                    .getSession()
                                    .getPeerCertificates()[0]
                                    .getPublicKey()
                                    .getAlgorithm();
            outcome.complete(new Outcome(summary, key));
            context.close();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            outcome.completeExceptionally(cause);
            context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            outcome.completeExceptionally(new IllegalStateException("closed before the answer"));
        }
    }
}
