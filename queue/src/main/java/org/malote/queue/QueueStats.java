package org.malote.queue;

import org.jspecify.annotations.Nullable;

/// The queue in figures, for metrics: a snapshot. Counters count from the start of the process.
///
/// @param messages in the queue
/// @param bytes of those messages
/// @param waiting recipients that wait
/// @param active recipients that are claimed
/// @param held recipients that are held
/// @param claims under way
/// @param lanes destinations with a message in the queue
/// @param accepted messages accepted: counter
/// @param finished messages that left the queue: counter
/// @param commits groups that were committed: counter
/// @param records that were appended: counter
/// @param journalBytes that were appended: counter
/// @param forces of the journal: counter
/// @param recovered messages found at the start
/// @param quarantined pieces of journal that recovery could not read
/// @param commitQueueDepth records that wait for the committer
/// @param oldestCommitAgeNanos age of the oldest record that waits or is being committed, 0 with
///     none
/// @param intakeBytes of unfinished messages in memory
/// @param freeBytes of the spool's file system
/// @param journalFiles files of the journal that still hold something
/// @param refusal why the queue takes no message now, or null
public record QueueStats(
        long messages,
        long bytes,
        long waiting,
        long active,
        long held,
        long claims,
        long lanes,
        long accepted,
        long finished,
        long commits,
        long records,
        long journalBytes,
        long forces,
        long recovered,
        long quarantined,
        long commitQueueDepth,
        long oldestCommitAgeNanos,
        long intakeBytes,
        long freeBytes,
        long journalFiles,
        @Nullable Refusal refusal) {}
