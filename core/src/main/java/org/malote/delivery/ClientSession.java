package org.malote.delivery;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;
import org.malote.delivery.ClientState.AwaitingEhlo;
import org.malote.delivery.ClientState.AwaitingGreeting;
import org.malote.delivery.ClientState.AwaitingHelo;
import org.malote.delivery.ClientState.AwaitingReply;
import org.malote.delivery.ClientState.AwaitingStartTls;
import org.malote.delivery.ClientState.Closed;
import org.malote.delivery.ClientState.Encrypting;
import org.malote.delivery.ClientState.Idle;
import org.malote.delivery.ClientState.Preparing;
import org.malote.delivery.ClientState.Quitting;
import org.malote.delivery.ClientState.Resetting;
import org.malote.delivery.ClientState.Transacting;
import org.malote.smtp.BodyType;
import org.malote.smtp.Extension;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.Reply;
import org.malote.smtp.Xtext;

/// The outbound machine: pure functions from a state and an event to a [ClientStep]. One instance
/// serves one connection.
final class ClientSession {
    /// Whether STARTTLS is used.
    enum Encryption {
        NEVER,
        WHEN_OFFERED,
        /// Or no transaction begins.
        ALWAYS
    }

    private static final List<String> NOTHING = List.of();
    private static final List<String> RSET = List.of("RSET");
    private static final List<String> QUIT = List.of("QUIT");
    private static final List<String> LONE_DOT = List.of(".");

    private final String heloName;
    private final Protocol protocol;
    private final boolean isLmtp;
    private final Encryption encryption;
    private final String host;
    private final int chunkOctetsMax;
    private final boolean quitsOnDeny;

    /// @param heloName our name
    /// @param encryption AMTP is always inside TLS, whatever this says
    /// @param host the host for logs and reports, as `mx1.isp.example[192.0.2.1]:25`
    /// @param chunkOctetsMax the largest BDAT chunk
    /// @param quitsOnDeny whether a message whose code the host denies ends the session
    ClientSession(
            String heloName,
            Protocol protocol,
            Encryption encryption,
            String host,
            int chunkOctetsMax,
            boolean quitsOnDeny) {
        this.heloName = heloName;
        this.protocol = protocol;
        this.isLmtp = protocol == Protocol.LMTP;
        this.encryption = protocol == Protocol.AMTP ? Encryption.ALWAYS : encryption;
        this.quitsOnDeny = quitsOnDeny;
        this.host = host;
        this.chunkOctetsMax = chunkOctetsMax;
    }

    String host() {
        return host;
    }

    /// Where a connection begins. draft-weinman-amtp-03 §4.2: AMTP is established with TLS.
    ClientState opening() {
        return switch (protocol) {
            case SMTP, LMTP -> new AwaitingGreeting();
            case AMTP -> new Encrypting();
        };
    }

    private boolean isAmtp() {
        return protocol == Protocol.AMTP;
    }

    /// The host replied.
    ClientStep on(AwaitingReply state, Reply reply) {
        return switch (state) {
            case AwaitingGreeting _ -> onGreeting(reply);
            case AwaitingEhlo ehlo -> onEhlo(ehlo, reply);
            case AwaitingHelo(boolean isEncrypted) ->
                    reply.isPositive()
                            ? ready(HostFacts.PLAIN, isEncrypted)
                            : close(Trouble.hello(host, reply));
            case AwaitingStartTls(HostFacts facts) ->
                    reply.isPositive()
                            ? new ClientStep.Encrypt(new Encrypting())
                            : onStartTlsRefused(facts, reply);
            case Transacting transacting -> onAnswer(transacting, reply);
            case Resetting(HostFacts facts) ->
                    reply.isPositive() ? new ClientStep.Ready(new Idle(facts)) : leave();
            case Quitting _ -> leave();
        };
    }

    /// The host spoke though nothing was asked: a 421 before it closes, or nonsense.
    ClientStep onUnasked(Idle state) {
        return leave();
    }

