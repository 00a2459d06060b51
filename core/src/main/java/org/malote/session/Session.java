package org.malote.session;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.Shortcoming;
import org.malote.auth.Answer;
import org.malote.auth.CertificateNames;
import org.malote.auth.Exchange;
import org.malote.auth.Mechanism;
import org.malote.auth.User;
import org.malote.offload.PeerIdentity;
import org.malote.offload.TlsSummary;
import org.malote.session.State.Authenticating;
import org.malote.session.State.AwaitingCommand;
import org.malote.session.State.AwaitingIdentity;
import org.malote.session.State.AwaitingProof;
import org.malote.session.State.AwaitingRecipientVerdict;
import org.malote.session.State.AwaitingSenderVerdict;
import org.malote.session.State.AwaitingVerdict;
import org.malote.session.State.Chunking;
import org.malote.session.State.Enveloping;
import org.malote.session.State.Greeted;
import org.malote.session.State.Ready;
import org.malote.session.State.ReceivingChunk;
import org.malote.session.State.ReceivingData;
import org.malote.smtp.BodyType;
import org.malote.smtp.Command;
import org.malote.smtp.Extension;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailHost;
import org.malote.smtp.MailParameters.StatedCode;
import org.malote.smtp.Reply;
import org.malote.smtp.ReversePath;
import org.malote.smtp.wire.LineFault;

/// The inbound machine: pure functions from a state and an event to a [Step]. One instance serves
/// all sessions with the same [SessionFacts].
public final class Session {
    private final SessionFacts facts;
    private final SessionLimits limits;
    private final Reply ehloReply;
    private final Reply heloReply;

    /// A chunk of so many octets is no command that does nothing. Ours: a page.
    private static final int UNCOUNTED_CHUNK_OCTETS = 4096;

    public Session(SessionFacts facts) {
        this.facts = facts;
        this.limits = facts.limits();
        this.ehloReply = ehlo(facts);
        this.heloReply = Reply.plain(250, facts.hostname().text());
    }

    /// What is true of this session beside its dialogue.
    public SessionFacts facts() {
        return facts;
    }

    /// The same session once TLS is on (RFC 3207 §4.2).
    ///
    /// @param peer who the peer is by its certificate
    public Session secured(TlsSummary tls, PeerIdentity peer) {
        return new Session(facts.secured(tls, peer));
    }

    /// RFC 5321 §4.2: the greeting names the host first.
    public Reply greeting() {
        return Reply.plain(220, facts.hostname() + " ESMTP Malote");
    }

    /// The state after the greeting.
    public Greeted greeted() {
        return new Greeted(Tally.ZERO);
    }

    /// A command came.
    public Step on(AwaitingCommand state, Command command) {
        // A message of the size that is announced may come in many chunks; their octets are
        // bounded.
        AwaitingCommand counted =
                command instanceof Command.Bdat(long octets, _) && octets >= UNCOUNTED_CHUNK_OCTETS
                        ? state
                        : with(state, state.tally().command());
        if (counted.tally().commands() > limits.commandsMax()) {
            return new Step.Close(Replies.TOO_MANY_COMMANDS, "too many commands");
        }
        return switch (command) {
            case Command.Ehlo(var name) -> onGreeting(counted, name, true);
            // Draft-weinman-amtp-03 §4.4.1
            case Command.Helo(var name) ->
                    facts.identity().isAmtp()
                            ? erring(counted, Replies.NO_HELO)
                            : onGreeting(counted, name, false);
            case Command.Mail mail -> onMail(counted, mail);
            case Command.Rcpt rcpt -> onRcpt(counted, rcpt);
            case Command.Data _ -> onData(counted);
            case Command.Bdat bdat -> onBdat(counted, bdat);
            case Command.Rset _ -> new Step.Respond(Replies.OK, withoutTransaction(counted));
            case Command.Noop _ -> new Step.Respond(Replies.OK, counted);
            case Command.Quit _ -> new Step.Close(Replies.BYE, "quit");
            // RFC 5321 §3.5.3: 252 says that we do not tell, and would take mail and try.
            case Command.Vrfy(var argument) ->
                    argument.isEmpty()
                            ? erring(counted, Replies.ARGUMENT_NEEDED)
                            : new Step.Respond(Replies.CANNOT_VERIFY, counted);
            case Command.Expn _ -> new Step.Respond(Replies.NO_EXPN, counted);
            case Command.Help _ -> new Step.Respond(Replies.HELP, counted);
            case Command.StartTls _ -> onStartTls(counted);
            case Command.Auth auth -> onAuth(counted, auth);
            case Command.Malformed(var reply, var fault) ->
                    switch (fault) {
                        case LINE -> erring(counted, reply);
                        case FRAMING -> new Step.Close(reply, "chunk size not readable");
                        case FOREIGN -> new Step.Close(reply, "another protocol");
                    };
        };
    }

