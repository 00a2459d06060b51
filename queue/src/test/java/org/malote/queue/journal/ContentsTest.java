package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A start on segments that have their contents beside them.
final class ContentsTest {
    private static final int FILE_BYTES = 1 << 20;
    private static final int RECORDS = 3000;

    /// Two thirds of them in segments that are full.
    private static final int BODY_BYTES = 1000;

    @TempDir private Path spool;

    /// Heads, whether the body came with them, and what was said.
    private static final class Seen implements JournalVisitor {
        final List<String> heads = new ArrayList<>();
        final List<String> said = new ArrayList<>();
        int bodies;

        @Override
        public void onRecord(long position, byte type, ByteBuffer payload) {
            byte[] head = new byte[6];
            payload.get(head);
            heads.add(new String(head, StandardCharsets.UTF_8) + " " + type + " " + position);
            bodies += payload.hasRemaining() ? 1 : 0;
        }

        @Override
        public void onEpochEnd() {
            said.add("end");
        }

        @Override
        public void onDamage(String detail) {
            said.add(detail);
        }

        @Override
        public void onTornTail(String detail) {
            said.add(detail);
        }
    }

    private SegmentJournal open(boolean isDurable) throws IOException {
        return SegmentJournal.open(
                new LocalDisk(),
                spool,
                new JournalSettings(FILE_BYTES, isDurable, 0, 0),
                new Random(System.identityHashCode(this)),
                Runnable::run);
    }

    private static JournalRecord record(int number) {
        byte[] head = "n%05d".formatted(number).getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[BODY_BYTES];
        Arrays.fill(body, (byte) 'x');
        return new JournalRecord(
                (byte) (1 + number % 2), ByteBuffer.wrap(head), List.of(ByteBuffer.wrap(body)));
    }

    private void write(int from, int to) throws IOException {
        try (var journal = open(true)) {
            fill(journal, from, to);
        }
    }

