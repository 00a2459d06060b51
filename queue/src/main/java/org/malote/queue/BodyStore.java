package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongPredicate;
import org.malote.queue.journal.OpenFailedException;

/// Where bodies are that are too large for the journal, one file each. Every method blocks on the
/// disk.
interface BodyStore {
    /// A body that is being written. Used by one thread at a time.
    interface Draft {
        /// Writes all that remains.
        void write(ByteBuffer bytes) throws IOException;

        /// Makes it the body of its message.
        ///
        /// @param durable whether it is on stable storage when this returns
        /// @throws OpenFailedException when it could not begin; it may then be discarded
        /// @throws IOException when the disk failed
        void publish(boolean durable) throws IOException;

        /// Forgets it. Does nothing after it was published.
        void discard();
    }

    /// @throws OpenFailedException when it cannot be made now
    Draft create(MessageId id) throws IOException;

    MessageBody.Source open(MessageId id) throws IOException;

    /// Its size, or -1 when there is none.
    long size(MessageId id);

    void delete(MessageId id) throws IOException;

    /// Deletes what was never finished, and those bodies whose message is not to be kept.
    ///
    /// @param keep tells by the id's value
    /// @param setAside whether to set those bodies aside instead, since the record that names one
    ///     may be among what recovery could not read
    /// @return how many are gone
    int removeOrphans(LongPredicate keep, boolean setAside) throws IOException;
}