    /// A line came that is no command.
    public Step on(AwaitingCommand state, LineFault fault) {
        AwaitingCommand counted = with(state, state.tally().command());
        return switch (fault) {
            case TOO_LONG -> erring(counted, Replies.LINE_TOO_LONG);
            case ENDLESS -> new Step.Close(Replies.LINE_TOO_LONG, "endless line");
            case BARE_LINE_END -> erring(counted, Replies.BARE_LINE_END);
            case NOT_TEXT -> erring(counted, Replies.NOT_TEXT);
        };
    }

    /// The policy answered.
    public Step on(AwaitingVerdict state, Verdict verdict) {
        return switch (state) {
            case AwaitingSenderVerdict asked -> onSenderVerdict(asked, verdict);
            case AwaitingRecipientVerdict asked -> onRecipientVerdict(asked, verdict);
        };
    }

    /// The message after DATA ended.
    public Step on(ReceivingData state, MessageOutcome outcome) {
        return onOutcome(state.tally(), state.greeting(), outcome);
    }

    /// A chunk that is not the last was taken whole (RFC 3030 §2).
    public Step onChunkTaken(ReceivingChunk state) {
        long octets = state.octets() + state.chunkOctets();
        return new Step.Respond(
                Reply.of(250, "2.0.0", state.chunkOctets() + " octets received"),
                new Chunking(state.tally(), state.greeting(), state.transaction(), octets));
    }

    /// The message ended with its last chunk, or with one that spoiled it.
    public Step on(ReceivingChunk state, MessageOutcome outcome) {
        return onOutcome(state.tally(), state.greeting(), outcome);
    }

    /// Octets stand behind a command that must be the last of its group (RFC 2920 §3.1, RFC 3207
    /// §4): a peer that does not wait for replies is not talking to us.
    public Step onSynchronisationLost() {
        return new Step.Close(Replies.NOT_SYNCHRONISED, "did not wait for a reply");
    }

    /// Nothing came in time (RFC 5321 §4.5.3.2).
    public Step onTimeout(String what) {
        return new Step.Close(Replies.TIMED_OUT, what);
    }

    /// The server shuts down (RFC 5321 §3.8).
    public Step onShutdown() {
        return new Step.Close(Replies.SHUTTING_DOWN, "shutdown");
    }

    private Step onGreeting(AwaitingCommand state, MailHost name, boolean isExtended) {
        return facts.identity().isAsked()
                ? new Step.Identify(new AwaitingIdentity(state, name, isExtended))
                : greeted(state, new Greeting(name, isExtended));
    }

    /// Who the peer is, was found out. RFC 5321 §4.1.4: a greeting that is refused leaves the
    /// session as it was.
    public Step on(AwaitingIdentity asked, HopIdentity found) {
        Shortcoming shortcoming = found.shortcoming();
        if (shortcoming == null || !isRefused(shortcoming)) {
            return greeted(asked.before(), new Greeting(asked.name(), asked.isExtended(), found));
        }
        Reply reply = Replies.notIdentified(shortcoming);
        return reply.isTransient()
                ? new Step.Close(reply, shortcoming.text())
                : erring(asked.before(), reply);
    }

