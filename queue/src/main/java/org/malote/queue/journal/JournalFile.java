package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// One file of the journal, for reading by any thread. It is opened when it is first read.
final class JournalFile {
    private final Disk disk;
    private final Path path;
    private final int epoch;
    private final long salt;
    private @Nullable DiskFile opened;
    private boolean deleted;
    private boolean damaged;

    /// @param epochSalt of its epoch
    JournalFile(Disk disk, Path path, int epoch, long epochSalt) {
        this.disk = disk;
        this.path = path;
        this.epoch = epoch;
        this.salt = FileNames.saltOf(path, epochSalt);
    }

    Path path() {
        return path;
    }

    int epoch() {
        return epoch;
    }

    /// Of its frames.
    long salt() {
        return salt;
    }

    /// See [SpoolJournal#info].
    @Nullable RecordInfo info(long offset) throws IOException {
        var bytes = ByteBuffer.allocate(Frames.HEADER_BYTES);
        read(offset, bytes);
        return info(bytes.flip());
    }

    /// Of a record whose header was read elsewhere.
    @Nullable RecordInfo info(ByteBuffer header) {
        Frames.Header frame = Frames.decodeHeader(header, 0, salt, epoch);
        return frame == null
                ? null
                : new RecordInfo(frame.type(), frame.length(), frame.payloadCrc());
    }

    void read(long offset, ByteBuffer destination) throws IOException {
        long at = offset;
        boolean retried = false;
        while (destination.hasRemaining()) {
            DiskFile file = opened();
            int count;
            try {
                count = file.read(destination, at);
            } catch (ClosedChannelException e) {
                // An interrupt of any reader closes the file for all of them.
                if (retried || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                retried = true;
                forget(file);
                continue;
            }
            if (count < 0) {
                throw new IOException(path + " ends at " + at + ", in the middle of a record");
            }
            at += count;
        }
    }

    private synchronized DiskFile opened() throws IOException {
        if (deleted) {
            throw new NoSuchFileException(path.toString());
        }
        if (opened == null) {
            opened = disk.open(path, Disk.Access.READ);
        }
        return opened;
    }

    private synchronized void forget(DiskFile closed) {
        if (closed.equals(opened)) {
            opened = null;
        }
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
        try (DiskFile file = disk.open(path, Disk.Access.READ)) {
            file.force();
        } catch (IOException e) {
            // What can be read of a damaged one may not be enough to force it.
            if (!damaged) {
                throw e;
            }
        }
    }

    /// Deletes the file, durably, or makes it a spare. One that was damaged goes to quarantine
    /// instead.
    synchronized void delete(Quarantine quarantine, Spares spares) throws IOException {
        boolean done = false;
        deleted = true;
        try {
            close();
            disk.delete(FileNames.contents(path));
            if (damaged) {
                quarantine.take(path);
            } else if (!spares.recycle(path)) {
                disk.delete(path);
                Path parent = path.getParent();
                if (parent != null) {
                    disk.forceDirectory(parent);
                }
            }
            done = true;
        } finally {
            deleted = done;
        }
    }

    synchronized void close() throws IOException {
        if (opened != null) {
            opened.close();
            opened = null;
        }
    }
}
