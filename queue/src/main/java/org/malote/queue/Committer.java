package org.malote.queue;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.malote.queue.journal.Frames;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.SpoolJournal;

/// The one thread that writes the journal. It takes what waits, appends it, forces once, applies it
/// to the index and tells those who wait. While a force runs the next group gathers by itself, so
/// it never waits for a group to grow.
final class Committer implements Runnable {
    /// Something to be recorded.
    abstract static class Work {
        private final JournalRecord record;
        private final boolean refusable;
        private long enqueuedNanos;

        /// @param refusable whether it is refused when space is short; what frees space is not
        Work(JournalRecord record, boolean refusable) {
            this.record = record;
            this.refusable = refusable;
        }

        /// Bytes of the record's payload.
        final int length() {
            return record.length();
        }

        /// It is recorded. Under the index's lock.
        abstract void apply(long position);

        /// It is recorded and applied. Without locks.
        abstract void committed();

        /// It is not recorded, and never will be. Without locks.
        abstract void refused(Refusal refusal);
    }

    /// What the queue does around commits.
    interface Host {
        /// Whether records that may be refused find space now.
        boolean hasSpace(long bytes);

        /// Applies all of a group, in order, under the index's lock.
        void apply(List<Work> group, long[] positions);

        /// At the start, after each group, and again after its own work while nothing else waits:
        /// the time to move old records. Without locks, on the committer's thread.
        ///
        /// @param isAgain whether nothing but its own work was committed since it was last called
        /// @return work to be committed at once, alone; empty for none
        /// @throws IOException when the journal failed
        List<Work> maintenance(boolean isAgain) throws IOException;

        /// A group has ended, committed or not, and the committer is no longer late for it. Without
        /// locks, before those who wait are told.
        void groupEnded();

        /// The journal failed. Called once.
        void stopped(IOException cause);
    }

    /// What a frame takes beside its payload: its header and Chronicle's, rounded up.
    private static final int FRAME_OVERHEAD_BYTES = Frames.HEADER_BYTES + 24;

    private static final long NONE = Long.MIN_VALUE;

    private final SpoolJournal journal;
    private final Durability durability;
    private final QueueLimits limits;
    private final LongSupplier nanoTime;
    private final Host host;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Work> waiting = new ArrayDeque<>();
    private int expected;
    private boolean closing;
    private boolean isWaiting;
    private boolean isBusy;
    private boolean ended;
    private long batchOldestNanos;

    /// When the oldest record was enqueued that is not committed, or [#NONE].
    private volatile long oldestNanos = NONE;

    private volatile boolean stopped;
    private final AtomicLong commits = new AtomicLong();
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong forces = new AtomicLong();

    Committer(
            SpoolJournal journal,
            Durability durability,
            QueueLimits limits,
            LongSupplier nanoTime,
            Host host) {
        this.journal = journal;
        this.durability = durability;
        this.limits = limits;
        this.nanoTime = nanoTime;
        this.host = host;
    }

    /// Takes work. It is told how it ended, on this thread only when the journal has ended.
    void submit(Work work) {
        Refusal refusal;
        lock.lock();
        try {
            if (!stopped && !ended) {
                work.enqueuedNanos = nanoTime.getAsLong();
                waiting.add(work);
                if (waiting.size() == 1) {
                    noteOldest();
                }
                if (isWaiting) {
                    changed.signal();
                }
                return;
            }
            refusal = stopped ? Refusal.STOPPED : Refusal.CLOSED;
        } finally {
            lock.unlock();
        }
        work.refused(refusal);
    }