    /// RFC 3207 §4.2: without EHLO nobody can come to STARTTLS, so the lack of it is refused later.
    private boolean isRefused(Shortcoming shortcoming) {
        return facts.identity().isEnforced()
                && (shortcoming != Shortcoming.NO_TLS || facts.identity().isAmtp());
    }

    /// Whether nothing but STARTTLS helps a peer.
    private boolean isTlsAwaited(Greeting greeting) {
        return facts.identity().isEnforced()
                && greeting.identity().shortcoming() == Shortcoming.NO_TLS;
    }

    // RFC 5321 §4.1.4: EHLO and HELO clear all state, as RSET does.
    private Step greeted(AwaitingCommand state, Greeting greeting) {
        // RFC 4954 §4: who has been authenticated stays so until the end.
        return new Step.Respond(
                greeting.isExtended() ? ehloReply : heloReply,
                new Ready(state.tally(), greeting.by(user(state))));
    }

    private static @Nullable User user(AwaitingCommand state) {
        return switch (state) {
            case Greeted _ -> null;
            case Ready(_, var greeting) -> greeting.user();
            case Enveloping(_, var greeting, _) -> greeting.user();
            case Chunking(_, var greeting, _, _) -> greeting.user();
        };
    }

    private Step greetingNeeded(AwaitingCommand state) {
        return erring(state, greetingNeeded());
    }

    private Reply greetingNeeded() {
        return facts.identity().isAmtp() ? Replies.EHLO_NEEDED : Replies.GREETING_NEEDED;
    }

    /// RFC 5321 §4.1.4: a MAIL inside an open transaction is refused and changes nothing.
    private Step onMail(AwaitingCommand state, Command.Mail mail) {
        return switch (state) {
            case Ready(var tally, var greeting) -> {
                if (facts.auth().isRequired() && greeting.user() == null) {
                    yield erring(
                            state,
                            facts.offersStartTls() ? Replies.TLS_NEEDED : Replies.AUTH_NEEDED);
                }
                if (mail.parameters().isAuthStated() && !isAuthOffered(greeting)) {
                    yield erring(state, Replies.PARAMETER_NOT_OFFERED);
                }
                if (tally.messages() >= limits.messagesMax()) {
                    // RFC 9422 §4.1: MAILMAX was announced.
                    yield new Step.Close(Replies.TOO_MANY_MESSAGES, "too many messages");
                }
                if (isTlsAwaited(greeting)) {
                    // RFC 3207 §4
                    yield erring(
                            state, facts.isTlsAiling() ? Replies.TLS_AILING : Replies.TLS_NEEDED);
                }
                if (mail.parameters().sizeOctets() > limits.messageOctetsMax()) {
                    yield rejecting(state, Replies.TOO_BIG); // RFC 1870 §6.1
                }
                if (!isOffered(greeting, mail.parameters().statedCode())) {
                    yield erring(state, Replies.PARAMETER_NOT_OFFERED);
                }
                CodeClaim code =
                        facts.codes().claim(mail.parameters().statedCode(), usual(greeting, mail));
                if (code instanceof CodeClaim.Faulty(var fault, var isEnforced) && isEnforced) {
                    yield onFaultyCode(state, fault);
                }
                yield new Step.Ask(
                        new Question.MaySend(greeting, mail.from(), mail.parameters(), code),
                        new AwaitingSenderVerdict(
                                tally.message(), greeting, mail.from(), mail.parameters(), code));
            }
            case Greeted _ -> greetingNeeded(state);
            case Enveloping _ -> erring(state, Replies.NESTED_MAIL);
            case Chunking _ -> erring(state, Replies.CHUNKS_EXPECTED);
        };
    }

    /// RFC 5321 §4.1.1.11: a parameter belongs to an extension that EHLO has offered. Which of the
    /// two keywords stands for a code, and whether one does, is the listener's.
    private boolean isOffered(Greeting greeting, @Nullable StatedCode stated) {
        return stated == null || (greeting.isExtended() && facts.codes().offers(stated.keyword()));
    }

