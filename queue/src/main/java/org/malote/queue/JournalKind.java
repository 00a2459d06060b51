package org.malote.queue;

import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import org.malote.queue.journal.ChronicleJournal;
import org.malote.queue.journal.Disk;
import org.malote.queue.journal.JournalSettings;
import org.malote.queue.journal.SegmentJournal;
import org.malote.queue.journal.SpoolJournal;

/// Which journal writes the spool. Each reads what the other has written.
public enum JournalKind {
    /// Files of our own that are written, and used again.
    SEGMENT,
    /// Chronicle Queue, which maps its files. Without spares: it was slower with them
    /// (benchmarks/NOTES.md).
    CHRONICLE;

    /// Begins a new epoch of a spool.
    SpoolJournal open(Disk disk, QueueSettings settings, RandomGenerator random, Executor io)
            throws IOException {
        QueueLimits limits = settings.limits();
        var journal =
                new JournalSettings(
                        limits.journalFileBytes(),
                        settings.durability() == Durability.COMMIT,
                        this == CHRONICLE ? 0 : settings.sparesBytes(),
                        limits.freeSpaceReserveBytes());
        return switch (this) {
            case SEGMENT -> SegmentJournal.open(disk, settings.directory(), journal, random, io);
            case CHRONICLE ->
                    ChronicleJournal.open(disk, settings.directory(), journal, random, io);
        };
    }
}
