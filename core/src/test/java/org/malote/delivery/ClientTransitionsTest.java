package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.malote.amtp.PolicyMask;
import org.malote.delivery.ClientSession.Encryption;
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
import org.malote.smtp.Extension;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.Reply;

/// Every state with every kind of reply and fault, beside `client-transitions.txt`: a change of
/// what we do to hosts shows there as a changed line. `-Dgolden.update=true` writes the file anew.
final class ClientTransitionsTest {
    private static final Path GOLDEN =
            Path.of("src/test/resources/org/malote/delivery/client-transitions.txt");

    private static final HostFacts PIPELINED =
            facts(Extension.PIPELINING, Extension.EIGHT_BIT_MIME, Extension.STARTTLS);
    private static final HostFacts CHUNKED =
            facts(Extension.PIPELINING, Extension.EIGHT_BIT_MIME, Extension.CHUNKING);
    private static final HostFacts SIMPLE = facts(Extension.EIGHT_BIT_MIME);

    private static final List<Reply> REPLIES =
            List.of(
                    new Reply(250, null, List.of("mx", "STARTTLS", "PIPELINING")),
                    Reply.plain(354, "go"),
                    Reply.plain(421, "leaving"),
                    Reply.plain(450, "later"),
                    Reply.plain(521, "never"),
                    Reply.plain(550, "no"));

    @Test
    void everyTransitionIsTheOneThatWasReviewed() throws IOException {
        StringBuilder table = new StringBuilder();
        table("SMTP", session(Protocol.SMTP, Encryption.WHEN_OFFERED), table);
        table("LMTP", session(Protocol.LMTP, Encryption.WHEN_OFFERED), table);
        tlsTable(session(Protocol.SMTP, Encryption.ALWAYS), table);
        amtpTable(session(Protocol.AMTP, Encryption.ALWAYS), table);
        if (Boolean.getBoolean("golden.update")) {
            Files.writeString(GOLDEN, table);
        }
        assertEquals(Files.readString(GOLDEN), table.toString());
    }

    private static ClientSession session(Protocol protocol, Encryption encryption) {
        return new ClientSession("out.example", protocol, encryption, "mx", 16, false);
    }

    /// What is not the same at AMTP.
    private static void amtpTable(ClientSession session, StringBuilder table) {
        table.append("# AMTP\n");
        Map<String, ClientState> states = states();
        states.forEach(
                (name, state) -> {
                    if (state instanceof AwaitingGreeting || state.equals(new AwaitingEhlo(true))) {
                        for (Reply reply : REPLIES) {
                            row(
                                    table,
                                    name,
                                    Integer.toString(reply.code()),
                                    session.on((AwaitingReply) state, reply));
                        }
                        row(
                                table,
                                name,
                                "504",
                                session.on((AwaitingReply) state, Reply.plain(504, "who?")));
                    }
                    if (state instanceof Encrypting) {
                        for (Trouble.Break cause : Trouble.Break.values()) {
                            row(table, name, cause.name(), session.onBroken(state, cause));
                        }
                    }
                });
        tlsRows(session, table);
        row(
                table,
                "AwaitingGreeting",
                "alert",
                session.onRefusedByAlert(new AwaitingGreeting(), "alert"));
        row(table, "Idle", "no code", session.begin(new Idle(PIPELINED), transaction(10)));
    }

    /// What is not the same when nothing goes in the clear.
    private static void tlsTable(ClientSession session, StringBuilder table) {
        table.append("# SMTP, TLS required\n");
        Map<String, ClientState> states = states();
        states.put("AwaitingHelo, TLS", new AwaitingHelo(true));
        states.forEach(
                (name, state) -> {
                    if (state instanceof Encrypting) {
                        for (Trouble.Break cause : Trouble.Break.values()) {
                            row(table, name, cause.name(), session.onBroken(state, cause));
                        }
                    }
                    if (state instanceof AwaitingReply awaits && !(state instanceof Transacting)) {
                        for (Reply reply : REPLIES) {
                            row(
                                    table,
                                    name,
                                    Integer.toString(reply.code()),
                                    session.on(awaits, reply));
                        }
                        row(
                                table,
                                name,
                                "plain",
                                session.on(awaits, Reply.plain(250, "no extensions")));
                    }
                });
        tlsRows(session, table);
    }

