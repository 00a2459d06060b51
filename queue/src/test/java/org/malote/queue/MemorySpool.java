package org.malote.queue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/// A spool in memory with a clock of its own, for tests of the queue and of those who use it. It
/// outlives the queues that are opened on it, as a disk does.
public final class MemorySpool implements AutoCloseable {
    private final AtomicLong nowNanos = new AtomicLong(1_000_000_000_000_000_000L);
    private final ExecutorService io =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("io").factory());
    private final MemoryBodies bodies = new MemoryBodies();
    private final SuspensionStore suspensions =
            new SuspensionStore() {
                private List<String> saved = List.of();

                @Override
                public List<String> load() {
                    return saved;
                }

                @Override
                public void save(List<String> destinations) {
                    saved = destinations;
                }
            };
    private final List<String> alarms = new ArrayList<>();
    private MemoryJournal journal = new MemoryJournal();

    /// Settings for it; the directory is never touched.
    public static QueueSettings settings() {
        return QueueSettings.standard(Path.of("memory"));
    }

    /// Opens a queue with the standard settings.
    public MailQueue open() {
        return open(settings());
    }

    public MailQueue open(QueueSettings settings) {
        try {
            return MailQueue.open(settings, environment(), journal, bodies, suspensions, () -> {});
        } catch (IOException e) {
            throw new AssertionError("a spool in memory always opens", e);
        }
    }

    /// The next start after the process ended, cleanly or not.
    public MailQueue reopen(QueueSettings settings) {
        journal = journal.reopen();
        return open(settings);
    }

    /// The next start after a power cut: only what was forced is there.
    public MailQueue reopenAfterPowerCut(QueueSettings settings) {
        journal = journal.reopenAfterPowerCut();
        return open(settings);
    }

    public QueueEnvironment environment() {
        return new QueueEnvironment(
                () -> Instant.ofEpochMilli(nowMillis()),
                nowNanos::get,
                new Random(1),
                Thread.ofPlatform().daemon().name("committer").factory(),
                io,
                (kind, detail) -> {
                    synchronized (alarms) {
                        alarms.add(kind + " " + detail);
                    }
                });
    }

    /// The journal of the queue that was opened last: where faults are injected.
    public MemoryJournal journal() {
        return journal;
    }

    MemoryBodies bodies() {
        return bodies;
    }

    ExecutorService io() {
        return io;
    }

    public long nowMillis() {
        return nowNanos.get() / 1_000_000;
    }

    /// Time passes.
    public void advance(Duration duration) {
        nowNanos.addAndGet(duration.toNanos());
    }

    /// What was raised, as kind and detail.
    public List<String> alarms() {
        synchronized (alarms) {
            return List.copyOf(alarms);
        }
    }

    @Override
    public void close() {
        io.shutdownNow();
    }
}
