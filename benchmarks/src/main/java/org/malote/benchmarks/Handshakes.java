package org.malote.benchmarks;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLParameters;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.malote.offload.TlsSummary;

/// A closed loop of SMTP sessions that do nothing but secure themselves: connect, EHLO, STARTTLS,
/// the handshake, EHLO, QUIT. When one has ended its place is taken by the next. A process of its
/// own, so that its work is not taken for the server's; one event loop, so that it takes one
/// processor at most.
///
/// `java … org.malote.benchmarks.Handshakes port=25 sessions=50 connections=5000 version=TLSv1.3
/// resumed=yes`. Every session of `resumed=yes` but the first ones resumes an earlier one. With
/// `hold=SECONDS` in place of the connections each session stays after its second EHLO; when all
/// are up a line says so, and they end after that time. `group=X25519` offers that one alone.
///
/// Prints one line of JSON, with the time from the connection to the end. A session that fails
/// ends it with an error.
public final class Handshakes {
    private static final int CONNECT_MILLIS_MAX = 30_000;
    private static final int WAIT_SECONDS_MAX = 600;

    private final int port;
    private final String version;
    private final boolean isResumed;
    private final boolean isHeld;
    private final String group;
    private final TlsContexts tls;
    private final Bootstrap bootstrap;
    private final CountDownLatch sessionsLeft;
    private final CountDownLatch sessionsUp;

    // Touched on the one event loop alone.
    private long connectionsLeft;
    private final long[] nanos;
    private int count;
    private int resumed;
    private String failure = "";

    /// Sessions are found by host and port: another host each time finds none.
    private int hosts;

