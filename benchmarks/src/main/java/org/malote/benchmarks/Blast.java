package org.malote.benchmarks;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
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
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A closed loop of SMTP sessions in clear text: each sends its next message when it has the reply
/// to the last, and a connection that has brought its share makes place for the next. A process of
/// its own, so that its work is not taken for the server's; one event loop, so that it takes one
/// processor at most.
///
/// It says MAIL, RCPT and DATA in one group (RFC 2920), which the server must announce.
///
/// `java … org.malote.benchmarks.Blast port=25 sessions=16 octets=8192 seconds=5`; or, in place of
/// the seconds, `messages=5000`. Also `per-connection=1` (0, the default: no end) and
/// `recipient=box@sink.test`. Prints one line of JSON, with the time from MAIL to the last reply. A
/// message that is refused ends it with an error.
public final class Blast {
    private static final ByteBuf EHLO = constant("EHLO peer.test\r\n");
    private static final ByteBuf QUIT = constant("QUIT\r\n");

    private static final long NO_END = Long.MAX_VALUE;
    private static final int LINE_OCTETS = 74;
    private static final int CONNECT_MILLIS_MAX = 30_000;

    /// How long the last replies may take when the time is up.
    private static final int TAIL_SECONDS_MAX = 60;

    private final int port;
    private final long perConnection;
    private final ByteBuf envelope;
    private final ByteBuf message;
    private final Bootstrap bootstrap;
    private final CountDownLatch sessionsLeft;

    // Touched on the one event loop alone.
    private long messagesLeft;
    private long durationNanos;

    /// When the first message began.
    private long firstNanos;
    private long[] nanos = new long[1 << 16];
    private int count;
    private long lastNanos;
    private String failure = "";

    private Blast(
            EventLoopGroup loop,
            int port,
            int sessions,
            int octets,
            long messages,
            long perConnection,
            String recipient) {
        this.port = port;
        this.perConnection = perConnection;
        this.messagesLeft = messages;
        this.sessionsLeft = new CountDownLatch(sessions);
        this.envelope =
                constant("MAIL FROM:<load@peer.test>\r\nRCPT TO:<" + recipient + ">\r\nDATA\r\n");
        this.message = constant(compose(octets));
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
    public static void main(String[] arguments) throws InterruptedException {
        var options = new Options(arguments);
        int port = (int) options.number("port", 0);
        int sessions = (int) options.number("sessions", 1);
        int octets = (int) options.number("octets", 4096);
        long messages = options.number("messages", NO_END);
        long perConnection = options.number("per-connection", 0);
        long seconds = options.number("seconds", 0);
        String recipient = options.text("recipient", "box@sink.test");
        options.end();
        if (port < 1 || sessions < 1 || (messages == NO_END) == (seconds == 0)) {
            throw new IllegalArgumentException(
                    "give port=…, sessions=…, and either messages=… or seconds=…");
        }
        IoHandlerFactory io =
                Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, io);
        try {
            var blast =
                    new Blast(
                            loop,
                            port,
                            sessions,
                            octets,
                            messages,
                            perConnection == 0 ? NO_END : perConnection,
                            recipient);
            blast.run(loop, sessions, seconds);
        } finally {
            loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    private static ByteBuf constant(String text) {
        byte[] octets = text.getBytes(StandardCharsets.ISO_8859_1);
        return Unpooled.unreleasableBuffer(
                Unpooled.directBuffer(octets.length).writeBytes(octets).asReadOnly());
    }

    /// A message of about so many octets, with the final dot.
    private static String compose(int octets) {
        var text = new StringBuilder(octets + LINE_OCTETS);
        text.append("From: <load@peer.test>\r\nSubject: load\r\n\r\n");
        var random = new Random(1);
        while (text.length() < octets) {
            int length = Math.clamp(octets - text.length() - 2, 1, LINE_OCTETS - 2);
            for (int i = 0; i < length; i++) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            text.append("\r\n");
        }
        return text.append(".\r\n").toString();
    }

    private void run(EventLoopGroup loop, int sessions, long seconds) throws InterruptedException {
        durationNanos = seconds == 0 ? NO_END : TimeUnit.SECONDS.toNanos(seconds);
        for (int i = 0; i < sessions; i++) {
            loop.execute(this::connect);
        }
        if (seconds == 0) {
            sessionsLeft.await();
        } else if (!sessionsLeft.await(seconds + TAIL_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IllegalStateException(
                    sessionsLeft.getCount() + " sessions did not end within " + TAIL_SECONDS_MAX);
        }
        if (!failure.isEmpty() || count == 0) {
            throw new IllegalStateException("failed: " + failure);
        }
        double took = (lastNanos - firstNanos) / 1e9;
        long[] sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        System.out.printf(
                Locale.ROOT,
                "{\"messages\":%d,\"seconds\":%.2f,\"perSecond\":%.0f,"
                        + "\"p50Micros\":%d,\"p99Micros\":%d}%n",
                count,
                took,
                count / took,
                sorted[count / 2] / 1000,
                sorted[(int) (count * 99L / 100)] / 1000);
    }

    private void connect() {
        if (!isDue()) {
            sessionsLeft.countDown();
            return;
        }
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

    private boolean isDue() {
        boolean isTime = firstNanos == 0 || System.nanoTime() - firstNanos < durationNanos;
        return messagesLeft > 0 && isTime && failure.isEmpty();
    }

    private void fail(String what) {
        failure = failure.isEmpty() ? what : failure;
    }

    private void record(long tookNanos, long nowNanos) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * count);
        }
        nanos[count++] = tookNanos;
        lastNanos = nowNanos;
    }

    /// One connection. Replies are told apart by their number: each of ours has one.
    private final class Dialogue extends ChannelInboundHandlerAdapter {
        private static final int GREETING = 0;
        private static final int HELLO = 1;
        private static final int SENDER = 2;
        private static final int RECIPIENT = 3;
        private static final int DATA = 4;
        private static final int KEPT = 5;
        private static final int BYE = 6;

        private int expected = GREETING;
        private long sent;
        private long startNanos;
        private boolean isWaiting;

        private final ReplyReader replies = new ReplyReader();

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

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush();
        }

        private void onReply(ChannelHandlerContext ctx, int reply) {
            if (reply >= 400) {
                fail("reply " + reply + " in step " + expected);
                var _ = ctx.close();
                return;
            }
            switch (expected) {
                case GREETING -> {
                    expected = HELLO;
                    send(ctx, EHLO);
                }
                case HELLO -> begin(ctx);
                case SENDER, RECIPIENT -> expected++;
                case DATA -> {
                    expected = KEPT;
                    send(ctx, message);
                }
                case KEPT -> {
                    long now = System.nanoTime();
                    isWaiting = false;
                    record(now - startNanos, now);
                    begin(ctx);
                }
                default -> {
                    var _ = ctx.close();
                }
            }
        }

        private static void send(ChannelHandlerContext ctx, ByteBuf octets) {
            // A failure comes as an exception.
            var _ = ctx.write(octets.duplicate(), ctx.voidPromise());
        }

        private void begin(ChannelHandlerContext ctx) {
            if (sent == perConnection || !isDue()) {
                expected = BYE;
                send(ctx, QUIT);
                return;
            }
            sent++;
            messagesLeft--;
            expected = SENDER;
            isWaiting = true;
            startNanos = System.nanoTime();
            firstNanos = firstNanos == 0 ? startNanos : firstNanos;
            send(ctx, envelope);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (isWaiting || expected != BYE) {
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