    /// RFC 3207 §4.2: nothing that was said in the clear counts.
    ClientStep onEncrypted(Encrypting state) {
        return isAmtp() ? new ClientStep.Await(new AwaitingGreeting()) : hello(true);
    }

    /// RFC 7435 §3: opportunistic encryption does not lose the mail for want of TLS.
    ClientStep onHandshakeFailed(Encrypting state, String cause) {
        return withoutTls(Trouble.handshake(host, cause));
    }

    /// The same at AMTP, where the greeting is awaited then. The host does not take our
    /// certificate:
    /// that is its decision, and no broken handshake.
    ClientStep onRefusedByAlert(AwaitingGreeting state, String cause) {
        return isAmtp()
                ? close(Trouble.certificate(host, cause))
                : onBroken(state, Trouble.Break.LOST);
    }

    /// In TLS 1.3 a host that does not take our certificate says so when the handshake is over for
    /// us (RFC 8446 §4.4.2.4).
    ///
    /// @param state after a handshake
    ClientStep onRefusedByAlert(AwaitingEhlo state, String cause) {
        if (isAmtp()) {
            return close(Trouble.certificate(host, cause));
        }
        return state.isEncrypted()
                ? withoutTls(Trouble.handshake(host, cause))
                : onBroken(state, Trouble.Break.LOST);
    }

    /// We have no TLS to offer in this moment. That says nothing about the host.
    ClientStep onNoTls(Encrypting state, String cause) {
        return close(Trouble.ours("TLS with " + host + " cannot begin: " + cause));
    }

    private ClientStep withoutTls(Failure failure) {
        return new ClientStep.Close(
                failure,
                switch (encryption) {
                    case NEVER, WHEN_OFFERED -> ClientStep.Security.CLEAR_WILL_DO;
                    case ALWAYS -> ClientStep.Security.CLEAR_WILL_NOT_DO;
                });
    }

    /// A transaction is wanted. Refused without a word to the host when the host said that it could
    /// not take such a message.
    ClientStep begin(Idle state, OutboundTransaction transaction) {
        HostFacts facts = state.host();
        ClientStep denial = denial(state, transaction);
        if (denial != null) {
            return denial;
        }
        if (transaction.needsUtf8() && !facts.offers(Extension.SMTPUTF8)) { // RFC 6531 §3.5
            return refuse(
                    state,
                    transaction,
                    Trouble.unsupported(
                            "5.6.7", host + " does not take internationalized mail (SMTPUTF8)"));
        }
        if (facts.sizeMax() > 0 && transaction.octets() > facts.sizeMax()) { // RFC 1870 §6.1
            return refuse(
                    state,
                    transaction,
                    Trouble.unsupported(
                            "5.3.4",
                            host
                                    + " takes messages of at most "
                                    + facts.sizeMax()
                                    + " octets; this one has "
                                    + transaction.octets()));
        }
        if (transaction.isBinary()) {
            if (!facts.offers(Extension.BINARYMIME) || !facts.offers(Extension.CHUNKING)) {
                return refuse( // RFC 3030 §3
                        state,
                        transaction,
                        Trouble.unsupported("5.6.1", host + " does not take binary mail"));
            }
        }
        boolean inspects = !facts.offers(Extension.EIGHT_BIT_MIME) && !transaction.isBinary();
        return new ClientStep.Prepare(new Preparing(facts, transaction, inspects));
    }

    /// draft-weinman-amtp-03 §4.4.2: a message whose code the host denies is not sent to it.
    ///
    /// Deviation: the client must QUIT then. That is to keep the message back, and would keep back
    /// all others too that wait for this host; so the session goes on, unless the operator wants
    /// the letter.
    ///
    /// @return null when the host may be asked
    private @Nullable ClientStep denial(Idle state, OutboundTransaction transaction) {
        MailPolicyCode code = transaction.code();
        if (code == null) {
            return isAmtp() ? refuse(state, transaction, Trouble.noCode()) : null;
        }
        if (state.host().codes().allows(code)) {
            return null;
        }
        Failure failure = Trouble.denied(host, code.text());
        return isAmtp() && quitsOnDeny
                ? new ClientStep.Finish(all(transaction, failure), QUIT, new Quitting())
                : refuse(state, transaction, failure);
    }