    /// The code of the account, for a message that says nothing of itself (draft-weinman-amtp-03
    /// §6.1). What has no sender is an answer by machine (§6.4).
    ///
    /// Deviation: the draft asks an MUA for a code. One that knows of none is not turned away; its
    /// account has said what its mail is.
    private static @Nullable MailPolicyCode usual(Greeting greeting, Command.Mail mail) {
        User user = greeting.user();
        if (user == null || user.code() == null) {
            return null;
        }
        return switch (mail.from()) {
            case ReversePath.Null _ -> MailPolicyCode.NOTIFICATION;
            case ReversePath.Sender _ -> user.code();
        };
    }

    private boolean isAuthOffered(Greeting greeting) {
        return greeting.isExtended() && facts.auth().areOffered();
    }

    /// What cannot be read is an error; a code that is read and is none is refused
    /// (draft-weinman-amtp-03 §4.5).
    private Step onFaultyCode(AwaitingCommand state, CodeClaim.Fault fault) {
        Reply reply = Replies.faulty(fault);
        return switch (fault) {
            case MISSING, MALFORMED -> erring(state, reply);
            case UNDEFINED -> rejecting(state, reply);
        };
    }

    private Step onRcpt(AwaitingCommand state, Command.Rcpt rcpt) {
        return switch (state) {
            case Enveloping enveloping -> {
                Transaction transaction = enveloping.transaction();
                if (transaction.recipients().size() >= limits.recipientsMax()) {
                    // RFC 5321 §4.5.3.1.10
                    yield new Step.Respond(Replies.TOO_MANY_RECIPIENTS, state);
                }
                if (!transaction.parameters().isUtf8() && !isAscii(rcpt.to())) {
                    yield rejecting(state, Replies.UTF8_NEEDED); // RFC 6531 §3.5
                }
                yield new Step.Ask(
                        new Question.MayReceive(
                                enveloping.greeting(), transaction, rcpt.to(), rcpt.parameters()),
                        new AwaitingRecipientVerdict(enveloping, rcpt.to(), rcpt.parameters()));
            }
            case Greeted _ -> greetingNeeded(state);
            case Ready _ -> erring(state, Replies.MAIL_NEEDED);
            case Chunking _ -> erring(state, Replies.CHUNKS_EXPECTED);
        };
    }

    private Step onData(AwaitingCommand state) {
        return switch (state) {
            case Enveloping(var tally, var greeting, var transaction) -> {
                if (transaction.recipients().isEmpty()) {
                    yield erring(state, Replies.NO_RECIPIENTS); // RFC 5321 §3.3
                }
                if (transaction.parameters().body() == BodyType.BINARY_MIME) {
                    yield erring(state, Replies.BINARY_NEEDS_BDAT); // RFC 3030 §3
                }
                yield new Step.Receive(
                        Replies.GO_AHEAD, new ReceivingData(tally, greeting, transaction));
            }
            case Greeted _ -> greetingNeeded(state);
            case Ready _ -> erring(state, Replies.MAIL_NEEDED);
            case Chunking _ -> erring(state, Replies.CHUNKS_EXPECTED); // RFC 3030 §2
        };
    }

    // RFC 3030 §2: the octets of a refused chunk come all the same and are thrown away.
    private Step onBdat(AwaitingCommand state, Command.Bdat bdat) {
        return switch (state) {
            case Enveloping(var tally, var greeting, var transaction) -> {
                if (transaction.recipients().isEmpty()) {
                    yield skipping(state, bdat, Replies.NO_RECIPIENTS);
                }
                yield chunk(tally, greeting, transaction, 0, bdat);
            }
            case Chunking(var tally, var greeting, var transaction, var octets) ->
                    chunk(tally, greeting, transaction, octets, bdat);
            case Greeted _ -> skipping(state, bdat, greetingNeeded());
            case Ready _ -> skipping(state, bdat, Replies.MAIL_NEEDED);
        };
    }

    private Step chunk(
            Tally tally,
            Greeting greeting,
            Transaction transaction,
            long octets,
            Command.Bdat bdat) {
        if (bdat.octets() > limits.messageOctetsMax() - octets) {
            return skipping(new Ready(tally, greeting), bdat, Replies.TOO_BIG);
        }
        return new Step.ReceiveChunk(
                new ReceivingChunk(
                        tally, greeting, transaction, octets, bdat.octets(), bdat.isLast()));
    }

