package org.malote.queue;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.malote.queue.journal.SpoolJournal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The free space of the spool, asked for now and then: every MAIL command wants to know.
final class FreeSpace {
    private static final Logger log = LoggerFactory.getLogger(FreeSpace.class);

    /// In a twentieth of a second, a disk that takes 2 GB/s fills by 100 MB: a fifth of the
    /// standard reserve.
    private static final long AGE_MAX_NANOS = 50_000_000;

    private final SpoolJournal journal;
    private final LongSupplier nanoTime;
    private final AtomicBoolean isLow = new AtomicBoolean();
    private volatile long usableBytes;
    private volatile long askedNanos;

    FreeSpace(SpoolJournal journal, LongSupplier nanoTime) {
        this.journal = journal;
        this.nanoTime = nanoTime;
        ask(nanoTime.getAsLong());
    }

    /// Never older than that age when it is returned: two threads may ask at once, and neither
    /// takes the old figure because the other is still asking.
    long usableBytes() {
        long now = nanoTime.getAsLong();
        if (now - askedNanos > AGE_MAX_NANOS) {
            ask(now);
        }
        return usableBytes;
    }

    private void ask(long now) {
        try {
            usableBytes = journal.usableBytes();
        } catch (IOException e) {
            log.warn("the free space of the spool cannot be told: {}", e.toString());
            usableBytes = 0;
        }
        // Last: who sees this time sees what was answered.
        askedNanos = now;
    }

    /// @return true once for each time that it begins
    boolean becameLow(boolean lacks) {
        return isLow.getAndSet(lacks) != lacks && lacks;
    }
}
