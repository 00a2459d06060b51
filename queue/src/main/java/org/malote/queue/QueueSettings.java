package org.malote.queue;

import java.nio.file.Path;

/// What the operator decides about the queue.
///
/// @param directory the spool; made when it is not there
/// @param sparesBytes so much is kept ready in files that the journal can begin next, made in the
///     background; 0 for none
public record QueueSettings(
        Path directory,
        Durability durability,
        JournalKind journal,
        long sparesBytes,
        RetrySchedule retry,
        QueueLimits limits) {

    /// Four files of the standard size: mail that comes faster than it leaves fills them in some
    /// seconds, and a host whose mail leaves as fast as it comes uses them in turn.
    private static final long SPARES_BYTES = 1L << 30;

    public QueueSettings {
        if (sparesBytes < 0) {
            throw new IllegalArgumentException("the bytes of spares must not be below zero");
        }
    }

    /// Durable, with the standard journal, retry times and limits.
    public static QueueSettings standard(Path directory) {
        return new QueueSettings(
                directory,
                Durability.COMMIT,
                JournalKind.SEGMENT,
                SPARES_BYTES,
                RetrySchedule.standard(),
                QueueLimits.standard());
    }

    public QueueSettings withDurability(Durability other) {
        return new QueueSettings(directory, other, journal, sparesBytes, retry, limits);
    }

    /// The same with another journal, and so many bytes of spares.
    public QueueSettings withJournal(JournalKind other, long otherSparesBytes) {
        return new QueueSettings(directory, durability, other, otherSparesBytes, retry, limits);
    }

    public QueueSettings withRetry(RetrySchedule other) {
        return new QueueSettings(directory, durability, journal, sparesBytes, other, limits);
    }

    public QueueSettings withLimits(QueueLimits other) {
        return new QueueSettings(directory, durability, journal, sparesBytes, retry, other);
    }
}
