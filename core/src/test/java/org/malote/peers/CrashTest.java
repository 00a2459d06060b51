package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What had its 250 is not lost: not by SIGKILL (D04), not by SIGTERM (O06).
@Tag("peers")
class CrashTest {
    private static final int KILLS = 10;
    private static final int KILLS_OF_A_STORM = 100;
    private static final int STOPS = 20;
    private static final int SESSIONS = 20;

    /// Attempts to one host at one time, as configured below: what a kill can double.
    private static final int IN_FLIGHT_MAX = 20;

    private static final Duration DRAIN_MAX = Duration.ofSeconds(30);
    private static final Duration ARRIVAL_MAX = Duration.ofSeconds(90);

    private static final Duration START_MAX = Duration.ofMinutes(1);

    /// Longer than the retry delay below.
    private static final int QUIET_MILLIS = 2500;

    /// The journal of the server: its own choice. [ChronicleTest] runs these tests on the other.
    String journal() {
        return "";
    }

    private static String relay(int port) {
        return """
        [queue]
        retry-first = "1s"
        retry-max = "1s"
        attempts-per-destination-max = %d
        [delivery]
        connections-per-host-max = %d
        [[route]]
        domain = "sink.test"
        via = "smtp:127.0.0.1:%d"
        """
                .formatted(IN_FLIGHT_MAX, IN_FLIGHT_MAX, port);
    }

    @Test
    void losesNothingWhenKilled() {
        killed(KILLS);
    }

    /// D04 in full.
    @Test
    @Tag("long")
    void losesNothingWhenKilledAHundredTimes() {
        killed(KILLS_OF_A_STORM);
    }

    private void killed(int kills) {
        try (Folder folder = Folder.create();
                SinkServer sink = SinkServer.start("PIPELINING", "8BITMIME")) {
            Toml toml =
                    Toml.of(folder, Certificate.make(folder), relay(sink.port()))
                            .withJournal(journal());
            SplittableRandom random = new SplittableRandom(4);
            try (MaloteServer server = MaloteServer.start(folder, toml.text());
                    Senders senders = Senders.start(toml.port(), SESSIONS, 0, Long.MAX_VALUE)) {
                for (int kill = 0; kill < kills; kill++) {
                    underLoad(senders, random);
                    server.kill();
                    server.assertQuiet();
                    server.restart();
                }
                underLoad(senders, random);
                senders.stop();
                Set<Long> acknowledged = senders.acknowledged();
                Map<Long, Integer> arrived = arrived(sink, acknowledged);
                int extra = sink.count() - arrived.size();
                assertTrue(
                        extra <= kills * 2 * IN_FLIGHT_MAX,
                        () -> extra + " of " + sink.count() + " came again");
            }
        }
    }

    @Test
    void losesNothingWhenStopped() {
        try (Folder folder = Folder.create();
                SinkServer sink = SinkServer.start("PIPELINING", "8BITMIME")) {
            Toml toml =
                    Toml.of(folder, Certificate.make(folder), relay(sink.port()))
                            .withJournal(journal());
            SplittableRandom random = new SplittableRandom(6);
            try (MaloteServer server = MaloteServer.start(folder, toml.text());
                    Senders senders = Senders.start(toml.port(), SESSIONS, 0, Long.MAX_VALUE)) {
                for (int stop = 0; stop < STOPS; stop++) {
                    underLoad(senders, random);
                    server.terminate();
                    assertEquals(0, server.await(DRAIN_MAX), server::log);
                    server.assertQuiet();
                    server.restart();
                }
                underLoad(senders, random);
                senders.stop();
                Set<Long> acknowledged = senders.acknowledged();
                for (String refusal : senders.refusals()) {
                    assertTrue(refusal.startsWith("421"), refusal);
                }
                assertTrue(!senders.refusals().isEmpty(), "nobody was told of the end");
                Map<Long, Integer> arrived = arrived(sink, acknowledged);
                // A stop that lets attempts finish doubles nothing.
                assertEquals(arrived.size(), sink.count(), "some came twice");
            }
        }
    }

    /// Returns at some moment when the server that has just started is in the middle of mail.
    private static void underLoad(Senders senders, SplittableRandom random) {
        int before = senders.acknowledgedCount();
        Await.until(
                START_MAX,
                () -> senders.acknowledgedCount() > before + 5 * SESSIONS,
                () -> "only " + (senders.acknowledgedCount() - before) + " were taken");
        pause(random.nextInt(300));
    }

    /// Waits until all of them are at the sink, and until nothing more comes: what was committed
    /// and
    /// never acknowledged comes too.
    private static Map<Long, Integer> arrived(SinkServer sink, Set<Long> acknowledged) {
        Map<Long, Integer> arrived = new HashMap<>();
        int[] seen = {0};
        Set<Long> missing = new HashSet<>(acknowledged);
        Await.until(
                ARRIVAL_MAX,
                () -> {
                    for (; seen[0] < sink.count(); seen[0]++) {
                        long id = IdMail.check(sink.message(seen[0]).text());
                        arrived.merge(id, 1, Integer::sum);
                        missing.remove(id);
                    }
                    return missing.isEmpty();
                },
                () ->
                        missing.size()
                                + " acknowledged messages are missing, such as "
                                + missing.iterator().next());
        int before;
        do {
            before = sink.count();
            pause(QUIET_MILLIS);
        } while (sink.count() > before);
        for (; seen[0] < before; seen[0]++) {
            arrived.merge(IdMail.check(sink.message(seen[0]).text()), 1, Integer::sum);
        }
        return arrived;
    }

    private static void pause(int millis) {
        LockSupport.parkNanos(Duration.ofMillis(millis).toNanos());
    }
}
