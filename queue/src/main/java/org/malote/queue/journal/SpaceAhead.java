package org.malote.queue.journal;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// Keeps zeros ahead of the records of the file that grows: at once when they are lacking, in the
/// background otherwise. Committer only.
final class SpaceAhead {
    /// Zeros are made in such steps; a larger one makes the force that pays for it rarer and
    /// longer.
    private static final int STEP_MAX_BYTES = 16 << 20;

    private final int stepBytes;
    private final Executor io;

    private volatile boolean isRunning;

    /// Set by the job in the background; final for the journal.
    private volatile @Nullable IOException failure;

    /// @param fileBytes the size of the journal's files
    SpaceAhead(long fileBytes, Executor io) {
        this.stepBytes = (int) Math.min(STEP_MAX_BYTES, fileBytes);
        this.io = io;
    }

    /// @throws IOException when the disk failed in the background
    void throwFailure() throws IOException {
        IOException cause = failure;
        if (cause != null) {
            throw new IOException("preparing space for the journal failed: " + cause, cause);
        }
    }

    /// Sees to it that the zeros reach `needed` when this returns, and a step further soon.
    ///
    /// @param most where they are to end, unless more is needed
    /// @throws IOException also when the file system is full, see [Disk#isFull]
    void cover(ZeroAhead range, long needed, long most) throws IOException {
        long zeroedTo = range.zeroedTo();
        if (zeroedTo < needed) {
            try {
                range.extendTo(Math.max(needed, Math.min(needed + stepBytes / 2, most)));
            } catch (IOException e) {
                // The last blocks of a full disk may be enough.
                if (!Disk.isFull(e) || range.zeroedTo() < needed) {
                    throw e;
                }
            }
        } else if (zeroedTo < Math.min(needed + stepBytes / 2, most)) {
            extendLater(range, Math.min(needed + stepBytes, most));
        }
    }

    private void extendLater(ZeroAhead range, long offset) {
        if (isRunning) {
            return;
        }
        isRunning = true;
        try {
            io.execute(
                    () -> {
                        try {
                            range.extendTo(offset);
                        } catch (ClosedChannelException e) {
                            // The journal went on to another file, or ended.
                        } catch (IOException e) {
                            // A full disk is told to whoever reserves next.
                            if (!Disk.isFull(e)) {
                                failure = e;
                            }
                        } finally {
                            isRunning = false;
                        }
                    });
        } catch (RejectedExecutionException e) {
            // At the end of the process: the committer extends the range itself.
            isRunning = false;
        }
    }
}