    private static void tlsRows(ClientSession session, StringBuilder table) {
        row(table, "Encrypting", "encrypted", session.onEncrypted(new Encrypting()));
        row(table, "Encrypting", "no TLS", session.onHandshakeFailed(new Encrypting(), "alert"));
        row(table, "Encrypting", "not ready", session.onNoTls(new Encrypting(), "reload"));
        row(
                table,
                "AwaitingEhlo, TLS",
                "alert",
                session.onRefusedByAlert(new AwaitingEhlo(true), "alert"));
        row(
                table,
                "AwaitingEhlo",
                "alert",
                session.onRefusedByAlert(new AwaitingEhlo(false), "alert"));
    }

    private static void table(String protocol, ClientSession session, StringBuilder table) {
        table.append("# ").append(protocol).append('\n');
        states().forEach(
                        (name, state) -> {
                            for (Reply reply : REPLIES) {
                                ClientStep step =
                                        switch (state) {
                                            case AwaitingReply awaits -> session.on(awaits, reply);
                                            case Idle idle -> session.onUnasked(idle);
                                            case Encrypting encrypting ->
                                                    session.onInjected(encrypting);
                                            case Preparing _, Closed _ -> null;
                                        };
                                if (step != null) {
                                    row(table, name, Integer.toString(reply.code()), step);
                                }
                            }
                            for (Trouble.Break cause : Trouble.Break.values()) {
                                row(table, name, cause.name(), session.onBroken(state, cause));
                            }
                            row(table, name, "garbled", session.onGarbled(state, "nonsense"));
                        });
        OutboundTransaction message = transaction(10);
        for (HostFacts facts : List.of(PIPELINED, CHUNKED, SIMPLE, HostFacts.PLAIN)) {
            row(table, "Idle", "begin", session.begin(new Idle(facts), message));
            for (boolean isEightBit : new boolean[] {false, true}) {
                Preparing preparing =
                        new Preparing(facts, message, !facts.offers(Extension.EIGHT_BIT_MIME));
                row(
                        table,
                        "Preparing" + (preparing.inspects() ? ", inspects" : ""),
                        isEightBit ? "8-bit" : "prepared",
                        session.onPrepared(preparing, isEightBit));
            }
        }
        row(table, "Idle", "quit", session.quit(new Idle(SIMPLE)));
        tlsRows(session, table);
        Failure unreadable = Trouble.ours("the disk");
        row(
                table,
                "Preparing",
                "unreadable",
                session.onUnreadable(new Preparing(SIMPLE, message, false), unreadable));
        row(
                table,
                "Streaming",
                "unreadable",
                session.onPayloadFailed(streaming(PIPELINED), unreadable));
        row(table, "Streaming", "sent", session.onPayloadSent(streaming(PIPELINED)));
    }

    private static Map<String, ClientState> states() {
        Map<String, ClientState> states = new LinkedHashMap<>();
        states.put("AwaitingGreeting", new AwaitingGreeting());
        states.put("AwaitingEhlo", new AwaitingEhlo(false));
        states.put("AwaitingEhlo, TLS", new AwaitingEhlo(true));
        states.put("AwaitingHelo", new AwaitingHelo(false));
        states.put("AwaitingStartTls", new AwaitingStartTls(PIPELINED));
        states.put("Encrypting", new Encrypting());
        states.put("Idle", new Idle(PIPELINED));
        states.put("Preparing", new Preparing(PIPELINED, transaction(10), false));
        states.put("Pipelined, MAIL", transacting(PIPELINED, 10, 4));
        states.put("Pipelined, RCPT 1", transacting(PIPELINED, 10, 4, 250));
        states.put("Pipelined, RCPT 1 dead", transacting(PIPELINED, 10, 4, 550));
        states.put("Pipelined, RCPT 2", transacting(PIPELINED, 10, 4, 250, 250));
        states.put("Pipelined, DATA", transacting(PIPELINED, 10, 4, 250, 250, 550));
        states.put("Pipelined, DATA dead", transacting(PIPELINED, 10, 4, 250, 550, 550));
        states.put("Pipelined, end", transacting(PIPELINED, 10, 5, 250, 250, 250, 354));
        states.put("Pipelined, lone dot", transacting(PIPELINED, 10, 5, 250, 550, 550, 354));
        states.put("Streaming", streaming(PIPELINED));
        states.put("Stepwise, MAIL", transacting(SIMPLE, 10, 1));
        states.put("Stepwise, RCPT 1", transacting(SIMPLE, 10, 2, 250));
        states.put("Stepwise, RCPT 2", transacting(SIMPLE, 10, 3, 250, 550));
        states.put("Stepwise, DATA", transacting(SIMPLE, 10, 4, 250, 250, 550));
        states.put("One chunk, RCPT 2", transacting(CHUNKED, 10, 4, 250, 550));
        states.put("One chunk, end", transacting(CHUNKED, 10, 4, 250, 250, 550));
        states.put("Chunks, RCPT 2", transacting(CHUNKED, 40, 3, 250, 250));
        states.put("Chunks, first", transacting(CHUNKED, 40, 4, 250, 250, 250));
        states.put("Chunks, last", transacting(CHUNKED, 40, 6, 250, 250, 250, 250, 250));
        states.put("Resetting", new Resetting(PIPELINED));
        states.put("Quitting", new Quitting());
        states.put("Closed", new Closed());
        return states;
    }

