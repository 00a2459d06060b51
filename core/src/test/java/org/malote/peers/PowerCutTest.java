package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageBody;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueLimits;
import org.malote.queue.QueueSettings;

/// D01 and D02: what had its 250 before the power was cut is in the queue after it, byte for byte;
/// and where the force is taken away it is not, or this test would prove nothing.
@Tag("peers")
@Tag("disks")
class PowerCutTest {
    private static final int CUTS = 200;

    /// One at least loses something, not each: ext4 writes by itself every five seconds.
    private static final int CUTS_WITHOUT_FORCE_MAX = 20;

    private static final int SESSIONS = 8;
    private static final int PAUSE_MILLIS_MAX = 100;

    /// About 100 messages a second in all: each cut reads all of them back.
    private static final Duration PACE = Duration.ofMillis(60);

    private static final Duration START_MAX = Duration.ofSeconds(30);
    private static final long RESERVE_BYTES = 1 << 20;

    /// The journal of the server: its own choice. [ChronicleTest] runs these tests on the other.
    String journal() {
        return "";
    }

    @Test
    void losesNothingWhenThePowerIsCut() throws IOException {
        try (Folder folder = Folder.create();
                CuttableDisk disk = CuttableDisk.create(folder)) {
            Toml toml = toml(folder, disk);
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                for (int lost : cuts(toml, disk, CUTS)) {
                    assertEquals(0, lost, "acknowledged messages were lost");
                }
                server.assertQuiet();
            }
        }
    }

    @Test
    void wouldLoseWithoutTheForce() throws IOException {
        try (Folder folder = Folder.create();
                CuttableDisk disk = CuttableDisk.create(folder)) {
            Toml toml = toml(folder, disk);
            try (MaloteServer server =
                    MaloteServer.startBy(List.of("eatmydata"), folder, toml.text())) {
                int lost =
                        cuts(toml, disk, CUTS_WITHOUT_FORCE_MAX).stream().reduce(0, Integer::sum);
                assertTrue(lost > 0, "nothing was lost without a force");
                assertTrue(server.isAlive());
            }
        }
    }

    /// How many acknowledged messages each cut lost.
    private static List<Integer> cuts(Toml toml, CuttableDisk disk, int count) throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        Integer[] lost = new Integer[count];
        try (Senders senders = Senders.paced(toml.port(), SESSIONS, PACE)) {
            Await.until(
                    START_MAX,
                    () -> senders.acknowledgedCount() > SESSIONS,
                    () -> "no mail was taken: " + senders.refusals());
            for (int i = 0; i < count; i++) {
                LockSupport.parkNanos(random.nextInt(PAUSE_MILLIS_MAX) * 1_000_000L);
                Set<Long> missing = new HashSet<>(senders.acknowledged());
                try (CuttableDisk.Cut cut = disk.cut()) {
                    missing.removeAll(queued(cut.path().resolve("state/spool")));
                }
                lost[i] = missing.size();
            }
            assertEquals(Set.of(), senders.refusals());
        }
        return List.of(lost);
    }

    /// The ids of all messages that a start finds, each whole.
    private static Set<Long> queued(Path spool) throws IOException {
        QueueSettings settings =
                QueueSettings.standard(spool)
                        .withLimits(
                                QueueLimits.standard().withFreeSpaceReserveBytes(RESERVE_BYTES));
        Set<Long> ids = new HashSet<>();
        try (MailQueue queue =
                        MailQueue.open(
                                settings,
                                new QueueEnvironment(
                                        InstantSource.system(),
                                        System::nanoTime,
                                        new Random(1),
                                        Executors.defaultThreadFactory(),
                                        Runnable::run,
                                        (_, _) -> {}));
                var entries = queue.list()) {
            for (QueueEntry entry : (Iterable<QueueEntry>) entries::iterator) {
                try (MessageBody body = queue.body(entry.id())) {
                    ByteBuffer octets = ByteBuffer.allocate((int) body.size());
                    while (octets.hasRemaining() && body.read(octets) >= 0) {}
                    ids.add(IdMail.check(new String(octets.array(), StandardCharsets.ISO_8859_1)));
                }
            }
        }
        return ids;
    }

    private Toml toml(Folder folder, CuttableDisk disk) {
        Toml usual =
                Toml.of(
                        folder,
                        Certificate.make(folder),
                        // A slow host makes the sessions long.
                        """
                        [limits]
                        messages-max = 1000000
                        [queue]
                        free-space-reserve = "1MiB"
                        [[route]]
                        domain = "*"
                        via = "hold"
                        """);
        return usual.withState(disk.path().resolve("state")).withJournal(journal());
    }
}
