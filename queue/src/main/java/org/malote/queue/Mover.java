package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.SpoolJournal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the journal from growing without end behind a few old messages: when it is much larger
/// than what lives in it, the records of its oldest file are appended again, a few at a time, and
/// the file can be deleted.
///
/// The committer's own. It commits them alone, so a record tells the state that everything before
/// it left.
final class Mover {
    private static final Logger log = LoggerFactory.getLogger(Mover.class);

    /// Files that the journal may have beyond twice those that its live records would fill.
    private static final int SPARSE_FILES_MAX = 4;

    /// Records of one commit: others wait for it.
    private static final int RECORDS_MAX = 16;

    private final SpoolJournal journal;
    private final QueueLimits limits;
    private final Index index;

    /// Of the index.
    private final Lock lock;

    /// What is left of the oldest file.
    private final ArrayDeque<LiveMessage> toMove = new ArrayDeque<>();

    /// A file with a record that cannot be read; -1 for none.
    private int unmovableFile = -1;

    Mover(SpoolJournal journal, QueueLimits limits, Index index, Lock lock) {
        this.journal = journal;
        this.limits = limits;
        this.index = index;
        this.lock = lock;
    }

    /// What to commit next, empty for nothing.
    List<Committer.Work> next() {
        var work = new ArrayList<Committer.Work>();
        if (toMove.isEmpty() && !findSparseFile()) {
            return work;
        }
        long bytes = 0;
        while (!toMove.isEmpty() && work.size() < RECORDS_MAX && bytes < limits.batchBytesMax()) {
            LiveMessage message = toMove.remove();
            try {
                Committer.Work moving = moving(message);
                if (moving != null) {
                    work.add(moving);
                    bytes += message.sizeBytes;
                }
            } catch (IOException | IllegalArgumentException e) {
                // The latter: what the remotes said of many recipients makes it too large.
                log.warn(
                        "the record of message {} cannot be moved and keeps its file: {}",
                        message.id,
                        e.getMessage());
                unmovableFile = SpoolJournal.fileOf(message.position);
            }
        }
        return work;
    }

    private boolean findSparseFile() {
        lock.lock();
        try {
            int oldest = index.oldestFile();
            long files = (long) journal.currentFile() - oldest;
            long live = index.journalBytes() / limits.journalFileBytes();
            if (files <= SPARSE_FILES_MAX + 2 * live || oldest == unmovableFile) {
                return false;
            }
            toMove.addAll(index.inOldestFile());
            return !toMove.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private Committer.@Nullable Work moving(LiveMessage message) throws IOException {
        ByteBuffer states;
        lock.lock();
        try {
            if (message.isGone) {
                return null;
            }
            states = Records.states(message);
        } finally {
            lock.unlock();
        }
        // Only this thread moves records: the place holds without the lock.
        var head = ByteBuffer.allocate(message.headBytes);
        journal.read(message.position, 0, head);
        int bodyBytes = message.hasBodyFile ? 0 : Math.toIntExact(message.sizeBytes);
        var body = ByteBuffer.allocate(bodyBytes);
        journal.read(message.position, message.bodyOffset, body);
        int bodyOffset = message.headBytes + states.remaining();
        var record = new JournalRecord(Records.CARRIED, head.flip(), List.of(states, body.flip()));
        return new Committer.Work(record, true) {
            @Override
            void apply(long position) {
                index.moved(message, position, bodyOffset);
            }

            @Override
            void committed() {}

            @Override
            void refused(Refusal refusal) {
                log.debug("the record of message {} was not moved: {}", message.id, refusal);
            }
        };
    }
}