    private static Transacting streaming(HostFacts facts) {
        return transacting(facts, 10, 4, 250, 250, 250, 354).send(1, true);
    }

    /// @param codes what was answered so far
    private static Transacting transacting(HostFacts facts, int octets, int sent, int... codes) {
        Transacting state =
                new Transacting(facts, transaction(octets), false, sent, List.of(), false);
        for (int code : codes) {
            state = state.answer(Reply.plain(code, "said"));
        }
        return state;
    }

    private static OutboundTransaction transaction(int octets) {
        return new OutboundTransaction(
                "a@x.example",
                MailParameters.fromAttributes(Map.of(), octets),
                null,
                List.of(
                        new OutboundTransaction.To(0, "b@y.example", RecipientParameters.NONE),
                        new OutboundTransaction.To(1, "c@y.example", RecipientParameters.NONE)));
    }

    private static HostFacts facts(Extension first, Extension... others) {
        return new HostFacts(EnumSet.of(first, others), 0, 0, 0, PolicyMask.ALL);
    }

    private static void row(StringBuilder table, String state, String event, ClientStep step) {
        String what =
                switch (step) {
                    case ClientStep.Await _ -> "wait";
                    case ClientStep.Send(var commands, var payload, _) ->
                            "send " + commands + show(payload);
                    case ClientStep.Encrypt _ -> "encrypt";
                    case ClientStep.Prepare _ -> "prepare";
                    case ClientStep.Ready _ -> "ready";
                    case ClientStep.Finish(var outcomes, var commands, _) ->
                            outcomes.stream()
                                            .map(ClientTransitionsTest::show)
                                            .collect(Collectors.joining(" | "))
                                    + (commands.isEmpty() ? "" : " send " + commands);
                    case ClientStep.Close(Failure failure, ClientStep.Security security) ->
                            (failure == null ? "close" : show(failure))
                                    + switch (security) {
                                        case ASIDE -> "";
                                        case CLEAR_WILL_DO -> ", then in the clear";
                                        case CLEAR_WILL_NOT_DO -> ", never in the clear";
                                    };
                };
        table.append(
                String.format(
                                "%-22s %-10s -> %-16s %s",
                                state, event, step.next().getClass().getSimpleName(), what)
                        .stripTrailing());
        table.append('\n');
    }

    private static String show(Payload payload) {
        return switch (payload) {
            case Payload.None _ -> "";
            case Payload.Data _ -> " and the message";
            case Payload.Chunk(long octets) -> " and " + octets + " octets";
        };
    }

    private static String show(RecipientOutcome outcome) {
        return switch (outcome) {
            case RecipientOutcome.Delivered _ -> "delivered";
            case RecipientOutcome.Failed(Failure failure) -> show(failure);
        };
    }

    private static String show(Failure failure) {
        return (failure.isPermanent() ? "permanent " : "temporary ")
                + failure.scope()
                + " "
                + failure.status();
    }
}