    private Step skipping(AwaitingCommand state, Command.Bdat bdat, Reply reply) {
        return switch (erring(state, reply)) {
            case Step.Respond(var refusal, var next) ->
                    bdat.octets() > limits.messageOctetsMax()
                            ? new Step.Close(refusal, "chunk too big to throw away")
                            : new Step.SkipChunk(bdat.octets(), refusal, next);
            case Step other -> other;
        };
    }

    // RFC 3207 §4, §4.2: all that was learned in clear text is forgotten.
    private Step onStartTls(AwaitingCommand state) {
        if (!facts.offersStartTls()) {
            return erring(state, noStartTls());
        }
        return switch (state) {
            case Greeted _, Ready _ ->
                    new Step.Upgrade(Replies.START_TLS, new Greeted(state.tally()));
            case Enveloping _, Chunking _ -> erring(state, Replies.TRANSACTION_OPEN);
        };
    }

    private Reply noStartTls() {
        if (facts.tls() != null) {
            return Replies.TLS_ACTIVE;
        }
        return facts.isTlsAiling() ? Replies.TLS_AILING : Replies.NO_STARTTLS;
    }

    /// RFC 4954 §4.
    private Step onAuth(AwaitingCommand state, Command.Auth auth) {
        if (!facts.auth().areOffered()) {
            return erring(state, Replies.NO_AUTH);
        }
        return switch (state) {
            case Greeted _ -> greetingNeeded(state);
            case Enveloping _, Chunking _ -> erring(state, Replies.TRANSACTION_OPEN);
            case Ready(var tally, var greeting) -> {
                if (greeting.user() != null) {
                    yield erring(state, Replies.AUTHENTICATED_ALREADY);
                }
                if (!greeting.isExtended()) {
                    yield erring(state, Replies.EHLO_NEEDED);
                }
                if (facts.tls() == null) {
                    yield erring(state, Replies.TLS_NEEDED_FOR_AUTH);
                }
                Mechanism mechanism = Mechanism.of(auth.mechanism());
                if (mechanism == null || !offered().contains(mechanism)) {
                    yield erring(state, Replies.MECHANISM_UNKNOWN);
                }
                Authenticating begun =
                        new Authenticating(
                                tally,
                                greeting,
                                Exchange.begin(
                                        mechanism, facts.peer(), greeting.identity().network()));
                String initial = auth.initialResponse();
                if (initial == null) {
                    yield new Step.Challenge(Replies.challenge(""), begun);
                }
                yield onBase64(begun, initial.equals("=") ? "" : initial);
            }
        };
    }

    private List<Mechanism> offered() {
        return facts.auth().offered(facts.tls(), facts.peer());
    }

    /// A line came that is a response.
    public Step on(Authenticating state, String line) {
        Authenticating counted =
                new Authenticating(state.tally().command(), state.greeting(), state.exchange());
        return line.equals("*")
                ? erring(ready(counted), Replies.AUTH_CANCELLED)
                : onBase64(counted, line);
    }

    /// A line came that cannot be a response.
    public Step on(Authenticating state, LineFault fault) {
        Ready ready = new Ready(state.tally().command(), state.greeting());
        return switch (fault) {
            case TOO_LONG -> erring(ready, Replies.RESPONSE_TOO_LONG);
            case ENDLESS -> new Step.Close(Replies.RESPONSE_TOO_LONG, "endless line");
            case BARE_LINE_END -> erring(ready, Replies.BARE_LINE_END);
            case NOT_TEXT -> erring(ready, Replies.NOT_BASE64);
        };
    }

    private Step onBase64(Authenticating state, String base64) {
        byte[] octets = decoded(base64);
        if (octets == null) {
            return erring(ready(state), Replies.NOT_BASE64);
        }
        String response = text(octets);
        return response == null
                ? erring(ready(state), Replies.RESPONSE_MALFORMED)
                : onMove(state.tally(), state.greeting(), state.exchange().on(response));
    }