    /// The message can be read, and has been looked through where that was asked for.
    ///
    /// @param isEightBit whether it has octets above 127; false when it was not looked through
    ClientStep onPrepared(Preparing state, boolean isEightBit) {
        HostFacts facts = state.host();
        if (state.inspects() && isEightBit) { // RFC 6152 §3: such a host must not get it
            return refuse(
                    new Idle(facts),
                    state.transaction(),
                    Trouble.unsupported("5.6.3", host + " does not take 8-bit mail"));
        }
        boolean saysEightBit =
                !state.inspects() && state.transaction().parameters().body() != BodyType.SEVEN_BIT;
        return advance(
                new Transacting(facts, state.transaction(), saysEightBit, 0, List.of(), false));
    }

    /// The message cannot be read.
    ClientStep onUnreadable(Preparing state, Failure failure) {
        return refuse(new Idle(state.host()), state.transaction(), failure);
    }

    /// All octets of the payload are on their way.
    ClientStep onPayloadSent(Transacting state) {
        return new ClientStep.Await(state.written());
    }

    /// The payload cannot be completed. Closing is the only way to tell the host that the message
    /// has no end.
    ClientStep onPayloadFailed(Transacting state, Failure failure) {
        return new ClientStep.Finish(outcomes(state, failure), NOTHING, new Closed());
    }

    /// The connection is of no more use.
    ClientStep onBroken(ClientState state, Trouble.Break cause) {
        return end(state, Trouble.broken(host, stage(state), cause));
    }

    /// What the host sent is no reply.
    ClientStep onGarbled(ClientState state, String detail) {
        return end(state, Trouble.garbled(host, stage(state), detail));
    }

    /// Octets came in the clear behind the 220 for STARTTLS (check P04).
    ClientStep onInjected(Encrypting state) {
        return close(Trouble.injection(host));
    }

    /// No transaction is wanted any more.
    ClientStep quit(Idle state) {
        return new ClientStep.Send(QUIT, Payload.NONE, new Quitting());
    }

    /// How long the host may take for what the state waits for; null when nothing is awaited of it.
    @Nullable Duration timeout(ClientState state, DeliveryTimeouts timeouts) {
        return switch (state) {
            case AwaitingGreeting _ -> timeouts.greeting();
            case AwaitingEhlo _, AwaitingHelo _ -> timeouts.hello();
            case AwaitingStartTls _, Encrypting _ -> timeouts.startTls();
            case Idle _, Preparing _, Closed _ -> null;
            case Resetting _ -> timeouts.reset();
            case Quitting _ -> timeouts.quit();
            case Transacting transacting -> {
                int waits = transacting.answered();
                if (transacting.isStreaming()) {
                    yield timeouts.dataBlock();
                }
                if (waits == 0) {
                    yield timeouts.mail();
                }
                if (waits < transacting.bodyCommand()) {
                    yield timeouts.recipient();
                }
                yield waits == transacting.bodyCommand() && !transacting.usesChunks()
                        ? timeouts.dataInitiation()
                        : timeouts.dataTermination();
            }
        };
    }

    private ClientStep onGreeting(Reply reply) {
        if (reply.isPositive()) {
            return hello(isAmtp());
        }
        return close(Trouble.greeting(host, reply));
    }

    private ClientStep hello(boolean isEncrypted) {
        String verb = isLmtp ? "LHLO " : "EHLO "; // RFC 2033 §4.1
        return new ClientStep.Send(
                List.of(verb + heloName), Payload.NONE, new AwaitingEhlo(isEncrypted));
    }

