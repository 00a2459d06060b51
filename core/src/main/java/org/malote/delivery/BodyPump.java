package org.malote.delivery;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Reads one message for one transaction: a piece at a time on the io executor, at most one piece
/// ahead of the wire. All methods belong to the event loop of the connection, but for those that
/// say `io`.
final class BodyPump {
    /// Memory that one transaction holds at most. Ours: a piece fills the default write buffer of a
    /// channel.
    static final int PIECE_OCTETS_MAX = 64 * 1024;

    /// Who is told, on the event loop.
    interface Listener {
        /// The first piece is there.
        ///
        /// @param isEightBit whether the message has octets above 127; false when it was not asked
        void prepared(boolean isEightBit);

        /// A later piece is there.
        void pieceArrived();

        /// The message cannot be read.
        void unreadable(String cause);
    }

    private final BodySource source;
    private final long octets;
    private final Executor io;
    private final Executor eventLoop;
    private final ByteBufAllocator allocator;
    private final Listener listener;

    // Owned by the event loop.
    private @Nullable ByteBuf piece;
    private boolean isPrepared;
    private boolean isReading;
    private boolean isClosed;
    private long taken;

    // Owned by whichever io task runs: there is never more than one.
    private BodySource.@Nullable Reader reader;
    private long read;

    BodyPump(
            BodySource source,
            long octets,
            Executor io,
            Executor eventLoop,
            ByteBufAllocator allocator,
            Listener listener) {
        this.source = source;
        this.octets = octets;
        this.io = io;
        this.eventLoop = eventLoop;
        this.allocator = allocator;
        this.listener = listener;
    }

    /// Begins to read.
    ///
    /// @param inspects whether to look through the whole message for 8-bit octets first
    void prepare(boolean inspects) {
        isReading = true;
        io.execute(() -> ioRead(inspects));
    }

    /// Octets that were not taken yet.
    long left() {
        return octets - taken;
    }

    /// The next octets, at most so many.
    ///
    /// @return null when they have not been read yet: then the listener is told
    @Nullable ByteBuf take(long octetsMax) {
        ByteBuf available = piece;
        if (available == null) {
            fetch();
            return null;
        }
        ByteBuf part;
        if (available.readableBytes() <= octetsMax) {
            part = available;
            piece = null;
        } else {
            part = available.readRetainedSlice((int) octetsMax);
        }
        taken += part.readableBytes();
        if (piece == null && left() > 0) {
            fetch();
        }
        return part;
    }

    /// Lets go of everything. What is being read is dropped when it comes.
    void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        ByteBuf unsent = piece;
        piece = null;
        if (unsent != null) {
            unsent.release();
        }
        if (!isReading) {
            isReading = true;
            io.execute(this::ioClose);
        }
    }

    private void fetch() {
        if (!isReading && !isClosed) {
            isReading = true;
            io.execute(() -> ioRead(false));
        }
    }

    private void ioRead(boolean inspects) {
        ByteBuf buffer = null;
        try {
            boolean isEightBit = inspects && ioIsEightBit();
            BodySource.Reader open = reader;
            if (open == null) {
                open = source.open();
                reader = open;
            }
            int wanted = (int) Math.min(PIECE_OCTETS_MAX, octets - read);
            buffer = allocator.directBuffer(Math.max(1, wanted), Math.max(1, wanted));
            ByteBuffer destination = buffer.internalNioBuffer(0, wanted);
            while (destination.hasRemaining()) {
                if (open.read(destination) < 0) {
                    throw new IOException("the message is shorter than the queue says");
                }
            }
            buffer.writerIndex(wanted);
            read += wanted;
            ByteBuf filled = buffer;
            buffer = null;
            eventLoop.execute(() -> arrived(filled, isEightBit));
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            // The disk's own words; RuntimeException: a mapped file that was cut short.
            String cause = e.getMessage() == null ? e.toString() : e.getMessage();
            eventLoop.execute(() -> failed(cause));
        } finally {
            if (buffer != null) {
                buffer.release();
            }
        }
    }

    private boolean ioIsEightBit() throws IOException {
        try (BodySource.Reader whole = source.open()) {
            ByteBuffer window = ByteBuffer.allocate(PIECE_OCTETS_MAX);
            while (whole.read(window) >= 0) {
                window.flip();
                while (window.hasRemaining()) {
                    if (window.get() < 0) {
                        return true;
                    }
                }
                window.clear();
            }
            return false;
        }
    }

    private void ioClose() {
        BodySource.Reader open = reader;
        reader = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // Nothing was written to it: there is nothing to lose.
            }
        }
    }

    private void arrived(ByteBuf filled, boolean isEightBit) {
        isReading = false;
        if (isClosed) {
            filled.release();
            isReading = true;
            io.execute(this::ioClose);
            return;
        }
        piece = filled;
        if (isPrepared) {
            listener.pieceArrived();
        } else {
            isPrepared = true;
            listener.prepared(isEightBit);
        }
    }

    private void failed(String cause) {
        isReading = false;
        if (isClosed) {
            isReading = true;
            io.execute(this::ioClose);
        } else {
            listener.unreadable(cause);
        }
    }
}