    private Handshakes(
            EventLoopGroup loop,
            TlsContexts tls,
            int port,
            int sessions,
            long connections,
            String version,
            boolean isResumed,
            boolean isHeld,
            String group) {
        this.port = port;
        this.version = version;
        this.isResumed = isResumed;
        this.isHeld = isHeld;
        this.group = group;
        this.tls = tls;
        this.connectionsLeft = connections;
        this.nanos = new long[(int) connections];
        this.sessionsLeft = new CountDownLatch(sessions);
        this.sessionsUp = new CountDownLatch(sessions);
        this.bootstrap =
                new Bootstrap()
                        .group(loop)
                        .channel(
                                Epoll.isAvailable()
                                        ? EpollSocketChannel.class
                                        : NioSocketChannel.class)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS_MAX)
                        .handler(
                                new ChannelInitializer<SocketChannel>() {
                                    @Override
                                    protected void initChannel(SocketChannel channel) {
                                        channel.pipeline().addLast(new Dialogue());
                                    }
                                });
    }

    /// The arguments are in the class's description.
    public static void main(String[] arguments) throws InterruptedException, TlsProblems {
        var options = new Options(arguments);
        int port = (int) options.number("port", 0);
        int sessions = (int) options.number("sessions", 1);
        long hold = options.number("hold", 0);
        long connections = options.number("connections", hold == 0 ? 0 : sessions);
        String version = options.text("version", "TLSv1.3");
        boolean isResumed = options.text("resumed", "no").equals("yes");
        String group = options.text("group", "");
        options.end();
        if (port < 1 || sessions < 1 || connections < 1) {
            throw new IllegalArgumentException("give port=…, sessions=…, and connections=…");
        }
        IoHandlerFactory io =
                Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, io);
        try (TlsContexts tls =
                TlsContexts.open(
                        TlsSettings.withDefaults(List.of()),
                        new TlsEnvironment(InstantSource.system(), new SecureRandom()))) {
            new Handshakes(
                            loop,
                            tls,
                            port,
                            sessions,
                            connections,
                            version,
                            isResumed,
                            hold > 0,
                            group)
                    .run(loop, sessions, hold);
        } finally {
            loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    private void run(EventLoopGroup loop, int sessions, long holdSeconds)
            throws InterruptedException {
        long begin = System.nanoTime();
        for (int i = 0; i < sessions; i++) {
            loop.execute(this::connect);
        }
        if (isHeld) {
            await(sessionsUp);
            System.out.printf(Locale.ROOT, "{\"held\":%d}%n", sessions);
            TimeUnit.SECONDS.sleep(holdSeconds);
            return;
        }
        await(sessionsLeft);
        double took = (System.nanoTime() - begin) / 1e9;
        Arrays.sort(nanos);
        System.out.printf(
                Locale.ROOT,
                "{\"connections\":%d,\"perSecond\":%.0f,\"resumed\":%d,"
                        + "\"p50Micros\":%d,\"p99Micros\":%d}%n",
                count,
                count / took,
                resumed,
                nanos[count / 2] / 1000,
                nanos[(int) (count * 99L / 100)] / 1000);
    }

    private void await(CountDownLatch latch) throws InterruptedException {
        boolean isDone = latch.await(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
        if (!failure.isEmpty() || !isDone) {
            throw new IllegalStateException(
                    failure.isEmpty() ? "not done in " + WAIT_SECONDS_MAX + " s" : failure);
        }
    }

    private void connect() {
        if (connectionsLeft == 0 || !failure.isEmpty()) {
            sessionsLeft.countDown();
            return;
        }
        connectionsLeft--;
        var _ =
                bootstrap
                        .connect("127.0.0.1", port)
                        .addListener(
                                connected -> {
                                    if (!connected.isSuccess()) {
                                        fail(String.valueOf(connected.cause()));
                                        sessionsLeft.countDown();
                                    }
                                });
    }

    private void fail(String what) {
        failure = failure.isEmpty() ? what : failure;
        while (sessionsUp.getCount() > 0) {
            sessionsUp.countDown();
        }
    }

    /// One connection. Replies are told apart by their number: each command has one.
    private final class Dialogue extends ChannelInboundHandlerAdapter {
        private static final int GREETING = 0;
        private static final int HELLO = 1;
        private static final int GO_AHEAD = 2;
        private static final int HELLO_INSIDE = 3;
        private static final int BYE = 4;

        private final ReplyReader replies = new ReplyReader();
        private final long startNanos = System.nanoTime();
        private int expected = GREETING;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object read) {
            ByteBuf octets = (ByteBuf) read;
            try {
                while (octets.isReadable()) {
                    int reply = replies.read(octets.readByte());
                    if (reply >= 0) {
                        onReply(ctx, reply);
                    }
                }
            } finally {
                ReferenceCountUtil.release(read);
            }
        }

        private void onReply(ChannelHandlerContext ctx, int reply) {
            if (reply >= 400) {
                fail("reply " + reply + " in step " + expected);
                var _ = ctx.close();
                return;
            }
            switch (expected++) {
                case GREETING -> send(ctx, "EHLO peer.test\r\n");
                case HELLO -> send(ctx, "STARTTLS\r\n");
                case GO_AHEAD -> secure(ctx);
                case HELLO_INSIDE -> {
                    if (isHeld) {
                        sessionsUp.countDown();
                    } else {
                        send(ctx, "QUIT\r\n");
                    }
                }
                default -> {
                    nanos[count++] = System.nanoTime() - startNanos;
                    var _ = ctx.close();
                }
            }
        }

        private void secure(ChannelHandlerContext ctx) {
            String host = isResumed ? "localhost" : "h" + hosts++ + ".test";
            SslHandler handler = tls.clientHandler(ctx.alloc(), host, port);
            handler.engine().setEnabledProtocols(new String[] {version});
            if (!group.isEmpty()) {
                SSLParameters parameters = handler.engine().getSSLParameters();
                parameters.setNamedGroups(new String[] {group});
                handler.engine().setSSLParameters(parameters);
            }
            ctx.pipeline().addFirst(handler);
            handler.handshakeFuture()
                    .addListener(
                            done -> {
                                if (!done.isSuccess()) {
                                    fail(String.valueOf(done.cause()));
                                    var _ = ctx.close();
                                    return;
                                }
                                TlsSummary summary = TlsContexts.summary(handler);
                                if (!group.isEmpty() && !group.equals(summary.group())) {
                                    fail("the group was " + summary.group());
                                }
                                if (summary.resumed()) {
                                    resumed++;
                                }
                                send(ctx, "EHLO peer.test\r\n");
                            });
        }

        private static void send(ChannelHandlerContext ctx, String command) {
            // A failure comes as an exception.
            var _ =
                    ctx.writeAndFlush(
                            ByteBufUtil.writeAscii(ctx.alloc(), command), ctx.voidPromise());
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (expected <= BYE) {
                fail("the server closed in step " + expected);
            }
            connect();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            fail(String.valueOf(cause));
            var _ = ctx.close();
        }
    }
}
