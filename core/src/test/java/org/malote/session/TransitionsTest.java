package org.malote.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.CodeRules;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.Dial;
import org.malote.amtp.ForeignHeaders;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.HopNetwork;
import org.malote.amtp.IdentityRules;
import org.malote.amtp.PolicyDeclarations;
import org.malote.amtp.ReverseDns;
import org.malote.amtp.Shortcoming;
import org.malote.auth.Answer;
import org.malote.auth.AuthRules;
import org.malote.auth.AuthSettings;
import org.malote.auth.Exchange;
import org.malote.auth.Mechanism;
import org.malote.auth.User;
import org.malote.offload.PeerIdentity;
import org.malote.offload.TlsSummary;
import org.malote.queue.Refusal;
import org.malote.session.MessageOutcome.Fault;
import org.malote.session.State.Authenticating;
import org.malote.session.State.AwaitingCommand;
import org.malote.session.State.AwaitingIdentity;
import org.malote.session.State.AwaitingProof;
import org.malote.session.State.AwaitingRecipientVerdict;
import org.malote.session.State.AwaitingSenderVerdict;
import org.malote.session.State.Chunking;
import org.malote.session.State.Enveloping;
import org.malote.session.State.Greeted;
import org.malote.session.State.Ready;
import org.malote.session.State.ReceivingChunk;
import org.malote.session.State.ReceivingData;
import org.malote.smtp.Command;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Mailbox;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.Reply;
import org.malote.smtp.ReversePath;
import org.malote.smtp.wire.CommandParser;
import org.malote.smtp.wire.LineFault;

/// Every state with every event, beside `transitions.txt`: a change of the protocol's behaviour
/// shows there as a changed line. `-Dgolden.update=true` writes the file anew.
final class TransitionsTest {
    private static final Path GOLDEN =
            Path.of("src/test/resources/org/malote/session/transitions.txt");

    private static final Session SESSION =
            new Session(
                    new SessionFacts(
                            new DomainName("mx.example"), true, null, SessionLimits.defaults()));

    private static final TlsSummary TLS =
            new TlsSummary("TLSv1.3", "TLS_AES_128_GCM_SHA256", 128, "X25519", "P-256", false);
    private static final User ANN = new User("ann", null, null, Set.of(), null, List.of());

    private static final Greeting GREETING = new Greeting(new DomainName("peer.example"), true);
    private static final ForwardPath TO =
            new ForwardPath.Recipient(new Mailbox("x", new DomainName("mx.example")));
    private static final Transaction EMPTY =
            Transaction.open(ReversePath.NULL, MailParameters.NONE, CodeClaim.NONE);
    private static final Transaction OPEN = EMPTY.with(TO, RecipientParameters.NONE);

    private static final Map<String, AwaitingCommand> STATES = states();
    private static final List<String> LINES =
            List.of(
                    "EHLO a.example",
                    "HELO a.example",
                    "MAIL FROM:<>",
                    "MAIL FROM:<> SIZE=99999999999",
                    "MAIL FROM:<> XMPC=com/optin",
                    "RCPT TO:<y@mx.example>",
                    "RCPT TO:<π@mx.example>",
                    "DATA",
                    "BDAT 5",
                    "BDAT 5 LAST",
                    "BDAT 99999999999",
                    "BDAT",
                    "RSET",
                    "NOOP",
                    "QUIT",
                    "VRFY x",
                    "VRFY",
                    "EXPN x",
                    "HELP",
                    "STARTTLS",
                    "AUTH PLAIN AGEAYg==",
                    "FOO");

    @Test
    void everyTransitionIsTheOneThatWasReviewed() throws IOException {
        StringBuilder table = new StringBuilder();
        STATES.forEach(
                (name, state) -> {
                    for (String line : LINES) {
                        row(table, name, line, SESSION.on(state, CommandParser.parse(line)));
                    }
                    for (LineFault fault : LineFault.values()) {
                        row(table, name, fault.name(), SESSION.on(state, fault));
                    }
                });
        codes(table);
        users(table);
        identities(table);
        verdicts(table);
        outcomes(table);
        if (Boolean.getBoolean("golden.update")) {
            Files.writeString(GOLDEN, table);
        }
        assertEquals(Files.readString(GOLDEN, StandardCharsets.UTF_8), table.toString());
    }

