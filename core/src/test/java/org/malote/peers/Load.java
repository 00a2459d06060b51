package org.malote.peers;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Load on a server: so many sessions at once, each with one message and its own connection, over
/// STARTTLS with a full handshake. A session that ends makes place for the next (a closed loop).
/// Runs as a process of its own, so that its work is not counted as the server's.
///
/// `java … org.malote.peers.Load PORT SESSIONS MESSAGES BODY-OCTETS RECIPIENT` prints one line of
/// JSON.
public final class Load {
    private static final long SECONDS_MAX = 600;

    private final int port;
    private final int count;
    private final ByteBuf message;
    private final ByteBuf envelope;
    private final SslContext tls;
    private final CountDownLatch left;
    private final List<Long> nanos = Collections.synchronizedList(new ArrayList<>());
    private final Bootstrap bootstrap;

    /// Touched on the one event loop alone.
    private int started;

    private int failed;
    private String firstFailure = "";

    private Load(EventLoopGroup loop, int port, int count, int octets, String recipient)
            throws Exception {
        this.port = port;
        this.count = count;
        this.left = new CountDownLatch(count);
        this.message = octets(IdMail.compose(1, octets) + ".\r\n");
        this.envelope =
                octets("MAIL FROM:<load@peer.test>\r\nRCPT TO:<" + recipient + ">\r\nDATA\r\n");
        this.tls =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.OPENSSL)
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .endpointIdentificationAlgorithm("")
                        .build();
        this.bootstrap =
                new Bootstrap()
                        .group(loop)
                        .channel(NioSocketChannel.class)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .handler(
                                new ChannelInitializer<SocketChannel>() {
                                    @Override
                                    protected void initChannel(SocketChannel channel) {
                                        channel.pipeline()
                                                .addLast(
                                                        new LineBasedFrameDecoder(2048),
                                                        new StringDecoder(
                                                                StandardCharsets.ISO_8859_1),
                                                        new Dialogue());
                                    }
                                });
    }

    /// The arguments are in the class's description.
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        int sessions = Integer.parseInt(arguments[1]);
        int count = Integer.parseInt(arguments[2]);
        int octets = Integer.parseInt(arguments[3]);
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try {
            new Load(loop, port, count, octets, arguments[4]).run(sessions, loop);
        } finally {
            loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    private static ByteBuf octets(String text) {
        return Unpooled.unreleasableBuffer(
                Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1).asReadOnly());
    }

    private void run(int sessions, EventLoopGroup loop) throws Exception {
        long startNanos = System.nanoTime();
        for (int i = 0; i < sessions; i++) {
            loop.execute(this::next);
        }
        if (!left.await(SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IllegalStateException(left.getCount() + " messages were not sent in time");
        }
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        List<Long> sorted = new ArrayList<>(nanos);
        Collections.sort(sorted);
        System.out.printf(
                "{\"messages\":%d,\"failed\":%d,\"seconds\":%.2f,\"perSecond\":%.0f,"
                        + "\"p50Millis\":%.1f,\"p99Millis\":%.1f}%n",
                count,
                failed,
                seconds,
                count / seconds,
                sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2) / 1e6,
                sorted.isEmpty() ? 0 : sorted.get(sorted.size() * 99 / 100) / 1e6);
        if (failed > 0) {
            throw new IllegalStateException(failed + " failed, the first with: " + firstFailure);
        }
    }

    private void next() {
        if (started < count) {
            started++;
            var _ =
                    bootstrap
                            .connect("127.0.0.1", port)
                            .addListener(
                                    connected -> {
                                        if (!connected.isSuccess()) {
                                            ended(String.valueOf(connected.cause()), 0);
                                        }
                                    });
        }
    }

    private void ended(String failure, long tookNanos) {
        if (failure.isEmpty()) {
            nanos.add(tookNanos);
        } else {
            failed++;
            firstFailure = firstFailure.isEmpty() ? failure : firstFailure;
        }
        left.countDown();
        next();
    }

    /// What is said next, by the number of whole replies that have come.
    private final class Dialogue extends SimpleChannelInboundHandler<String> {
        private int replies;
        private boolean isDone;
        private long startNanos;
        private String last = "";

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            startNanos = System.nanoTime();
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, String line) {
            last = line;
            if (line.length() > 3 && line.charAt(3) == '-') {
                return;
            }
            if (line.startsWith("4") || line.startsWith("5")) {
                var _ = ctx.close();
                return;
            }
            switch (++replies) {
                case 1 -> say(ctx, "EHLO peer.test\r\n");
                case 2 -> say(ctx, "STARTTLS\r\n");
                case 3 -> secure(ctx);
                case 4 -> send(ctx, envelope.duplicate());
                case 5, 6 -> {} // the sender and the recipient
                case 7 -> send(ctx, message.duplicate());
                case 8 -> {
                    isDone = true;
                    say(ctx, "QUIT\r\n");
                }
                default -> {
                    var _ = ctx.close();
                }
            }
        }

        private void secure(ChannelHandlerContext ctx) {
            // Without a peer's name no session is kept: each handshake is a full one.
            SslHandler handler = tls.newHandler(ctx.alloc());
            ctx.pipeline().addFirst(handler);
            var _ =
                    handler.handshakeFuture()
                            .addListener(
                                    done -> {
                                        if (done.isSuccess()) {
                                            say(ctx, "EHLO peer.test\r\n");
                                        } else {
                                            last = String.valueOf(done.cause());
                                            var _ = ctx.close();
                                        }
                                    });
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            ended(isDone ? "" : "closed after: " + last, System.nanoTime() - startNanos);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            last = String.valueOf(cause);
            var _ = ctx.close();
        }

        private static void say(ChannelHandlerContext ctx, String text) {
            send(ctx, Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
        }

        private static void send(ChannelHandlerContext ctx, ByteBuf octets) {
            var _ = ctx.writeAndFlush(octets);
        }
    }
}
