package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.JournalVisitor;
import org.malote.queue.journal.MalformedRecordException;
import org.malote.queue.journal.SpoolJournal;

/// A journal in memory that fails and stalls on command. Its records outlive it: [#reopen()] is the
/// next start.
public final class MemoryJournal implements SpoolJournal {
    private static final class Entry {
        final byte type;
        final byte[] payload;

        Entry(byte type, byte[] payload) {
            this.type = type;
            this.payload = payload;
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final int epoch;
    private final List<Entry> entries;
    private final int recovered;
    private int forcedTo;
    private int forces;
    private boolean isFull;
    private boolean failsForce;
    private boolean failsAppend;
    private boolean failsRead;
    private boolean isGarbled;
    private boolean isPaused;
    private boolean isWaiting;
    private long usableBytes = 1L << 40;

    public MemoryJournal() {
        this(1, new ArrayList<>());
    }

    private MemoryJournal(int epoch, List<Entry> entries) {
        this.epoch = epoch;
        this.entries = entries;
        this.recovered = entries.size();
        this.forcedTo = entries.size();
    }

    /// A journal of the next epoch with all that was appended.
    public MemoryJournal reopen() {
        lock.lock();
        try {
            return new MemoryJournal(epoch + 1, new ArrayList<>(entries));
        } finally {
            lock.unlock();
        }
    }

    /// A journal of the next epoch with what a power cut leaves: what was forced.
    public MemoryJournal reopenAfterPowerCut() {
        lock.lock();
        try {
            return new MemoryJournal(epoch + 1, new ArrayList<>(entries.subList(0, forcedTo)));
        } finally {
            lock.unlock();
        }
    }

    /// From now on there is no space for records.
    public void fill(boolean full) {
        lock.lock();
        try {
            isFull = full;
        } finally {
            lock.unlock();
        }
    }

    /// What the file system claims to have free.
    public void setUsableBytes(long bytes) {
        lock.lock();
        try {
            usableBytes = bytes;
        } finally {
            lock.unlock();
        }
    }

    /// From now on every force fails.
    public void failForce() {
        lock.lock();
        try {
            failsForce = true;
        } finally {
            lock.unlock();
        }
    }

    /// From now on every append fails.
    public void failAppend() {
        lock.lock();
        try {
            failsAppend = true;
        } finally {
            lock.unlock();
        }
    }

    /// From now on every read fails, or succeeds again.
    public void failRead(boolean fails) {
        lock.lock();
        try {
            failsRead = fails;
        } finally {
            lock.unlock();
        }
    }

    /// From now on every read gives zeros.
    public void garble() {
        lock.lock();
        try {
            isGarbled = true;
        } finally {
            lock.unlock();
        }
    }

    /// From now on commits wait, until they are told to go on.
    public void pauseCommits(boolean paused) {
        lock.lock();
        try {
            isPaused = paused;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Returns when a commit waits because of [#pauseCommits].
    public void awaitPausedCommit() {
        lock.lock();
        try {
            while (!isWaiting) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    public int forces() {
        lock.lock();
        try {
            return forces;
        } finally {
            lock.unlock();
        }
    }

    public int records() {
        lock.lock();
        try {
            return entries.size();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int epoch() {
        return epoch;
    }

    @Override
    public void recover(JournalVisitor visitor) {
        for (int i = 0; i < recovered; i++) {
            try {
                visitor.onRecord(i, entries.get(i).type, ByteBuffer.wrap(entries.get(i).payload));
            } catch (MalformedRecordException e) {
                visitor.onDamage("record " + i + ": " + e.getMessage());
            }
        }
    }

    @Override
    public boolean reserve(long bytes) {
        lock.lock();
        try {
            if (isPaused) {
                isWaiting = true;
                changed.signalAll();
                while (isPaused) {
                    changed.awaitUninterruptibly();
                }
                isWaiting = false;
            }
            return !isFull;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long append(JournalRecord record) throws IOException {
        lock.lock();
        try {
            if (failsAppend) {
                throw new IOException("the append fails as told");
            }
            var payload = ByteBuffer.allocate(record.length());
            record.copyTo(payload);
            entries.add(new Entry(record.type(), payload.array()));
            return entries.size() - 1L;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void force() throws IOException {
        lock.lock();
        try {
            forces++;
            if (failsForce) {
                throw new IOException("the force fails as told");
            }
            forcedTo = entries.size();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void read(long position, int offset, ByteBuffer destination) throws IOException {
        lock.lock();
        try {
            if (failsRead) {
                throw new IOException("Too many open files");
            }
            byte[] payload = entries.get(Math.toIntExact(position)).payload;
            if (isGarbled) {
                payload = new byte[payload.length];
            }
            if (offset + destination.remaining() > payload.length) {
                throw new IOException("the record ends before");
            }
            destination.put(payload, offset, destination.remaining());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int currentFile() {
        return 0;
    }

    @Override
    public void delete(int file) {}

    @Override
    public long usableBytes() {
        lock.lock();
        try {
            return usableBytes;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {}
}
