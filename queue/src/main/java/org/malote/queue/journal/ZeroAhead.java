package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/// Writes zeros into a journal file ahead of where records are appended. A file that is mapped and
/// sparse has no space of its own: storing into it on a full disk is a fault that can end the
/// process. A write of zeros fails like any write. It also takes the file system's allocation, and
/// the journal commit that this costs, off most forces.
///
/// The zeroed range only ever grows at its end, under this object's lock, and records stay well
/// below that end: zeros never meet a record. Asking where it ends waits for nobody.
final class ZeroAhead implements AutoCloseable {
    private static final int PIECE_BYTES = 1 << 20;

    private final DiskFile file;
    private final boolean durable;
    private final ByteBuffer zeros =
            ByteBuffer.allocateDirect(PIECE_BYTES + Disk.BLOCK_BYTES)
                    .alignedSlice(Disk.BLOCK_BYTES);
    private long writtenTo;
    private volatile long zeroedTo;

    /// @param file what it is written to; closed with this
    /// @param from the bytes of it that are its own already
    /// @param durable whether a step is forced before it counts
    ZeroAhead(DiskFile file, long from, boolean durable) {
        this.file = file;
        this.writtenTo = from;
        this.zeroedTo = from;
        this.durable = durable;
    }

    /// The end of the range; it only grows.
    long zeroedTo() {
        return zeroedTo;
    }

    /// Extends the range by whole blocks until it holds `offset`. What was written counts even if
    /// this fails.
    ///
    /// @throws IOException also when the file system is full, see [Disk#isFull]
    synchronized void extendTo(long offset) throws IOException {
        if (writtenTo >= offset) {
            return;
        }
        long end = (offset + Disk.BLOCK_BYTES - 1) / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES;
        try {
            while (writtenTo < end) {
                zeros.clear().limit((int) Math.min(PIECE_BYTES, end - writtenTo));
                int count = zeros.remaining();
                file.write(zeros, writtenTo);
                writtenTo += count;
            }
            if (durable) {
                file.force();
            }
        } finally {
            zeroedTo = writtenTo;
        }
    }

    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