    /// RFC 3207 §4.2: once TLS is on it is not offered again.
    @Test
    void offersStartTlsOnlyInTheClear() {
        assertTrue(ehlo(SESSION).contains("STARTTLS"));
        Session secured = SESSION.secured(TLS, new PeerIdentity.Unknown());
        assertEquals(ehlo(SESSION).replace("STARTTLS ", ""), ehlo(secured));
        assertEquals(
                "503 5.5.1 TLS is active already",
                reply(secured.on(new Greeted(Tally.ZERO), CommandParser.parse("STARTTLS"))));
    }

    /// P06: one more than each limit ends the session or the transaction, and no fewer.
    @Test
    void countsErrorsRejectionsCommandsMessagesAndRecipients() {
        SessionLimits limits = SessionLimits.defaults();
        Ready ready = new Ready(new Tally(0, 0, limits.errorsMax() - 1, 0), GREETING);
        Step last = SESSION.on(ready, CommandParser.parse("FOO"));
        assertTrue(last instanceof Step.Respond);
        assertTrue(
                SESSION.on(((Step.Respond) last).next(), CommandParser.parse("FOO"))
                        instanceof Step.Close);
        assertTrue(
                SESSION.on(
                                new Ready(new Tally(0, limits.commandsMax() - 1, 0, 0), GREETING),
                                CommandParser.parse("NOOP"))
                        instanceof Step.Respond);
        assertTrue(
                SESSION.on(
                                new Ready(new Tally(0, limits.commandsMax(), 0, 0), GREETING),
                                CommandParser.parse("NOOP"))
                        instanceof Step.Close);
        assertTrue(
                SESSION.on(
                                new Ready(new Tally(limits.messagesMax() - 1, 0, 0, 0), GREETING),
                                CommandParser.parse("MAIL FROM:<>"))
                        instanceof Step.Ask);
        assertTrue(
                SESSION.on(
                                new Ready(new Tally(limits.messagesMax(), 0, 0, 0), GREETING),
                                CommandParser.parse("MAIL FROM:<>"))
                        instanceof Step.Close);
        Verdict refused = new Verdict.Refuse(Reply.of(550, "5.1.1", "no"));
        Enveloping tried =
                new Enveloping(new Tally(1, 1, 0, limits.rejectionsMax() - 1), GREETING, EMPTY);
        Step refusal =
                SESSION.on(
                        new AwaitingRecipientVerdict(tried, TO, RecipientParameters.NONE), refused);
        assertEquals(limits.rejectionsMax(), ((Step.Respond) refusal).next().tally().rejections());
        assertTrue(
                SESSION.on(
                                new AwaitingRecipientVerdict(
                                        (Enveloping) ((Step.Respond) refusal).next(),
                                        TO,
                                        RecipientParameters.NONE),
                                refused)
                        instanceof Step.Close);
        Transaction full = EMPTY;
        for (int i = 0; i < limits.recipientsMax(); i++) {
            assertTrue(
                    SESSION.on(
                                    new Enveloping(Tally.ZERO, GREETING, full),
                                    CommandParser.parse("RCPT TO:<y@mx.example>"))
                            instanceof Step.Ask);
            full =
                    full.with(
                            new ForwardPath.Recipient(
                                    new Mailbox("r" + i, new DomainName("mx.example"))),
                            RecipientParameters.NONE);
        }
        assertEquals(
                "452 4.5.3 too many recipients; send the rest in another transaction",
                reply(
                        SESSION.on(
                                new Enveloping(Tally.ZERO, GREETING, full),
                                CommandParser.parse("RCPT TO:<y@mx.example>"))));
    }

