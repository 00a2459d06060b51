package org.malote.queue.journal;

import java.nio.ByteBuffer;

/// Told what recovery finds, in the order in which it was appended.
public interface JournalVisitor {
    /// A whole record.
    ///
    /// @param position what [SpoolJournal#read] finds it by
    /// @param payload borrowed for this call
    /// @throws MalformedRecordException when the payload makes no sense; the journal then
    ///     quarantines the record
    void onRecord(long position, byte type, ByteBuffer payload) throws MalformedRecordException;

    /// All records of one start were told; those of the next follow.
    void onEpochEnd();

    /// A piece of a journal was lost or made no sense. What there was of it is in quarantine.
    ///
    /// @param detail one sentence for the operator
    void onDamage(String detail);

    /// The journal ends in a record that was being written when the host or the process stopped.
    /// Nobody was told that it was kept.
    ///
    /// @param detail one sentence for the operator
    void onTornTail(String detail);
}