    /// The authenticator answered.
    public Step on(AwaitingProof state, Answer answer) {
        return onMove(state.tally(), state.greeting(), state.exchange().on(answer));
    }

    private Step onMove(Tally tally, Greeting greeting, Exchange.Move move) {
        Ready ready = new Ready(tally, greeting);
        return switch (move) {
            case Exchange.Move.Challenge(var text, var next) ->
                    new Step.Challenge(
                            Replies.challenge(text), new Authenticating(tally, greeting, next));
            case Exchange.Move.Ask(var claim, var next) ->
                    new Step.Prove(claim, new AwaitingProof(tally, greeting, next));
            case Exchange.Move.Succeed(var user) ->
                    mayBe(user, greeting)
                            ? new Step.Respond(
                                    Replies.AUTHENTICATED, new Ready(tally, greeting.by(user)))
                            : failing(ready);
            case Exchange.Move.Fail(var fault) ->
                    switch (fault) {
                        case MALFORMED -> erring(ready, Replies.RESPONSE_MALFORMED);
                        case REFUSED -> failing(ready);
                        case BUSY -> rejecting(ready, Replies.AUTH_BUSY);
                        case BLOCKED ->
                                new Step.Close(
                                        Replies.AUTH_BLOCKED, "too many failed authentications");
                    };
        };
    }

    /// On a private network two tokens must agree (draft-weinman-amtp-03 §7).
    private boolean mayBe(User user, Greeting greeting) {
        return !facts.auth().mustMatchCertificate()
                || CertificateNames.vouchFor(facts.peer(), greeting.identity().network(), user);
    }

    private Step failing(Ready state) {
        Tally tally = state.tally().authFailure();
        return tally.authFailures() > facts.auth().failuresMax()
                ? new Step.Close(Replies.TOO_MANY_AUTH_FAILURES, "too many failed authentications")
                : new Step.Respond(Replies.AUTH_REFUSED, with(state, tally));
    }

    private static Ready ready(Authenticating state) {
        return new Ready(state.tally(), state.greeting());
    }

    /// RFC 4954 §4: base64 as RFC 4648 §4 has it, whole.
    private static byte @Nullable [] decoded(String base64) {
        try {
            return base64.length() % 4 == 0 ? Base64.getDecoder().decode(base64) : null;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    /// All mechanisms of ours speak UTF-8.
    private static @Nullable String text(byte[] octets) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
        } catch (CharacterCodingException _) {
            return null;
        }
    }

    private Step onSenderVerdict(AwaitingSenderVerdict asked, Verdict verdict) {
        return switch (verdict) {
            case Verdict.Accept _, Verdict.AcceptWatched _ ->
                    new Step.Respond(
                            Replies.SENDER_OK,
                            new Enveloping(
                                    asked.tally(),
                                    asked.greeting(),
                                    Transaction.open(
                                            asked.from(), asked.parameters(), asked.code())));
            case Verdict.Refuse(var reply) ->
                    rejecting(new Ready(asked.tally(), asked.greeting()), reply);
            case Verdict.Dismiss(var reply) -> new Step.Close(reply, "dismissed at MAIL");
        };
    }

    private Step onRecipientVerdict(AwaitingRecipientVerdict asked, Verdict verdict) {
        Enveloping before = asked.before();
        return switch (verdict) {
            case Verdict.Accept _, Verdict.AcceptWatched _ ->
                    new Step.Respond(
                            Replies.RECIPIENT_OK,
                            new Enveloping(
                                    before.tally(),
                                    before.greeting(),
                                    before.transaction().with(asked.to(), asked.parameters())));
            case Verdict.Refuse(var reply) -> rejecting(before, reply);
            case Verdict.Dismiss(var reply) -> new Step.Close(reply, "dismissed at RCPT");
        };
    }

