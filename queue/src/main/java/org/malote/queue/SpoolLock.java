package org.malote.queue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.malote.queue.journal.Disk;

/// Keeps a spool to one process. The system gives it free when the process ends, however it ends.
final class SpoolLock implements AutoCloseable {
    private final FileChannel channel;

    private SpoolLock(FileChannel channel) {
        this.channel = channel;
    }

    /// @throws IOException when the spool is in use or cannot be used
    static SpoolLock take(Disk disk, Path spool) throws IOException {
        disk.makeDirectories(spool);
        Path file = spool.resolve("lock");
        return lock(
                spool,
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                false);
    }

    /// For reading it: others may read, nobody may write. Nothing is made; a spool without a lock
    /// was never opened.
    ///
    /// @throws IOException when the spool is in use or cannot be read
    static AutoCloseable takeForReading(Path spool) throws IOException {
        Path file = spool.resolve("lock");
        if (!Files.exists(file)) {
            return () -> {};
        }
        return lock(spool, FileChannel.open(file, StandardOpenOption.READ), true);
    }

    private static SpoolLock lock(Path spool, FileChannel channel, boolean isShared)
            throws IOException {
        try {
            if (channel.tryLock(0, Long.MAX_VALUE, isShared) != null) {
                return new SpoolLock(channel);
            }
        } catch (OverlappingFileLockException e) {
            // This process has it: the same answer.
        } catch (IOException e) {
            channel.close();
            throw new IOException("the spool " + spool + " cannot be locked: " + e.getMessage(), e);
        }
        channel.close();
        throw new IOException(
                "the spool "
                        + spool
                        + " is in use by another process; stop that one, or give this one another"
                        + " directory");
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
