package org.malote.queue.journal;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// The last megabytes of a journal in memory: records are gathered here, written to the file from
/// here, and read from here while they last. Most mail leaves soon after it came, and then nothing
/// of it is read from the disk, whether the page cache has it or not.
///
/// It is a ring of windows, each of which is a stretch of one file. One thread writes; any thread
/// reads, and waits for nobody: a window that is used again while it is read shows by its place in
/// the ring.
final class Tail {
    /// A group of 1 MiB and its headers. Whole blocks.
    static final int WINDOW_BYTES = (1 << 20) + (64 << 10);

    /// Ours: 34 MiB are a tenth of a second of mail on a fast disk, and much more on others.
    private static final int WINDOWS = 32;

    private static final class Window {
        final int file;
        final long base;
        final ByteBuffer bytes;

        /// What is behind it is of the window's earlier use.
        volatile int end;

        Window(int file, long base, ByteBuffer bytes) {
            this.file = file;
            this.base = base;
            this.bytes = bytes;
        }
    }

    private final AtomicReferenceArray<Window> ring = new AtomicReferenceArray<>(WINDOWS);

    // The writer's own.
    private int turn = WINDOWS - 1;

    /// Uses the oldest window for another stretch.
    ///
    /// @param file its number
    /// @param base where in the file the stretch begins
    /// @return all of the window, which begins at a whole block in memory too; the writer's until
    ///     this is called again
    ByteBuffer begin(int file, long base) {
        turn = (turn + 1) % WINDOWS;
        Window old = ring.get(turn);
        ByteBuffer bytes =
                old == null
                        ? ByteBuffer.allocateDirect(WINDOW_BYTES + Disk.BLOCK_BYTES)
                                .alignedSlice(Disk.BLOCK_BYTES)
                                .slice(0, WINDOW_BYTES)
                        : old.bytes;
        // Gone from the ring before the first of its bytes changes.
        ring.set(turn, null);
        VarHandle.fullFence();
        ring.set(turn, new Window(file, base, bytes));
        return bytes.duplicate();
    }

    /// Lets the bytes up to here be read.
    ///
    /// @param end an index in the window that was begun last
    void end(int end) {
        Window window = ring.get(turn);
        if (window != null) {
            window.end = end;
        }
    }

    /// Fills the buffer with bytes of the file that one window has.
    ///
    /// @return false when none has all of them; the buffer is as it was, but for its contents
    boolean read(int file, long at, ByteBuffer destination) {
        int length = destination.remaining();
        for (int i = 0; i < WINDOWS; i++) {
            Window window = ring.get(i);
            if (window == null
                    || window.file != file
                    || at < window.base
                    || at + length > window.base + window.end) {
                continue;
            }
            destination.put(destination.position(), window.bytes, (int) (at - window.base), length);
            VarHandle.acquireFence();
            if (!window.equals(ring.get(i))) {
                return false;
            }
            destination.position(destination.position() + length);
            return true;
        }
        return false;
    }
}
