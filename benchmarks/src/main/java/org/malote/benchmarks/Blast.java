package org.malote.benchmarks;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.malote.offload.CertificateSettings;
import org.malote.offload.Engine;
import org.malote.offload.HostIdentity;
import org.malote.offload.HostPolicy;
import org.malote.offload.HostTls;
import org.malote.offload.HostTlsSettings;
import org.malote.offload.HostWay;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsSettings;
import org.malote.offload.TlsSummary;

/// Carries out a [Load] on one event loop, so that it takes one processor at most.
///
/// Without a rate it is a closed loop: when a session has ended the next begins. With one,
/// connections are due at fixed times, and each is timed from when it was due: a server that stops
/// for a second is charged with the waiting of all that were due in it (which a closed loop leaves
/// out, "coordinated omission"). Those that find all sessions taken begin late, and count as late;
/// so do those that never begin because the time is up before: they have waited that long at least.
final class Blast {
    private static final int CONNECT_MILLIS_MAX = 30_000;

    /// So many failures end it: nothing is learned from more.
    private static final int FAILURES_MAX = 100;

    private static final long SWEEP_SECONDS = 1;

    /// What an identity of ours is found by.
    static final String IDENTITY = "blast";

    private final Load load;
    private final EventLoop loop;
    private final HostTls tls;
    private final HostWay way;
    private final NumberedMail mail;
    private final Bootstrap bootstrap;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Tally tally = new Tally();

    private final ByteBuf body;
    private final String sender;
    private final List<String> recipients;
    private final String allRecipients;

    // Of the event loop.
    private final Set<Dialogue> dialogues = new HashSet<>();
    private @Nullable ScheduledFuture<?> sweep;
    private int active;
    private long connectionsBegun;
    private long messagesBegun;

    /// The highest number of a message that was sent.
    private int numbers;

    /// Numbers of messages that were refused: they are to be had again, so that a hole in the
    /// numbers that came is a loss.
    private final ArrayDeque<Integer> numbersRefused = new ArrayDeque<>();
    private long beginNanos;
    private boolean isEnding;

    /// When it was told to end before its time.
    private long endingNanos;

    private boolean isBacklogCounted;

    // Of a load that holds its sessions: how many are up, and whether they are let go.
    private volatile int upSessions;
    private volatile boolean isHolding;
    private boolean isHoldOver;

    /// Sessions are found by host and port: another host each time, and in each run, finds none.
    private final String hostDomain;

    private long hosts;

