package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files that the journal goes on with: made ahead, and used again.
final class SparesTest {
    private static final int FILE_BYTES = 64 << 10;
    private static final int SPARES = 4;

    /// What was drained of so many files is deleted.
    private static final int FILES_KEPT = 3;

    /// What filling and draining takes, at least, when spares are there already.
    private static final int STEPS_MIN = 200;

    @TempDir Path spool;
    private final FaultyDisk disk = new FaultyDisk(new LocalDisk());

    /// Jobs of the background, which run when the test says so.
    private final ArrayDeque<Runnable> jobs = new ArrayDeque<>();

    private static JournalSettings settings(int spares) {
        return new JournalSettings(FILE_BYTES, true, (long) spares * FILE_BYTES, 1);
    }

    private SegmentJournal open(Disk on, Executor io) throws IOException {
        return SegmentJournal.open(on, spool, settings(SPARES), new Random(spool.hashCode()), io);
    }

    private void runJobs() {
        while (!jobs.isEmpty()) {
            jobs.remove().run();
        }
    }

    private List<String> spares() throws IOException {
        try (var found = Files.list(spool.resolve("spares"))) {
            return found.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private List<Path> segments() throws IOException {
        try (var found = Files.walk(spool.resolve("epochs"))) {
            return found.filter(FileNames::isJournal).sorted().toList();
        }
    }

    /// What recovery gave: the number at the start of each record.
    private static final class Seen implements JournalVisitor {
        final List<Integer> numbers = new ArrayList<>();
        final List<String> damage = new ArrayList<>();

        @Override
        public void onRecord(long position, byte type, ByteBuffer payload) {
            numbers.add(payload.getInt());
        }

        @Override
        public void onDamage(String detail) {
            damage.add(detail);
        }

        @Override
        public void onEpochEnd() {}

        @Override
        public void onTornTail(String detail) {}
    }

    /// A record of its number and much else, which may look like a frame.
    private static JournalRecord record(int number, Random random) {
        var bytes = new byte[1000 + random.nextInt(9000)];
        random.nextBytes(bytes);
        var head = ByteBuffer.allocate(4).putInt(number).flip();
        return new JournalRecord((byte) 1, head, List.of(ByteBuffer.wrap(bytes)));
    }

    /// Appends, and drains the oldest files, as a queue does whose mail leaves again.
    ///
    /// @param drainedTo told before a file is deleted: the number of the first record behind it
    private static int fill(SegmentJournal journal, int from, int count, List<Integer> drainedTo)
            throws IOException {
        var random = new Random(from);
        var firstOf = new ArrayList<Integer>();
        int firstFile = journal.currentFile() + 1;
        int deleted = firstFile;
        for (int number = from; number < from + count; number++) {
            JournalRecord record = record(number, random);
            if (!journal.reserve(record.length() + 100L)) {
                throw new IOException("refused");
            }
            journal.append(record);
            if (firstOf.size() <= journal.currentFile() - firstFile) {
                firstOf.add(number);
            }
            journal.force();
            drainedTo.set(1, number + 1);
            while (journal.currentFile() - deleted >= FILES_KEPT) {
                drainedTo.set(0, firstOf.get(deleted + 1 - firstFile));
                journal.delete(deleted++);
            }
        }
        return from + count;
    }

    private Seen recover(Disk on) throws IOException {
        var seen = new Seen();
        try (var journal = open(on, Runnable::run)) {
            journal.recover(seen);
        }
        return seen;
    }

    @Test
    void goesOnInDrainedSegmentsAndBelievesNothingOfThem() throws IOException {
        var drainedTo = new ArrayList<>(List.of(0, 0));
        try (var journal = open(disk, jobs::add)) {
            fill(journal, 0, 200, drainedTo);
            // None was made in the background.
            assertFalse(spares().isEmpty());
            assertTrue(spares().stream().allMatch(name -> name.endsWith(".used")));
            int files = segments().size() + spares().size();
            assertTrue(segments().stream().allMatch(path -> FileNames.fileNumber(path) <= files));
        }
        Seen seen = recover(disk);
        assertEquals(List.of(), seen.damage);
        assertEquals(sequence(drainedTo.get(0), drainedTo.get(1)), seen.numbers);
    }

    private static List<Integer> sequence(int from, int to) {
        var numbers = new ArrayList<Integer>();
        for (int i = from; i < to; i++) {
            numbers.add(i);
        }
        return numbers;
    }

    /// The scan looks for frames behind damage, where it finds those of another time.
    @Test
    void believesNothingOfADrainedSegmentBehindDamage() throws IOException {
        var drainedTo = new ArrayList<>(List.of(0, 0));
        try (var journal = open(disk, jobs::add)) {
            fill(journal, 0, 200, drainedTo);
        }
        // The first block of each, and a piece in the middle.
        for (Path segment : segments()) {
            try (var file = Files.newByteChannel(segment, StandardOpenOption.WRITE)) {
                file.write(ByteBuffer.allocate(Disk.BLOCK_BYTES));
                file.position(FILE_BYTES / 2);
                file.write(ByteBuffer.allocate(100));
            }
        }
        Seen seen = recover(disk);
        assertFalse(seen.damage.isEmpty());
        assertFalse(seen.numbers.isEmpty());
        assertEquals(seen.numbers.stream().sorted().distinct().toList(), seen.numbers);
        assertTrue(seen.numbers.getFirst() >= drainedTo.get(0), seen.numbers.toString());
    }

    @Test
    void losesNothingWhereverTheProcessEnds() throws IOException {
        var drainedTo = new ArrayList<>(List.of(0, 0));
        int end = 5;
        while (endsAfter(end, drainedTo)) {
            int from = 1000 * end;
            Seen seen = recover(disk);
            assertEquals(List.of(), seen.damage, "at step " + end);
            var found = new HashSet<>(seen.numbers);
            assertEquals(seen.numbers.size(), found.size(), "twice the same at step " + end);
            assertTrue(
                    found.containsAll(sequence(drainedTo.get(0), drainedTo.get(1))),
                    "lost at step " + end);
            assertTrue(seen.numbers.stream().allMatch(n -> n >= from), "of before, at " + end);
            recoverAndDrain();
            end += 7;
        }
        assertTrue(end > STEPS_MIN, "only " + end + " steps");
    }

    /// @return false when all was done before so many steps
    private boolean endsAfter(int steps, List<Integer> drainedTo) throws IOException {
        var ending = new FaultyDisk(new LocalDisk());
        ending.endAfter(steps);
        drainedTo.set(0, 1000 * steps);
        drainedTo.set(1, 1000 * steps);
        SegmentJournal journal = null;
        try {
            journal = open(ending, Runnable::run);
            fill(journal, 1000 * steps, 80, drainedTo);
        } catch (IOException e) {
            // Not closed: the process is gone.
            return true;
        }
        ending.endAfter(Integer.MAX_VALUE);
        journal.close();
        return false;
    }

    /// Deletes all files of earlier starts, in order.
    private void recoverAndDrain() throws IOException {
        try (var journal = open(disk, Runnable::run)) {
            journal.recover(new Seen());
            for (int file = 0; file <= journal.currentFile(); file++) {
                journal.delete(file);
            }
        }
    }

    @Test
    void makesSparesOnceTheyMayBeNeeded() throws IOException {
        try (var journal = open(disk, jobs::add)) {
            assertTrue(journal.reserve(100));
            journal.append(record(1, new Random(1)));
            journal.force();
            assertTrue(journal.reserve(100));
            runJobs();
            assertEquals(List.of(), spares());
            fill(journal, 2, 4, new ArrayList<>(List.of(0, 0)));
            runJobs();
            assertEquals(SPARES, spares().size());
            for (String name : spares()) {
                assertArrayEquals(
                        new byte[FILE_BYTES],
                        Files.readAllBytes(spool.resolve("spares").resolve(name)));
            }
        }
        // They outlive the process; what is not finished or no spare does not.
        Path folder = spool.resolve("spares");
        Files.write(folder.resolve("00000091.tmp"), new byte[FILE_BYTES]);
        Files.write(folder.resolve("00000092.zeros"), new byte[FILE_BYTES - 1]);
        Files.write(folder.resolve("NOTES"), new byte[1]);
        List<String> before = spares();
        try (var journal = open(disk, jobs::add)) {
            assertEquals(List.of("NOTES"), remaining(before, spares()));
            int made = spares().size();
            fill(journal, 10, 2, new ArrayList<>(List.of(0, 0)));
            assertEquals(made - 1, spares().size());
        }
    }

    /// Those of the first list that are no spares, and are still there.
    private static List<String> remaining(List<String> before, List<String> after) {
        return before.stream()
                .filter(after::contains)
                .filter(name -> !name.endsWith(".zeros"))
                .toList();
    }

    /// A power cut can leave one file under two names.
    @Test
    void usesNoSpareThatIsAlsoASegment() throws IOException {
        try (var journal = open(disk, jobs::add)) {
            fill(journal, 0, 3, new ArrayList<>(List.of(0, 0)));
        }
        Path segment = segments().getFirst();
        String number = "%08d".formatted(FileNames.fileNumber(segment));
        Path twin = spool.resolve("spares").resolve(number + ".used");
        Files.write(segment, Arrays.copyOf(Files.readAllBytes(segment), FILE_BYTES));
        Files.createLink(twin, segment);
        try (var journal = open(disk, jobs::add)) {
            assertEquals(List.of(), spares());
            var seen = new Seen();
            journal.recover(seen);
            assertEquals(List.of(0, 1, 2), seen.numbers);
        }
    }

    @Test
    void givesItsSparesBackWhenSpaceIsShort() throws IOException {
        try (var journal =
                SegmentJournal.open(
                        disk,
                        spool,
                        new JournalSettings(FILE_BYTES, true, SPARES * FILE_BYTES, 1 << 20),
                        new Random(1),
                        jobs::add)) {
            fill(journal, 0, 10, new ArrayList<>(List.of(0, 0)));
            runJobs();
            assertEquals(SPARES, spares().size());
            disk.setUsableBytes((1 << 20) - 1);
            assertEquals((1 << 20) - 1 + SPARES * FILE_BYTES, journal.usableBytes());
            runJobs();
            assertEquals(List.of(), spares());
            // Nor does it make or keep others meanwhile.
            fill(journal, 10, 100, new ArrayList<>(List.of(0, 0)));
            runJobs();
            assertEquals(List.of(), spares());
        }
    }

    @Test
    void writesIntoItsSparesOnAFullDisk() throws IOException {
        try (var journal = open(disk, jobs::add)) {
            fill(journal, 0, 10, new ArrayList<>(List.of(0, 0)));
            runJobs();
            int file = journal.currentFile();
            // Larger than what the file has left, and the disk has nothing for a new one.
            assertTrue(journal.reserve(FILE_BYTES - 100));
            assertEquals(file + 1, journal.currentFile());
            disk.fill(true);
            assertFalse(journal.reserve(2 * FILE_BYTES));
            assertEquals(List.of(), spares());
            disk.fill(false);
            assertTrue(journal.reserve(100));
        }
    }

    @Test
    void setsADamagedSegmentAsideInsteadOfUsingItAgain() throws IOException {
        try (var journal = open(disk, jobs::add)) {
            fill(journal, 0, 30, new ArrayList<>(List.of(0, 0)));
        }
        Path first = segments().getFirst();
        byte[] bytes = Files.readAllBytes(first);
        bytes[Frames.HEADER_BYTES + 5] ^= 1;
        Files.write(first, bytes);
        Files.delete(FileNames.contents(first));
        int before = spares().size();
        try (var journal = open(disk, jobs::add)) {
            var seen = new Seen();
            journal.recover(seen);
            assertEquals(1, seen.damage.size());
            journal.delete(0);
        }
        assertEquals(before, spares().size());
        assertArrayEquals(
                bytes,
                Files.readAllBytes(spool.resolve("quarantine").resolve(Quarantine.nameOf(first))));
    }

    /// It believes what it finds in a file.
    @Test
    void givesChronicleNothingButZeros() throws IOException {
        try (var journal = open(disk, jobs::add)) {
            fill(journal, 0, 60, new ArrayList<>(List.of(0, 0)));
        }
        assertFalse(spares().isEmpty());
        try (var journal =
                ChronicleJournal.open(disk, spool, settings(SPARES), new Random(9), jobs::add)) {
            assertEquals(List.of(), spares());
            var random = new Random(1);
            for (int number = 0; number < 40; number++) {
                JournalRecord record = record(number, random);
                assertTrue(journal.reserve(record.length() + 100L));
                journal.append(record);
                journal.force();
                runJobs();
            }
            assertTrue(journal.currentFile() > 0);
        }
        Seen seen = recover(disk);
        assertEquals(List.of(), seen.damage);
        assertEquals(
                sequence(0, 40),
                seen.numbers.subList(seen.numbers.size() - 40, seen.numbers.size()));
    }
}
