package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// What an operator learns of a spool, and saves of it, without starting it.
@ParameterizedClass
@EnumSource
final class SpoolCheckTest {
    private static final int SEEDS = 8;
    private static final SpoolCheck.Progress NOBODY = (_, _, _, _) -> {};

    private final JournalKind journal;
    @TempDir Path work;

    /// Of the spool that was made last.
    private long messages;

    private long bytes;

    SpoolCheckTest(JournalKind journal) {
        this.journal = journal;
    }

    private QueueSettings settings(Path spool) {
        QueueSettings settings = OnDisk.settings(spool, journal);
        return settings.withLimits(settings.limits().withJournalFileBytes(256 << 10));
    }

    private static QueueEnvironment environment() {
        return new QueueEnvironment(
                InstantSource.system(),
                System::nanoTime,
                new Random(1),
                Thread.ofPlatform().daemon().factory(),
                Runnable::run,
                (kind, detail) -> {
                    throw new AssertionError(kind + " " + detail);
                });
    }

    private static SpoolCheck.Report verify(Path spool) throws IOException {
        return SpoolCheck.verify(spool, environment(), NOBODY);
    }

    /// Two starts, messages in every state; returns the bodies of all.
    private Map<MessageId, byte[]> make(Path spool) throws IOException {
        var bodies = new HashMap<MessageId, byte[]>();
        for (int start = 0; start < 2; start++) {
            try (var opened = new OnDisk(settings(spool))) {
                for (int i = 0; i < 60; i++) {
                    int number = start * 60 + i;
                    byte[] body = Mail.random(number, i % 15 == 4 ? 300 << 10 : 100 + 60 * i);
                    MessageId id =
                            Mail.accept(opened.queue, Mail.to("x@b.example", "y@c.example"), body);
                    bodies.put(id, body);
                    if (i % 3 == 0) {
                        opened.queue.hold(Selection.of(id));
                    } else if (i % 7 == 0) {
                        opened.queue.remove(Selection.of(id));
                    }
                }
                for (int i = 0; i < 10; i++) {
                    Claim claim = opened.queue.claim(Long.MAX_VALUE - 1);
                    assertNotNull(claim);
                    Mail.settle(
                            claim,
                            i % 2 == 0
                                    ? Mail.delivered(claim)
                                    : Mail.deferred(claim, Long.MAX_VALUE - 1));
                }
                messages = opened.queue.stats().messages();
                bytes = opened.queue.stats().bytes();
            }
        }
        return bodies;
    }

