package org.malote.queue.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;

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
}
