package org.malote.queue.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;

final class ChronicleJournalTest extends JournalTest {
    @Override
    SpoolJournal open(Disk disk, Path directory, Random random) throws IOException {
        return ChronicleJournal.open(disk, directory, SETTINGS, random, Runnable::run);
    }

    @Override
    String nameOf(int number) {
        return "197001%02d-%02dLX.cq4".formatted(1 + (number - 1) / 24, (number - 1) % 24);
    }

    @Override
    int markBytes() {
        return 4;
    }
}