    /// Draft-weinman-amtp-03 §7: on a private network a right password is not enough.
    @Test
    void onAPrivateNetworkTheCertificateMustVouchForTheUser() {
        AuthSettings settings =
                new AuthSettings(
                        Path.of("users"),
                        AuthSettings.defaults().mechanisms(),
                        3,
                        20,
                        Duration.ofMinutes(10),
                        Duration.ZERO);
        Session session =
                new Session(SESSION.facts().withAuth(AuthRules.ofPrivateNetwork(settings)))
                        .secured(TLS, new PeerIdentity.Trusted(List.of("ann.isp.example"), "CN=x"));
        Greeting greeting =
                new Greeting(
                        new DomainName("ann.isp.example"),
                        true,
                        new HopIdentity(
                                HopNetwork.PRIVATE,
                                "ann.isp.example",
                                "CN=ISP",
                                new ReverseDns.Unasked(),
                                null));
        Ready ready = new Ready(Tally.ZERO, greeting);
        User bob = new User("bob", null, null, Set.of(), null, List.of());
        for (User user : List.of(ANN, bob)) {
            Step asked = session.on(ready, parse("AUTH PLAIN AGEAYg=="));
            Step answered = session.on(((Step.Prove) asked).next(), new Answer.Proven(user));
            assertEquals(
                    user.equals(ANN)
                            ? "235 2.7.0 authenticated"
                            : "535 5.7.8 the name, the password or the certificate is not right",
                    reply(answered));
            assertEquals(
                    user.equals(ANN) ? ANN : null,
                    ((Ready) ((Step.Respond) answered).next()).greeting().user());
        }
        assertTrue(
                session.on(ready, parse("MAIL FROM:<>")) instanceof Step.Ask, "AUTH is a choice");
        assertEquals(
                AuthRules.OFF,
                AuthRules.ofPrivateNetwork(AuthSettings.defaults()),
                "without users nobody is asked");
    }

    private static String ehlo(Session session) {
        return reply(session.on(new Greeted(Tally.ZERO), CommandParser.parse("EHLO a")));
    }

    /// Mail Policy Codes: at a listener for SMTP, at one for AMTP, and with the dial on observe.
    private static void codes(StringBuilder table) {
        CodeSettings settings =
                switch (PolicyDeclarations.parse("DENY=*/optout")) {
                    case PolicyDeclarations.Parsed.Valid(var site) ->
                            new CodeSettings(
                                    site, Map.of(), Map.of(), false, ForeignHeaders.REFUSE);
                    case PolicyDeclarations.Parsed other ->
                            throw new AssertionError(String.valueOf(other));
                };
        Map<String, CodeRules> listeners = new LinkedHashMap<>();
        listeners.put("Ready, smtp enforce", CodeRules.ofSmtp(Dial.ENFORCE, settings));
        listeners.put("Ready, amtp enforce", CodeRules.ofAmtp(Dial.ENFORCE, settings));
        listeners.put("Ready, amtp observe", CodeRules.ofAmtp(Dial.OBSERVE, settings));
        listeners.forEach(
                (name, rules) -> {
                    Session session = new Session(SESSION.facts().withCodes(rules));
                    Ready ready = new Ready(Tally.ZERO, GREETING);
                    Ready unextended =
                            new Ready(
                                    Tally.ZERO,
                                    new Greeting(new DomainName("peer.example"), false));
                    for (String line :
                            List.of(
                                    "EHLO a.example",
                                    "MAIL FROM:<>",
                                    "MAIL FROM:<> MPC=per/individual",
                                    "MAIL FROM:<> XMPC=com/optout",
                                    "MAIL FROM:<> MPC=com",
                                    "MAIL FROM:<> XMPC=com",
                                    "MAIL FROM:<> MPC=mpc/optin",
                                    "MAIL FROM:<> XMPC=mpc/optin",
                                    "MAIL FROM:<> MPC=a MPC=a",
                                    "MAIL FROM:<> MPC=a XMPC=a")) {
                        row(table, name, line, session.on(ready, CommandParser.parse(line)));
                    }
                    row(
                            table,
                            name + ", HELO",
                            "MAIL FROM:<> XMPC=com/optin",
                            session.on(
                                    unextended,
                                    CommandParser.parse("MAIL FROM:<> XMPC=com/optin")));
                });
    }

    /// Users: at a listener for submission, before TLS, in it, and with somebody known.
    private static void users(StringBuilder table) {
        AuthRules rules = AuthRules.ofSubmission(AuthSettings.defaults());
        PeerIdentity peer = new PeerIdentity.Trusted(List.of("box7.example"), "CN=box7");
        Session clear = new Session(SESSION.facts().withAuth(rules));
        Session secured = clear.secured(TLS, peer);
        Greeting known = GREETING.by(ANN);
        List<String> lines =
                List.of(
                        "EHLO a.example",
                        "MAIL FROM:<>",
                        "MAIL FROM:<> AUTH=<>",
                        "AUTH",
                        "AUTH PLAIN",
                        "AUTH PLAIN AGEAYg==",
                        "AUTH PLAIN =",
                        "AUTH SCRAM-SHA-256",
                        "AUTH EXTERNAL =",
                        "AUTH CRAM-MD5");
        for (String line : lines) {
            row(
                    table,
                    "Ready, clear",
                    line,
                    clear.on(new Ready(Tally.ZERO, GREETING), parse(line)));
        }
        STATES.forEach(
                (name, state) -> {
                    for (String line : lines) {
                        row(table, name + ", TLS", line, secured.on(state, parse(line)));
                    }
                });
        for (String line : lines) {
            row(table, "Ready, user", line, secured.on(new Ready(Tally.ZERO, known), parse(line)));
        }
        responses(table, secured);
    }

