package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Many messages through a relay route: all arrive, none twice.
@Tag("peers")
final class BulkRelayTest {
    private static final int MESSAGES = 10_000;
    private static final int SESSIONS = 50;
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private static String relay(int port) {
        return "[[route]]\ndomain = \"sink.test\"\nvia = \"smtp:127.0.0.1:%d\"\n".formatted(port);
    }

    @Test
    void passesOnTenThousandFromSmtpSource() throws IOException {
        try (Folder folder = Folder.create()) {
            int sinkPort = Ports.free();
            Path dump = folder.sub("dump");
            Toml toml = Toml.of(folder, Certificate.make(folder), relay(sinkPort));
            // -d: a file for each message, with its envelope.
            try (Child sink =
                            Child.start(
                                    "smtp-sink",
                                    dump,
                                    List.of(
                                            "smtp-sink",
                                            "-u",
                                            "root",
                                            "-d",
                                            "m",
                                            "127.0.0.1:" + sinkPort,
                                            "200"));
                    MaloteServer server = MaloteServer.start(folder, toml.text())) {
                assertTrue(sink.isAlive(), sink::output);
                Child.run(
                        "smtp-source",
                        folder.path(),
                        LIMIT,
                        List.of(
                                "smtp-source",
                                "-s",
                                String.valueOf(SESSIONS),
                                "-m",
                                String.valueOf(MESSAGES),
                                "-N",
                                "-l",
                                "2000",
                                "-f",
                                "load@peer.test",
                                "-t",
                                "box@sink.test",
                                "127.0.0.1:" + toml.port()));
                Await.until(LIMIT, () -> count(dump) >= MESSAGES, () -> count(dump) + " arrived");
                server.assertQuiet();
            }
            assertEquals(MESSAGES, count(dump));
            // -N numbers the recipients: 1box@sink.test and so on, each once.
            Set<String> recipients = new java.util.HashSet<>();
            try (Stream<Path> files = Files.list(dump)) {
                for (Path file : files.toList()) {
                    try (Stream<String> lines =
                            Files.lines(file, java.nio.charset.StandardCharsets.ISO_8859_1)) {
                        recipients.add(
                                lines.filter(line -> line.startsWith("X-Rcpt-Args:"))
                                        .findFirst()
                                        .orElseThrow());
                    }
                }
            }
            assertEquals(MESSAGES, recipients.size());
        }
    }

    private static long count(Path dump) {
        try (Stream<Path> files = Files.list(dump)) {
            return files.count();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void changesAndLosesAndDoublesNothing() {
        try (Folder folder = Folder.create();
                SinkServer sink = SinkServer.start("PIPELINING", "8BITMIME", "CHUNKING")) {
            Toml toml = Toml.of(folder, Certificate.make(folder), relay(sink.port()));
            try (MaloteServer server = MaloteServer.start(folder, toml.text());
                    Senders senders = Senders.start(toml.port(), SESSIONS, 0, MESSAGES)) {
                senders.join();
                assertEquals(Set.of(), senders.refusals());
                assertEquals(MESSAGES, senders.acknowledged().size());
                sink.await(MESSAGES, LIMIT);
                assertTrue(server.isAlive());
            }
            TreeMap<Long, Integer> arrived = new TreeMap<>();
            for (SinkServer.Message message : sink.messages()) {
                arrived.merge(IdMail.check(message.text()), 1, Integer::sum);
            }
            assertEquals(MESSAGES, arrived.size());
            assertEquals(MESSAGES, sink.count(), "some came twice");
        }
    }
}
