package org.malote.queue.journal;

import java.io.IOException;

/// An open directory of a [Disk].
public interface DiskDirectory extends AutoCloseable {
    /// Puts its entries on stable storage: what was made, renamed or deleted in it stays so.
    void force() throws IOException;

    @Override
    void close() throws IOException;
}