    private static void responses(StringBuilder table, Session session) {
        for (Mechanism mechanism : Mechanism.values()) {
            Authenticating state =
                    new Authenticating(
                            Tally.ZERO,
                            GREETING,
                            Exchange.begin(mechanism, session.facts().peer(), HopNetwork.PUBLIC));
            String name = "Authenticating, " + mechanism.word();
            for (String line : List.of("", "*", "=", "AGEAYg==", "biwsbj1hLHI9eA==", "QUIT")) {
                row(table, name, line, session.on(state, line));
            }
            for (LineFault fault : LineFault.values()) {
                row(table, name, fault.name(), session.on(state, fault));
            }
        }
        Step asked = session.on(new Ready(Tally.ZERO, GREETING), parse("AUTH PLAIN AGEAYg=="));
        AwaitingProof proof = ((Step.Prove) asked).next();
        for (Answer answer :
                List.of(
                        new Answer.Proven(ANN),
                        new Answer.Refused(ANN),
                        new Answer.Refused(null),
                        new Answer.Busy(),
                        new Answer.Blocked())) {
            String event =
                    answer.getClass().getSimpleName()
                            + (answer.equals(new Answer.Refused(null)) ? ", nobody" : "");
            row(table, "AwaitingProof", event, session.on(proof, answer));
        }
    }

    private static Command parse(String line) {
        return CommandParser.parse(line);
    }

    /// Who a peer is: at a listener for AMTP, and at one for SMTP that only watches or that
    /// enforces.
    private static void identities(StringBuilder table) {
        Map<String, IdentityRules> listeners = new LinkedHashMap<>();
        listeners.put("amtp enforce", new IdentityRules(Dial.ENFORCE, true));
        listeners.put("amtp observe", new IdentityRules(Dial.OBSERVE, true));
        listeners.put("smtp enforce", new IdentityRules(Dial.ENFORCE, false));
        listeners.put("smtp observe", new IdentityRules(Dial.OBSERVE, false));
        listeners.forEach(
                (name, rules) -> {
                    Session session = new Session(SESSION.facts().withIdentity(rules));
                    Greeted greeted = new Greeted(Tally.ZERO);
                    Enveloping enveloping = new Enveloping(Tally.ZERO, GREETING, OPEN);
                    for (String line :
                            List.of("EHLO a.example", "HELO a.example", "MAIL FROM:<>")) {
                        row(
                                table,
                                "Greeted, " + name,
                                line,
                                session.on(greeted, CommandParser.parse(line)));
                    }
                    row(
                            table,
                            "Enveloping, " + name,
                            "EHLO a.example",
                            session.on(enveloping, CommandParser.parse("EHLO a.example")));
                    AwaitingIdentity asked =
                            new AwaitingIdentity(enveloping, new DomainName("a.example"), true);
                    row(table, "Identity, " + name, "verified", session.on(asked, found(null)));
                    for (Shortcoming shortcoming : Shortcoming.values()) {
                        Step step = session.on(asked, found(shortcoming));
                        row(table, "Identity, " + name, shortcoming.name(), step);
                        if (step instanceof Step.Respond(_, Ready ready)) {
                            row(
                                    table,
                                    "Ready, " + name,
                                    "MAIL after " + shortcoming,
                                    session.on(ready, CommandParser.parse("MAIL FROM:<>")));
                        }
                    }
                });
    }

    private static HopIdentity found(@Nullable Shortcoming shortcoming) {
        return new HopIdentity(
                HopNetwork.PUBLIC, "a.example", "CN=x", new ReverseDns.Unasked(), shortcoming);
    }

