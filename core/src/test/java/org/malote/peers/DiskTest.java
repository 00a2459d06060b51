package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// D06, D08, D09 and D10: a disk that fails, is full, has no inodes, or hangs. Peers are told in
/// time, nothing that had its 250 is lost, and the server goes on by itself when the disk does.
@Tag("peers")
@Tag("disks")
class DiskTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Duration HANG = Duration.ofSeconds(30);
    private static final int SESSIONS = 20;
    private static final int DISK_MEBIBYTES = 64;
    private static final int INODES = 48;

    /// After some hundred messages, in groups.
    private static final int FAILING_FORCE = 60;

    /// Above `body-file-threshold`: such a message needs an inode.
    private static final int LARGE_OCTETS = 300_000;

    private final AtomicBoolean isHostOpen = new AtomicBoolean();

    /// The journal of the server: its own choice. [ChronicleTest] runs these tests on the other.
    String journal() {
        return "";
    }

    /// D06: the kernel may drop what it could not write and call the next force a success, so that
    /// there must be none. The next start finds what was promised.
    @Test
    void aForceThatFailsIsTheLast() throws IOException {
        try (Folder folder = Folder.create();
                SinkServer sink = SinkServer.start(this::reply, "PIPELINING")) {
            Toml toml = toml(folder, sink);
            Path trace = folder.path().resolve("trace");
            List<String> failing =
                    List.of(
                            "strace",
                            "-D",
                            "-f",
                            "--seccomp-bpf",
                            "-qq",
                            "-y",
                            "-o",
                            trace.toString(),
                            "-e",
                            "trace=fdatasync",
                            "-e",
                            "inject=fdatasync:error=EIO:when=" + FAILING_FORCE);
            Set<Long> promised;
            try (MaloteServer server = MaloteServer.startBy(failing, folder, toml.text());
                    Senders senders = Senders.start(toml.port(), SESSIONS, 0, Long.MAX_VALUE)) {
                awaitRefusal(senders, server, "421 4.3.2");
                LockSupport.parkNanos(Duration.ofSeconds(2).toNanos()); // they go on trying
                senders.stop();
                promised = senders.acknowledged();
                assertFalse(promised.isEmpty());
                assertTrue(
                        senders.refusals().stream().allMatch(r -> r.matches("(421|451) 4\\.3.*")),
                        senders.refusals()::toString);
                assertTrue(server.log().contains("queue:"), server::log);
                server.kill();
            }
            List<String> forces = Files.readAllLines(trace);
            int failed = 0;
            while (!forces.get(failed).contains("EIO")) {
                failed++;
            }
            String file = forces.get(failed).replaceFirst(".*fdatasync\\(\\d+<(.*)>.*", "$1");
            assertTrue(file.contains("/epochs/"), forces.get(failed));
            assertEquals(
                    List.of(),
                    forces.subList(failed + 1, forces.size()).stream()
                            .filter(line -> line.contains(file))
                            .toList());
            isHostOpen.set(true);
            try (MaloteServer again = MaloteServer.start(folder, toml.text())) {
                awaitArrival(sink, promised);
                again.assertQuiet();
            }
        }
    }

    /// D08.
    @Test
    void aFullDiskIsSaidBeforeAnythingIsLost() {
        try (Folder folder = Folder.create();
                LoopDisk disk = ext4(folder);
                SinkServer sink = SinkServer.start(this::reply, "PIPELINING")) {
            Toml toml = toml(folder, disk, sink);
            try (MaloteServer server = MaloteServer.start(folder, toml.text());
                    Senders senders = Senders.start(toml.port(), SESSIONS, 0, Long.MAX_VALUE)) {
                awaitRefusal(senders, server, "452 4.3.1");
                LockSupport.parkNanos(Duration.ofSeconds(3).toNanos()); // they go on trying
                senders.stop();
                assertOnlyRefusals(senders, "452 4.3.1");
                isHostOpen.set(true);
                awaitArrival(sink, senders.acknowledged());
                awaitTaken(toml, server);
                server.assertQuiet();
            }
        }
    }

    /// D09.
    @Test
    void aDiskWithoutInodesIsSaidToo() {
        try (Folder folder = Folder.create();
                LoopDisk disk = ext4(folder, "-N", String.valueOf(INODES));
                SinkServer sink = SinkServer.start(this::reply, "PIPELINING")) {
            Toml toml = toml(folder, disk, sink);
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                Set<Long> taken = new HashSet<>();
                String refusal = "";
                for (long id = 0; id < 2 * INODES && refusal.isEmpty(); id++) {
                    String reply = send(toml, id, LARGE_OCTETS);
                    if (reply.startsWith("250")) {
                        taken.add(id);
                    } else {
                        refusal = reply;
                    }
                }
                assertTrue(refusal.startsWith("452 4.3.1"), refusal);
                assertFalse(taken.isEmpty());
                String small = send(toml, 1000, 1000); // it needs none
                assertTrue(small.startsWith("250"), small);
                taken.add(1000L);
                isHostOpen.set(true);
                awaitArrival(sink, taken);
                String large = send(toml, 1001, LARGE_OCTETS);
                assertTrue(large.startsWith("250"), large);
                server.assertQuiet();
            }
        }
    }

    /// D10.
    @Test
    void aDiskThatHangsGetsNoFalsePromise() {
        isHostOpen.set(true);
        try (Folder folder = Folder.create();
                LoopDisk disk = ext4(folder);
                SinkServer sink = SinkServer.start(this::reply, "PIPELINING")) {
            Toml toml = toml(folder, disk, sink);
            try (MaloteServer server = MaloteServer.start(folder, toml.text());
                    Senders senders =
                            Senders.paced(toml.port(), SESSIONS, Duration.ofMillis(100))) {
                Await.until(LIMIT, () -> senders.acknowledgedCount() > 10 * SESSIONS, server::log);
                int promised;
                disk.freeze();
                try {
                    LockSupport.parkNanos(Duration.ofSeconds(1).toNanos()); // what was on its way
                    promised = senders.acknowledgedCount();
                    LockSupport.parkNanos(HANG.toNanos());
                    assertEquals(promised, senders.acknowledgedCount(), "promised without a disk");
                } finally {
                    disk.thaw();
                }
                Await.until(
                        LIMIT,
                        () -> senders.acknowledgedCount() > promised + 10 * SESSIONS,
                        server::log);
                senders.stop();
                assertOnlyRefusals(senders, "451 4.3.1");
                awaitArrival(sink, senders.acknowledged());
                server.assertQuiet();
            }
        }
    }

    private @Nullable String reply(String line) {
        return line.startsWith("RCPT") && !isHostOpen.get() ? "450 4.2.0 later" : null;
    }

    private static LoopDisk ext4(Folder folder, String... more) {
        String[] mkfs = new String[2 + more.length];
        mkfs[0] = "mkfs.ext4";
        mkfs[1] = "-q";
        System.arraycopy(more, 0, mkfs, 2, more.length);
        return LoopDisk.create(
                folder, folder.path().resolve("disk.img"), "disk", DISK_MEBIBYTES, mkfs);
    }

    private Toml toml(Folder folder, LoopDisk disk, SinkServer sink) {
        return toml(folder, sink).withState(disk.path().resolve("state"));
    }

    private Toml toml(Folder folder, SinkServer sink) {
        String text =
                """
                [queue]
                free-space-reserve = "16MiB"
                retry-first = "1s"
                retry-max = "2s"
                [[route]]
                domain = "sink.test"
                via = "smtp:127.0.0.1:%d"
                """
                        .formatted(sink.port());
        return Toml.of(folder, Certificate.make(folder), text).withJournal(journal());
    }

    /// The reply to the final dot, or to MAIL where that was refused.
    private static String send(Toml toml, long id, int octets) {
        try (Smtp smtp = Smtp.open(toml.port())) {
            String reply = smtp.ask("MAIL FROM:<a@peer.test>");
            if (!reply.startsWith("250")) {
                return reply;
            }
            smtp.expect("250", smtp.ask("RSET"));
            return smtp.mail("a@peer.test", "b@sink.test", IdMail.compose(id, octets));
        }
    }

    private static void awaitRefusal(Senders senders, MaloteServer server, String start) {
        Await.until(
                LIMIT,
                () -> senders.refusals().stream().anyMatch(reply -> reply.startsWith(start)),
                () -> senders.refusals() + "\n" + server.log());
    }

    private static void assertOnlyRefusals(Senders senders, String start) {
        for (String refusal : senders.refusals()) {
            assertTrue(refusal.startsWith(start), refusal);
        }
    }

    private static void awaitArrival(SinkServer sink, Set<Long> acknowledged) {
        Set<Long> missing = new HashSet<>(acknowledged);
        Await.until(
                LIMIT,
                () -> {
                    for (SinkServer.Message message : sink.messages()) {
                        missing.remove(IdMail.check(message.text()));
                    }
                    return missing.isEmpty();
                },
                () -> missing.size() + " of " + acknowledged.size() + " are missing");
    }

    private static void awaitTaken(Toml toml, MaloteServer server) {
        Await.until(LIMIT, () -> send(toml, 1L << 40, 1000).startsWith("250"), server::log);
    }
}