    private static Map<String, byte[]> bytesOf(Path folder) throws IOException {
        var all = new TreeMap<String, byte[]>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.toList()) {
                all.put(
                        path.toString(),
                        Files.isRegularFile(path) ? Files.readAllBytes(path) : new byte[0]);
            }
        }
        return all;
    }

    private static void assertSame(Map<String, byte[]> before, Map<String, byte[]> after) {
        assertEquals(before.keySet(), after.keySet());
        before.forEach((path, bytes) -> assertArrayEquals(bytes, after.get(path), path));
    }

    @Test
    void countsWhatIsThereAndChangesNothing() throws IOException {
        Path spool = work.resolve("spool");
        make(spool);
        Files.write(spool.resolve("bodies").resolve("zzz"), new byte[3]);
        Map<String, byte[]> before = bytesOf(spool);
        var told = new ArrayList<String>();
        SpoolCheck.Report report =
                SpoolCheck.verify(
                        spool,
                        environment(),
                        (what, _, done, total) -> {
                            if (done == total) {
                                told.add(what);
                            }
                        });
        assertSame(before, bytesOf(spool));
        assertTrue(report.isSound(), report.toString());
        assertEquals(2, report.epochs());
        assertTrue(report.files() >= 2);
        assertTrue(report.records() > 2 * 60 + 20);
        assertTrue(messages > 0);
        assertEquals(messages, report.messages());
        assertEquals(bytes, report.bytes());
        assertEquals(List.of("zzz"), report.orphans());
        assertEquals(List.of("scanning", "reading bodies"), told);
    }

    @Test
    void readsNoSpoolThatIsInUseAndWritesIntoNoneThatHoldsSomething() throws IOException {
        Path spool = work.resolve("spool");
        try (var _ = new OnDisk(settings(spool))) {
            IOException refused = assertThrows(IOException.class, () -> verify(spool));
            assertTrue(String.valueOf(refused.getMessage()).contains("in use"));
        }
        assertThrows(IOException.class, () -> verify(work.resolve("none")));
        Path target = Files.createDirectory(work.resolve("target"));
        Files.createFile(target.resolve("note"));
        IOException refused =
                assertThrows(
                        IOException.class,
                        () -> SpoolCheck.salvage(spool, target, environment(), NOBODY));
        assertTrue(String.valueOf(refused.getMessage()).contains("not empty"));
    }

    /// A spool that is damaged at random: verify says what a start finds, and what was salvaged is
    /// what a start would have kept.
    @Test
    void savesAllThatAStartWouldKeep() throws IOException {
        Path sound = work.resolve("sound");
        Map<MessageId, byte[]> bodies = make(sound);
        int damaged = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Path spool = work.resolve("spool" + seed);
            copy(sound, spool);
            damage(spool, new Random(seed));
            Map<String, byte[]> before = bytesOf(spool);
            SpoolCheck.Report report = verify(spool);
            Path target = work.resolve("target" + seed);
            SpoolCheck.Salvage salvage = SpoolCheck.salvage(spool, target, environment(), NOBODY);
            assertSame(before, bytesOf(spool));
            damaged += report.isSound() ? 0 : 1;

            var kept = new HashMap<MessageId, QueueEntry>();
            try (var started = new OnDisk(settings(spool))) {
                QueueStats stats = started.queue.stats();
                assertEquals(stats.messages(), report.messages(), "seed " + seed);
                assertEquals(stats.quarantined(), report.damage().size(), "seed " + seed);
                started.queue.list().forEach(entry -> kept.put(entry.id(), entry));
                assertEquals(
                        kept.values().stream().filter(e -> !isWhole(started.queue, e)).count(),
                        salvage.lost().size(),
                        "seed " + seed);
                kept.values().removeIf(entry -> !isWhole(started.queue, entry));
            }
            try (var saved = new OnDisk(settings(target))) {
                assertEquals(List.of(), saved.alarms);
                assertEquals(kept.size(), salvage.messages(), "seed " + seed);
                List<QueueEntry> entries = saved.queue.list().toList();
                assertEquals(kept.size(), entries.size());
                for (QueueEntry entry : entries) {
                    assertEquals(kept.get(entry.id()), entry, "seed " + seed);
                    assertArrayEquals(
                            bodies.get(entry.id()), Mail.read(saved.queue.body(entry.id())));
                }
                MessageId next = Mail.accept(saved.queue, "new@b.example");
                assertTrue(bodies.keySet().stream().allMatch(id -> id.compareTo(next) < 0));
            }
        }
        assertTrue(damaged > SEEDS / 2, damaged + " were damaged");
    }

    private static boolean isWhole(MailQueue queue, QueueEntry entry) {
        try {
            return Mail.read(queue.body(entry.id())).length == entry.sizeBytes();
        } catch (IOException e) {
            return false;
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                // What is read is then the same for all.
                if (!path.toString().endsWith(".toc")) {
                    Files.copy(path, to.resolve(from.relativize(path).toString()));
                }
            }
        }
    }

    /// Rot in the used part of some files, and bodies that are cut or gone.
    private static void damage(Path spool, Random random) throws IOException {
        List<Path> files;
        try (Stream<Path> paths = Files.walk(spool)) {
            files =
                    paths.filter(Files::isRegularFile)
                            .filter(path -> path.toString().matches(".*/(epochs|bodies)/.*"))
                            .filter(path -> !path.toString().endsWith(".cq4t"))
                            .sorted(Comparator.comparing(Path::toString))
                            .toList();
        }
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            Path file = files.get(random.nextInt(files.size()));
            if (!Files.exists(file)) {
                continue;
            }
            byte[] bytes = Files.readAllBytes(file);
            int at = random.nextInt(Math.max(1, Math.min(bytes.length, 100_000)));
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 4096), (byte) 0);
                case 2 -> bytes = Arrays.copyOf(bytes, at);
                default -> {
                    Files.delete(file);
                    continue;
                }
            }
            Files.write(file, bytes);
        }
    }
}
