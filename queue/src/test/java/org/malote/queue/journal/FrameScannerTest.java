package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever happens to the bytes, the scan gives whole records and only those, and says when one is
/// missing.
final class FrameScannerTest {
    private static final long SALT = 0x1234_5678_9abc_def0L;
    private static final int EPOCH = 7;

    @TempDir Path directory;

    /// A file of frames with other bytes between them, as Chronicle's are.
    private static final class Image {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final List<byte[]> payloads = new ArrayList<>();
        final List<int[]> ranges = new ArrayList<>();
        long sequence = 1;

        void frame(long salt, byte version, byte[] payload) {
            var record = new JournalRecord((byte) 1, ByteBuffer.wrap(payload), List.of());
            var header = ByteBuffer.allocate(Frames.HEADER_BYTES);
            Frames.encodeHeader(header, salt, EPOCH, sequence++, record);
            if (version != Frames.VERSION) {
                header.put(12, version);
                header.putInt(36, Frames.crc(header, 0, 36));
            }
            int from = out.size();
            out.writeBytes(header.array());
            out.writeBytes(payload);
            payloads.add(payload);
            ranges.add(new int[] {from, out.size()});
        }

        void noise(Random random, int size) {
            var bytes = new byte[size];
            if (random.nextBoolean()) {
                random.nextBytes(bytes);
            }
            out.writeBytes(bytes);
        }
    }

    private static final class Found implements FrameScanner.Sink {
        final List<Long> sequences = new ArrayList<>();
        final List<byte[]> payloads = new ArrayList<>();
        final List<Byte> versions = new ArrayList<>();
        long lost;
        int tornTails;

        @Override
        public void onFrame(long offset, Frames.Header header, ByteBuffer payload) {
            var bytes = new byte[payload.remaining()];
            payload.get(bytes);
            sequences.add(header.sequence());
            payloads.add(bytes);
            versions.add(header.version());
        }

        @Override
        public void onGap(int file, long from, long to, long count) {
            assertTrue(from <= to, "a gap that ends before it begins");
            lost += count;
        }

        @Override
        public void onTornTail(int file, long from, long to) {
            tornTails++;
        }
    }

    private Found scan(byte[]... files) throws IOException {
        return scan(false, files);
    }

    private Found scan(boolean fromFirst, byte[]... files) throws IOException {
        var found = new Found();
        var scanner = new FrameScanner(EPOCH, fromFirst, found);
        for (int i = 0; i < files.length; i++) {
            Path path = Files.write(directory.resolve("file" + i), files[i]);
            try (var file = new LocalDisk().open(path, Disk.Access.READ)) {
                assertTrue(scanner.scan(i, file, SALT));
            }
        }
        scanner.finish();
        return found;
    }