    private ClientStep onEhlo(AwaitingEhlo state, Reply reply) {
        if (reply.isPositive()) {
            HostFacts facts = HostFacts.parse(reply);
            if (encryption != Encryption.NEVER
                    && !state.isEncrypted()
                    && facts.offers(Extension.STARTTLS)) {
                return new ClientStep.Send(
                        List.of("STARTTLS"), Payload.NONE, new AwaitingStartTls(facts));
            }
            return ready(facts, state.isEncrypted());
        }
        if (isAmtp() && reply.isPermanent()) {
            // draft-weinman-amtp-03 §4.4.1, §4.4.2: HELO is not there; 504 is for who we are.
            return close(Trouble.identity(host, heloName, reply));
        }
        if (reply.isPermanent() && !isLmtp) { // RFC 5321 §3.2
            return new ClientStep.Send(
                    List.of("HELO " + heloName),
                    Payload.NONE,
                    new AwaitingHelo(state.isEncrypted()));
        }
        return close(Trouble.hello(host, reply));
    }

    /// In the clear, where that will do.
    private ClientStep ready(HostFacts facts, boolean isEncrypted) {
        return encryption == Encryption.ALWAYS && !isEncrypted
                ? withoutTls(Trouble.insecure(host))
                : new ClientStep.Ready(new Idle(facts));
    }

    /// RFC 3207 §4: a 454 or a refusal of the command leaves the session as it was.
    private ClientStep onStartTlsRefused(HostFacts facts, Reply reply) {
        if (reply.code() == 421) {
            return close(Trouble.leaving(host, "STARTTLS", reply));
        }
        return switch (encryption) {
            case NEVER, WHEN_OFFERED -> new ClientStep.Ready(new Idle(facts));
            case ALWAYS -> withoutTls(Trouble.startTls(host, reply));
        };
    }

    private static ClientStep refuse(Idle state, OutboundTransaction transaction, Failure failure) {
        return new ClientStep.Finish(all(transaction, failure), NOTHING, state);
    }

    private static List<RecipientOutcome> all(OutboundTransaction transaction, Failure failure) {
        List<RecipientOutcome> outcomes = new ArrayList<>(transaction.recipients().size());
        for (int i = 0; i < transaction.recipients().size(); i++) {
            outcomes.add(new RecipientOutcome.Failed(failure));
        }
        return outcomes;
    }

    /// Moves the first cursor as far as the second one allows.
    private ClientStep advance(Transacting state) {
        List<String> commands = new ArrayList<>();
        Payload payload = Payload.NONE;
        int sent = state.sent();
        while (maySend(state, sent)) {
            if (sent < state.bodyCommand()) {
                commands.add(envelopeCommand(state, sent++));
            } else if (state.usesChunks()) {
                long octets = chunkOctets(state, sent);
                boolean isLast = isEnd(state, sent++);
                commands.add("BDAT " + octets + (isLast ? " LAST" : "")); // RFC 3030 §2
                payload = new Payload.Chunk(octets);
                break;
            } else if (isEnd(state, sent)) {
                sent++;
                payload = Payload.DATA;
                break;
            } else {
                sent++;
                commands.add("DATA"); // RFC 2920 §3.1: the last of its group
                break;
            }
        }
        if (sent == state.sent()) {
            return new ClientStep.Await(state);
        }
        boolean streams = !(payload instanceof Payload.None);
        return new ClientStep.Send(commands, payload, state.send(sent - state.sent(), streams));
    }

    private boolean maySend(Transacting state, int command) {
        if (state.isDead() || command > endCommand(state)) {
            return false;
        }
        boolean isNext = state.answered() == command;
        if (command < state.bodyCommand()) {
            return isNext || command == 0 || state.host().offers(Extension.PIPELINING);
        }
        if (command > state.bodyCommand()) {
            return isNext;
        }
        if (state.usesChunks()) {
            // A message that fits in one chunk goes with its envelope. A larger one waits until
            // somebody is known to want it, and so does one over LMTP, where the number of answers
            // depends on who was accepted.
            boolean fits = endCommand(state) == state.bodyCommand();
            return isNext || (fits && !isLmtp && state.host().offers(Extension.PIPELINING));
        }
        return isNext || state.host().offers(Extension.PIPELINING);
    }

