package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// The log below the queue: an ordered sequence of records in numbered files, of which only the
/// newest grows. Each start begins a new epoch and never writes to those before.
///
/// A position names a record: the number of its file in the upper bits, its place in the file in
/// the lower [#OFFSET_BITS]. Positions and file numbers hold until the journal is closed, no
/// longer.
public interface SpoolJournal extends AutoCloseable {
    /// Files of up to 1 TiB, 2^23 of them in one start.
    int OFFSET_BITS = 40;

    static long position(int file, long offset) {
        return ((long) file << OFFSET_BITS) | offset;
    }

    static int fileOf(long position) {
        return (int) (position >>> OFFSET_BITS);
    }

    static long offsetOf(long position) {
        return position & ((1L << OFFSET_BITS) - 1);
    }

    /// The number of this start: above that of each before.
    int epoch();

    /// Reads what the earlier epochs hold. Called once, before the first append. Damage is reported
    /// to the visitor and never ends the recovery.
    ///
    /// @throws IOException when the directory itself cannot be read
    void recover(JournalVisitor visitor) throws IOException;

    /// Sees to it that the next records find space, so that appending them cannot run out of it.
    /// Committer only.
    ///
    /// @param bytes payloads and headers together
    /// @return false when the file system is full or a file cannot be opened now; nothing was
    ///     appended and the journal goes on
    /// @throws IOException when the disk failed
    boolean reserve(long bytes) throws IOException;

    /// Begins the next file before the current one is full, so that the current one can be deleted
    /// when nobody needs it. Committer only, after a force.
    ///
    /// @return false when the current file holds nothing, or when there is no space or no
    ///     descriptor for another
    /// @throws IOException when the disk failed
    boolean roll() throws IOException;

    /// Appends one record behind those before. It is read and outlives the process from
    /// [#flush()] on, and is durable from [#force()] on. Committer only.
    ///
    /// @return its position
    /// @throws IOException when the disk failed; the journal is then not to be written again
    long append(JournalRecord record) throws IOException;

    /// Gives all that was appended to the operating system: it then outlives the process. Committer
    /// only.
    ///
    /// @throws IOException when the disk failed; the journal is then not to be written again
    void flush() throws IOException;

    /// Puts all that was appended on stable storage. Committer only.
    ///
    /// @throws IOException when the disk failed; the journal is then not to be written or forced
    ///     again: a second force may succeed with the data gone
    void force() throws IOException;

    /// What a record is, without its payload. Any thread.
    ///
    /// @return null when there is no whole header of this journal in its place
    /// @throws IOException when it cannot be read
    @Nullable RecordInfo info(long position) throws IOException;

    /// Fills the buffer with bytes of a record's payload. Any thread.
    ///
    /// @param offset where in the payload to begin
    /// @throws IOException when they cannot be read
    void read(long position, int offset, ByteBuffer destination) throws IOException;

    /// The file that the next record goes to, or that the last one went to. Those with a smaller
    /// number do not grow.
    int currentFile();

    /// Deletes a file other than the current one; does nothing when it is gone. One in which
    /// damage was found is set aside instead: what it could not read may be the only copy of
    /// mail. Durable when it returns. Any thread.
    ///
    /// @throws IOException when it cannot be deleted
    void delete(int file) throws IOException;

    /// Something in this file was found damaged when it was read. Any thread.
    void setDamaged(int file);

    /// Free space of the file system. Any thread; cheap.
    ///
    /// @throws IOException when it cannot be told
    long usableBytes() throws IOException;

    @Override
    void close() throws IOException;
}