    private static void fill(SegmentJournal journal, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            assertTrue(journal.reserve(BODY_BYTES + 100));
            journal.append(record(i));
            if (i % 7 == 0 || i == to - 1) {
                journal.force();
            }
        }
    }

    private Seen recover() throws IOException {
        var seen = new Seen();
        try (var journal = open(true)) {
            journal.recover(seen);
        }
        return seen;
    }

    private List<Path> files(String suffix) throws IOException {
        try (var found = Files.walk(spool.resolve("epochs"))) {
            return found.filter(path -> path.toString().endsWith(suffix)).sorted().toList();
        }
    }

    @Test
    void tellWhatTheSegmentsWould() throws IOException {
        write(0, RECORDS);
        assertTrue(files(".seg").size() > 2);
        assertEquals(files(".seg").size(), files(".toc").size());
        Seen byContents = recover();
        for (Path contents : files(".toc")) {
            Files.delete(contents);
        }
        Seen bySegments = recover();
        assertEquals(RECORDS, byContents.heads.size());
        assertEquals(bySegments.heads, byContents.heads);
        assertEquals(List.of("end"), byContents.said);
        assertEquals(List.of("end"), bySegments.said);
        assertEquals(0, byContents.bodies);
        assertEquals(RECORDS, bySegments.bodies);
    }

    @Test
    void goOnBeforeAndBehindASegmentThatMustBeRead() throws IOException {
        write(0, RECORDS);
        Files.delete(files(".toc").get(1));
        write(RECORDS, RECORDS + 10);
        Seen seen = recover();
        assertEquals(RECORDS + 10, seen.heads.size());
        assertEquals(List.of("end", "end"), seen.said);
        assertTrue(seen.bodies > 0 && seen.bodies < RECORDS / 2, seen.bodies + " were read");
    }

    @Test
    void areNotBelievedWhenAnythingInThemIsWrong() throws IOException {
        write(0, 100);
        Path contents = files(".toc").getFirst();
        byte[] sound = Files.readAllBytes(contents);
        Seen expected = recover();
        assertEquals(0, expected.bodies);
        var random = new Random(11);
        for (int i = 0; i < 300; i++) {
            byte[] wrong = sound.clone();
            wrong[i < sound.length / 40 ? i : random.nextInt(wrong.length)] ^=
                    (byte) (1 << random.nextInt(8));
            assertReadsTheSegment(expected, contents, wrong);
        }
        for (int length = 0; length < sound.length; length += 1 + random.nextInt(60)) {
            assertReadsTheSegment(expected, contents, Arrays.copyOf(sound, length));
        }
        assertReadsTheSegment(expected, contents, Arrays.copyOf(sound, sound.length + 1));
    }

    private void assertReadsTheSegment(Seen expected, Path contents, byte[] wrong)
            throws IOException {
        Files.write(contents, wrong);
        Seen seen = recover();
        assertEquals(expected.heads, seen.heads);
        assertEquals(expected.heads.size(), seen.bodies);
    }

    /// Of another spool, or of an earlier segment.
    @Test
    void areNotBelievedOfAnotherSegment() throws IOException {
        write(0, RECORDS);
        List<Path> contents = files(".toc");
        Files.copy(
                contents.get(0),
                contents.get(1),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Seen seen = recover();
        assertEquals(RECORDS, seen.heads.size());
        assertEquals(List.of("end"), seen.said);
        assertTrue(seen.bodies > 0);
    }

    @Test
    void areNotBelievedOfASegmentThatIsShortOrOtherwise() throws IOException {
        write(0, 100);
        Path segment = files(".seg").getFirst();
        byte[] sound = Files.readAllBytes(segment);
        Files.write(segment, Arrays.copyOf(sound, 50 * (BODY_BYTES + 40)));
        assertTrue(recover().heads.size() < 100);
        byte[] garbage = new byte[sound.length];
        new Random(3).nextBytes(garbage);
        Files.write(segment, garbage);
        Seen seen = recover();
        assertEquals(0, seen.heads.size());
        assertTrue(seen.said.getFirst().contains("holds nothing"), seen.said.toString());
    }

    @Test
    void tellOfASegmentThatIsMissingBetween() throws IOException {
        write(0, RECORDS);
        Files.delete(files(".seg").get(1));
        Files.delete(files(".toc").get(1));
        Seen seen = recover();
        assertTrue(seen.heads.size() < RECORDS);
        assertEquals(0, seen.bodies);
        assertTrue(seen.said.getFirst().contains(" lost "), seen.said.toString());
    }

    /// What the disk refused, or the process did not come to.
    @Test
    void areNotEndedForWhatWasNotForced() throws IOException {
        try (var journal = open(true)) {
            fill(journal, 0, 50);
            assertTrue(journal.reserve(BODY_BYTES + 100));
            journal.append(record(50));
            journal.flush();
        }
        assertEquals(List.of(), files(".toc"));
        assertEquals(51, recover().heads.size());
    }

    @Test
    void leaveTheJournalAloneWhenTheyCannotBeWritten() throws IOException {
        var disk = new FaultyDisk(new LocalDisk());
        try (var journal =
                SegmentJournal.open(
                        disk,
                        spool,
                        new JournalSettings(FILE_BYTES, true, 0, 0),
                        new Random(5),
                        Runnable::run)) {
            fill(journal, 0, 100);
            disk.failCreate(true);
        }
        assertEquals(List.of(), files(".toc"));
        assertEquals(100, recover().heads.size());
    }

    @Test
    void goWithTheirSegment() throws IOException {
        write(0, RECORDS);
        try (var journal = open(true)) {
            journal.recover(new Seen());
            int current = journal.currentFile();
            for (int file = 0; file <= current; file++) {
                journal.delete(file);
            }
        }
        assertEquals(List.of(), files(".toc"));
        assertEquals(List.of(), files(".seg"));
    }

    @Test
    void growInPieces() throws IOException {
        byte[] large = new byte[300_000];
        Arrays.fill(large, (byte) 'h');
        try (var journal = open(true)) {
            for (int i = 0; i < 20; i++) {
                assertTrue(journal.reserve(large.length + 100));
                byte[] head = large.clone();
                byte[] name = "n%05d".formatted(i).getBytes(StandardCharsets.UTF_8);
                System.arraycopy(name, 0, head, 0, name.length);
                journal.append(new JournalRecord((byte) 1, ByteBuffer.wrap(head), List.of()));
            }
            journal.force();
        }
        assertFalse(files(".toc").isEmpty());
        Seen seen = recover();
        assertEquals(20, seen.heads.size());
        assertTrue(seen.heads.get(7).startsWith("n00007 1"));
    }
}
