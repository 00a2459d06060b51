package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class SegmentJournalTest extends JournalTest {
    @Override
    SpoolJournal open(Disk disk, Path directory, Random random) throws IOException {
        return SegmentJournal.open(disk, directory, SETTINGS, random, Runnable::run);
    }

    @Override
    String nameOf(int number) {
        return "%08d-%08d.seg".formatted(number, number);
    }

    @Override
    int markBytes() {
        return 0;
    }

    /// With its header: what was written around the page cache would come from the disk.
    @Test
    void readsWhatItJustWroteFromMemory() throws IOException {
        try (var journal = open(new LocalDisk(), spool, new Random(1))) {
            assertTrue(journal.reserve(100));
            long position = journal.append(record("one"));
            journal.force();
            for (Path file : files()) {
                Files.delete(file);
            }
            RecordInfo info = journal.info(position);
            assertNotNull(info);
            assertEquals(3, info.length());
            var bytes = ByteBuffer.allocate(3);
            journal.read(position, 0, bytes);
            assertEquals("one", new String(bytes.array(), StandardCharsets.UTF_8));
        }
    }
}
