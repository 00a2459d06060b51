package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.Checksum;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.JournalVisitor;
import org.malote.queue.journal.MalformedRecordException;
import org.malote.queue.journal.RecordInfo;
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
    /// Null where nothing is, or no longer.
    private final List<@Nullable Entry> entries;

    private int fileRecords;
    private final int recovered;
    private int forcedTo;
    private int forces;
    private boolean isFull;
    private boolean failsForce;
    private boolean failsAppend;
    private boolean failsDelete;
    private final List<Integer> deleted = new ArrayList<>();
    private boolean failsRead;
    private boolean isGarbled;
    private boolean isPaused;
    private boolean isWaiting;
    private long usableBytes = 1L << 40;

    public MemoryJournal() {
        this(1, new ArrayList<>(), Integer.MAX_VALUE);
    }

    private MemoryJournal(int epoch, List<@Nullable Entry> entries, int fileRecords) {
        this.epoch = epoch;
        this.entries = entries;
        this.fileRecords = fileRecords;
        while (fileRecords < Integer.MAX_VALUE && entries.size() % fileRecords != 0) {
            entries.add(null);
        }
        this.recovered = entries.size();
        this.forcedTo = entries.size();
    }

    /// A journal of the next epoch with all that was appended.
    public MemoryJournal reopen() {
        lock.lock();
        try {
            return new MemoryJournal(epoch + 1, new ArrayList<>(entries), fileRecords);
        } finally {
            lock.unlock();
        }
    }

    /// A journal of the next epoch with what a power cut leaves: what was forced.
    public MemoryJournal reopenAfterPowerCut() {
        lock.lock();
        try {
            return new MemoryJournal(
                    epoch + 1, new ArrayList<>(entries.subList(0, forcedTo)), fileRecords);
        } finally {
            lock.unlock();
        }
    }

    /// Every so many records go to a file of their own, in this start and those after it. To be
    /// said before the first.
    public void rollEvery(int records) {
        lock.lock();
        try {
            fileRecords = records;
        } finally {
            lock.unlock();
        }
    }

    /// From now on no file can be deleted, or they can again.
    public void failDelete(boolean fails) {
        lock.lock();
        try {
            failsDelete = fails;
        } finally {
            lock.unlock();
        }
    }

    /// The files that were deleted in this start, in that order.
    public List<Integer> deletedFiles() {
        lock.lock();
        try {
            return List.copyOf(deleted);
        } finally {
            lock.unlock();
        }
    }

    /// Returns when so many files were deleted.
    ///
    /// @throws AssertionError when that takes a minute
    public void awaitDeletedFiles(int count) throws InterruptedException {
        lock.lock();
        try {
            long nanos = TimeUnit.MINUTES.toNanos(1);
            while (deleted.size() < count) {
                nanos = changed.awaitNanos(nanos);
                if (nanos <= 0) {
                    throw new AssertionError("deleted were only " + deleted);
                }
            }
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
            Entry entry = entries.get(i);
            if (entry == null) {
                continue;
            }
            try {
                visitor.onRecord(position(i), entry.type, ByteBuffer.wrap(entry.payload));
            } catch (MalformedRecordException e) {
                visitor.onDamage("record " + i + ": " + e.getMessage());
            }
        }
        visitor.onEpochEnd();
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
    public boolean roll() {
        lock.lock();
        try {
            if (fileRecords == Integer.MAX_VALUE || entries.size() % fileRecords == 0) {
                return false;
            }
            while (entries.size() % fileRecords != 0) {
                entries.add(null);
            }
            return true;
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
            return position(entries.size() - 1);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void flush() {}

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
    public @Nullable RecordInfo info(long position) throws IOException {
        lock.lock();
        try {
            if (failsRead) {
                throw new IOException("Too many open files");
            }
            Entry entry = entries.get(Math.toIntExact(SpoolJournal.offsetOf(position)));
            if (entry == null) {
                throw new IOException("the file is gone");
            }
            return isGarbled
                    ? null
                    : new RecordInfo(
                            entry.type,
                            entry.payload.length,
                            Checksum.of(ByteBuffer.wrap(entry.payload)));
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
            Entry entry = entries.get(Math.toIntExact(SpoolJournal.offsetOf(position)));
            if (entry == null) {
                throw new IOException("the file is gone");
            }
            byte[] payload = entry.payload;
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
        lock.lock();
        try {
            return Math.floorDiv(entries.size() - 1, fileRecords);
        } finally {
            lock.unlock();
        }
    }

    private long position(int index) {
        return SpoolJournal.position(index / fileRecords, index);
    }

    @Override
    public void setDamaged(int file) {}

    @Override
    public void delete(int file) throws IOException {
        lock.lock();
        try {
            if (failsDelete) {
                throw new IOException("the deletion fails as told");
            }
            if (fileRecords < Integer.MAX_VALUE) {
                deleted.add(file);
                changed.signalAll();
                entries.subList(file * fileRecords, (file + 1) * fileRecords).replaceAll(_ -> null);
            }
        } finally {
            lock.unlock();
        }
    }

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
