package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// O08: what a server holds does not grow with what it has done. Messages come, by STARTTLS and in
/// the clear, are relayed, and leave nothing; peers leave in the middle of everything.
@Tag("peers")
final class SoakTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int ROUNDS = 6;
    private static final int MESSAGES = 2_000;
    private static final int SESSIONS = 20;
    private static final int TLS_SESSIONS = 100;

    /// The first rounds load classes, compile code and fill pools. Later, 8 KiB lost per message
    /// would be 64 MiB.
    private static final int WARM_ROUNDS = 2;

    private static final long HEAP_GROWTH_BYTES_MAX = 6L << 20;
    private static final long ANONYMOUS_GROWTH_BYTES_MAX = 32L << 20;

    private static final Pattern HEAP_USED = Pattern.compile("used (\\d+)K");

    @Test
    void holdsNoMoreTheMoreItHasDone() {
        try (Folder folder = Folder.create();
                SinkServer sink = SinkServer.start("PIPELINING", "8BITMIME", "CHUNKING")) {
            Toml toml =
                    Toml.of(
                            folder,
                            Certificate.make(folder),
                            "[[route]]\ndomain = \"sink.test\"\nvia = \"smtp:127.0.0.1:%d\"\n"
                                    .formatted(sink.port()));
            // The heap is touched at once, so that what is resident is what grows beside it.
            try (MaloteServer server =
                    MaloteServer.start(
                            folder, toml.text(), "-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch")) {
                List<Long> heap = new ArrayList<>();
                List<Long> anonymous = new ArrayList<>();
                for (int round = 0; round < ROUNDS; round++) {
                    work(toml, (long) round * MESSAGES);
                    sink.await((round + 1) * MESSAGES, LIMIT);
                    heap.add(heapUsed(folder, server));
                    anonymous.add(Proc.anonymousBytes(server.pid()));
                }
                String figures = "heap " + heap + ", anonymous " + anonymous;
                assertTrue(growth(heap) < HEAP_GROWTH_BYTES_MAX, figures);
                assertTrue(growth(anonymous) < ANONYMOUS_GROWTH_BYTES_MAX, figures);
                server.assertQuiet();
            }
        }
    }

    private static long growth(List<Long> series) {
        return series.getLast() - series.get(WARM_ROUNDS - 1);
    }

    private static void work(Toml toml, long firstId) {
        try (Senders senders = Senders.start(toml.port(), SESSIONS, firstId, MESSAGES)) {
            for (int i = 0; i < TLS_SESSIONS; i++) {
                try (Smtp smtp = Smtp.openTls(toml.port())) {
                    smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                    smtp.expect("250", smtp.ask("RCPT TO:<b@sink.test>"));
                    smtp.expect("354", smtp.ask("DATA"));
                    smtp.send("half a message\r\n"); // and gone
                }
                try (Smtp smtp = Smtp.open(toml.port())) {
                    smtp.expect("220", smtp.ask("STARTTLS"));
                    smtp.send("no handshake");
                }
            }
            senders.join();
            assertEquals(Set.of(), senders.refusals());
        }
    }

    /// After a full collection.
    private static long heapUsed(Folder folder, MaloteServer server) {
        String pid = String.valueOf(server.pid());
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Child.run("jcmd", folder.path(), LIMIT, List.of(jcmd, pid, "GC.run"));
        String info = Child.run("jcmd", folder.path(), LIMIT, List.of(jcmd, pid, "GC.heap_info"));
        Matcher used = HEAP_USED.matcher(info);
        assertTrue(used.find(), info);
        return Long.parseLong(used.group(1)) * 1024;
    }
}
