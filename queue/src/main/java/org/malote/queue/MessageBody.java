package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// The bytes of a queued message, read from the disk in order. Single-threaded; blocks on the disk,
/// so use it away from event loops. The bytes are as they were written: nothing is added or taken
/// away.
public final class MessageBody implements AutoCloseable {
    /// Where the bytes are.
    interface Source {
        /// Reads at least one byte at this place.
        int read(long offset, ByteBuffer destination) throws IOException;

        void close();
    }

    private final MessageId id;
    private final long size;
    private final int expectedCrc;
    private final Source source;
    private final CRC32C crc = new CRC32C();
    private long position;
    private boolean closed;

    MessageBody(MessageId id, long size, int expectedCrc, Source source) {
        this.id = id;
        this.size = size;
        this.expectedCrc = expectedCrc;
        this.source = source;
    }

    /// In bytes.
    public long size() {
        return size;
    }

    /// Reads on.
    ///
    /// @return how many bytes were read, -1 at the end
    /// @throws IOException when the disk fails, or, with the last bytes, when the message is not as
    ///     it was accepted: send nothing of it that says it is complete
    public int read(ByteBuffer destination) throws IOException {
        if (closed) {
            throw new IOException("the body of message " + id + " is closed");
        }
        if (position == size) {
            return -1;
        }
        if (!destination.hasRemaining()) {
            return 0;
        }
        int start = destination.position();
        int limit = destination.limit();
        destination.limit(
                (int)
                        Math.min(
                                limit,
                                start + Math.min(size - position, Integer.MAX_VALUE - start)));
        try {
            source.read(position, destination);
        } finally {
            destination.limit(limit);
        }
        int count = destination.position() - start;
        crc.update(destination.duplicate().position(start).limit(start + count));
        position += count;
        if (position == size && (int) crc.getValue() != expectedCrc) {
            // Row F7 of queue/DESIGN.md.
            throw new IOException(
                    "message "
                            + id
                            + " is damaged on the disk: its checksum differs from when it was accepted");
        }
        return count;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            source.close();
        }
    }
}