    /// The number of the command whose answer says what becomes of the message.
    private int endCommand(Transacting state) {
        if (!state.usesChunks()) {
            return state.bodyCommand() + 1;
        }
        long octets = state.transaction().octets();
        long chunks = Math.max(1, (octets + chunkOctetsMax - 1) / chunkOctetsMax);
        return (int) Math.min(Integer.MAX_VALUE - 1, state.bodyCommand() + chunks - 1);
    }

    private boolean isEnd(Transacting state, int command) {
        return command == endCommand(state);
    }

    private long chunkOctets(Transacting state, int command) {
        long before = (long) (command - state.bodyCommand()) * chunkOctetsMax;
        return Math.min(chunkOctetsMax, state.transaction().octets() - before);
    }

    private ClientStep onAnswer(Transacting before, Reply reply) {
        int command = Math.min(before.answered(), endCommand(before));
        boolean isEnd = isEnd(before, command);
        if (reply.code() == 421) {
            return end(before, Trouble.leaving(host, stage(before), reply));
        }
        boolean isData = command == before.bodyCommand() && !before.usesChunks();
        if (before.answered() >= before.sent() + extraAnswers(before)
                || reply.isIntermediate() != isIntermediateDue(isData, reply)) {
            return end(before, Trouble.unexpected(host, stage(before), reply));
        }
        Transacting state = before.answer(reply);
        if (command >= state.bodyCommand() && state.isStreaming()) {
            // An answer before the message was all sent: the rest would be taken for commands.
            return new ClientStep.Finish(
                    outcomes(state, Trouble.unexpected(host, stage(before), reply)),
                    NOTHING,
                    new Closed());
        }
        if (command < state.bodyCommand()) {
            return state.isDead() ? finishWhenAnswered(state) : advance(state);
        }
        if (isData && reply.isIntermediate()) {
            return state.isDead() ? loneDot(state, reply) : advance(state);
        }
        if (!isEnd && reply.isPositive() && !state.isDead()) {
            return advance(state);
        }
        if (isEnd && state.answered() < endCommand(state) + 1 + extraAnswers(state)) {
            return new ClientStep.Await(state); // LMTP: more recipients to hear of
        }
        return finish(state, isEnd && (reply.isPositive() || !state.usesChunks()));
    }

    /// Over LMTP each accepted recipient has an answer of its own at the end.
    private int extraAnswers(Transacting state) {
        return isLmtp && state.sent() > endCommand(state) ? Math.max(0, state.accepted() - 1) : 0;
    }

    /// DATA is answered with 354 or a refusal, everything else with success or a refusal.
    private static boolean isIntermediateDue(boolean isData, Reply reply) {
        return isData && !reply.isTransient() && !reply.isPermanent();
    }

    /// The message will not go. What was sent already is answered first.
    private ClientStep finishWhenAnswered(Transacting state) {
        return state.answered() < state.sent() ? new ClientStep.Await(state) : finish(state, false);
    }

    /// RFC 2920 §3.1: DATA was sent on trust and accepted though every recipient was refused; an
    /// empty message takes us out of it. Over LMTP a host that does this has lost count (RFC 2033
    /// §4.2).
    private ClientStep loneDot(Transacting state, Reply reply) {
        return isLmtp
                ? end(state, Trouble.unexpected(host, stage(state), reply))
                : new ClientStep.Send(LONE_DOT, Payload.NONE, state.send(1, false));
    }

