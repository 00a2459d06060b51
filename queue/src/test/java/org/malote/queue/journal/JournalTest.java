package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The journal's files through damage that a disk or an upgrade can do.
abstract class JournalTest {
    @TempDir Path spool;

    private static final class Seen implements JournalVisitor {
        final List<String> records = new ArrayList<>();
        final List<Long> positions = new ArrayList<>();
        final List<String> damage = new ArrayList<>();
        final List<String> tornTails = new ArrayList<>();

        @Override
        public void onRecord(long position, byte type, ByteBuffer payload)
                throws MalformedRecordException {
            String text = StandardCharsets.UTF_8.decode(payload).toString();
            if (text.startsWith("poison")) {
                throw new MalformedRecordException("poison");
            }
            positions.add(position);
            records.add(text);
        }

        @Override
        public void onDamage(String detail) {
            damage.add(detail);
        }

        @Override
        public void onEpochEnd() {}

        @Override
        public void onTornTail(String detail) {
            tornTails.add(detail);
        }
    }

    /// No spares: their tests are apart.
    static final JournalSettings SETTINGS = new JournalSettings(4 << 20, true, 0, 0);

    abstract SpoolJournal open(Disk disk, Path directory, Random random) throws IOException;

    /// The name of a file of an epoch, from 1.
    abstract String nameOf(int number);

    /// What the journal puts before each frame.
    abstract int markBytes();

    private SpoolJournal open() throws IOException {
        // Every journal has a salt of its own.
        return open(new LocalDisk(), spool, new Random(spool.hashCode() + 1L));
    }

