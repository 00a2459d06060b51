package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// The queue on a disk.
@ParameterizedClass
@EnumSource
final class SpoolTest {
    private final JournalKind journal;
    @TempDir Path directory;

    SpoolTest(JournalKind journal) {
        this.journal = journal;
    }

    private QueueSettings settings() {
        return OnDisk.settings(directory, journal);
    }

    @Test
    void givesBackWhatItTookAfterARestart() throws IOException {
        byte[] small = Mail.random(1, 5000);
        byte[] large = Mail.random(2, 300 << 10);
        MessageId first;
        MessageId second;
        try (var spool = new OnDisk(settings())) {
            first = Mail.accept(spool.queue, Mail.to("x@b.example", "y@c.example"), small);
            second = Mail.accept(spool.queue, Mail.to("z@b.example"), large);
            assertArrayEquals(small, Mail.read(spool.queue.body(first)));
        }
        try (var spool = new OnDisk(settings())) {
            assertEquals(List.of(), spool.alarms);
            assertEquals(2, spool.queue.stats().recovered());
            QueueEntry entry = spool.queue.find(first);
            assertNotNull(entry);
            assertEquals("sender@a.example", entry.sender());
            assertEquals("8bitmime", entry.attributes().get("body"));
            assertEquals("y@c.example", entry.recipients().get(1).recipient().address());
            assertArrayEquals(small, Mail.read(spool.queue.body(first)));
            assertArrayEquals(large, Mail.read(spool.queue.body(second)));
            Claim claim = spool.queue.claim(Long.MAX_VALUE);
            assertNotNull(claim);
            assertEquals(first, claim.messageId());
            assertEquals("b.example", claim.destination());
            assertArrayEquals(small, Mail.read(claim.body()));
            Mail.settle(claim, Mail.delivered(claim));
        }
        try (var spool = new OnDisk(settings())) {
            QueueEntry entry = spool.queue.find(first);
            assertNotNull(entry);
            assertEquals(RecipientState.DELIVERED, entry.recipients().get(0).state());
            assertEquals(RecipientState.WAITING, entry.recipients().get(1).state());
            assertEquals("250 ok", entry.recipients().get(0).lastReply());
            assertTrue(first.compareTo(spool.queue.begin().id()) < 0);
        }
    }

    @Test
    void deletesFilesAndEpochsThatHoldNothing() throws IOException {
        QueueSettings settings = settings();
        settings = settings.withLimits(settings.limits().withJournalFileBytes(1 << 20));
        try (var spool = new OnDisk(settings)) {
            var pending = new ArrayList<CompletableFuture<CommitResult>>();
            for (int i = 0; i < 400; i++) {
                pending.add(Mail.send(spool.queue, Mail.to("x@b.example"), Mail.random(i, 8192)));
            }
            pending.forEach(CompletableFuture::join);
            assertTrue(spool.queue.stats().journalFiles() >= 2);
            while (true) {
                Claim claim = spool.queue.claim(Long.MAX_VALUE);
                if (claim == null) {
                    break;
                }
                Mail.settle(claim, Mail.delivered(claim));
            }
            Mail.accept(spool.queue, "last@b.example");
        }
        try (var spool = new OnDisk(settings)) {
            assertEquals(1, spool.queue.stats().messages());
            assertEquals(List.of(), spool.alarms);
            assertEquals(1, spool.queue.remove(Selection.all()));
        }
        try (var _ = new OnDisk(settings)) {
            try (var epochs = Files.list(directory.resolve("epochs"))) {
                assertEquals(1, epochs.count());
            }
        }
    }

    @Test
    void movesOldRecordsOutOfASparseJournal() throws IOException {
        QueueSettings settings = settings();
        settings = settings.withLimits(settings.limits().withJournalFileBytes(1 << 20));
        byte[] kept = Mail.random(99, 7000);
        MessageId old;
        try (var spool = new OnDisk(settings)) {
            old = Mail.accept(spool.queue, Mail.to("x@b.example", "held@c.example"), kept);
            Claim first = spool.queue.claim(Long.MAX_VALUE);
            assertNotNull(first);
            Mail.settle(first, Mail.delivered(first));
            spool.queue.hold(Selection.all());
            for (int round = 0; round < 12; round++) {
                var pending = new ArrayList<CompletableFuture<CommitResult>>();
                for (int i = 0; i < 150; i++) {
                    pending.add(
                            Mail.send(spool.queue, Mail.to("y@b.example"), Mail.random(i, 8192)));
                }
                pending.forEach(CompletableFuture::join);
                for (Claim claim = spool.queue.claim(Long.MAX_VALUE);
                        claim != null;
                        claim = spool.queue.claim(Long.MAX_VALUE)) {
                    Mail.settle(claim, Mail.delivered(claim));
                }
            }
            assertTrue(spool.queue.stats().journalFiles() <= 8, spool.queue.stats().toString());
            assertArrayEquals(kept, Mail.read(spool.queue.body(old)));
        }
        try (var spool = new OnDisk(settings)) {
            assertEquals(List.of(), spool.alarms);
            assertEquals(1, spool.queue.stats().messages());
            QueueEntry entry = spool.queue.find(old);
            assertNotNull(entry);
            assertEquals(RecipientState.DELIVERED, entry.recipients().get(0).state());
            assertEquals(RecipientState.HELD, entry.recipients().get(1).state());
            assertArrayEquals(kept, Mail.read(spool.queue.body(old)));
            assertNull(spool.queue.claim(Long.MAX_VALUE));
        }
    }