    private static void verdicts(StringBuilder table) {
        Enveloping enveloping = new Enveloping(Tally.ZERO, GREETING, EMPTY);
        Verdict refuse = new Verdict.Refuse(Reply.of(550, "5.7.1", "no"));
        Verdict watched = new Verdict.AcceptWatched(Reply.of(550, "5.7.1", "no"));
        Verdict dismiss = new Verdict.Dismiss(Reply.of(421, "4.3.2", "go"));
        for (Verdict verdict : List.of(Verdict.ACCEPT, watched, refuse, dismiss)) {
            String event = verdict.getClass().getSimpleName();
            row(
                    table,
                    "AwaitingSenderVerdict",
                    event,
                    SESSION.on(
                            new AwaitingSenderVerdict(
                                    Tally.ZERO,
                                    GREETING,
                                    ReversePath.NULL,
                                    MailParameters.NONE,
                                    CodeClaim.NONE),
                            verdict));
            row(
                    table,
                    "AwaitingRecipientVerdict",
                    event,
                    SESSION.on(
                            new AwaitingRecipientVerdict(enveloping, TO, RecipientParameters.NONE),
                            verdict));
        }
    }

    private static void outcomes(StringBuilder table) {
        ReceivingData data = new ReceivingData(Tally.ZERO, GREETING, OPEN);
        ReceivingChunk chunk = new ReceivingChunk(Tally.ZERO, GREETING, OPEN, 7, 5, false);
        row(table, "ReceivingChunk", "taken", SESSION.onChunkTaken(chunk));
        for (Fault fault : Fault.values()) {
            MessageOutcome spoiled = new MessageOutcome.Spoiled(fault);
            row(table, "ReceivingData", fault.name(), SESSION.on(data, spoiled));
            row(table, "ReceivingChunk", fault.name(), SESSION.on(chunk, spoiled));
        }
        for (Refusal refusal : Refusal.values()) {
            MessageOutcome notKept = new MessageOutcome.NotKept(refusal);
            row(table, "ReceivingData", refusal.name(), SESSION.on(data, notKept));
        }
        for (Refusal refusal : Refusal.values()) {
            row(
                    table,
                    "AwaitingSenderVerdict",
                    "admission " + refusal.name(),
                    SESSION.on(
                            new AwaitingSenderVerdict(
                                    Tally.ZERO,
                                    GREETING,
                                    ReversePath.NULL,
                                    MailParameters.NONE,
                                    CodeClaim.NONE),
                            Replies.notAdmitted(refusal)));
        }
    }

    private static Map<String, AwaitingCommand> states() {
        Map<String, AwaitingCommand> states = new LinkedHashMap<>();
        states.put("Greeted", new Greeted(Tally.ZERO));
        states.put("Ready", new Ready(Tally.ZERO, GREETING));
        states.put("Enveloping empty", new Enveloping(Tally.ZERO, GREETING, EMPTY));
        states.put("Enveloping", new Enveloping(Tally.ZERO, GREETING, OPEN));
        states.put("Chunking", new Chunking(Tally.ZERO, GREETING, OPEN, 7));
        return states;
    }

    private static void row(StringBuilder table, String state, String event, Step step) {
        String next =
                switch (step) {
                    case Step.Respond(_, var after) -> after.getClass().getSimpleName();
                    case Step.Ask(_, var after) -> "ask, " + after.getClass().getSimpleName();
                    case Step.Challenge(_, var after) ->
                            "Authenticating, " + after.exchange().getClass().getSimpleName();
                    case Step.Prove(_, var after) ->
                            "prove, " + after.exchange().getClass().getSimpleName();
                    case Step.Identify(var after) -> "who, " + after.getClass().getSimpleName();
                    case Step.Receive(_, var after) -> after.getClass().getSimpleName();
                    case Step.ReceiveChunk(var after) -> after.getClass().getSimpleName();
                    case Step.SkipChunk(var octets, _, var after) ->
                            "skip " + octets + ", " + after.getClass().getSimpleName();
                    case Step.Upgrade _ -> "TLS, Greeted";
                    case Step.Close _ -> "close";
                };
        table.append(
                String.format("%-25s %-30s -> %-26s %s%n", state, event, next, reply(step))
                        .stripTrailing());
        table.append('\n');
    }

    private static String reply(Step step) {
        return switch (step) {
            case Step.Respond(var reply, _) -> reply.oneLine();
            case Step.Challenge(var reply, _) -> reply.oneLine();
            case Step.Receive(var reply, _) -> reply.oneLine();
            case Step.SkipChunk(_, var reply, _) -> reply.oneLine();
            case Step.Upgrade(var reply, _) -> reply.oneLine();
            case Step.Close(var reply, _) -> reply.oneLine();
            case Step.Ask _, Step.Prove _, Step.Identify _, Step.ReceiveChunk _ -> "";
        };
    }
}
