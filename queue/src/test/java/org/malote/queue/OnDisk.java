package org.malote.queue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A queue on a real directory.
final class OnDisk implements AutoCloseable {
    private final ExecutorService io =
            Executors.newFixedThreadPool(2, Thread.ofPlatform().daemon().name("io").factory());
    final List<String> alarms = new ArrayList<>();
    final MailQueue queue;

    OnDisk(QueueSettings settings) throws IOException {
        queue =
                MailQueue.open(
                        settings,
                        new QueueEnvironment(
                                InstantSource.system(),
                                System::nanoTime,
                                new Random(1),
                                Thread.ofPlatform().daemon().name("committer").factory(),
                                io,
                                (kind, detail) -> alarms.add(kind + " " + detail)));
    }

    /// With the standard journal.
    static QueueSettings settings(Path directory) {
        return settings(directory, QueueSettings.standard(directory).journal());
    }

    static QueueSettings settings(Path directory, JournalKind journal) {
        QueueSettings standard = QueueSettings.standard(directory);
        return standard.withJournal(journal, standard.sparesBytes())
                .withLimits(QueueLimits.standard().withFreeSpaceReserveBytes(1 << 20));
    }

    @Override
    public void close() {
        queue.close();
        io.shutdown();
    }
}
