package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// One file of the journal, for reading by any thread. It is opened when it is first read.
final class JournalFile {
    private final Path path;
    private final int epoch;
    private @Nullable FileChannel channel;
    private boolean deleted;
    private boolean damaged;

    JournalFile(Path path, int epoch) {
        this.path = path;
        this.epoch = epoch;
    }

    Path path() {
        return path;
    }

    int epoch() {
        return epoch;
    }

    void read(long offset, ByteBuffer destination) throws IOException {
        long at = offset;
        boolean retried = false;
        while (destination.hasRemaining()) {
            int count;
            try {
                count = channel().read(destination, at);
            } catch (ClosedChannelException e) {
                // An interrupt of any reader closes the channel for all of them.
                if (retried || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                retried = true;
                continue;
            }
            if (count < 0) {
                throw new IOException(path + " ends at " + at + ", in the middle of a record");
            }
            at += count;
        }
    }

    private synchronized FileChannel channel() throws IOException {
        if (deleted) {
            throw new NoSuchFileException(path.toString());
        }
        if (channel == null || !channel.isOpen()) {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        }
        return channel;
    }

    synchronized boolean isDeleted() {
        return deleted;
    }

    /// Something in it could not be read, and may be the only copy of mail.
    synchronized void setDamaged() {
        damaged = true;
    }

    /// Puts what it holds on stable storage; does nothing when it is gone.
    synchronized void force() throws IOException {
        if (deleted) {
            return;
        }
        try (var opened = Disk.open(path, StandardOpenOption.READ)) {
            opened.force(false);
        } catch (IOException e) {
            // What can be read of a damaged one may not be enough to force it.
            if (!damaged) {
                throw e;
            }
        }
    }

    /// Deletes the file, durably. One that was damaged goes to quarantine instead.
    synchronized void delete(Quarantine quarantine) throws IOException {
        boolean done = false;
        deleted = true;
        try {
            close();
            if (damaged) {
                quarantine.take(path);
            } else {
                Files.deleteIfExists(path);
                Path parent = path.getParent();
                if (parent != null) {
                    Disk.forceDirectory(parent);
                }
            }
            done = true;
        } finally {
            deleted = done;
        }
    }

    synchronized void close() throws IOException {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }
}
