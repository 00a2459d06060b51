package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// D12: the server is killed when some of a message's fifty recipients have it. Those of whom that
/// is recorded are never sent it again; those that were on their way may be.
@Tag("peers")
class PartialDeliveryTest {
    private static final int RECIPIENTS = 50;
    private static final int KILLS = 4;

    /// Recipients that the host takes between two kills.
    private static final int TAKEN = 10;

    /// Connections to the host: what a kill can double.
    private static final int IN_FLIGHT_MAX = 4;

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Pattern RECIPIENT = Pattern.compile("RCPT TO:<(r\\d+)@.*");

    /// How many more messages the host says yes to. It keeps the next ones too, and then says
    /// nothing: the worst moment for a kill.
    private volatile Semaphore answers = new Semaphore(TAKEN);

    /// The journal of the server: its own choice. [ChronicleTest] runs these tests on the other.
    String journal() {
        return "";
    }

    @Test
    void doesNotRepeatWhatIsRecordedAcrossKills() {
        try (Folder folder = Folder.create();
                SinkServer sink = SinkServer.start(this::answer, "PIPELINING")) {
            // Each recipient at a domain of its own: each is an attempt of its own.
            Toml toml = toml(folder, sink);
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                accept(toml, "d%d.test");
                Map<String, Integer> copiesWhenRecorded = new HashMap<>();
                for (int kill = 1; kill <= KILLS; kill++) {
                    int wanted = kill * TAKEN;
                    Set<String> recorded = new HashSet<>();
                    Await.until(
                            LIMIT,
                            () -> {
                                recorded.addAll(delivered(server));
                                return recorded.size() >= wanted;
                            },
                            () -> recorded.size() + " of " + wanted + " are recorded");
                    server.kill();
                    server.assertQuiet();
                    Map<String, Integer> copies = copies(sink);
                    recorded.forEach(
                            name -> copiesWhenRecorded.putIfAbsent(name, copies.get(name)));
                    answers.release(RECIPIENTS); // Too late for them.
                    answers = new Semaphore(kill == KILLS ? RECIPIENTS : TAKEN);
                    server.restart();
                }
                awaitEmpty(server);
                Map<String, Integer> copies = copies(sink);
                assertEquals(RECIPIENTS, copies.size(), "some have no copy");
                int extra = 0;
                for (Map.Entry<String, Integer> copy : copies.entrySet()) {
                    extra += copy.getValue() - 1;
                    Integer before = copiesWhenRecorded.get(copy.getKey());
                    if (before != null) {
                        assertEquals(before, copy.getValue(), copy.getKey() + " was sent again");
                    }
                }
                assertTrue(copiesWhenRecorded.size() >= KILLS * TAKEN);
                assertTrue(extra <= KILLS * IN_FLIGHT_MAX, extra + " more copies");
                // The control: the host did keep what it had not answered.
                assertTrue(extra > 0, "nothing was on its way when the server was killed");
            }
        }
    }

    private @Nullable String answer(String line) {
        if (line.equals(".")) {
            answers.acquireUninterruptibly();
        }
        return null;
    }

    /// Within one transaction: the host takes half of the recipients and puts the rest off.
    @Test
    void doesNotRepeatThoseThatWereTakenOfOneTransaction() {
        AtomicBoolean takesAll = new AtomicBoolean();
        try (Folder folder = Folder.create();
                SinkServer sink =
                        SinkServer.start(
                                line ->
                                        RECIPIENT.matcher(line).matches()
                                                        && numberOf(line) % 2 == 1
                                                        && !takesAll.get()
                                                ? "450 4.2.1 later"
                                                : null,
                                "PIPELINING")) {
            Toml toml = toml(folder, sink);
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                accept(toml, "sink.test");
                Await.until(
                        LIMIT,
                        () -> delivered(server).size() == RECIPIENTS / 2,
                        () -> delivered(server) + " are recorded");
                server.kill();
                server.assertQuiet();
                takesAll.set(true);
                server.restart();
                awaitEmpty(server);
                Map<String, Integer> copies = copies(sink);
                assertEquals(RECIPIENTS, copies.size(), "some have no copy");
                assertEquals(Set.of(1), Set.copyOf(copies.values()), copies::toString);
            }
        }
    }

    private static int numberOf(String line) {
        Matcher matcher = RECIPIENT.matcher(line);
        if (!matcher.matches()) {
            throw new AssertionError(line);
        }
        return Integer.parseInt(matcher.group(1).substring(1));
    }

    private Toml toml(Folder folder, SinkServer sink) {
        String text =
                """
                [queue]
                retry-first = "1s"
                retry-max = "1s"
                [delivery]
                connections-per-host-max = %d
                [[route]]
                domain = "*"
                via = "smtp:127.0.0.1:%d"
                """
                        .formatted(IN_FLIGHT_MAX, sink.port());
        return Toml.of(folder, Certificate.make(folder), text).withJournal(journal());
    }

    /// One message for all of them.
    private static void accept(Toml toml, String domain) {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            for (int i = 0; i < RECIPIENTS; i++) {
                smtp.expect("250", smtp.ask("RCPT TO:<r" + i + "@" + domain.formatted(i) + ">"));
            }
            smtp.expect("354", smtp.ask("DATA"));
            smtp.send(IdMail.compose(1, 1000) + ".\r\n");
            smtp.expect("250", smtp.reply());
        }
    }

    /// Who has it, as far as the queue has recorded that.
    private static Set<String> delivered(MaloteServer server) {
        Set<String> names = new HashSet<>();
        String list =
                server.run(
                        "queue",
                        "list",
                        "--json",
                        "--state",
                        "delivered",
                        "--config",
                        "malote.toml");
        for (String line : list.lines().filter(text -> text.startsWith("{")).toList()) {
            try {
                for (JsonNode recipient : new ObjectMapper().readTree(line).path("recipients")) {
                    if (recipient.path("state").asText().equals("delivered")) {
                        String address = recipient.path("address").asText();
                        names.add(address.substring(0, address.indexOf('@')));
                    }
                }
            } catch (JsonProcessingException e) {
                throw new AssertionError(line, e);
            }
        }
        return names;
    }

    private static void awaitEmpty(MaloteServer server) {
        Await.until(
                LIMIT,
                () ->
                        !server.run("queue", "list", "--json", "--config", "malote.toml")
                                .contains("{"),
                server::log);
    }

    /// How many copies each recipient has.
    private static Map<String, Integer> copies(SinkServer sink) {
        Map<String, Integer> copies = new HashMap<>();
        for (SinkServer.Message message : sink.messages()) {
            assertEquals(1, IdMail.check(message.text()));
            for (String recipient : message.recipients()) {
                copies.merge("r" + numberOf(recipient), 1, Integer::sum);
            }
        }
        return copies;
    }
}
