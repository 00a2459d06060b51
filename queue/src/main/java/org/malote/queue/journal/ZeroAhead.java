package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Writes zeros into a journal file ahead of where records are appended. A file that is mapped and
/// sparse has no space of its own: storing into it on a full disk is a fault that can end the
/// process. A write of zeros fails like any write. It also takes the file system's allocation, and
/// the journal commit that this costs, off most forces.
///
/// The zeroed range only ever grows at its end, under this object's lock, and records stay well
/// below that end: zeros never meet a record. Asking where it ends waits for nobody.
final class ZeroAhead implements AutoCloseable {
    private static final int PIECE_BYTES = 1 << 20;

    private final FileChannel channel;
    private final boolean durable;
    private final ByteBuffer zeros = ByteBuffer.allocateDirect(PIECE_BYTES);
    private long writtenTo;
    private volatile long zeroedTo;

    /// @param durable whether a step is forced before it counts
    private ZeroAhead(FileChannel channel, boolean durable) {
        this.channel = channel;
        this.durable = durable;
    }

    /// Makes the file.
    static ZeroAhead create(Path path, boolean durable) throws OpenFailedException {
        var channel = Disk.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        return new ZeroAhead(channel, durable);
    }

    /// The end of the range; it only grows.
    long zeroedTo() {
        return zeroedTo;
    }

    /// Extends the range until it holds `offset`. What was written counts even if this fails.
    ///
    /// @throws IOException also when the file system is full, see [Disk#isFull]
    synchronized void extendTo(long offset) throws IOException {
        if (writtenTo >= offset) {
            return;
        }
        try {
            while (writtenTo < offset) {
                zeros.clear();
                while (zeros.hasRemaining()) {
                    writtenTo += channel.write(zeros, writtenTo);
                }
            }
            if (durable) {
                channel.force(false);
            }
        } finally {
            zeroedTo = writtenTo;
        }
    }

    @Override
    public synchronized void close() throws IOException {
        channel.close();
    }
}
