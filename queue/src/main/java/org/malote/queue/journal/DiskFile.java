package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/// An open file of a [Disk]. Any thread may read and write it, at places of its own.
///
/// Every method throws [java.nio.channels.ClosedChannelException] when it was closed.
public interface DiskFile extends AutoCloseable {
    /// Reads into what remains of the buffer, as much as there is.
    ///
    /// @return how many bytes; -1 at the end of the file
    int read(ByteBuffer destination, long at) throws IOException;

    /// Writes all that remains of the buffer. A gap before it is zeros.
    ///
    /// @throws IOException when not all was written; any part of it may have been
    void write(ByteBuffer source, long at) throws IOException;

    /// Puts what was written on stable storage, by this file or by another that was opened by the
    /// same name. It does not make the name durable.
    void force() throws IOException;

    long size() throws IOException;

    @Override
    void close() throws IOException;
}