    /// @param isOver whether the host has forgotten the transaction; else RSET makes it (RFC 3030
    ///     §2: after a refused chunk nobody knows)
    private ClientStep finish(Transacting state, boolean isOver) {
        List<RecipientOutcome> outcomes =
                outcomes(state, Trouble.ours("the transaction ended without an answer"));
        return isOver || state.isMailRefused()
                ? new ClientStep.Finish(outcomes, NOTHING, new Idle(state.host()))
                : new ClientStep.Finish(outcomes, RSET, new Resetting(state.host()));
    }

    /// What each recipient has been told, and for those that have heard nothing, `otherwise`.
    private List<RecipientOutcome> outcomes(Transacting state, Failure otherwise) {
        List<RecipientOutcome> outcomes = new ArrayList<>(state.recipients());
        int end = endCommand(state);
        int acceptedBefore = 0;
        for (int i = 0; i < state.recipients(); i++) {
            boolean isAccepted = state.isAccepted(i);
            int answer = isLmtp ? end + acceptedBefore : end;
            outcomes.add(outcome(state, i, isAccepted, answer, otherwise));
            acceptedBefore += isAccepted ? 1 : 0;
        }
        return outcomes;
    }

    private RecipientOutcome outcome(
            Transacting state, int recipient, boolean isAccepted, int answer, Failure otherwise) {
        List<Reply> answers = state.answers();
        if (state.isMailRefused()) {
            return new RecipientOutcome.Failed(Trouble.mail(host, answers.getFirst()));
        }
        if (!isAccepted) {
            return new RecipientOutcome.Failed(
                    answers.size() > recipient + 1
                            ? Trouble.recipient(host, answers.get(recipient + 1))
                            : otherwise);
        }
        for (int command = state.bodyCommand();
                command < Math.min(endCommand(state), answers.size());
                command++) {
            if (!answers.get(command).isPositive() && !answers.get(command).isIntermediate()) {
                return new RecipientOutcome.Failed(Trouble.data(host, answers.get(command)));
            }
        }
        if (answers.size() <= answer) {
            return new RecipientOutcome.Failed(otherwise);
        }
        Reply reply = answers.get(answer);
        if (reply.isPositive()) {
            return state.isStreaming()
                    ? new RecipientOutcome.Failed(otherwise)
                    : new RecipientOutcome.Delivered(
                            host, reply, state.host().offers(Extension.DSN));
        }
        FailureScope scope = isLmtp ? FailureScope.RECIPIENT : FailureScope.MESSAGE;
        return new RecipientOutcome.Failed(Trouble.end(scope, host, reply));
    }

    /// Ends a dialogue that cannot go on.
    private ClientStep end(ClientState state, Failure failure) {
        return switch (state) {
            case Transacting transacting ->
                    new ClientStep.Finish(outcomes(transacting, failure), NOTHING, new Closed());
            case Preparing(HostFacts _, OutboundTransaction transaction, boolean _) -> {
                List<RecipientOutcome> outcomes = new ArrayList<>();
                transaction
                        .recipients()
                        .forEach(_ -> outcomes.add(new RecipientOutcome.Failed(failure)));
                yield new ClientStep.Finish(outcomes, NOTHING, new Closed());
            }
            case Encrypting _ -> withoutTls(failure);
            case AwaitingGreeting _, AwaitingEhlo _, AwaitingHelo _, AwaitingStartTls _ ->
                    close(failure);
            case Idle _, Resetting _, Quitting _, Closed _ -> leave();
        };
    }

    private static ClientStep close(Failure failure) {
        return new ClientStep.Close(failure, ClientStep.Security.ASIDE);
    }

    private static ClientStep leave() {
        return new ClientStep.Close(null, ClientStep.Security.ASIDE);
    }

