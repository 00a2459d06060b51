package org.malote.delivery;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.malote.delivery.ClientState.AwaitingEhlo;
import org.malote.delivery.ClientState.AwaitingGreeting;
import org.malote.delivery.ClientState.AwaitingReply;
import org.malote.delivery.ClientState.Closed;
import org.malote.delivery.ClientState.Encrypting;
import org.malote.delivery.ClientState.Idle;
import org.malote.delivery.ClientState.Preparing;
import org.malote.delivery.ClientState.Transacting;
import org.malote.offload.CertificateRefused;
import org.malote.offload.HandshakeFault;
import org.malote.offload.TlsSummary;
import org.malote.smtp.Reply;
import org.malote.smtp.wire.DotStuffer;
import org.malote.smtp.wire.ReplyParser;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One connection to a host, on its event loop: feeds the machine with replies, executes its steps,
/// and streams messages past it.
final class OutboundHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(OutboundHandler.class);

    /// Who asked for the connection. Told on the event loop.
    interface Owner {
        /// A transaction may begin: after the greeting, and after an RSET.
        void ready(OutboundHandler connection);

        /// The connection is gone. Told once; not told when the owner let it go.
        ///
        /// @param failure why no transaction could begin; null when one could have
        void closed(OutboundHandler connection, @Nullable Failure failure, Ending ending);
    }

    /// How a connection ended before a transaction could begin.
    enum Ending {
        /// The host said so, or closed.
        SPOKEN,
        /// The host did not answer in time.
        SILENT,
        /// The TLS handshake failed; in the clear the host may do.
        HANDSHAKE,
        /// There was no TLS, or not with whom it must be, and nothing goes in the clear.
        INSECURE
    }

    /// How a transaction ended.
    ///
    /// @param outcomes one for each recipient, in order
    /// @param afterwards what can be done with the connection
    /// @param isUnheard whether the connection ended before the host said anything about this
    ///     transaction
    record End(List<RecipientOutcome> outcomes, Afterwards afterwards, boolean isUnheard) {}

    /// What can be done with a connection after a transaction.
    enum Afterwards {
        /// The next transaction may begin.
        READY,
        /// It may begin when the owner is told that the connection is ready.
        RESETTING,
        /// Nothing: the host is told goodbye, and its place is free when the channel is closed.
        LEAVING,
        /// Nothing.
        CLOSED
    }

    private final ClientSession session;
    private final DeliveryTimeouts timeouts;
    private final HostSecurity security;
    private final Executor io;
    private final Owner owner;

    private ReplyParser parser = new ReplyParser();
    private ClientState state;
    private @Nullable ChannelHandler secured;
    private @Nullable ByteBuf unread;
    private @Nullable TlsSummary tlsSummary;
    private @Nullable String handshakeFault;
    private boolean wasReady;
    private boolean isLetGo;

    // The transaction under way.
    private @Nullable Consumer<End> done;
    private @Nullable BodyPump pump;
    private Payload payload = Payload.NONE;
    private long payloadLeft;
    private @Nullable DotStuffer stuffer;

    private @Nullable ChannelHandlerContext context;
    private @Nullable Future<?> timer;
    private long timerAtNanos;
    private long deadlineNanos;
    private boolean hasDeadline;
    private boolean isOpened;

    /// @param security makes the handler for TLS
    /// @param io where messages are read
    OutboundHandler(
            ClientSession session,
            DeliveryTimeouts timeouts,
            HostSecurity security,
            Executor io,
            Owner owner) {
        this.session = session;
        this.timeouts = timeouts;
        this.security = security;
        this.state = session.opening();
        this.io = io;
        this.owner = owner;
    }

    /// The host for logs and reports.
    String host() {
        return session.host();
    }

    /// What the host said of itself. Only between ready and the next transaction.
    HostFacts facts() {
        return state instanceof Idle(HostFacts facts) ? facts : HostFacts.PLAIN;
    }

    /// What the handshake agreed on; null without TLS.
    @Nullable TlsSummary tlsSummary() {
        return tlsSummary;
    }

    /// Why the handshake failed, in a word of [HandshakeFault]; null when it did not.
    @Nullable String handshakeFault() {
        return handshakeFault;
    }

    /// Sends a message. On the event loop.
    ///
    /// @param ended told once, on the event loop
    void begin(OutboundTransaction transaction, BodySource body, Consumer<End> ended) {
        if (done != null) {
            throw new IllegalStateException("a transaction is under way at " + host());
        }
        done = ended;
        if (!(state instanceof Idle idle) || context == null) {
            // The host closed while the owner was on its way here.
            done = null;
            ended.accept(
                    new End(
                            refusals(
                                    transaction,
                                    Trouble.broken(host(), "idle", Trouble.Break.LOST)),
                            Afterwards.CLOSED,
                            true));
            return;
        }
        Channel channel = context.channel();
        pump =
                new BodyPump(
                        body,
                        transaction.octets(),
                        io,
                        channel.eventLoop(),
                        channel.alloc(),
                        new PumpListener());
        stuffer = null;
        run(session.begin(idle, transaction));
        flush();
    }

    /// Says goodbye to the host. On the event loop. The owner hears nothing more.
    void quit() {
        isLetGo = true;
        if (state instanceof Idle idle) {
            run(session.quit(idle));
            flush();
        } else {
            close();
        }
    }

    /// Drops the connection and what it does. On the event loop. The owner hears nothing more, and
    /// neither does whoever waits for a transaction.
    void abort() {
        isLetGo = true;
        done = null;
        close();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        if (ctx.channel().isActive()) {
            open();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        open();
        ctx.fireChannelActive();
    }

    private void open() {
        isOpened = true;
        watch();
        if (state instanceof Encrypting encrypting) {
            encrypt(encrypting);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!(message instanceof ByteBuf octets)) {
            throw new IllegalStateException("a connection carries octets only");
        }
        if (state instanceof Closed) {
            octets.release();
            return;
        }
        ByteBuf before = unread;
        unread =
                before == null
                        ? octets
                        : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(
                                ctx.alloc(), before, octets);
        readReplies();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            stream();
            ctx.flush();
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake
                && state instanceof Encrypting encrypting) {
            if (handshake.isSuccess()) {
                onHandshake(encrypting);
            } else {
                onHandshakeFailed(encrypting, handshake.cause());
            }
            ctx.flush();
        }
    }

    private void onHandshake(Encrypting encrypting) {
        ChannelHandler handler = secured;
        if (handler == null) {
            throw new IllegalStateException("a handshake has its handler");
        }
        try {
            tlsSummary = security.established(handler);
        } catch (CertificateRefused e) {
            onHandshakeFailed(encrypting, e);
            return;
        }
        parser = new ReplyParser();
        run(session.onEncrypted(encrypting));
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        broke(Trouble.Break.LOST);
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        // A connection that never came to be is told by the attempt to make it, with the cause.
        if (isOpened) {
            broke(Trouble.Break.LOST);
        }
    }

    /// A reset, a TLS error, or a bug of ours. None of them may take the event loop down.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (isOfPeer(cause)) {
            switch (state) {
                case Encrypting encrypting -> onHandshakeFailed(encrypting, cause);
                case AwaitingGreeting greeting when isOfTls(cause) -> {
                    handshakeFault = HandshakeFault.of(cause);
                    run(session.onRefusedByAlert(greeting, HandshakeFault.words(cause)));
                }
                case AwaitingEhlo ehlo when isOfTls(cause) -> {
                    handshakeFault = HandshakeFault.of(cause);
                    run(session.onRefusedByAlert(ehlo, HandshakeFault.words(cause)));
                }
                default -> broke(Trouble.Break.LOST);
            }
        } else {
            LOG.error("connection to {} dropped", host(), cause);
            broke(Trouble.Break.LOST);
        }
    }

    private void onHandshakeFailed(Encrypting encrypting, Throwable cause) {
        handshakeFault = HandshakeFault.of(cause);
        run(session.onHandshakeFailed(encrypting, HandshakeFault.words(cause)));
    }

    private static boolean isOfPeer(Throwable cause) {
        return cause instanceof IOException || isOfTls(cause);
    }

    private static boolean isOfTls(Throwable cause) {
        return cause instanceof SSLException || cause.getCause() instanceof SSLException;
    }

    private void readReplies() {
        while (unread != null) {
            ByteBuf in = unread;
            switch (parser.next(in)) {
                case ReplyParser.Incomplete _ -> {
                    if (!in.isReadable()) {
                        dropUnread();
                    }
                    return;
                }
                case ReplyParser.Broken(String detail) -> {
                    run(session.onGarbled(state, detail));
                    return;
                }
                case ReplyParser.Complete(Reply reply) -> onReply(reply);
            }
        }
    }

    private void onReply(Reply reply) {
        switch (state) {
            case AwaitingReply awaiting -> run(session.on(awaiting, reply));
            case Idle idle -> run(session.onUnasked(idle));
            case Preparing preparing ->
                    run(session.onGarbled(preparing, "a reply came that nothing was sent for"));
            case Encrypting encrypting -> run(session.onInjected(encrypting));
            case Closed _ -> dropUnread();
        }
    }

    private void run(ClientStep step) {
        ClientState before = state;
        state = step.next();
        watch();
        switch (step) {
            case ClientStep.Await _ -> {}
            case ClientStep.Send(List<String> commands, Payload octets, ClientState _) -> {
                write(commands);
                begin(octets);
            }
            case ClientStep.Encrypt(Encrypting encrypting) -> encrypt(encrypting);
            case ClientStep.Prepare(Preparing preparing) ->
                    requirePump().prepare(preparing.inspects());
            case ClientStep.Ready _ -> {
                wasReady = true;
                owner.ready(this);
            }
            case ClientStep.Finish(
                            List<RecipientOutcome> outcomes,
                            List<String> commands,
                            ClientState next) ->
                    finish(before, outcomes, commands, next);
            case ClientStep.Close(Failure failure, ClientStep.Security security) ->
                    closed(
                            failure,
                            switch (security) {
                                case ASIDE -> Ending.SPOKEN;
                                case CLEAR_WILL_DO -> Ending.HANDSHAKE;
                                case CLEAR_WILL_NOT_DO -> Ending.INSECURE;
                            });
        }
    }

    private void finish(
            ClientState before,
            List<RecipientOutcome> outcomes,
            List<String> commands,
            ClientState next) {
        endPayload();
        boolean isUnheard =
                next instanceof Closed
                        && switch (before) {
                            case Transacting transacting -> transacting.answered() == 0;
                            default -> true;
                        };
        Afterwards afterwards =
                switch (next) {
                    case Closed _ -> Afterwards.CLOSED;
                    case Idle _ -> Afterwards.READY;
                    case ClientState.Quitting _ -> Afterwards.LEAVING;
                    default -> Afterwards.RESETTING;
                };
        write(commands);
        if (afterwards == Afterwards.LEAVING) {
            isLetGo = true;
        }
        if (afterwards == Afterwards.CLOSED) {
            wasReady = true; // the owner learns of the end from the transaction
            close();
        }
        Consumer<End> ended = done;
        done = null;
        if (ended != null) {
            ended.accept(new End(outcomes, afterwards, isUnheard));
        }
    }

    private void closed(@Nullable Failure failure, Ending ending) {
        close();
        if (!isLetGo) {
            isLetGo = true;
            owner.closed(this, wasReady ? null : failure, ending);
        }
    }

    private void broke(Trouble.Break cause) {
        if (state instanceof Closed) {
            return;
        }
        if (state instanceof Encrypting) {
            handshakeFault = cause == Trouble.Break.TIMED_OUT ? "timeout" : "closed";
        }
        ClientStep step = session.onBroken(state, cause);
        if (step instanceof ClientStep.Close(Failure failure, ClientStep.Security security)
                && cause == Trouble.Break.TIMED_OUT
                && security == ClientStep.Security.ASIDE) {
            state = new Closed();
            closed(failure, Ending.SILENT);
        } else {
            run(step);
        }
    }

    private void close() {
        state = new Closed();
        hasDeadline = false;
        endPayload();
        dropUnread();
        Future<?> running = timer;
        timer = null;
        if (running != null) {
            running.cancel(false);
        }
        if (context != null) {
            var _ = context.close();
        }
    }

    private void dropUnread() {
        ByteBuf rest = unread;
        unread = null;
        if (rest != null) {
            rest.release();
        }
    }

    private void write(List<String> commands) {
        if (commands.isEmpty() || context == null) {
            return;
        }
        int length = 0;
        for (String command : commands) {
            length += command.length() + 2;
        }
        ByteBuf octets = context.alloc().directBuffer(length);
        for (String command : commands) {
            // UTF-8: addresses under SMTPUTF8 (RFC 6531 §3.3); everything else is ASCII.
            octets.writeCharSequence(command, StandardCharsets.UTF_8);
            octets.writeByte('\r').writeByte('\n');
        }
        var _ = context.write(octets, context.voidPromise());
    }

    private void flush() {
        if (context != null) {
            context.flush();
        }
    }

    /// RFC 3207: whatever the host sent behind its 220 was not protected, and is not believed.
    private void encrypt(Encrypting encrypting) {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            return;
        }
        if (unread != null && unread.isReadable()) {
            run(session.onInjected(encrypting));
            return;
        }
        dropUnread();
        ChannelHandler handler;
        try {
            handler = security.handler(ctx.alloc());
        } catch (IllegalStateException e) {
            // A reload took away what this connection was made for.
            run(session.onNoTls(encrypting, String.valueOf(e.getMessage())));
            return;
        }
        secured = handler;
        ctx.pipeline().addFirst(handler);
    }

    private void begin(Payload octets) {
        payload = octets;
        payloadLeft =
                switch (octets) {
                    case Payload.None _ -> 0;
                    case Payload.Data _ -> requirePump().left();
                    case Payload.Chunk(long size) -> size;
                };
        if (stuffer == null && state instanceof Transacting transacting) {
            stuffer =
                    switch (octets) {
                        case Payload.None _ -> null;
                        case Payload.Data _ -> DotStuffer.forData();
                        case Payload.Chunk _ ->
                                transacting.transaction().isBinary()
                                        ? null
                                        : DotStuffer.forChunks();
                    };
        }
        stream();
    }

    /// Writes as much of the payload as there is and as the channel takes.
    private void stream() {
        while (!(payload instanceof Payload.None) && context != null) {
            if (payloadLeft == 0) {
                endOfPayload();
                return;
            }
            if (!context.channel().isWritable()) {
                return; // goes on when it is
            }
            ByteBuf piece = requirePump().take(payloadLeft);
            if (piece == null) {
                return; // goes on when it has been read
            }
            payloadLeft -= piece.readableBytes();
            if (stuffer != null) {
                piece = stuffer.consume(piece, context.alloc());
            }
            if (piece == null) {
                bareLineEnd();
                return;
            }
            var _ = context.write(piece, context.voidPromise());
            watch();
        }
    }

    private void endOfPayload() {
        boolean isWhole = requirePump().left() == 0;
        ByteBuf end = stuffer != null && isWhole ? stuffer.finish() : null;
        if (stuffer != null && isWhole && end == null) {
            bareLineEnd();
            return;
        }
        if (end != null && context != null) {
            var _ = context.write(end, context.voidPromise());
        }
        payload = Payload.NONE;
        if (state instanceof Transacting transacting) {
            run(session.onPayloadSent(transacting));
        }
    }

    private void bareLineEnd() {
        fail(
                Trouble.unsendable(
                        "5.6.0",
                        "the message has a bare CR or LF in it, which must not go out (RFC 5321"
                                + " §2.3.8)"));
    }

    private void fail(Failure failure) {
        switch (state) {
            case Preparing preparing -> run(session.onUnreadable(preparing, failure));
            case Transacting transacting -> run(session.onPayloadFailed(transacting, failure));
            case AwaitingReply _, Encrypting _, Idle _, Closed _ -> {}
        }
    }

    private void endPayload() {
        payload = Payload.NONE;
        BodyPump open = pump;
        pump = null;
        if (open != null) {
            open.close();
        }
    }

    private BodyPump requirePump() {
        BodyPump open = pump;
        if (open == null) {
            throw new IllegalStateException("no transaction is under way at " + host());
        }
        return open;
    }

    /// Starts the state's time over. One timer runs at a time and looks at the deadline when it
    /// fires, so that a reply costs no timer of its own.
    private void watch() {
        Duration timeout = session.timeout(state, timeouts);
        hasDeadline = timeout != null;
        if (timeout == null || context == null) {
            return;
        }
        deadlineNanos = context.executor().ticker().nanoTime() + timeout.toNanos();
        if (timer == null || timerAtNanos - deadlineNanos > 0) {
            if (timer != null) {
                timer.cancel(false);
            }
            startTimer(timeout.toNanos());
        }
    }

    private void startTimer(long delayNanos) {
        if (context != null) {
            timerAtNanos = deadlineNanos;
            timer = context.executor().schedule(this::onTimer, delayNanos, TimeUnit.NANOSECONDS);
        }
    }

    private void onTimer() {
        timer = null;
        if (!hasDeadline || context == null) {
            return;
        }
        long leftNanos = deadlineNanos - context.executor().ticker().nanoTime();
        if (leftNanos > 0) {
            startTimer(leftNanos);
        } else {
            broke(Trouble.Break.TIMED_OUT);
        }
    }

    static List<RecipientOutcome> refusals(OutboundTransaction transaction, Failure failure) {
        return transaction.recipients().stream()
                .<RecipientOutcome>map(_ -> new RecipientOutcome.Failed(failure))
                .toList();
    }

    /// What the disk says.
    private final class PumpListener implements BodyPump.Listener {
        @Override
        public void prepared(boolean isEightBit) {
            if (state instanceof Preparing preparing) {
                run(session.onPrepared(preparing, isEightBit));
                flush();
            }
        }

        @Override
        public void pieceArrived() {
            stream();
            flush();
        }

        @Override
        public void unreadable(String cause) {
            LOG.error("message for {} cannot be read: {}", host(), cause);
            fail(Trouble.ours("the message cannot be read from the spool"));
            flush();
        }
    }
}
