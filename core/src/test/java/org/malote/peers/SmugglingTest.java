package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// P01 and P02: one message in is never two, and what goes out cannot be read as two either.
@Tag("peers")
final class SmugglingTest {
    private static final String ALPHABET = "\r\n.x";
    private static final int LENGTH_MAX = 6;
    private static final int SESSIONS = 8;

    /// What an attacker hides behind a false end of the message.
    private static final String HIDDEN =
            "MAIL FROM:<evil@peer.test>\r\nRCPT TO:<hidden@box.test>\r\nDATA\r\nevil\r\n.\r\n";

    private static Folder folder;
    private static SinkServer sink;
    private static Toml toml;
    private static MaloteServer server;
    private static Path mail;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        sink = SinkServer.start("PIPELINING", "8BITMIME");
        mail = folder.path().resolve("mail");
        toml =
                Toml.of(
                        folder,
                        Certificate.make(folder),
                        """
                        [queue]
                        durability = "relaxed"
                        [limits]
                        errors-max = 100000
                        rejections-max = 100000
                        commands-max = 1000000
                        messages-max = 1000000
                        [[route]]
                        domain = "box.test"
                        via = "maildir:%s/{local}"
                        [[route]]
                        domain = "sink.test"
                        via = "smtp:127.0.0.1:%d"
                        """
                                .formatted(mail, sink.port()));
        server = MaloteServer.start(folder, toml.text());
    }

    @AfterAll
    static void stop() {
        try (var _ = folder;
                var _ = sink;
                var _ = server) {}
    }

    /// All strings up to length 6 over CR LF . x.
    private static List<String> strings() {
        List<String> strings = new ArrayList<>(List.of(""));
        for (int from = 0, length = 0; length < LENGTH_MAX; length++) {
            int to = strings.size();
            for (; from < to; from++) {
                for (int i = 0; i < ALPHABET.length(); i++) {
                    strings.add(strings.get(from) + ALPHABET.charAt(i));
                }
            }
        }
        return strings;
    }

    @Test
    void endsNoMessageEarlyOverPlainText() {
        assertEquals(5461, strings().size());
        everyStringIsOneMessage("x", _ -> Smtp.open(toml.port()), false);
    }

    @Test
    void endsNoMessageEarlyOverTls() {
        everyStringIsOneMessage("x\r\n", _ -> Smtp.openTls(toml.port()), false);
    }

    @Test
    void endsNoMessageEarlyWhenOctetsComeAlone() {
        everyStringIsOneMessage("", _ -> Smtp.open(toml.port()), true);
    }

    private static void everyStringIsOneMessage(
            String prefix, IntFunction<Smtp> connect, boolean byOctet) {
        Queue<String> failures = new ConcurrentLinkedQueue<>();
        List<String> strings = strings();
        List<Thread> threads = new ArrayList<>();
        for (int session = 0; session < SESSIONS; session++) {
            int first = session;
            threads.add(
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try (Smtp smtp = connect.apply(first)) {
                                            for (int i = first; i < strings.size(); i += SESSIONS) {
                                                String problem =
                                                        probe(
                                                                smtp,
                                                                prefix,
                                                                strings.get(i),
                                                                byOctet);
                                                if (!problem.isEmpty()) {
                                                    failures.add(problem);
                                                    return;
                                                }
                                            }
                                        } catch (RuntimeException e) {
                                            failures.add(e.toString());
                                        }
                                    }));
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
        assertEquals(List.of(), List.copyOf(failures));
        assertEquals(0, Maildirs.messages(mail.resolve("hidden")).size());
    }

    /// @return what went wrong, empty when nothing did
    private static String probe(Smtp smtp, String prefix, String string, boolean byOctet) {
        String start = prefix + string;
        // RFC 5321 §4.1.1.4: DATA's own CRLF is the one before a first line that is a dot.
        if (("\r\n" + start + HIDDEN).indexOf("\r\n.\r\n") < 2 + start.length() - 1
                && ("\r\n" + start).contains("\r\n.\r\n")) {
            return ""; // A true end: what follows is commands by right.
        }
        smtp.send("MAIL FROM:<a@peer.test>\r\nRCPT TO:<seen@box.test>\r\nDATA\r\n");
        for (String code : List.of("250", "250", "354")) {
            String reply = smtp.reply();
            if (!reply.startsWith(code)) {
                return "before " + show(string) + ": " + reply;
            }
        }
        if (byOctet) {
            for (int i = 0; i < start.length(); i++) {
                smtp.send(start.substring(i, i + 1));
            }
            smtp.send(HIDDEN);
        } else {
            smtp.send(start + HIDDEN);
        }
        String outcome = smtp.reply();
        boolean isOne = outcome.startsWith("250 2.0.0 queued") || outcome.startsWith("554");
        // 252 answers VRFY alone: any other reply here answers what was hidden.
        String next = smtp.ask("VRFY x");
        return isOne && next.startsWith("252")
                ? ""
                : show(string) + " after " + show(prefix) + ": " + outcome + " then " + next;
    }

    private static String show(String string) {
        return "\"" + string.replace("\r", "\\r").replace("\n", "\\n") + "\"";
    }

    @Test
    void putsNoBareLineEndAndNoFalseEndOnTheWire() {
        List<String> bodies = new ArrayList<>();
        // BDAT is the way in for bodies that DATA could not carry: their dots are not doubled.
        try (Smtp smtp = Smtp.open(toml.port())) {
            for (String string : strings()) {
                if (string.length() != 5) {
                    continue;
                }
                String body = "Subject: x\r\n\r\nx" + string + "x\r\n" + HIDDEN + "x\r\n";
                smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                smtp.expect("250", smtp.ask("RCPT TO:<box@sink.test>"));
                smtp.send("BDAT " + body.length() + " LAST\r\n" + body);
                String reply = smtp.reply();
                if (reply.startsWith("250")) {
                    bodies.add(body);
                } else {
                    smtp.expect("554", reply);
                }
            }
        }
        List<SinkServer.Message> messages = sink.await(bodies.size(), Duration.ofSeconds(60));
        assertEquals(bodies.size(), messages.size());
        List<String> contents = new ArrayList<>();
        for (SinkServer.Message message : messages) {
            String wire = new String(message.wire(), StandardCharsets.ISO_8859_1);
            assertTrue(
                    wire.replace("\r\n", "").chars().noneMatch(c -> c == '\r' || c == '\n'),
                    () -> "a bare CR or LF went out: " + show(wire));
            assertEquals(wire.length() - 5, wire.indexOf("\r\n.\r\n"), () -> show(wire));
            assertTrue(message.mail().contains("a@peer.test"), message.mail());
            contents.add(message.text().substring(message.text().indexOf("Subject: x")));
        }
        assertEquals(bodies.stream().sorted().toList(), contents.stream().sorted().toList());
    }
}