    /// Announces work that comes when its file is written; the committer does not end before.
    ///
    /// @return false when it is too late
    boolean expect() {
        lock.lock();
        try {
            if (closing || stopped) {
                return false;
            }
            expected++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// What was announced has been submitted or given up.
    void expectNoMore() {
        lock.lock();
        try {
            expected--;
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Ends the thread when all that was submitted is committed.
    void close() {
        lock.lock();
        try {
            closing = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    boolean isStopped() {
        return stopped;
    }

    int depth() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    /// How long the oldest record has waited, 0 when none does. Waits for nobody: every command of
    /// a peer asks.
    long oldestAgeNanos() {
        long oldest = oldestNanos;
        return oldest == NONE ? 0 : Math.max(0, nanoTime.getAsLong() - oldest);
    }

    /// Under the lock, when what is oldest may have changed.
    private void noteOldest() {
        Work first = waiting.peek();
        if (isBusy) {
            oldestNanos = batchOldestNanos;
        } else {
            oldestNanos = first == null ? NONE : first.enqueuedNanos;
        }
    }

    long commits() {
        return commits.get();
    }

    long records() {
        return records.get();
    }

    long bytes() {
        return bytes.get();
    }

    long forces() {
        return forces.get();
    }

    @Override
    public void run() {
        var group = new ArrayList<Work>(limits.batchRecordsMax());
        try {
            maintain();
            while (take(group)) {
                round(group);
            }
            if (durability == Durability.RELAXED && !stopped) {
                journal.force(); // What ends in order outlives the machine.
            }
        } catch (IOException e) {
            stop(e, group);
        } catch (Throwable e) {
            // Whoever waits would wait for ever; so nobody waits, and nothing more is taken.
            stop(new IOException("the committer failed: " + e, e), group);
        }
    }

    private void round(List<Work> group) throws IOException {
        commit(group);
        group.clear();
        maintain();
    }

    /// Ends with what is refused for want of space: it would be so again.
    private void maintain() throws IOException {
        boolean isAgain = false;
        boolean goesOn = true;
        while (goesOn && !stopped) {
            List<Work> maintenance = host.maintenance(isAgain);
            if (maintenance.isEmpty()) {
                return;
            }
            long before = commits.get();
            commit(new ArrayList<>(maintenance));
            isAgain = true;
            goesOn = commits.get() > before && isIdle();
        }
    }

    private boolean isIdle() {
        lock.lock();
        try {
            return waiting.isEmpty() && !closing;
        } finally {
            lock.unlock();
        }
    }

    /// One round of [#run], for whoever has no thread for it.
    ///
    /// @return whether there was anything to do
    boolean step() {
        if (depth() == 0) {
            return false;
        }
        var group = new ArrayList<Work>();
        try {
            if (take(group)) {
                round(group);
            }
        } catch (Throwable e) {
            stop(new IOException("the committer failed: " + e, e), group);
        }
        return true;
    }

    /// Takes the next group, waiting for it.
    ///
    /// @return false at the end
    private boolean take(List<Work> group) {
        lock.lock();
        try {
            isBusy = false;
            noteOldest();
            while (waiting.isEmpty()) {
                if (closing && expected == 0) {
                    ended = true;
                    return false;
                }
                isWaiting = true;
                changed.awaitUninterruptibly();
                isWaiting = false;
            }
            isBusy = true;
            batchOldestNanos = waiting.getFirst().enqueuedNanos;
            long groupBytes = 0;
            while (group.size() < limits.batchRecordsMax()) {
                Work next = waiting.peek();
                if (next == null) {
                    break;
                }
                groupBytes += next.record.length();
                if (!group.isEmpty() && groupBytes > limits.batchBytesMax()) {
                    break;
                }
                group.add(next);
                waiting.remove();
            }
            noteOldest();
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void commit(List<Work> group) {
        if (stopped) {
            refuse(group, Refusal.STOPPED);
            return;
        }
        try {
            if (!makeSpace(group) || group.isEmpty()) {
                return;
            }
            var positions = new long[group.size()];
            for (int i = 0; i < positions.length; i++) {
                positions[i] = journal.append(group.get(i).record);
            }
            if (durability == Durability.COMMIT) {
                forces.incrementAndGet();
                journal.force();
            } else {
                journal.flush();
            }
            host.apply(group, positions);
            commits.incrementAndGet();
            records.addAndGet(positions.length);
            bytes.addAndGet(bytesOf(group));
        } catch (IOException e) {
            stop(e, group);
            return;
        } catch (RuntimeException | Error e) {
            // A bug of ours: what is in memory may no longer be what is on the disk.
            stop(new IOException("the committer failed: " + e, e), group);
            return;
        }
        try {
            endGroup();
        } finally {
            tellEach(group, Work::committed);
        }
    }

    /// Empties the group and tells each how it ended, whatever another one does. The first failure
    /// comes afterwards.
    private static void tellEach(List<Work> group, Consumer<Work> end) {
        List<Work> told = List.copyOf(group);
        group.clear();
        RuntimeException failure = null;
        for (Work work : told) {
            try {
                end.accept(work);
            } catch (RuntimeException | Error e) {
                if (failure == null) {
                    failure = new IllegalStateException("told how its work ended: " + e, e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /// Nothing of the group waits for the disk any more.
    private void endGroup() {
        lock.lock();
        try {
            isBusy = false;
            noteOldest();
        } finally {
            lock.unlock();
        }
        host.groupEnded();
    }

    /// Leaves in the group what has its space reserved.
    ///
    /// @return false when the journal stopped
    private boolean makeSpace(List<Work> group) throws IOException {
        long needed = bytesOf(group);
        if (host.hasSpace(needed) && journal.reserve(needed)) {
            return true;
        }
        var refused = new ArrayList<Work>();
        group.removeIf(work -> work.refusable && refused.add(work));
        try {
            if (group.isEmpty()) {
                endGroup();
            }
        } finally {
            refuse(refused, Refusal.NO_SPACE);
        }
        if (group.isEmpty() || journal.reserve(bytesOf(group))) {
            return true;
        }
        stop(new IOException("no space is left even to record deliveries"), group);
        return false;
    }

    private static long bytesOf(List<Work> group) {
        long sum = 0;
        for (Work work : group) {
            sum += work.record.length() + FRAME_OVERHEAD_BYTES;
        }
        return sum;
    }

    private static void refuse(List<Work> group, Refusal refusal) {
        tellEach(group, work -> work.refused(refusal));
    }

    /// The first failure is final: a second force of the same file may succeed with the data gone.
    private void stop(IOException cause, List<Work> group) {
        boolean first;
        var late = new ArrayList<Work>();
        lock.lock();
        try {
            first = !stopped;
            stopped = true;
            late.addAll(waiting);
            waiting.clear();
            noteOldest();
        } finally {
            lock.unlock();
        }
        try {
            if (first) {
                host.stopped(cause);
            }
        } finally {
            late.addAll(0, group);
            group.clear();
            refuse(late, Refusal.STOPPED);
        }
    }

    /// Stops because a body file failed. Any thread.
    void fail(IOException cause) {
        stop(cause, new ArrayList<>());
    }
}