    static JournalRecord record(String text) {
        return new JournalRecord(
                (byte) 1, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), List.of());
    }

    private List<Long> write(String... texts) throws IOException {
        try (var journal = open()) {
            var positions = new ArrayList<Long>();
            for (String text : texts) {
                assertTrue(journal.reserve(text.length() + 100L));
                positions.add(journal.append(record(text)));
            }
            journal.force();
            return positions;
        }
    }

    /// As it is after a crash: what the files hold is read from themselves.
    private void dropContents() throws IOException {
        for (Path file : files()) {
            Files.deleteIfExists(FileNames.contents(file));
        }
    }

    private Seen recover() throws IOException {
        dropContents();
        var seen = new Seen();
        try (var journal = open()) {
            journal.recover(seen);
        }
        return seen;
    }

    final List<Path> files() throws IOException {
        try (var found = Files.walk(spool.resolve("epochs"))) {
            return found.filter(path -> FileNames.isJournal(path)).sorted().toList();
        }
    }

    private static Path epochOf(Path file) {
        Path epoch = file.getParent();
        assertNotNull(epoch);
        return epoch;
    }

    private int quarantined() throws IOException {
        Path quarantine = spool.resolve("quarantine");
        if (!Files.isDirectory(quarantine)) {
            return 0;
        }
        try (var found = Files.list(quarantine)) {
            return (int) found.count();
        }
    }

    private static void overwrite(Path file, long at, byte[] bytes) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), at);
        }
    }

    @Test
    void readsEarlierEpochsInOrderAndByPosition() throws IOException {
        write("one", "two");
        write("three");
        try (var journal = open()) {
            assertEquals(3, journal.epoch());
            var seen = new Seen();
            journal.recover(seen);
            assertEquals(List.of("one", "two", "three"), seen.records);
            assertEquals(List.of(), seen.damage);
            assertEquals(List.of(), seen.tornTails);
            var bytes = ByteBuffer.allocate(4);
            journal.read(seen.positions.get(2), 1, bytes);
            assertEquals("hree", new String(bytes.array(), StandardCharsets.UTF_8));
            assertTrue(journal.reserve(100));
            long position = journal.append(record("four"));
            journal.flush();
            journal.read(position, 0, bytes.clear());
            assertEquals("four", new String(bytes.array(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void beginsANewFileBySizeAndNeverReusesOne() throws IOException {
        var random = new Random(5);
        var texts = new ArrayList<String>();
        var body = ByteBuffer.allocate(300_000);
        random.nextBytes(body.array());
        Arrays.fill(body.array(), (byte) 'x');
        try (var journal = open()) {
            for (int i = 0; i < 40; i++) {
                assertTrue(journal.reserve(310_000));
                var head = ByteBuffer.wrap("n%02d".formatted(i).getBytes(StandardCharsets.UTF_8));
                journal.append(new JournalRecord((byte) 1, head, List.of(body)));
                texts.add("n%02d".formatted(i));
            }
            journal.force();
            assertTrue(journal.currentFile() >= 2);
            int current = journal.currentFile();
            journal.delete(0);
            journal.delete(0);
            assertEquals(current, journal.currentFile());
        }
        Seen seen = recover();
        List<String> starts = seen.records.stream().map(text -> text.substring(0, 3)).toList();
        assertEquals(texts.subList(texts.size() - starts.size(), texts.size()), starts);
        assertEquals(List.of(), seen.damage);
    }

    @Test
    void goesOnWithoutTheFileThatItCannotBegin() throws IOException {
        var disk = new FaultyDisk(new LocalDisk());
        try (var journal = open(disk, spool, new Random(3))) {
            disk.failCreate(true);
            assertFalse(journal.reserve(100));
            disk.failCreate(false);
            assertTrue(journal.reserve(100));
            int file = journal.currentFile();
            disk.failCreate(true);
            String text = "x".repeat(300_000);
            for (int i = 0; i < 20; i++) {
                assertTrue(journal.reserve(310_000));
                journal.append(record(text + i));
                journal.force();
            }
            assertEquals(file, journal.currentFile());
            disk.failCreate(false);
            assertTrue(journal.reserve(100));
            assertEquals(file + 1, journal.currentFile());
            journal.append(record("last"));
            journal.force();
        }
        Seen seen = recover();
        assertEquals(21, seen.records.size());
        assertEquals("last", seen.records.getLast());
        assertEquals(List.of(), seen.damage);
    }

    @Test
    void losesOneRecordToABrokenOneAndSaysSo() throws IOException {
        List<Long> positions = write("one", "two", "three");
        long second = SpoolJournal.offsetOf(positions.get(1));
        overwrite(files().getFirst(), second + Frames.HEADER_BYTES, new byte[] {'T'});
        Seen seen = recover();
        assertEquals(List.of("one", "three"), seen.records);
        assertEquals(1, seen.damage.size());
        assertEquals(1, quarantined());
    }

    /// Chronicle alone would read nothing behind it.
    @Test
    void readsOnBehindAPageOfZeros() throws IOException {
        List<Long> positions = write("one", "x".repeat(6000), "three");
        long second = SpoolJournal.offsetOf(positions.get(1));
        overwrite(files().getFirst(), second - markBytes(), new byte[4096]);
        Seen seen = recover();
        assertEquals(List.of("one", "three"), seen.records);
        assertEquals(1, seen.damage.size());
    }

    @Test
    void dropsATornTailWithoutAlarm() throws IOException {
        List<Long> positions = write("one", "two, which is torn");
        long last = SpoolJournal.offsetOf(positions.get(1));
        try (var channel = FileChannel.open(files().getFirst(), StandardOpenOption.WRITE)) {
            channel.truncate(last + Frames.HEADER_BYTES + 5);
        }
        Seen seen = recover();
        assertEquals(List.of("one"), seen.records);
        assertEquals(List.of(), seen.damage);
        assertEquals(1, seen.tornTails.size());
    }

    @Test
    void startsWithEmptyGarbageAndForeignFiles() throws IOException {
        write("one");
        Path epoch = epochOf(files().getFirst());
        Files.write(epoch.resolve(nameOf(25)), new byte[0]);
        var garbage = new byte[100_000];
        new Random(9).nextBytes(garbage);
        Files.write(epoch.resolve(nameOf(49)), garbage);
        Files.createDirectory(epoch.resolve(nameOf(73)));
        Files.write(spool.resolve("epochs").resolve("README"), new byte[] {1});
        Files.createDirectory(spool.resolve("epochs").resolve("0000009-xyz"));
        Seen seen = recover();
        assertEquals(List.of("one"), seen.records);
        assertEquals(2, seen.damage.size(), seen.damage.toString());
        assertTrue(seen.damage.get(0).contains(nameOf(49) + " holds nothing"));
        assertTrue(seen.damage.get(1).contains(nameOf(73) + " is no file"));
    }

    @Test
    void setsAsideWhatItCannotUnderstand() throws IOException {
        List<Long> positions = write("one", "poison", "two", "three");
        Path file = files().getFirst();
        // Of a version to come, with a checksum that is right.
        var header = ByteBuffer.allocate(Frames.HEADER_BYTES);
        long at = SpoolJournal.offsetOf(positions.get(2));
        try (var channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.read(header, at);
            header.put(12, (byte) 99);
            header.putInt(36, Frames.crc(header, 0, 36));
            channel.write(header.flip(), at);
        }
        Seen seen = recover();
        assertEquals(List.of("one", "three"), seen.records);
        assertEquals(2, seen.damage.size());
        assertTrue(seen.damage.get(1).contains("version 99"), seen.damage.get(1));
        assertEquals(2, quarantined());
    }

    /// What could not be read may be the only copy of mail; each file is of another kind of damage.
    @Test
    void deletesNoFileThatWasDamaged() throws IOException {
        List<Long> positions = write("one", "poison", "three");
        Path epoch = epochOf(files().getFirst());
        Files.createDirectory(epoch.resolve(nameOf(2)));
        Files.write(epoch.resolve(nameOf(2)).resolve("within"), new byte[] {1});
        Files.write(epoch.resolve(nameOf(3)), "not ours".getBytes(StandardCharsets.UTF_8));
        Files.write(epoch.resolve(nameOf(4)), new byte[0]);
        Files.write(epoch.resolve(nameOf(5)), new byte[5000]);
        write("lost", "four");
        long lost = SpoolJournal.offsetOf(positions.getFirst());
        Path second = files().getLast();
        byte[] before = Files.readAllBytes(files().getFirst());
        overwrite(second, lost, new byte[4]);
        dropContents();
        try (var journal = open()) {
            var seen = new Seen();
            journal.recover(seen);
            assertEquals(List.of("one", "three", "four"), seen.records);
            assertEquals(4, seen.damage.size(), seen.damage.toString());
            for (int file = 0; file < 6; file++) {
                journal.delete(file);
                journal.delete(file);
            }
        }
        assertEquals(List.of(), files());
        assertFalse(Files.exists(epoch));
        Path quarantine = spool.resolve("quarantine");
        String prefix = epoch.getFileName() + "-";
        assertArrayEquals(before, Files.readAllBytes(quarantine.resolve(prefix + nameOf(1))));
        assertTrue(Files.exists(quarantine.resolve(prefix + nameOf(2)).resolve("within")));
        assertTrue(Files.exists(quarantine.resolve(prefix + nameOf(3))));
        assertFalse(Files.exists(quarantine.resolve(prefix + nameOf(4))));
        assertFalse(Files.exists(quarantine.resolve(prefix + nameOf(5))));
        assertTrue(
                Files.exists(
                        quarantine.resolve(
                                epochOf(second).getFileName() + "-" + second.getFileName())));
    }

    @Test
    void deletesAnEpochWithItsLastFile() throws IOException {
        write("one");
        Path epoch = epochOf(files().getFirst());
        try (var journal = open()) {
            journal.recover(new Seen());
            journal.delete(0);
        }
        assertFalse(Files.exists(epoch));
    }
}