    private Step onOutcome(Tally tally, Greeting greeting, MessageOutcome outcome) {
        return switch (outcome) {
            case MessageOutcome.Kept(var receipt) ->
                    new Step.Respond(Replies.kept(receipt), new Ready(tally.accepted(), greeting));
            case MessageOutcome.NotKept(var refusal) ->
                    new Step.Respond(Replies.notKept(refusal), new Ready(tally, greeting));
            case MessageOutcome.Spoiled(var fault) ->
                    rejecting(
                            new Ready(tally, greeting),
                            switch (fault) {
                                case TOO_BIG -> Replies.TOO_BIG;
                                case BARE_LINE_END -> Replies.BARE_LINE_END_IN_MESSAGE;
                                case LOOP -> Replies.LOOP;
                                case CODE_HEADER -> Replies.CODE_HEADER;
                                case ENVELOPE_TOO_BIG -> Replies.ENVELOPE_TOO_BIG;
                            });
        };
    }

    private Step erring(AwaitingCommand state, Reply reply) {
        Tally tally = state.tally().error();
        return tally.errors() > limits.errorsMax()
                ? new Step.Close(Replies.TOO_MANY_ERRORS, "too many errors")
                : new Step.Respond(reply, with(state, tally));
    }

    private Step rejecting(AwaitingCommand state, Reply reply) {
        Tally tally = state.tally().rejection();
        return tally.rejections() > limits.rejectionsMax()
                ? new Step.Close(Replies.TOO_MANY_ERRORS, "too many rejections")
                : new Step.Respond(reply, with(state, tally));
    }

    private static AwaitingCommand with(AwaitingCommand state, Tally tally) {
        return switch (state) {
            case Greeted _ -> new Greeted(tally);
            case Ready(_, var greeting) -> new Ready(tally, greeting);
            case Enveloping(_, var greeting, var transaction) ->
                    new Enveloping(tally, greeting, transaction);
            case Chunking(_, var greeting, var transaction, var octets) ->
                    new Chunking(tally, greeting, transaction, octets);
        };
    }

    private static AwaitingCommand withoutTransaction(AwaitingCommand state) {
        return switch (state) {
            case Greeted _, Ready _ -> state;
            case Enveloping(var tally, var greeting, _) -> new Ready(tally, greeting);
            case Chunking(var tally, var greeting, _, _) -> new Ready(tally, greeting);
        };
    }

    private static boolean isAscii(ForwardPath to) {
        return switch (to) {
            case ForwardPath.Recipient(var mailbox) -> mailbox.isAscii();
            case ForwardPath.Postmaster _ -> true;
        };
    }

    private static Reply ehlo(SessionFacts facts) {
        List<String> lines = new ArrayList<>();
        lines.add(facts.hostname().text());
        for (Extension extension : Extension.values()) {
            switch (extension) {
                case STARTTLS -> {
                    if (facts.offersStartTls()) {
                        lines.add(extension.keyword());
                    }
                }
                // RFC 4954 §4
                case AUTH -> {
                    List<Mechanism> mechanisms = facts.auth().offered(facts.tls(), facts.peer());
                    if (!mechanisms.isEmpty()) {
                        lines.add(
                                extension.keyword()
                                        + mechanisms.stream()
                                                .map(mechanism -> " " + mechanism.word())
                                                .collect(Collectors.joining()));
                    }
                }
                case SIZE ->
                        lines.add(extension.keyword() + " " + facts.limits().messageOctetsMax());
                case LIMITS ->
                        lines.add(
                                extension.keyword()
                                        + " MAILMAX="
                                        + facts.limits().messagesMax()
                                        + " RCPTMAX="
                                        + facts.limits().recipientsMax());
                // draft-weinman-amtp-03 §4.4.2: one line
                case MPC, XMPC -> {
                    if (facts.codes().offers(extension)) {
                        lines.add(extension.keyword() + " " + facts.codes().announced().text());
                    }
                }
                case PIPELINING,
                        ENHANCEDSTATUSCODES,
                        EIGHT_BIT_MIME,
                        DSN,
                        SMTPUTF8,
                        CHUNKING,
                        BINARYMIME ->
                        lines.add(extension.keyword());
            }
        }
        return new Reply(250, null, lines);
    }
}
