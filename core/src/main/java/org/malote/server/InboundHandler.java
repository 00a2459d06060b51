package org.malote.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.malote.accept.Acceptance;
import org.malote.accept.Arrival;
import org.malote.accept.HopAttributes;
import org.malote.accept.MessageIntake;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.Dial;
import org.malote.amtp.HopCheck;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.Observations.Outcome;
import org.malote.auth.Answer;
import org.malote.auth.Mechanism;
import org.malote.auth.User;
import org.malote.offload.FailedHandshake;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsSummary;
import org.malote.policy.Peer;
import org.malote.queue.Envelope;
import org.malote.server.InputMode.Wait;
import org.malote.session.Greeting;
import org.malote.session.MessageOutcome;
import org.malote.session.MessageOutcome.Fault;
import org.malote.session.Replies;
import org.malote.session.Session;
import org.malote.session.SessionLimits;
import org.malote.session.State;
import org.malote.session.State.Authenticating;
import org.malote.session.State.AwaitingCommand;
import org.malote.session.State.AwaitingProof;
import org.malote.session.State.AwaitingVerdict;
import org.malote.session.State.Chunking;
import org.malote.session.State.Greeted;
import org.malote.session.State.ReceivingChunk;
import org.malote.session.State.ReceivingData;
import org.malote.session.Step;
import org.malote.session.Verdict;
import org.malote.smtp.Command;
import org.malote.smtp.Reply;
import org.malote.smtp.wire.ChunkScanner;
import org.malote.smtp.wire.CommandFramer;
import org.malote.smtp.wire.CommandParser;
import org.malote.smtp.wire.EndOfDataScanner;
import org.malote.smtp.wire.Frame;
import org.malote.smtp.wire.ReplyWriter;
import org.malote.telemetry.Meters;
import org.malote.telemetry.Meters.Direction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One inbound connection: turns octets into events for the [Session] and carries out its steps.
///
/// Replies keep the order of the commands because at most one command is in flight: while a verdict
/// or a commit is awaited the following octets wait in the input buffer and in the socket. Replies
/// are written as they come and flushed when the read burst ends, so a pipelined group costs one
/// packet.
///
/// Reading is by demand: the channel's automatic reading is off, so a peer that does not take its
/// replies, or a queue that does not keep up, stops the reading and no buffer grows.
final class InboundHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(InboundHandler.class);

    /// Octets that wait in the input buffer before reading stops. Ours: one TLS record of 16 KiB
    /// and some.
    static final int INPUT_OCTETS_MAX = 64 * 1024;

    /// How long a closing connection is read and dropped, so that the last reply is not lost to a
    /// reset. Ours.
    static final Duration LINGER = Duration.ofSeconds(2);

    /// Octets that are dropped from a closing connection before it is cut all the same. Ours: above
    /// the 10 MiB that two sockets hold at Linux's defaults, 4 in net.ipv4.tcp_wmem and 6 in
    /// tcp_rmem.
    static final int LINGER_OCTETS_MAX = 16 << 20;

    /// The longest response with its CRLF: RFC 4954 §4.
    private static final int RESPONSE_OCTETS_MAX = 12_288;

    /// What the log calls an authentication.
    private static final String AUTH = "Auth";

    /// Deadlines are looked at this often at least. Ours: 10,000 sessions then cost 700 looks a
    /// second.
    private static final long TICK_NANOS_MAX = TimeUnit.SECONDS.toNanos(15);

    private final Reception reception;
    private final ListenerSettings listener;
    private final SessionQuota quota;
    private final String name;

    private @Nullable ChannelHandlerContext context;
    private Session session;
    private Peer peer;
    private InputMode mode = new InputMode.Paused(Wait.PEER);
    private ByteBuf input = Unpooled.EMPTY_BUFFER;

    /// The message that is coming, over all of its chunks.
    private @Nullable MessageIntake intake;

    /// Whether a rule about codes that is only watched would have refused it.
    private boolean isCodeWatched;

    private ChunkScanner chunks = new ChunkScanner();

    /// Finds out who the peer is; null where nobody is asked.
    private @Nullable HopCheck hop;

    /// What the log was told last.
    private @Nullable HopIdentity identified;

    /// Where the dialogue goes on after STARTTLS; null when TLS comes before the greeting.
    private @Nullable Greeted afterHandshake;

    private boolean isRunning;
    private boolean isInReadBurst;
    private boolean isReadPending;
    private boolean mustFlush;
    private boolean isInputEnded;
    private boolean isDraining;
    private boolean isCountedAlone;
    private boolean isCountedByNetwork;
    private boolean isGone;

    // Of a session with TLS.
    private boolean hasTickets;
    private long securedNanos;

    /// Tickets went out, and nothing has come since.
    private boolean isFirstWordAwaited;

    private boolean isGreeted;
    private String closeReason = "connection lost";

    private long openedNanos;
    private long deadlineNanos = Long.MAX_VALUE;
    private String deadlineReason = "";
    private boolean isLineDeadline;
    private long receptionNanos;
    private long receivedOctets;
    private int lingeredOctets;
    private long tlsStartedNanos;

    /// What the handshake was begun with: a reload may exchange the current ones before it ends.
    private @Nullable TlsContexts securedBy;

    private long transactionNanos;
    private int commands;
    private int messages;
    private @Nullable Future<?> tick;

    InboundHandler(
            Reception reception,
            ListenerSettings listener,
            SessionQuota quota,
            Session session,
            Peer peer,
            String name) {
        this.reception = reception;
        this.listener = listener;
        this.quota = quota;
        this.session = session;
        this.peer = peer;
        this.name = name;
    }

    // ---- the connection opens ----

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        openedNanos = nanoTime();
        arm(limits().commandTimeout(), "no greeting");
        tickLater();
        if (!quota.tryEnter()) {
            refuse("sessions", Replies.TOO_MANY_SESSIONS);
        } else {
            isCountedAlone = true;
            if (listener.proxyNetworks().isEmpty()) {
                onPeerKnown();
            } else if (isProxy(peer)) {
                mode = new InputMode.Paused(Wait.PEER);
            } else {
                refuse("proxy", Replies.NOT_A_PROXY);
            }
        }
        endBurst();
    }

    private boolean isProxy(Peer candidate) {
        return listener.proxyNetworks().stream().anyMatch(n -> n.contains(candidate.address()));
    }

    private void onProxyHeader(HAProxyMessage header) {
        try {
            Peer told = ProxyHeader.peer(header, peer);
            if (told == null) {
                refuse("proxy", Replies.NOT_A_PROXY);
                return;
            }
            peer = told;
        } finally {
            header.release();
        }
        onPeerKnown();
    }

    private void onPeerKnown() {
        if (!reception.isUncounted().test(peer.address())) {
            if (!quota.tryEnterNetwork(peer.address())) {
                refuse("network", Replies.TOO_MANY_SESSIONS_FROM_NETWORK);
                return;
            }
            isCountedByNetwork = true;
        }
        if (listener.identityRules().isAsked()) {
            hop = reception.hops().begin(listener.name(), listener.identity(), peer.address());
        }
        switch (listener.tls()) {
            case NONE, STARTTLS -> greetLater();
            case IMPLICIT -> startTls();
        }
    }

    /// RFC 5321 §4.3.1: the peer waits for the greeting. One that talks first is cut.
    private void greetLater() {
        Duration delay = limits().greetingDelay();
        if (delay.isZero()) {
            greet();
            return;
        }
        mode = new InputMode.Paused(Wait.GREETING);
        arm(delay.plus(limits().commandTimeout()), "no greeting");
        var _ =
                context()
                        .executor()
                        .schedule(
                                () -> {
                                    if (!isGone && mode instanceof InputMode.Paused) {
                                        greet();
                                        run();
                                        endBurst();
                                    }
                                },
                                delay.toNanos(),
                                TimeUnit.NANOSECONDS);
    }

    private void greet() {
        isGreeted = true;
        reception.log().connected(name, listener.name(), peer.remote());
        reception.meters().sessionOpened(listener.name());
        reply(session.greeting());
        become(session.greeted());
    }

    private void refuse(String cause, Reply reply) {
        reception.meters().sessionRefused(cause);
        reception.log().refused(listener.name(), peer.remote(), reply.oneLine());
        // Before an implicit handshake there is nobody to read a reply in clear text.
        if (listener.tls() == TlsMode.IMPLICIT) {
            closeReason = cause;
            mode = new InputMode.Closing();
            hangUp();
        } else {
            close(reply, cause);
        }
    }

    // ---- octets come ----

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        isReadPending = false;
        isInReadBurst = true;
        switch (message) {
            case ByteBuf octets -> {
                noteFirstWord();
                onOctets(octets);
            }
            // Only the first word of a proxy of ours is believed; a refused peer may say what it
            // likes.
            case HAProxyMessage header
                    when mode instanceof InputMode.Paused(var until)
                            && until == Wait.PEER
                            && isProxy(peer) ->
                    onProxyHeader(header);
            default -> ReferenceCountUtil.release(message);
        }
    }

    private void onOctets(ByteBuf octets) {
        if (mode instanceof InputMode.Closing || isGone) {
            lingeredOctets += octets.readableBytes();
            octets.release();
            if (lingeredOctets > LINGER_OCTETS_MAX) {
                hangUp();
            }
            return;
        }
        if (mode instanceof InputMode.Paused(var until) && until == Wait.GREETING) {
            octets.release();
            perform(session.onSynchronisationLost());
            return;
        }
        receivedOctets += octets.readableBytes();
        if (input.isReadable()) {
            try {
                input = join(context(), input, octets);
            } finally {
                octets.release();
            }
        } else {
            input.release();
            input = octets;
        }
        run();
    }

    /// Appends, moving what is left to the front of a new buffer when there is no room. What waits
    /// is at most a burst behind a pause, or part of a line.
    private static ByteBuf join(ChannelHandlerContext ctx, ByteBuf kept, ByteBuf octets) {
        int length = octets.readableBytes();
        if (kept.refCnt() == 1 && !kept.isReadOnly() && kept.writableBytes() >= length) {
            return kept.writeBytes(octets);
        }
        ByteBuf joined =
                ctx.alloc()
                        .buffer(Math.max(kept.readableBytes() + length, kept.readableBytes() * 2));
        joined.writeBytes(kept).writeBytes(octets);
        kept.release();
        return joined;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        isReadPending = false;
        isInReadBurst = false;
        endBurst();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            run();
            endBurst();
        }
    }

    /// Works through the input until it needs more, or has to wait.
    private void run() {
        if (isRunning) {
            return; // an answer came at once: the loop below goes on with it
        }
        isRunning = true;
        try {
            while (context().channel().isWritable() && advance()) {}
        } finally {
            isRunning = false;
            if (!input.isReadable()) {
                input.release();
                input = Unpooled.EMPTY_BUFFER;
            }
        }
    }

    private boolean advance() {
        return switch (mode) {
            case InputMode.Lines lines -> onLines(lines);
            case InputMode.Responses responses -> onResponses(responses);
            case InputMode.Data data -> onData(data);
            case InputMode.Chunk chunk -> onChunk(chunk);
            case InputMode.Skip skip -> onSkip(skip);
            case InputMode.Paused _, InputMode.Asking _ -> false;
            case InputMode.Closing _ -> {
                input.skipBytes(input.readableBytes());
                yield false;
            }
        };
    }

    private boolean onLines(InputMode.Lines lines) {
        return switch (lines.framer().next(input)) {
            case Frame.Line(var text) -> {
                onCommand(lines.state(), CommandParser.parse(text));
                yield true;
            }
            case Frame.Refused(var fault) -> {
                commands++;
                isLineDeadline = false;
                perform(session.on(lines.state(), fault));
                yield true;
            }
            case Frame.Incomplete _ -> {
                onIncomplete(lines.framer());
                yield false;
            }
        };
    }

    private boolean onResponses(InputMode.Responses responses) {
        return switch (responses.framer().next(input)) {
            case Frame.Line(var text) -> {
                onResponse(responses.state(), text);
                yield true;
            }
            case Frame.Refused(var fault) -> {
                isLineDeadline = false;
                Step step = session.on(responses.state(), fault);
                logRefusal(step, AUTH, null);
                perform(step);
                yield true;
            }
            case Frame.Incomplete _ -> {
                onIncomplete(responses.framer());
                yield false;
            }
        };
    }

    private void onIncomplete(CommandFramer framer) {
        if (isInputEnded) {
            flush();
            hangUp();
        } else if (framer.isInsideLine(input) && !isLineDeadline) {
            isLineDeadline = true;
            arm(limits().commandTimeout(), "command took too long");
        }
    }

    /// RFC 4954 §4: what follows a response has waited for what we say to it.
    private void onResponse(Authenticating state, String line) {
        isLineDeadline = false;
        Step step = input.isReadable() ? session.onSynchronisationLost() : session.on(state, line);
        onAuthentication(step, state.exchange().mechanism(), null);
    }

    private void onAnswer(AwaitingProof asked, Answer answer) {
        Mechanism mechanism = asked.exchange().mechanism();
        String outcome =
                switch (answer) {
                    case Answer.Proven _ -> "proven";
                    case Answer.Refused _ -> "refused";
                    case Answer.Busy _ -> "busy";
                    case Answer.Blocked _ -> "blocked";
                    case Answer.Verifiable _ -> "";
                };
        if (!outcome.isEmpty()) {
            reception.meters().authenticated(mechanism.word(), outcome);
        }
        onAuthentication(
                session.on(asked, answer),
                mechanism,
                answer instanceof Answer.Refused(var user) ? user : null);
    }

    /// @param failed whose name it was said to be, where it is one of ours: what else was typed
    ///     for a name may be a password
    private void onAuthentication(Step step, Mechanism mechanism, @Nullable User failed) {
        if (step instanceof Step.Respond(_, State.Ready(_, var greeting))
                && greeting.user() != null) {
            reception
                    .log()
                    .authenticated(name, peer.address(), greeting.user().name(), mechanism.word());
        } else {
            logRefusal(step, AUTH, failed == null ? null : failed.name());
        }
        perform(step);
    }

    private void onCommand(AwaitingCommand state, Command command) {
        commands++;
        isLineDeadline = false;
        Step step =
                mustEndGroup(command) && input.isReadable()
                        ? session.onSynchronisationLost()
                        : session.on(state, command);
        logRefusal(step, command);
        if (command instanceof Command.Mail && state instanceof State.Ready(_, var greeting)) {
            noteRefusal(step, greeting, null);
        }
        perform(step);
    }

    /// RFC 2920 §3.1, RFC 3207 §4: what follows must wait for the reply, because the reply changes
    /// what it means.
    private static boolean mustEndGroup(Command command) {
        return switch (command) {
            case Command.Ehlo _,
                    Command.Helo _,
                    Command.Data _,
                    Command.StartTls _,
                    Command.Auth _ ->
                    true;
            case Command.Mail _,
                    Command.Rcpt _,
                    Command.Bdat _,
                    Command.Rset _,
                    Command.Noop _,
                    Command.Quit _,
                    Command.Vrfy _,
                    Command.Expn _,
                    Command.Help _,
                    Command.Malformed _ ->
                    false;
        };
    }

    private boolean onData(InputMode.Data data) {
        armReception();
        boolean isEnded = data.scanner().scan(input, data.sink());
        if (data.scanner().hasBareLineEnd()) {
            data.intake().spoil(Fault.BARE_LINE_END);
        }
        if (isEnded) {
            seal(
                    data.intake(),
                    data.state().greeting(),
                    outcome -> session.on(data.state(), outcome));
        } else {
            hangUpIfInputEnded();
        }
        return isEnded;
    }

    private boolean onChunk(InputMode.Chunk chunk) {
        armReception();
        if (!chunk.take(input)) {
            hangUpIfInputEnded();
            return false;
        }
        ReceivingChunk state = chunk.state();
        MessageIntake message = chunk.intake();
        if (chunk.hasBareLineEnd()) {
            message.spoil(Fault.BARE_LINE_END);
        }
        if (state.isLast() || message.isSpoiled()) {
            seal(message, state.greeting(), outcome -> session.on(state, outcome));
        } else {
            perform(session.onChunkTaken(state));
        }
        return true;
    }

    private boolean onSkip(InputMode.Skip skip) {
        armReception();
        if (!skip.take(input)) {
            hangUpIfInputEnded();
            return false;
        }
        perform(new Step.Respond(skip.reply, skip.next));
        return true;
    }

    /// The rest of a message cannot come any more.
    private void hangUpIfInputEnded() {
        if (isInputEnded) {
            flush();
            hangUp();
        }
    }

    /// Hands the message to the queue. The session waits; the outcome becomes the next step.
    private void seal(MessageIntake message, Greeting greeting, Function<MessageOutcome, Step> on) {
        intake = null;
        mode = new InputMode.Paused(Wait.COMMIT);
        disarm();
        long sealedNanos = nanoTime();
        message.seal(
                outcome ->
                        onEventLoop(
                                () -> {
                                    Step step = on.apply(outcome);
                                    if (outcome instanceof MessageOutcome.Kept) {
                                        onKept(message, greeting, sealedNanos);
                                    } else {
                                        logRefusal(step, "message", null);
                                        noteRefusal(step, greeting, codeOf(message));
                                    }
                                    perform(step);
                                }));
    }

    private static @Nullable MailPolicyCode codeOf(MessageIntake message) {
        return MailPolicyCode.ofAttributes(message.envelope().attributes());
    }

    private void onKept(MessageIntake message, Greeting greeting, long sealedNanos) {
        messages++;
        long now = nanoTime();
        Envelope envelope = message.envelope();
        String code = envelope.attributes().get(MailPolicyCode.ATTRIBUTE);
        if (code != null) {
            reception.meters().codeAccepted(code);
        }
        if (message.isCodeHeaderWatched()) {
            watched("message", null, Replies.CODE_HEADER);
        }
        note(greeting, codeOf(message), isCodeWatched ? Outcome.WATCHED : Outcome.ACCEPTED);
        reception
                .log()
                .accepted(
                        name,
                        message.id(),
                        peer.address(),
                        envelope.sender(),
                        envelope.recipients().size(),
                        message.storedOctets(),
                        session.facts().tls(),
                        envelope.attributes().get(Acceptance.USER),
                        code,
                        HopAttributes.of(envelope.attributes()),
                        TimeUnit.NANOSECONDS.toMillis(now - transactionNanos));
        reception.meters().accepted(listener.name(), message.storedOctets(), now - sealedNanos);
    }

    // ---- steps ----

    private void perform(Step step) {
        switch (step) {
            case Step.Respond(var reply, var next) -> {
                reply(reply);
                become(next);
            }
            case Step.Ask(var question, var next) -> {
                if (next instanceof State.AwaitingSenderVerdict) {
                    transactionNanos = nanoTime();
                    isCodeWatched = false;
                }
                mode = new InputMode.Asking(next);
                disarm();
                reception
                        .policy()
                        .get()
                        .decide(
                                peer,
                                question,
                                verdict -> onEventLoop(() -> onVerdict(next, verdict)));
            }
            case Step.Challenge(var reply, var next) -> {
                reply(reply);
                mode = new InputMode.Responses(next, new CommandFramer(RESPONSE_OCTETS_MAX));
                arm(limits().idleTimeout(), "idle");
            }
            case Step.Prove(var claim, var next) -> {
                mode = new InputMode.Asking(next);
                disarm();
                reception
                        .authenticator()
                        .decide(
                                peer.address(),
                                claim,
                                answer -> onEventLoop(() -> onAnswer(next, answer)));
            }
            case Step.Identify(var next) -> {
                mode = new InputMode.Asking(next);
                disarm();
                hop().identify(next.name(), found -> onEventLoop(() -> onIdentity(next, found)));
            }
            case Step.Receive(var reply, var next) -> {
                MessageIntake message = begin(next);
                intake = message;
                mode = new InputMode.Data(next, new EndOfDataScanner(), message, message::inspect);
                startReception();
                reply(reply);
            }
            case Step.ReceiveChunk(var next) -> {
                mode = new InputMode.Chunk(next, intakeOf(next), chunks);
                startReception();
            }
            case Step.SkipChunk(var octets, var reply, var next) -> {
                mode = new InputMode.Skip(octets, reply, next);
                startReception();
            }
            case Step.Upgrade(var reply, var next) -> {
                abandonIntake();
                reply(reply);
                flush(); // below the TLS handler that comes next
                afterHandshake = next;
                startTls();
            }
            case Step.Close(var reply, var reason) -> close(reply, reason);
        }
    }

    private void onVerdict(AwaitingVerdict asked, Verdict verdict) {
        Step step = session.on(asked, verdict);
        String stage;
        String address;
        Greeting greeting;
        CodeClaim claim;
        switch (asked) {
            case State.AwaitingSenderVerdict sender -> {
                stage = "MAIL";
                address = sender.from().text();
                greeting = sender.greeting();
                claim = sender.code();
            }
            case State.AwaitingRecipientVerdict recipient -> {
                stage = "RCPT";
                address = recipient.to().text();
                greeting = recipient.before().greeting();
                claim = recipient.before().transaction().code();
            }
        }
        if (verdict instanceof Verdict.AcceptWatched(var reply)) {
            watched(stage, address, reply);
        } else {
            logRefusal(step, stage, address);
            noteRefusal(
                    step, greeting, claim instanceof CodeClaim.Stated(var code, _) ? code : null);
        }
        perform(step);
    }

    private HopCheck hop() {
        HopCheck check = hop;
        if (check == null) {
            throw new IllegalStateException("a session that asks who its peer is has begun to");
        }
        return check;
    }

    private void onIdentity(State.AwaitingIdentity asked, HopIdentity found) {
        if (!found.equals(identified)) {
            identified = found;
            String network = found.network().word();
            reception.meters().identified(listener.name(), network, found.verdictWord());
            reception
                    .log()
                    .identified(
                            name,
                            peer.address(),
                            asked.name().text(),
                            network,
                            found.operator(),
                            found.issuer(),
                            found.verdict(),
                            found.fault());
        }
        Step step = session.on(asked, found);
        logRefusal(step, asked.isExtended() ? "EHLO" : "HELO", asked.name().text());
        noteRefusal(step, new Greeting(asked.name(), asked.isExtended(), found), null);
        perform(step);
    }

    private void watched(String stage, @Nullable String detail, Reply reply) {
        isCodeWatched = true;
        reception.log().watched(name, peer.address(), stage, detail, reply);
        reception.meters().codeWatched(stage);
    }

    private void noteRefusal(Step step, Greeting greeting, @Nullable MailPolicyCode code) {
        if (step instanceof Step.Respond(var reply, _) && reply.isPermanent()) {
            note(greeting, code, Outcome.REFUSED);
        }
    }

    /// Where nothing is asked of peers, nothing is learned of them.
    private void note(Greeting greeting, @Nullable MailPolicyCode code, Outcome outcome) {
        if (listener.amtp() != Dial.OFF || listener.codes() != Dial.OFF) {
            reception
                    .observations()
                    .see(listener.name(), greeting.identity(), peer.address(), code, outcome);
        }
    }

    private void become(AwaitingCommand next) {
        if (!(next instanceof Chunking)) {
            abandonIntake();
        }
        if (isDraining && isBetweenTransactions(next)) {
            perform(session.onShutdown());
            return;
        }
        mode =
                mode instanceof InputMode.Lines(_, var framer)
                        ? new InputMode.Lines(next, framer)
                        : new InputMode.Lines(
                                next, new CommandFramer(limits().commandLineOctetsMax()));
        arm(limits().idleTimeout(), "idle");
    }

    private MessageIntake begin(ReceivingData next) {
        return reception
                .acceptance()
                .begin(
                        name,
                        session.facts(),
                        peer,
                        arrival(next.greeting()),
                        next.greeting(),
                        next.transaction());
    }

    private Arrival arrival(Greeting greeting) {
        return new Arrival(
                listener.amtp() != Dial.OFF, listener.profile().isAmtp(), greeting.user() != null);
    }

    private MessageIntake intakeOf(ReceivingChunk state) {
        MessageIntake message = intake;
        if (message == null) {
            message =
                    reception
                            .acceptance()
                            .begin(
                                    name,
                                    session.facts(),
                                    peer,
                                    arrival(state.greeting()),
                                    state.greeting(),
                                    state.transaction());
            intake = message;
            chunks = new ChunkScanner();
        }
        return message;
    }

    private void abandonIntake() {
        if (intake != null) {
            intake.abandon();
            intake = null;
        }
    }

    // ---- TLS ----

    /// RFC 3207 §4. The input is empty: octets behind STARTTLS have ended the session before.
    private void startTls() {
        mode = new InputMode.Paused(Wait.HANDSHAKE);
        disarm(); // the TLS handler has a deadline of its own
        tlsStartedNanos = nanoTime();
        hasTickets = reception.tickets().gives(peer.address());
        try {
            secureBy(tlsContexts());
        } catch (IllegalStateException _) {
            // A reload closed them between the two calls: the new ones are there.
            secureBy(tlsContexts());
        }
    }

    private void secureBy(TlsContexts contexts) {
        contexts.addServerHandlers(context(), hasTickets, hop != null);
        securedBy = contexts;
    }

    private TlsContexts tlsContexts() {
        TlsContexts contexts = reception.tls().get();
        if (contexts == null) {
            throw new IllegalStateException("a listener with TLS has no TLS contexts");
        }
        return contexts;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        switch (event) {
            case SslHandshakeCompletionEvent handshake -> onHandshake(handshake);
            case SslCloseCompletionEvent _, ChannelInputShutdownEvent _ -> onInputEnded();
            default -> ctx.fireUserEventTriggered(event);
        }
    }

    private void onHandshake(SslHandshakeCompletionEvent handshake) {
        if (!handshake.isSuccess()) {
            if (mode instanceof InputMode.Closing) {
                return; // the TLS handler tells of the end that a refusal in front of it made
            }
            mode = new InputMode.Closing();
            closeReason = "TLS handshake failed: " + summary(handshake.cause());
            reception
                    .meters()
                    .handshakeFailed(
                            Direction.INBOUND,
                            FailedHandshake.of(
                                    context().pipeline().get(SslHandler.class), handshake.cause()));
            if (!isGreeted) {
                reception.log().refused(listener.name(), peer.remote(), closeReason);
            }
            hangUp();
            return;
        }
        SslHandler handler = context().pipeline().get(SslHandler.class);
        TlsContexts contexts = securedBy;
        if (contexts == null) {
            throw new IllegalStateException("a handshake that nobody began");
        }
        TlsSummary tls = contexts.serverSummary(handler);
        securedNanos = nanoTime();
        isFirstWordAwaited = hasTickets;
        Meters meters = reception.meters();
        meters.handshake(
                Direction.INBOUND,
                tls,
                contexts.provider(handler, tls.keyType()),
                securedNanos - tlsStartedNanos);
        meters.handshakeOf(reception.tickets().nameOf(peer.address()), tls);
        session = session.secured(tls, contexts.peer(handler));
        if (hop != null) {
            hop.secured(TlsContexts.shown(handler));
        }
        if (afterHandshake == null) {
            greetLater();
        } else {
            become(afterHandshake);
        }
        run();
        endBurst();
    }

    /// The peer has said something, and so was not put off by a ticket.
    private void noteFirstWord() {
        if (isFirstWordAwaited) {
            isFirstWordAwaited = false;
            reception.tickets().wentOn(peer.address());
        }
    }

    private void noteEndAfterTicket() {
        if (isFirstWordAwaited && nanoTime() - securedNanos < TicketPolicy.RIGHT_AFTER.toNanos()) {
            reception.meters().endedAfterTicket(reception.tickets().nameOf(peer.address()));
            reception.tickets().ended(peer.address());
        }
        isFirstWordAwaited = false;
    }

    // ---- the end ----

    private void onInputEnded() {
        isInputEnded = true;
        switch (mode) {
            // What waits for an answer gets it; the next look at the input ends the session.
            case InputMode.Asking _ -> {}
            case InputMode.Paused(var until) -> {
                if (until != Wait.COMMIT) {
                    hangUp();
                }
            }
            case InputMode.Lines _,
                    InputMode.Responses _,
                    InputMode.Data _,
                    InputMode.Chunk _,
                    InputMode.Skip _,
                    InputMode.Closing _ -> {
                flush();
                hangUp();
            }
        }
    }

    /// Ends a session that is not in the middle of something, or tells it to end itself.
    void drain() {
        if (isGone || isDraining) {
            return;
        }
        isDraining = true;
        boolean isIdle =
                mode instanceof InputMode.Responses
                        || (mode instanceof InputMode.Lines(var state, _)
                                && isBetweenTransactions(state));
        if (isIdle) {
            perform(session.onShutdown());
            endBurst();
        }
    }

    private static boolean isBetweenTransactions(AwaitingCommand state) {
        return switch (state) {
            case Greeted _, State.Ready _ -> true;
            case State.Enveloping _, Chunking _ -> false;
        };
    }

    /// Tells a session that is in the middle of something that its time is over, where a reply is
    /// awaited.
    void dismiss() {
        if (!isGone && (mode instanceof InputMode.Lines || mode instanceof InputMode.Responses)) {
            perform(session.onShutdown());
            endBurst();
        }
    }

    private void close(Reply reply, String reason) {
        closeReason = reason;
        isFirstWordAwaited = false; // we leave, not the peer
        boolean isSimple = reply.isPositive() && !input.isReadable();
        abandonIntake();
        mode = new InputMode.Closing();
        ChannelFuture written = write(reply);
        arm(LINGER, reason);
        tickLater();
        written.addListener(
                _ -> {
                    if (isSimple || isInputEnded || isGone) {
                        hangUp();
                    } else {
                        linger();
                    }
                });
    }

    /// Half-closes and drops what comes, for a bounded time: closing with octets unread would send
    /// a reset, and the peer could lose our last reply.
    private void linger() {
        ChannelHandlerContext ctx = context();
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls != null) {
            var _ = tls.closeOutbound();
        } else if (ctx.channel() instanceof DuplexChannel duplex) {
            var _ = duplex.shutdownOutput();
        } else {
            hangUp();
        }
        readMore();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        boolean wasOpen = !isGone;
        isGone = true;
        noteEndAfterTicket();
        mode = new InputMode.Closing();
        abandonIntake();
        input.release();
        input = Unpooled.EMPTY_BUFFER;
        if (tick != null) {
            tick.cancel(false);
        }
        if (isCountedByNetwork) {
            quota.leaveNetwork(peer.address());
        }
        if (isCountedAlone) {
            quota.leave();
        }
        if (wasOpen && isGreeted) {
            reception
                    .log()
                    .closed(
                            name,
                            peer.address(),
                            session.facts().tls(),
                            closeReason,
                            commands,
                            messages);
            reception.meters().sessionClosed(listener.name(), nanoTime() - openedNanos);
        }
        ctx.fireChannelInactive();
    }

    /// A peer can cause I/O and TLS errors at will: they end the session and are no news. Anything
    /// else is a fault of ours.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException || cause instanceof DecoderException) {
            closeReason = "connection lost: " + summary(cause);
        } else {
            LOG.error("session {} ended by a fault of ours", name, cause);
            closeReason = "internal error";
        }
        mode = new InputMode.Closing();
        abandonIntake();
        hangUp();
    }

    private static String summary(Throwable cause) {
        Throwable root = cause;
        // A handshake failure is wrapped twice; a cycle of causes must not hold us.
        for (int depth = 0; depth < 4 && root.getCause() != null; depth++) {
            root = root.getCause();
        }
        String message = root.getMessage();
        return message == null ? root.getClass().getSimpleName() : message;
    }

    // ---- deadlines ----

    private void arm(Duration timeout, String reason) {
        deadlineNanos = nanoTime() + timeout.toNanos();
        deadlineReason = reason;
    }

    private void disarm() {
        deadlineNanos = Long.MAX_VALUE;
    }

    private void startReception() {
        receptionNanos = nanoTime();
        receivedOctets = input.readableBytes();
        armReception();
    }

    private void armReception() {
        arm(limits().dataIdleTimeout(), "message stopped coming");
    }

    private void tickLater() {
        if (tick != null) {
            tick.cancel(false);
        }
        long delay = Math.min(TICK_NANOS_MAX, Math.max(0, deadlineNanos - nanoTime()));
        tick = context().executor().schedule(this::onTick, delay, TimeUnit.NANOSECONDS);
    }

    private void onTick() {
        if (isGone) {
            return;
        }
        long now = nanoTime();
        if (mode instanceof InputMode.Closing) {
            if (deadlineNanos - now <= 0) {
                hangUp();
                return;
            }
        } else if (deadlineNanos != Long.MAX_VALUE && deadlineNanos - now <= 0) {
            perform(session.onTimeout(deadlineReason));
            endBurst();
        } else if (isTooSlow(now)) {
            perform(session.onTimeout("message came too slowly"));
            endBurst();
        }
        tickLater();
    }

    private boolean isTooSlow(long now) {
        return switch (mode) {
            case InputMode.Data _, InputMode.Chunk _, InputMode.Skip _ -> {
                long elapsed = now - receptionNanos;
                yield elapsed > limits().dataRateGrace().toNanos()
                        && receivedOctets
                                < limits().dataOctetsPerSecondMin()
                                        * TimeUnit.NANOSECONDS.toSeconds(elapsed);
            }
            case InputMode.Lines _,
                    InputMode.Responses _,
                    InputMode.Asking _,
                    InputMode.Paused _,
                    InputMode.Closing _ ->
                    false;
        };
    }

    private long nanoTime() {
        return context().executor().ticker().nanoTime();
    }

    // ---- writing and reading ----

    private void reply(Reply reply) {
        var _ = write(reply);
    }

    private ChannelFuture write(Reply reply) {
        reception.meters().replied(reply.code());
        ByteBuf octets = context().alloc().ioBuffer(128);
        ReplyWriter.write(reply, octets);
        mustFlush = true;
        return context().write(octets);
    }

    private void logRefusal(Step step, Command command) {
        if (!(step instanceof Step.Ask) && !(step instanceof Step.Identify)) {
            logRefusal(step, command.getClass().getSimpleName(), null);
        }
    }

    private void logRefusal(Step step, String stage, @Nullable String detail) {
        Reply reply =
                switch (step) {
                    case Step.Respond(var r, _) -> r;
                    case Step.SkipChunk(_, var r, _) -> r;
                    case Step.Close(var r, _) -> r;
                    case Step.Ask _,
                            Step.Challenge _,
                            Step.Prove _,
                            Step.Identify _,
                            Step.Receive _,
                            Step.ReceiveChunk _,
                            Step.Upgrade _ ->
                            null;
                };
        if (reply != null && reply.code() >= 400) {
            reception.log().rejected(name, peer.address(), stage, detail, reply);
        }
    }

    private void flush() {
        if (mustFlush) {
            mustFlush = false;
            context().flush();
        }
    }

    private void endBurst() {
        if (!isInReadBurst) {
            flush();
            readMore();
        }
    }

    private void readMore() {
        if (!isReadPending && !isGone && wantsInput()) {
            isReadPending = true;
            context().read();
        }
    }

    private boolean wantsInput() {
        return switch (mode) {
            case InputMode.Lines _,
                    InputMode.Responses _,
                    InputMode.Chunk _,
                    InputMode.Skip _,
                    InputMode.Data _ -> {
                boolean isRoom =
                        input.readableBytes() < INPUT_OCTETS_MAX
                                && context().channel().isWritable();
                yield isRoom && isIntakeWritable();
            }
            case InputMode.Closing _ -> true;
            // A header, a handshake or a first word out of turn; never more while a commit waits.
            case InputMode.Paused(var until) -> until != Wait.COMMIT;
            case InputMode.Asking _ -> false;
        };
    }

    private boolean isIntakeWritable() {
        MessageIntake message =
                switch (mode) {
                    case InputMode.Data data -> data.intake();
                    case InputMode.Chunk chunk -> chunk.intake();
                    case InputMode.Lines _,
                            InputMode.Responses _,
                            InputMode.Skip _,
                            InputMode.Asking _,
                            InputMode.Paused _,
                            InputMode.Closing _ ->
                            null;
                };
        if (message == null || message.isWritable()) {
            return true;
        }
        message.onWritable(() -> onEventLoop(this::readMore));
        return message.isWritable();
    }

    /// Runs what an answer from another thread causes, unless the connection is gone by then.
    private void onEventLoop(Runnable event) {
        ChannelHandlerContext ctx = context();
        if (ctx.executor().inEventLoop()) {
            if (!isGone) {
                try {
                    event.run();
                    run();
                    if (!isRunning) {
                        endBurst();
                    }
                } catch (RuntimeException e) {
                    exceptionCaught(ctx, e);
                }
            }
        } else {
            ctx.executor().execute(() -> onEventLoop(event));
        }
    }

    private void hangUp() {
        var _ = context().close();
    }

    private SessionLimits limits() {
        return reception.limits();
    }

    private ChannelHandlerContext context() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            throw new IllegalStateException("the handler is in no pipeline");
        }
        return ctx;
    }
}
