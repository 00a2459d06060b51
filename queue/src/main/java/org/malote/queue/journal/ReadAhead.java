package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// A file that is read once from its start to its end, around the page cache: the next pieces are
/// read in the background while one is looked at. What the disk cannot read in one piece is read
/// as the reader asks for it, by way of the page cache. Used by one thread.
final class ReadAhead implements DiskFile {
    /// Measured: a read of 1 MiB gives 1.0 GB/s, larger ones less.
    private static final int PIECE_BYTES = 1 << 20;

    /// One is looked at and two are on their way. The one before may be wanted once more.
    private static final int AHEAD = 2;

    private static final int PIECES = AHEAD + 2;

    private final class Piece {
        final long number;
        final ByteBuffer bytes;
        final FutureTask<ByteBuffer> task = new FutureTask<>(this::read);

        Piece(long number, ByteBuffer bytes) {
            this.number = number;
            this.bytes = bytes;
        }

        private ByteBuffer read() throws IOException {
            bytes.clear();
            long at = number * PIECE_BYTES;
            while (bytes.hasRemaining() && uncached.read(bytes, at + bytes.position()) > 0) {
                if (bytes.position() % Disk.BLOCK_BYTES != 0) {
                    break; // the end of the file
                }
            }
            return bytes.flip();
        }
    }

    private final Disk disk;
    private final Path path;
    private final Executor io;
    private final DiskFile uncached;
    private final long size;
    private final ByteBuffer[] buffers = new ByteBuffer[PIECES];
    private final @Nullable Piece[] pieces = new @Nullable Piece[PIECES];
    private @Nullable DiskFile cached;

    /// @param io reads in the background; where it does not, the reader does it itself
    /// @throws OpenFailedException when the file cannot be opened
    ReadAhead(Disk disk, Path path, Executor io) throws IOException {
        this.disk = disk;
        this.path = path;
        this.io = io;
        this.uncached = disk.open(path, Disk.Access.READ_UNCACHED);
        this.size = uncached.size();
    }

    @Override
    public int read(ByteBuffer destination, long at) throws IOException {
        if (at >= size) {
            return -1;
        }
        long number = at / PIECE_BYTES;
        for (long next = number; next <= number + AHEAD; next++) {
            begin(next);
        }
        Piece piece = pieces[(int) (number % PIECES)];
        ByteBuffer bytes = piece == null ? null : bytes(piece);
        int index = (int) (at % PIECE_BYTES);
        if (bytes == null || index >= bytes.limit()) {
            return cached().read(destination, at);
        }
        int count = Math.min(destination.remaining(), bytes.limit() - index);
        destination.put(destination.position(), bytes, index, count);
        destination.position(destination.position() + count);
        return count;
    }

    private void begin(long number) {
        int place = (int) (number % PIECES);
        Piece old = pieces[place];
        if (number * PIECE_BYTES >= size || (old != null && old.number == number)) {
            return;
        }
        if (old != null) {
            // Its buffer is in use until it ends.
            var _ = bytes(old);
        }
        if (buffers[place] == null) {
            buffers[place] =
                    ByteBuffer.allocateDirect(PIECE_BYTES + Disk.BLOCK_BYTES)
                            .alignedSlice(Disk.BLOCK_BYTES)
                            .slice(0, PIECE_BYTES);
        }
        var piece = new Piece(number, buffers[place]);
        pieces[place] = piece;
        try {
            io.execute(piece.task);
        } catch (RejectedExecutionException e) {
            // The reader runs it.
        }
    }

    /// Waits for a piece, and reads it here if nobody has begun to.
    ///
    /// @return null when the disk cannot read it
    private static @Nullable ByteBuffer bytes(Piece piece) {
        boolean isInterrupted = false;
        try {
            while (true) {
                try {
                    piece.task.run();
                    return piece.task.get();
                } catch (InterruptedException e) {
                    isInterrupted = true;
                } catch (ExecutionException e) {
                    return null;
                }
            }
        } finally {
            if (isInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private DiskFile cached() throws IOException {
        if (cached == null) {
            cached = disk.open(path, Disk.Access.READ);
        }
        return cached;
    }

    @Override
    public void write(ByteBuffer source, long at) {
        throw new UnsupportedOperationException("it is only read");
    }

    @Override
    public void force() throws IOException {
        uncached.force();
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void close() throws IOException {
        for (Piece piece : pieces) {
            if (piece != null) {
                var _ = bytes(piece);
            }
        }
        uncached.close();
        if (cached != null) {
            cached.close();
        }
    }
}
