package org.malote.benchmarks;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ManualIoEventLoop;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.malote.offload.KeyEnvironment;
import org.malote.offload.OffloadProviders;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Handshakes in memory, with a word and its echo, both ends on one thread: the time is that of
/// both. The client's end is BoringSSL whatever the server is, so that cells differ by the server
/// alone. A key that does not sign on the calling thread is waited for, so its time has the way to
/// its own thread and back in it.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class TlsHandshake {
    private static final String HOST = "mx.test";
    private static final int PORT = 25;

    /// Far above the limit of a key's signature.
    private static final long NANOS_MAX = TimeUnit.SECONDS.toNanos(30);

    /// How long the thread rests at a time while a key signs elsewhere, unless it is woken.
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    @Param({"P-256", "RSA-2048"})
    String key;

    /// Others are refused when the server opens, with the product's own sentence.
    @Param({
        "boringssl/native",
        "boringssl/libcrypto",
        "boringssl/jca",
        "boringssl/pkcs11",
        "jdk/native"
    })
    String tls;

    @Param({"TLSv1.3", "TLSv1.2"})
    String version;

    @Param({"false", "true"})
    boolean resumed;

    private Scratch scratch;
    private TlsContexts server;
    private TlsContexts client;
    private ManualIoEventLoop serverLoop;
    private ManualIoEventLoop clientLoop;
    private Channel listener;
    private Bootstrap bootstrap;
    private int hosts;

    // Of the conversation that is going on.
    private String host = HOST;
    private @Nullable Boolean wasResumed;
    private @Nullable Throwable failure;
    private int open;

    /// On the thread that measures, which drives both loops.
    @Setup(Level.Trial)
    public void open() throws IOException, TlsProblems {
        scratch = new Scratch();
        var random = new SecureRandom();
        try {
            server = serve(random);
        } catch (IOException | TlsProblems | RuntimeException e) {
            scratch.close(); // JMH tears down only what was set up
            throw e;
        }
        client =
                TlsContexts.open(
                        TlsSettings.withDefaults(List.of()),
                        new TlsEnvironment(InstantSource.system(), random));
        // One for each end: ends on the same loop would call each other in the middle of what they
        // do.
        serverLoop = new ManualIoEventLoop(Thread.currentThread(), LocalIoHandler.newFactory());
        clientLoop = new ManualIoEventLoop(Thread.currentThread(), LocalIoHandler.newFactory());
        var bound =
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
                                                                PooledByteBufAllocator.DEFAULT))
                                                .addLast(new Echo());
                                    }
                                })
                        .bind(new LocalAddress(TlsHandshake.class));
        while (!bound.isDone()) {
            turn();
        }
        listener = bound.channel();
        bootstrap =
                new Bootstrap()
                        .group(clientLoop)
                        .channel(LocalChannel.class)
                        .handler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        SslHandler handler =
                                                client.clientHandler(
                                                        PooledByteBufAllocator.DEFAULT, host, PORT);
                                        handler.engine()
                                                .setEnabledProtocols(new String[] {version});
                                        channel.pipeline().addLast(handler, new Caller(handler));
                                    }
                                });
        boolean _ = converse(HOST); // the session that is resumed
    }

    private TlsContexts serve(SecureRandom random) throws IOException, TlsProblems {
        var keys =
                new KeyEnvironment(
                        Thread.ofPlatform().daemon().factory(), System::nanoTime, random, null);
        return TlsContexts.open(
                KeyStand.parse(tls).settings(scratch.path(), key, HOST),
                new TlsEnvironment(
                        InstantSource.system(),
                        random,
                        OffloadProviders.installed(keys),
                        List.of(),
                        SignatureWatch.NONE));
    }

    @TearDown(Level.Trial)
    public void close() {
        var closed = listener.close();
        while (!closed.isDone()) {
            turn();
        }
        server.close();
        client.close();
        scratch.close();
    }

    /// @return whether it was resumed
    @Benchmark
    public boolean handshake() {
        // Another host each time has no session.
        boolean was = converse(resumed ? HOST : "h" + hosts++ + ".test");
        if (was != resumed) {
            throw new IllegalStateException("resumed: " + was);
        }
        return was;
    }

    private boolean converse(String called) {
        host = called;
        wasResumed = null;
        failure = null;
        var connected = bootstrap.connect(listener.localAddress());
        long begin = System.nanoTime();
        while (!connected.isDone() || open > 0) {
            if (turn() == 0) {
                serverLoop.run(REST_NANOS); // a signature wakes it
                if (System.nanoTime() - begin > NANOS_MAX) {
                    throw new IllegalStateException("the handshake has no end");
                }
            }
        }
        if (wasResumed == null) {
            throw new IllegalStateException("no handshake", failure);
        }
        return wasResumed;
    }

    private int turn() {
        return clientLoop.runNow() + serverLoop.runNow();
    }

    /// Counts the ends that are open, and keeps the first failure.
    private class End extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext context) {
            open++;
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            open--;
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            failure = failure == null ? cause : failure;
            var _ = context.close();
        }
    }

    private final class Echo extends End {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            var _ = context.writeAndFlush(message, context.voidPromise());
        }
    }

    /// Sends a word, since the tickets of TLS 1.3 come with the first record.
    private final class Caller extends End {
        private final SslHandler handler;

        private Caller(SslHandler handler) {
            this.handler = handler;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            super.channelActive(context);
            var _ =
                    context.writeAndFlush(
                            ByteBufUtil.writeAscii(context.alloc(), "NOOP\r\n"),
                            context.voidPromise());
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ReferenceCountUtil.release(message);
            wasResumed = TlsContexts.summary(handler).resumed();
            var _ = context.close();
        }
    }
}
