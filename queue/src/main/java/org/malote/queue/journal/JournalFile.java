package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
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

    synchronized void delete() throws IOException {
        deleted = true;
        close();
        java.nio.file.Files.deleteIfExists(path);
    }

    synchronized void close() throws IOException {
        if (channel != null) {
            channel.close();
            channel = null;
        }
    }
}