    /// What the host was doing, for the operator.
    private String stage(ClientState state) {
        return switch (state) {
            case AwaitingGreeting _ -> "greeting";
            case AwaitingEhlo _, AwaitingHelo _ -> isLmtp ? "LHLO" : "EHLO";
            case AwaitingStartTls _ -> "STARTTLS";
            case Encrypting _ -> "TLS handshake";
            case Idle _, Preparing _, Closed _ -> "idle";
            case Resetting _ -> "RSET";
            case Quitting _ -> "QUIT";
            case Transacting transacting -> {
                int waits = transacting.answered();
                if (waits >= transacting.bodyCommand() && transacting.isStreaming()) {
                    yield "sending the message";
                }
                if (waits == 0) {
                    yield "MAIL FROM";
                }
                if (waits < transacting.bodyCommand()) {
                    yield "RCPT TO";
                }
                yield waits == transacting.bodyCommand() && !transacting.usesChunks()
                        ? "DATA"
                        : "end of DATA";
            }
        };
    }

    private String envelopeCommand(Transacting state, int command) {
        return command == 0
                ? mail(state.host(), state.transaction(), state.isEightBit())
                : rcpt(state.host(), state.transaction().recipients().get(command - 1));
    }

    private String mail(HostFacts facts, OutboundTransaction transaction, boolean isEightBit) {
        MailParameters parameters = transaction.parameters();
        StringBuilder line = new StringBuilder("MAIL FROM:<").append(transaction.sender());
        line.append('>');
        if (facts.offers(Extension.SIZE)) { // RFC 1870 §6
            line.append(" SIZE=").append(transaction.octets());
        }
        if (isEightBit) { // RFC 6152 §2, RFC 3030 §3
            line.append(" BODY=").append(parameters.body().keyword());
        }
        if (transaction.needsUtf8()) { // RFC 6531 §3.4
            line.append(" SMTPUTF8");
        }
        if (facts.offers(Extension.DSN)) { // RFC 3461 §5.2.1
            if (parameters.returnContent() != null) {
                line.append(" RET=").append(parameters.returnContent().name());
            }
            if (parameters.envelopeId() != null) {
                line.append(" ENVID=").append(Xtext.encode(parameters.envelopeId()));
            }
        }
        MailPolicyCode code = transaction.code();
        if (code != null) { // draft-weinman-amtp-03 §4.4.3: exactly one
            line.append(' ').append(codeKeyword(facts).keyword()).append('=').append(code.text());
        }
        return line.toString();
    }

    /// At AMTP it is said to hosts that do not speak of codes too (draft-weinman-amtp-03 §4.4.3).
    private Extension codeKeyword(HostFacts facts) {
        Extension offered = facts.codeKeyword();
        if (isAmtp() || offered == null) {
            return Extension.MPC;
        }
        return offered;
    }

    private static String rcpt(HostFacts facts, OutboundTransaction.To to) {
        String path = "RCPT TO:<" + to.address() + ">";
        if (!facts.offers(Extension.DSN)) {
            return path;
        }
        StringBuilder line = new StringBuilder(path);
        RecipientParameters parameters = to.parameters();
        if (!parameters.conditions().isEmpty()) { // RFC 3461 §4.1
            line.append(
                    parameters.conditions().stream()
                            .sorted()
                            .map(Enum::name)
                            .collect(Collectors.joining(",", " NOTIFY=", "")));
        }
        RecipientParameters.OriginalRecipient original = parameters.originalRecipient();
        if (original != null) { // RFC 3461 §4.2
            line.append(" ORCPT=").append(original.type()).append(';');
            line.append(encodeAddress(original.address()));
        }
        return line.toString();
    }

    /// RFC 6533 §3: a character outside ASCII stands as its code point, which any host can pass on.
    private static String encodeAddress(String address) {
        StringBuilder encoded = new StringBuilder(address.length() + 8);
        address.codePoints()
                .forEach(
                        c -> {
                            if (c < 0x80) {
                                encoded.append(Xtext.encode(Character.toString(c)));
                            } else {
                                encoded.append("\\x{")
                                        .append(Integer.toHexString(c).toUpperCase(Locale.ROOT))
                                        .append('}');
                            }
                        });
        return encoded.toString();
    }
}