    /// With what the remotes said, the record would be larger than one may be.
    @Test
    void keepsTheFileOfARecordThatIsTooLargeToMove() throws IOException {
        QueueSettings settings = settings();
        settings =
                settings.withLimits(
                        settings.limits()
                                .withJournalFileBytes(1 << 20)
                                .withIntake(4 << 20, 64 << 20, 8 << 20));
        var addresses = new String[1600];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = "r" + i + "@c.example";
        }
        byte[] body = Mail.random(5, 4 << 20);
        String reply = "\u20ac".repeat(Records.REPLY_MAX_CHARS);
        try (var spool = new OnDisk(settings)) {
            MessageId id = Mail.accept(spool.queue, Mail.to(addresses), body);
            long never = Long.MAX_VALUE - 1;
            for (int i = 0; i < addresses.length; i += 100) {
                Claim claim = spool.queue.claim(never - 1);
                assertNotNull(claim);
                Mail.settle(
                        claim,
                        claim.recipients().stream()
                                .map(r -> new Settlement.Deferred(r.index(), never, reply))
                                .map(Settlement.class::cast)
                                .toList());
            }
            for (int i = 0; i < 100; i++) {
                Mail.accept(spool.queue, Mail.to("y@b.example"), new byte[200 << 10]);
            }
            assertTrue(spool.queue.stats().journalFiles() > 8, spool.queue.stats().toString());
            for (Claim claim = spool.queue.claim(never - 1);
                    claim != null;
                    claim = spool.queue.claim(never - 1)) {
                Mail.settle(claim, Mail.delivered(claim));
            }
            Mail.accept(spool.queue, "y@b.example");
            assertNull(spool.queue.admission(0));
            assertArrayEquals(body, Mail.read(spool.queue.body(id)));
        }
    }

    @Test
    void refusesALargeMessageForNowWhenItsFileCannotBeOpened() throws IOException {
        try (var spool = new OnDisk(settings())) {
            MessageWriter writer = spool.queue.begin();
            Files.createDirectory(directory.resolve("bodies").resolve(writer.id() + ".tmp"));
            writer.write(ByteBuffer.allocate(300 << 10));
            assertEquals(Refusal.NO_SPACE, Mail.refusal(Mail.seal(writer, Mail.to("x@b.example"))));
            assertNull(spool.queue.admission(0));
            Mail.accept(spool.queue, Mail.to("x@b.example"), new byte[300 << 10]);
        }
    }

    @Test
    void keepsASpoolToOneProcess() throws IOException {
        try (var _ = new OnDisk(settings())) {
            IOException refused = assertThrows(IOException.class, () -> new OnDisk(settings()));
            assertTrue(refused.toString().contains("in use"), refused.toString());
        }
    }

    @Test
    void deletesBodiesThatNoMessageRefersTo() throws IOException {
        try (var spool = new OnDisk(settings())) {
            Mail.accept(spool.queue, "x@b.example");
        }
        Path bodies = directory.resolve("bodies");
        Files.write(bodies.resolve(MessageId.of(1, 77).toString()), Mail.text("orphan"));
        Files.write(bodies.resolve("x.tmp"), Mail.text("partial"));
        Files.write(bodies.resolve("NOTES"), Mail.text("an operator's own"));
        try (var _ = new OnDisk(settings())) {
            assertEquals(List.of("NOTES"), names(bodies));
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (var found = Files.list(directory)) {
            return found.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static String nameIn(Path quarantine, Path file) throws IOException {
        String suffix = "-" + file.getFileName();
        return names(quarantine).stream().filter(n -> n.endsWith(suffix)).findFirst().orElseThrow();
    }

    private Path journalFile() throws IOException {
        try (var found = Files.walk(directory.resolve("epochs"))) {
            return found.filter(path -> path.toString().matches(".*\\.(cq4|seg)"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /// The record of a large message is lost; its body need not be.
    @Test
    void keepsTheBodyWhoseRecordItCannotRead() throws IOException {
        byte[] body = Mail.random(3, 300 << 10);
        MessageId id;
        try (var spool = new OnDisk(settings())) {
            id = Mail.accept(spool.queue, Mail.to("x@b.example"), body);
            Mail.accept(spool.queue, "y@b.example");
        }
        Path file = journalFile();
        byte[] bytes = Files.readAllBytes(file);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        bytes[text.indexOf("MLTf")] = 0;
        Files.write(file, bytes);
        Path bodies = directory.resolve("bodies");
        Path quarantine = directory.resolve("quarantine");
        Files.write(bodies.resolve("x.tmp"), Mail.text("partial"));
        try (var spool = new OnDisk(settings())) {
            assertEquals(1, spool.alarms.size());
            assertEquals(1, spool.queue.stats().messages());
            assertEquals(List.of(), names(bodies));
            assertArrayEquals(body, Files.readAllBytes(quarantine.resolve(id.toString())));
            assertEquals(1, spool.queue.remove(Selection.all()));
        }
        // Nothing in the file is needed any more, as far as it can be read.
        assertArrayEquals(bytes, Files.readAllBytes(quarantine.resolve(nameIn(quarantine, file))));
        try (var spool = new OnDisk(settings())) {
            assertEquals(List.of(), spool.alarms);
        }
    }

    @Test
    void keepsAJournalFileThatItCannotRead() throws IOException {
        try (var spool = new OnDisk(settings())) {
            Mail.accept(spool.queue, "x@b.example");
        }
        Path file = journalFile();
        var garbage = Mail.random(4, 9000);
        Files.write(file, garbage);
        try (var spool = new OnDisk(settings())) {
            assertEquals(1, spool.alarms.size());
            assertTrue(spool.alarms.getFirst().startsWith("QUARANTINED"), spool.alarms.toString());
            Path quarantine = directory.resolve("quarantine");
            Path kept = quarantine.resolve(names(quarantine).getFirst());
            assertArrayEquals(garbage, Files.readAllBytes(kept));
            Mail.accept(spool.queue, "y@b.example");
        }
    }
}
