package org.malote.queue;

import java.nio.file.Path;

/// What the operator decides about the queue.
///
/// @param directory the spool; made when it is not there
public record QueueSettings(
        Path directory, Durability durability, RetrySchedule retry, QueueLimits limits) {

    /// Durable, with the standard retry times and limits.
    public static QueueSettings standard(Path directory) {
        return new QueueSettings(
                directory, Durability.COMMIT, RetrySchedule.standard(), QueueLimits.standard());
    }

    public QueueSettings withDurability(Durability other) {
        return new QueueSettings(directory, other, retry, limits);
    }

    public QueueSettings withRetry(RetrySchedule other) {
        return new QueueSettings(directory, durability, other, limits);
    }

    public QueueSettings withLimits(QueueLimits other) {
        return new QueueSettings(directory, durability, retry, other);
    }
}