    /// @param run tells the messages of this run from those of others
    Blast(Load load, EventLoop loop, HostTls tls, long run) {
        this.load = load;
        this.loop = loop;
        this.tls = tls;
        this.way = way(load);
        this.mail = new NumberedMail(run, load.octets());
        this.hostDomain = ".r" + Long.toUnsignedString(run, Character.MAX_RADIX) + ".test";
        this.body =
                Unpooled.unreleasableBuffer(
                        Unpooled.directBuffer(mail.body().length)
                                .writeBytes(mail.body())
                                .asReadOnly());
        this.sender =
                "MAIL FROM:<load@peer.test>"
                        + (load.code().isEmpty() ? "" : " " + load.code())
                        + "\r\n";
        this.recipients = recipients(load);
        this.allRecipients = String.join("", recipients);
        this.bootstrap =
                new Bootstrap()
                        .group(loop)
                        .channel(Transport.socket())
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS_MAX);
    }

    private static List<String> recipients(Load load) {
        int at = load.recipient().indexOf('@');
        String local = load.recipient().substring(0, at);
        String domain = load.recipient().substring(at);
        return IntStream.range(0, load.recipients())
                .mapToObj(i -> "RCPT TO:<" + local + (i == 0 ? "" : i) + domain + ">\r\n")
                .toList();
    }

    /// Begins. It ends by itself when the load does.
    void start() {
        loop.execute(
                () -> {
                    beginNanos = System.nanoTime();
                    tally.begin(beginNanos, load.rate());
                    sweep =
                            loop.scheduleWithFixedDelay(
                                    this::giveUpTheSilent,
                                    SWEEP_SECONDS,
                                    SWEEP_SECONDS,
                                    TimeUnit.SECONDS);
                    if (load.rate() > 0) {
                        connectWhatIsDue(false);
                    } else {
                        for (int i = 0; i < load.sessions(); i++) {
                            connectNext();
                        }
                    }
                });
    }

    /// Begins nothing more.
    void stop() {
        loop.execute(
                () -> {
                    endEarly();
                    endIfDone();
                });
    }

    /// Whether it ended within the time.
    boolean await(long millis) throws InterruptedException {
        return ended.await(millis, TimeUnit.MILLISECONDS);
    }

    /// Whether all sessions that a load holds are up.
    boolean isHolding() {
        return isHolding;
    }

    /// Sessions of a load that holds them which are up.
    int heldSessions() {
        return upSessions;
    }

    /// What came of it: when it has ended, or for a progress line.
    Tally tally() {
        return tally;
    }

    // ---- when connections begin ----

    private boolean isOver() {
        return isEnding
                || (load.connections() > 0 && connectionsBegun >= load.connections())
                || (load.messages() > 0 && messagesBegun >= load.messages())
                || (load.seconds() > 0
                        && System.nanoTime() - beginNanos
                                >= TimeUnit.SECONDS.toNanos(load.seconds()));
    }

    private void connectNext() {
        if (isOver()) {
            endIfDone();
        } else {
            connect(System.nanoTime());
        }
    }

    /// With a rate.
    ///
    /// @param wasFull whether all sessions were taken until now
    private void connectWhatIsDue(boolean wasFull) {
        long now = System.nanoTime();
        while (!isOver() && active < load.sessions()) {
            long due = dueNanos(connectionsBegun);
            if (due - now > 0) {
                var _ =
                        loop.schedule(
                                () -> connectWhatIsDue(false), due - now, TimeUnit.NANOSECONDS);
                return;
            }
            if (wasFull) {
                tally.late();
            }
            connect(due);
        }
        endIfDone();
    }

    private long dueNanos(long connection) {
        return beginNanos + (long) (connection * 1e9 / load.rate());
    }

    private void endEarly() {
        if (!isEnding) {
            isEnding = true;
            endingNanos = System.nanoTime();
        }
    }

    /// When it is over and a session is free, which the next connection would have taken.
    private void countBacklog() {
        if (isBacklogCounted || load.rate() == 0 || active == load.sessions() || !isOver()) {
            return;
        }
        isBacklogCounted = true;
        boolean isAllBegun =
                (load.connections() > 0 && connectionsBegun >= load.connections())
                        || (load.messages() > 0 && messagesBegun >= load.messages());
        if (isAllBegun) {
            return;
        }
        long now = System.nanoTime();
        long overNanos = beginNanos + TimeUnit.SECONDS.toNanos(load.seconds());
        if (isEnding && (load.seconds() == 0 || endingNanos - overNanos < 0)) {
            overNanos = endingNanos;
        }
        for (long i = connectionsBegun; i < connectionsMax(); i++) {
            long due = dueNanos(i);
            if (due - overNanos >= 0) {
                break;
            }
            tally.unbegun(now - due, load.perConnection() > 0);
        }
    }

    /// How many connections the load takes, whatever becomes of them.
    private long connectionsMax() {
        long max = load.connections() > 0 ? load.connections() : Long.MAX_VALUE;
        if (load.messages() > 0 && load.perConnection() > 0) {
            max = Math.min(max, Math.ceilDiv(load.messages(), load.perConnection()));
        }
        return max;
    }

    private void connect(long dueNanos) {
        connectionsBegun++;
        tally.begun(System.nanoTime());
        active++;
        var _ =
                bootstrap
                        .clone()
                        .handler(
                                new ChannelInitializer<SocketChannel>() {
                                    @Override
                                    protected void initChannel(SocketChannel channel) {
                                        channel.pipeline().addLast(new Dialogue(dueNanos));
                                    }
                                })
                        .connect(load.host(), load.port())
                        .addListener(
                                connected -> {
                                    if (!connected.isSuccess()) {
                                        failed("not connected: " + connected.cause());
                                        sessionEnded();
                                    }
                                });
    }

    private void sessionEnded() {
        if (load.holdSeconds() > 0 && !isHolding) {
            endEarly(); // not all will ever be up
            endHolding();
        }
        boolean wasFull = active == load.sessions();
        active--;
        if (load.rate() == 0) {
            connectNext();
        } else if (wasFull) {
            connectWhatIsDue(true); // it has no timer while all sessions are taken
        } else {
            endIfDone();
        }
    }

    /// A server may never have seen a connection that we take for made: its accept queue was full.
    private void giveUpTheSilent() {
        long now = System.nanoTime();
        long patience = TimeUnit.SECONDS.toNanos(load.patienceSeconds());
        for (Dialogue dialogue : List.copyOf(dialogues)) {
            if (now - dialogue.heardNanos > patience) {
                dialogue.giveUp();
            }
        }
    }

    /// Begins to hold when no more will come than are up.
    private void holdIfAllAreUp() {
        boolean isAll =
                upSessions == active && active > 0 && (active == load.sessions() || isOver());
        if (load.holdSeconds() > 0 && !isHolding && !isHoldOver && isAll) {
            isHolding = true;
            var _ = loop.schedule(this::endHolding, load.holdSeconds(), TimeUnit.SECONDS);
        }
    }

    private void endHolding() {
        isHoldOver = true;
        List.copyOf(dialogues).forEach(Dialogue::endHolding);
    }

    private void endIfDone() {
        countBacklog();
        holdIfAllAreUp();
        if (active == 0 && isOver()) {
            if (sweep != null) {
                boolean _ = sweep.cancel(false);
            }
            ended.countDown();
        }
    }

    private void failed(String what) {
        tally.failed(what);
        if (tally.failures() >= FAILURES_MAX) {
            endEarly();
        }
    }

    /// What reply is awaited.
    private enum Awaited {
        GREETING,
        HELLO,
        GO_AHEAD,
        HANDSHAKE,
        HELLO_INSIDE,
        SENDER,
        RECIPIENT,
        DATA,
        KEPT,
        RESET,
        NOTHING,
        BYE
    }

    /// One connection.
    private final class Dialogue extends ChannelInboundHandlerAdapter {
        private final ReplyReader replies = new ReplyReader();
        private final long dueNanos;
        private Awaited awaited = Awaited.GREETING;
        private int recipientsAnswered;
        private int recipientsTaken;
        private int sent;

        /// Of the message that is being sent; 0 before its text is.
        private int number;

        private long messageNanos;
        private boolean isEnded;
        private @Nullable ChannelHandlerContext ctx;
        private long heardNanos = System.nanoTime();

        /// The first reply that refused the message which is being sent; 0 for none.
        private int refusal;

        Dialogue(long dueNanos) {
            this.dueNanos = dueNanos;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            this.ctx = ctx;
            dialogues.add(this);
            if (load.security() == Load.Security.IMPLICIT) {
                secure(ctx, Awaited.GREETING);
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object read) {
            ByteBuf octets = (ByteBuf) read;
            heardNanos = System.nanoTime();
            try {
                while (octets.isReadable() && !isEnded) {
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
            boolean isRefusal = reply >= 400;
            if (reply == 421 && awaited != Awaited.BYE) {
                sentAway(ctx, reply); // RFC 5321 §3.8: it closes, whatever was asked
                return;
            }
            switch (awaited) {
                case GREETING -> {
                    if (isRefusal) {
                        sentAway(ctx, reply);
                        return;
                    }
                    if (load.helo().isEmpty()) {
                        quit(ctx);
                    } else {
                        awaited = Awaited.HELLO;
                        send(ctx, "EHLO " + load.helo() + "\r\n");
                    }
                }
                case HELLO -> {
                    if (isRefusal) {
                        sentAway(ctx, reply);
                    } else if (load.security() == Load.Security.STARTTLS) {
                        awaited = Awaited.GO_AHEAD;
                        send(ctx, "STARTTLS\r\n");
                    } else {
                        onUp(ctx);
                    }
                }
                case GO_AHEAD -> {
                    if (isRefusal) {
                        sentAway(ctx, reply);
                    } else {
                        secure(ctx, Awaited.HELLO_INSIDE);
                    }
                }
                case HELLO_INSIDE -> {
                    if (isRefusal) {
                        sentAway(ctx, reply);
                    } else {
                        onUp(ctx);
                    }
                }
                case SENDER -> onSender(ctx, reply);
                case RECIPIENT -> onRecipient(ctx, reply);
                case DATA -> onData(ctx, reply);
                case KEPT -> {
                    if (isRefusal) {
                        note(reply);
                        refused(refusal);
                        if (load.isChunked()) {
                            // RFC 3030 §2: the message has failed, its transaction stands.
                            reset(ctx);
                            return;
                        }
                    } else {
                        long now = System.nanoTime();
                        tally.accepted(now - messageNanos, now);
                    }
                    nextMessage(ctx);
                }
                case RESET -> nextMessage(ctx);
                case NOTHING, HANDSHAKE -> fail(ctx, "reply " + reply + " to nothing");
                case BYE -> {
                    long now = System.nanoTime();
                    tally.connected(now - dueNanos, now);
                    end(ctx);
                }
            }
        }

        /// Named, and inside TLS where there is any.
        private void onUp(ChannelHandlerContext ctx) {
            if (load.holdSeconds() == 0) {
                nextMessage(ctx);
            } else if (isHoldOver) {
                quit(ctx);
            } else {
                hold();
            }
        }

        @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
        private void hold() {
            awaited = Awaited.NOTHING;
            upSessions++;
            holdIfAllAreUp();
        }

        private void quit(ChannelHandlerContext ctx) {
            awaited = Awaited.BYE;
            send(ctx, "QUIT\r\n");
        }

        // ---- a message ----

        private void nextMessage(ChannelHandlerContext ctx) {
            boolean isEnough =
                    sent >= load.perConnection()
                            || (sent > 0 && (isEnding || (load.connections() == 0 && isOver())))
                            || (load.messages() > 0 && messagesBegun >= load.messages());
            if (isEnough) {
                quit(ctx);
                return;
            }
            // Only the first message of a connection can have been due before it could be sent.
            messageNanos = sent == 0 && load.rate() > 0 ? dueNanos : System.nanoTime();
            sent++;
            messagesBegun++;
            number = 0;
            refusal = 0;
            recipientsAnswered = 0;
            recipientsTaken = 0;
            awaited = Awaited.SENDER;
            if (!load.isPipelined()) {
                send(ctx, sender);
            } else if (load.isChunked()) {
                send(ctx, sender + allRecipients);
                sendChunk(ctx);
            } else {
                send(ctx, sender + allRecipients + "DATA\r\n");
            }
        }

        private void onSender(ChannelHandlerContext ctx, int reply) {
            note(reply);
            awaited = Awaited.RECIPIENT;
            if (!load.isPipelined()) {
                if (refusal != 0) {
                    refused(refusal);
                    nextMessage(ctx);
                } else {
                    send(ctx, recipientCommand(0));
                }
            }
        }

        private void onRecipient(ChannelHandlerContext ctx, int reply) {
            note(reply);
            recipientsAnswered++;
            if (reply < 400) {
                recipientsTaken++;
            }
            if (recipientsAnswered < load.recipients()) {
                if (!load.isPipelined()) {
                    send(ctx, recipientCommand(recipientsAnswered));
                }
                return;
            }
            awaited = load.isChunked() ? Awaited.KEPT : Awaited.DATA;
            if (!load.isPipelined()) {
                if (recipientsTaken == 0) {
                    refused(refusal);
                    reset(ctx);
                } else if (load.isChunked()) {
                    sendChunk(ctx);
                } else {
                    send(ctx, "DATA\r\n");
                }
            }
        }

        private void onData(ChannelHandlerContext ctx, int reply) {
            if (reply >= 400) {
                note(reply);
                refused(refusal);
                reset(ctx);
                return;
            }
            awaited = Awaited.KEPT;
            write(ctx, Unpooled.wrappedBuffer(header()));
            write(ctx, body.duplicate());
            send(ctx, ".\r\n");
        }

        private void sendChunk(ChannelHandlerContext ctx) {
            byte[] header = header();
            send(ctx, "BDAT " + (header.length + body.readableBytes()) + " LAST\r\n");
            write(ctx, Unpooled.wrappedBuffer(header));
            write(ctx, body.duplicate());
        }

        private byte[] header() {
            Integer again = numbersRefused.poll();
            number = again == null ? ++numbers : again;
            return mail.header(number);
        }

        private String recipientCommand(int index) {
            return recipients.get(index);
        }

        /// What is refused in the middle leaves its transaction open.
        private void reset(ChannelHandlerContext ctx) {
            awaited = Awaited.RESET;
            send(ctx, "RSET\r\n");
        }

        private void note(int reply) {
            if (reply >= 400 && refusal == 0) {
                refusal = reply;
            }
        }

        private void refused(int code) {
            tally.refused(code);
            if (number > 0) {
                numbersRefused.add(number);
                number = 0;
            }
        }

        // ---- TLS ----

        private void secure(ChannelHandlerContext ctx, Awaited then) {
            awaited = Awaited.HANDSHAKE;
            hosts++;
            // Spread evenly: of each hundred in a row the share resumes.
            boolean isResumed =
                    Math.floor(hosts * load.resumedShare())
                            > Math.floor((hosts - 1) * load.resumedShare());
            String host = isResumed ? "resumed.test" : "h" + hosts + hostDomain;
            SslHandler handler = tls.handler(ctx.alloc(), way, host, load.port());
            narrow(handler.engine());
            ctx.pipeline().addFirst(handler);
            handler.handshakeFuture()
                    .addListener(
                            done -> {
                                if (!done.isSuccess()) {
                                    fail(ctx, "no handshake: " + done.cause());
                                    return;
                                }
                                TlsSummary summary = TlsContexts.summary(handler);
                                // The JDK's engine does not say its group, and offers no other.
                                if (!load.group().isEmpty()
                                        && load.engine() != Engine.JDK
                                        && !load.group().equals(summary.group())) {
                                    fail(ctx, "the group was " + summary.group());
                                    return;
                                }
                                if (!isOfKeyType(handler.engine().getSession())) {
                                    fail(ctx, "the key was not " + load.keyType());
                                    return;
                                }
                                if (summary.resumed()) {
                                    tally.resumed();
                                }
                                awaited = then;
                                if (then == Awaited.HELLO_INSIDE) {
                                    send(ctx, "EHLO " + load.helo() + "\r\n");
                                    ctx.flush();
                                }
                            });
        }

        /// To what the load offers.
        private void narrow(SSLEngine engine) {
            engine.setEnabledProtocols(new String[] {load.version()});
            SSLParameters parameters = engine.getSSLParameters();
            if (!load.group().isEmpty()) {
                parameters.setNamedGroups(new String[] {load.groupOfEngine()});
            }
            if (load.keyType() != Load.KeyType.ANY) {
                if (load.version().equals("TLSv1.2")) {
                    parameters.setCipherSuites(
                            load.keyType().cipherSuites().toArray(String[]::new));
                } else {
                    parameters.setSignatureSchemes(
                            load.keyType().signatureSchemes().toArray(String[]::new));
                }
            }
            engine.setSSLParameters(parameters);
        }

        private boolean isOfKeyType(SSLSession session) {
            if (load.keyType() == Load.KeyType.ANY) {
                return true;
            }
            try {
                return load.keyType().is(session.getPeerCertificates()[0]);
            } catch (SSLPeerUnverifiedException _) {
                return false;
            }
        }

        // ---- octets, and the end ----

        private static void send(ChannelHandlerContext ctx, String commands) {
            write(ctx, ByteBufUtil.writeAscii(ctx.alloc(), commands));
        }

        private static void write(ChannelHandlerContext ctx, ByteBuf octets) {
            // A failure comes as an exception.
            var _ = ctx.write(octets, ctx.voidPromise());
        }

        /// By a reply to the connection, not to a message.
        private void sentAway(ChannelHandlerContext ctx, int reply) {
            tally.refused(reply);
            end(ctx);
        }

        private void fail(ChannelHandlerContext ctx, String what) {
            if (!isEnded) {
                failed(what);
                end(ctx);
            }
        }

        void endHolding() {
            if (ctx != null && awaited == Awaited.NOTHING) {
                quit(ctx);
                ctx.flush();
            }
        }

        /// While a load holds its sessions nothing is awaited.
        void giveUp() {
            if (ctx != null && awaited != Awaited.NOTHING) {
                fail(ctx, awaited + " awaited for " + load.patienceSeconds() + " s");
            }
        }

        private void end(ChannelHandlerContext ctx) {
            isEnded = true;
            var _ = ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            dialogues.remove(this);
            if (!isEnded) {
                isEnded = true;
                failed("the server closed, " + awaited + " awaited");
            }
            sessionEnded();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            fail(ctx, String.valueOf(cause));
        }
    }

    /// What its TLS is opened with.
    static HostTlsSettings tls(Load load) {
        Path chain = load.chain();
        Path key = load.key();
        List<HostIdentity> identities =
                chain == null || key == null
                        ? List.of()
                        : List.of(
                                new HostIdentity(
                                        IDENTITY,
                                        List.of(new CertificateSettings(chain, key.toString()))));
        return new HostTlsSettings(
                TlsSettings.withDefaults(List.of()).withEngine(load.engine()),
                List.of(way(load)),
                identities);
    }

    /// The way to hosts that it takes.
    private static HostWay way(Load load) {
        return new HostWay(HostPolicy.OPPORTUNISTIC, load.chain() == null ? null : IDENTITY);
    }
}
