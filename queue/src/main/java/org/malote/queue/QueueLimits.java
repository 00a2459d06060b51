package org.malote.queue;

import java.time.Duration;

/// Every bound of the queue. [#standard()] has the defaults and where they come from.
///
/// @param freeSpaceReserveBytes no message is taken when the file system would have less than this
///     free
/// @param messagesMax messages with one recipient that wait at once; others count as so many of
///     them as they take memory, see DESIGN.md
/// @param batchRecordsMax records of one commit
/// @param batchBytesMax bytes of one commit, except that a single record may be larger
/// @param commitAgeMax a commit that waits longer than this makes the queue refuse
/// @param bodyFileThresholdBytes message bytes above this go to a file of their own
/// @param intakeBytesMax bytes of unfinished messages in memory, over all writers
/// @param writerPendingBytesMax bytes of one writer that wait for the disk before it stops taking
///     more
/// @param laneConcurrencyMax claims of one destination at a time
/// @param attemptsMax claims at a time
/// @param claimRecipientsMax recipients of one claim
/// @param journalFileBytes the journal begins a new file when one has grown to this
public record QueueLimits(
        long freeSpaceReserveBytes,
        int messagesMax,
        int batchRecordsMax,
        int batchBytesMax,
        Duration commitAgeMax,
        int bodyFileThresholdBytes,
        long intakeBytesMax,
        int writerPendingBytesMax,
        int laneConcurrencyMax,
        int attemptsMax,
        int claimRecipientsMax,
        long journalFileBytes) {

    /// The largest body that a journal record may hold.
    static final int BODY_INLINE_MAX_BYTES = 4 << 20;

    public QueueLimits {
        positive(freeSpaceReserveBytes, "free space reserve");
        positive(messagesMax, "number of messages");
        positive(batchRecordsMax, "records of a commit");
        positive(batchBytesMax, "bytes of a commit");
        positive(commitAgeMax.toNanos(), "age of a commit");
        positive(intakeBytesMax, "bytes of unfinished messages");
        positive(writerPendingBytesMax, "bytes of a writer");
        positive(laneConcurrencyMax, "claims of a destination");
        positive(attemptsMax, "claims");
        positive(claimRecipientsMax, "recipients of a claim");
        positive(journalFileBytes, "size of a journal file");
        if (bodyFileThresholdBytes < 0 || bodyFileThresholdBytes > BODY_INLINE_MAX_BYTES) {
            throw new IllegalArgumentException(
                    "the threshold for body files must be from 0 to "
                            + BODY_INLINE_MAX_BYTES
                            + " bytes");
        }
    }

    private static void positive(long value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException("the limit of the " + name + " must be above zero");
        }
    }

    /// Safe for a mail host of any size.
    public static QueueLimits standard() {
        return new QueueLimits(
                // Two journal files: deliveries can still be recorded while a full disk drains.
                512L << 20,
                // 64 MB; see DESIGN.md.
                1_000_000,
                // 256 records, 1 MiB: beyond that a larger group gains less than it costs in
                // waiting.
                256,
                1 << 20,
                // RFC 1047: keep the time from the final dot to the reply short.
                Duration.ofSeconds(2),
                // Most mail is below it; above it the copy through the journal costs more than a
                // file of its own.
                256 << 10,
                256L << 20,
                1 << 20,
                // Postfix's default_destination_concurrency_limit.
                20,
                // Ten dead destinations cannot stop the others; the lane limit is a tenth of this.
                200,
                // RFC 5321 §4.5.3.1.8: every host takes 100 recipients.
                100,
                256L << 20);
    }

    /// The same with another reserve of free space.
    public QueueLimits withFreeSpaceReserveBytes(long bytes) {
        return new QueueLimits(
                bytes,
                messagesMax,
                batchRecordsMax,
                batchBytesMax,
                commitAgeMax,
                bodyFileThresholdBytes,
                intakeBytesMax,
                writerPendingBytesMax,
                laneConcurrencyMax,
                attemptsMax,
                claimRecipientsMax,
                journalFileBytes);
    }

    /// The same with another number of messages.
    public QueueLimits withMessagesMax(int messages) {
        return new QueueLimits(
                freeSpaceReserveBytes,
                messages,
                batchRecordsMax,
                batchBytesMax,
                commitAgeMax,
                bodyFileThresholdBytes,
                intakeBytesMax,
                writerPendingBytesMax,
                laneConcurrencyMax,
                attemptsMax,
                claimRecipientsMax,
                journalFileBytes);
    }

    /// The same with other bounds of concurrency.
    public QueueLimits withConcurrency(int lane, int attempts) {
        return new QueueLimits(
                freeSpaceReserveBytes,
                messagesMax,
                batchRecordsMax,
                batchBytesMax,
                commitAgeMax,
                bodyFileThresholdBytes,
                intakeBytesMax,
                writerPendingBytesMax,
                lane,
                attempts,
                claimRecipientsMax,
                journalFileBytes);
    }

    /// The same with other bounds of memory: the threshold for body files, the bytes of all writers
    /// and of one.
    public QueueLimits withIntake(int bodyFileThreshold, long intakeMax, int writerPendingMax) {
        return new QueueLimits(
                freeSpaceReserveBytes,
                messagesMax,
                batchRecordsMax,
                batchBytesMax,
                commitAgeMax,
                bodyFileThreshold,
                intakeMax,
                writerPendingMax,
                laneConcurrencyMax,
                attemptsMax,
                claimRecipientsMax,
                journalFileBytes);
    }

    /// The same with another size of journal files.
    public QueueLimits withJournalFileBytes(long bytes) {
        return new QueueLimits(
                freeSpaceReserveBytes,
                messagesMax,
                batchRecordsMax,
                batchBytesMax,
                commitAgeMax,
                bodyFileThresholdBytes,
                intakeBytesMax,
                writerPendingBytesMax,
                laneConcurrencyMax,
                attemptsMax,
                claimRecipientsMax,
                bytes);
    }
}