    private static byte[] bytes(Random random, int size) {
        var bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    @Test
    void findsEveryRecordInOrder() throws IOException {
        var random = new Random(1);
        var image = new Image();
        for (int size : new int[] {0, 1, 7, 4096, 100_000, 3 << 20, 5}) {
            image.noise(random, random.nextInt(40));
            image.frame(SALT, Frames.VERSION, bytes(random, size));
        }
        image.out.writeBytes(new byte[100_000]);
        Found found = scan(image.out.toByteArray());
        assertSame(image.payloads, found.payloads);
        assertEquals(0, found.lost);
        assertEquals(0, found.tornTails);
    }

    @Test
    void followsTheSequenceOverFiles() throws IOException {
        var first = new Image();
        first.frame(SALT, Frames.VERSION, new byte[10]);
        var second = new Image();
        second.sequence = 2;
        second.frame(SALT, Frames.VERSION, new byte[20]);
        var fourth = new Image();
        fourth.sequence = 4;
        fourth.frame(SALT, Frames.VERSION, new byte[40]);
        Found found =
                scan(
                        first.out.toByteArray(),
                        new byte[0],
                        second.out.toByteArray(),
                        fourth.out.toByteArray());
        assertEquals(List.of(1L, 2L, 4L), found.sequences);
        assertEquals(1, found.lost);
    }

    @Test
    void startsAnywhereBecauseOldFilesAreDeleted() throws IOException {
        var image = new Image();
        image.sequence = 1000;
        image.frame(SALT, Frames.VERSION, new byte[10]);
        Found found = scan(image.out.toByteArray());
        assertEquals(List.of(1000L), found.sequences);
        assertEquals(0, found.lost);
    }

    @Test
    void missesTheFirstRecordOfAnEpochWhoseFirstFileIsThere() throws IOException {
        var image = new Image();
        image.frame(SALT, Frames.VERSION, new byte[10]);
        image.frame(SALT, Frames.VERSION, new byte[10]);
        byte[] bytes = image.out.toByteArray();
        assertEquals(0, scan(true, bytes).lost);
        Arrays.fill(bytes, 0, 4, (byte) 0);
        assertEquals(1, scan(true, bytes).lost);
    }

    @Test
    void saysThatTheDiskCouldNotReadAll() throws IOException {
        // A directory opens like a file, has a size, and cannot be read.
        var scanner = new FrameScanner(EPOCH, false, new Found());
        Path path = Files.createDirectory(directory.resolve("d"));
        Files.createFile(path.resolve("entry"));
        try (var file = new LocalDisk().open(path, Disk.Access.READ)) {
            assertEquals(file.size() < Frames.HEADER_BYTES, scanner.scan(0, file, SALT));
        }
    }

    @Test
    void takesATornTailForNoLoss() throws IOException {
        var image = new Image();
        image.frame(SALT, Frames.VERSION, new byte[1000]);
        image.frame(SALT, Frames.VERSION, bytes(new Random(3), 1000));
        byte[] whole = image.out.toByteArray();
        for (int cut = image.ranges.get(1)[0] + Frames.HEADER_BYTES;
                cut < whole.length;
                cut += 97) {
            Found found = scan(Arrays.copyOf(whole, cut));
            assertEquals(List.of(1L), found.sequences);
            assertEquals(0, found.lost);
            assertEquals(1, found.tornTails);
            // The same in a file whose space was there before.
            found = scan(Arrays.copyOf(Arrays.copyOf(whole, cut), whole.length + 5000));
            assertEquals(List.of(1L), found.sequences);
            assertEquals(1, found.tornTails);
        }
    }

    @Test
    void givesRecordsOfAnotherVersionByTheirVersion() throws IOException {
        var image = new Image();
        image.frame(SALT, Frames.VERSION, new byte[3]);
        image.frame(SALT, (byte) 9, new byte[3]);
        image.frame(SALT, Frames.VERSION, new byte[3]);
        Found found = scan(image.out.toByteArray());
        assertEquals(List.of((byte) 1, (byte) 9, (byte) 1), found.versions);
    }

    /// Anybody may send a message that looks like a journal. It must not come back as records when
    /// the scan passes over a damaged record.
    @Test
    void isNotFooledByAFrameInsideAMessage() throws IOException {
        var forged = new Image();
        forged.frame(SALT + 1, Frames.VERSION, new byte[50]);
        var image = new Image();
        image.frame(SALT, Frames.VERSION, new byte[10]);
        image.frame(SALT, Frames.VERSION, forged.out.toByteArray());
        image.frame(SALT, Frames.VERSION, new byte[10]);
        byte[] damaged = image.out.toByteArray();
        damaged[image.ranges.get(1)[0] + 30] ^= 1;
        Found found = scan(damaged);
        assertEquals(List.of(1L, 3L), found.sequences);
        assertEquals(1, found.lost);

        // And the control: with the right salt it would.
        var known = new Image();
        known.sequence = 2;
        known.frame(SALT, Frames.VERSION, new byte[50]);
        image = new Image();
        image.frame(SALT, Frames.VERSION, new byte[10]);
        image.frame(SALT, Frames.VERSION, known.out.toByteArray());
        damaged = image.out.toByteArray();
        damaged[image.ranges.get(1)[0] + 30] ^= 1;
        assertEquals(List.of(1L, 2L), scan(damaged).sequences);
    }

    @Test
    void survivesRandomDamage() throws IOException {
        for (int seed = 0; seed < 300; seed++) {
            var random = new Random(seed);
            var image = new Image();
            int count = 2 + random.nextInt(12);
            for (int i = 0; i < count; i++) {
                image.noise(random, random.nextInt(30));
                image.frame(SALT, Frames.VERSION, bytes(random, random.nextInt(3000)));
            }
            image.noise(random, random.nextInt(200));
            byte[] whole = image.out.toByteArray();
            int from = random.nextInt(whole.length);
            int to = Math.min(whole.length, from + 1 + random.nextInt(6000));
            byte[] damaged =
                    switch (random.nextInt(4)) {
                        case 0 -> Arrays.copyOf(whole, from);
                        case 1 -> {
                            byte[] flipped = whole.clone();
                            flipped[from] ^= (byte) (1 << random.nextInt(8));
                            yield flipped;
                        }
                        case 2 -> {
                            byte[] zeroed = whole.clone();
                            Arrays.fill(zeroed, from, to, (byte) 0);
                            yield zeroed;
                        }
                        default -> {
                            byte[] garbage = whole.clone();
                            System.arraycopy(bytes(random, to - from), 0, garbage, from, to - from);
                            yield garbage;
                        }
                    };
            check(seed, image, whole, damaged, scan(damaged));
        }
    }

    private static void check(int seed, Image image, byte[] whole, byte[] damaged, Found found) {
        int next = 0;
        long lost = 0;
        for (int i = 0; i < image.payloads.size(); i++) {
            int[] range = image.ranges.get(i);
            boolean isWhole =
                    range[1] <= damaged.length
                            && Arrays.equals(
                                    whole, range[0], range[1], damaged, range[0], range[1]);
            boolean isFound = next < found.sequences.size() && found.sequences.get(next) == i + 1L;
            assertEquals(isWhole, isFound, "seed " + seed + ": record " + (i + 1));
            if (isFound) {
                assertTrue(
                        Arrays.equals(image.payloads.get(i), found.payloads.get(next)),
                        "seed " + seed + ": record " + (i + 1) + " came back changed");
                next++;
                // A lost first record is known only when something of it is left.
                if (next > 1 || lost == 0) {
                    assertTrue(found.lost >= lost, "seed " + seed + ": a silent loss");
                }
            } else if (next > 0 && next < found.sequences.size()) {
                lost++;
            }
        }
        assertEquals(next, found.sequences.size(), "seed " + seed + ": records that never were");
        assertFalse(found.lost > image.payloads.size(), "seed " + seed + ": more lost than were");
    }

    private static void assertSame(List<byte[]> expected, List<byte[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertTrue(Arrays.equals(expected.get(i), actual.get(i)), "record " + i);
        }
    }
}
