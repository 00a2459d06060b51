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
    static final int RECORDS_MAX = 16;

    private final SpoolJournal journal;
    private final RecordReader reader;
    private final QueueLimits limits;
    private final Index index;

    /// Of the index.
    private final Lock lock;

    /// What is left of the oldest file.
    private final ArrayDeque<MessageId> toMove = new ArrayDeque<>();

    /// Nothing moves from here on: else what was moved would be moved again, without end where the
    /// estimate of what lives is too low.
    private int endFile;

    /// A file with a record that cannot be read; -1 for none.
    private int unmovableFile = -1;

    Mover(SpoolJournal journal, QueueLimits limits, Index index, Lock lock) {
        this.journal = journal;
        this.reader = new RecordReader(journal);
        this.limits = limits;
        this.index = index;
        this.lock = lock;
    }

    /// What to commit next, empty for nothing.
    ///
    /// @param isAgain whether nothing but what it moved was committed since it was last asked
    List<Committer.Work> next(boolean isAgain) {
        if (!isAgain) {
            endFile = journal.currentFile();
        }
        var work = new ArrayList<Committer.Work>();
        if (toMove.isEmpty() && !findSparseFile()) {
            return work;
        }
        long bytes = 0;
        while (!toMove.isEmpty() && work.size() < RECORDS_MAX && bytes < limits.batchBytesMax()) {
            MessageId id = toMove.remove();
            try {
                Committer.Work moving = moving(id);
                if (moving != null) {
                    work.add(moving);
                    bytes += moving.length();
                }
            } catch (IOException | IllegalArgumentException e) {
                // The latter: what the remotes said of many recipients makes it too large.
                log.warn(
                        "the record of message {} cannot be moved and keeps its file: {}",
                        id,
                        e.getMessage());
                unmovableFile = oldestFile();
            }
        }
        return work;
    }

    private int oldestFile() {
        lock.lock();
        try {
            return index.oldestFile();
        } finally {
            lock.unlock();
        }
    }

    private boolean findSparseFile() {
        lock.lock();
        try {
            int oldest = index.oldestFile();
            long files = (long) journal.currentFile() - oldest;
            long live = index.journalBytes() / limits.journalFileBytes();
            if (files <= SPARSE_FILES_MAX + 2 * live
                    || oldest >= endFile
                    || oldest == unmovableFile) {
                return false;
            }
            toMove.addAll(index.inOldestFile());
            return !toMove.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /// What a recipient stands at, but for the words.
    private record Standing(RecipientStatus status, long detail) {}

    private Committer.@Nullable Work moving(MessageId id) throws IOException {
        JournalRecord record = copyOf(id);
        if (record == null) {
            return null;
        }
        return new Committer.Work(record, true) {
            @Override
            void apply(long moved) {
                index.moved(id, record.length(), moved);
            }

            @Override
            void committed() {}

            @Override
            void refused(Refusal refusal) {
                log.debug("the record of message {} was not moved: {}", id, refusal);
            }
        };
    }

    /// A message as it is now in one record, or null when it has left. On the committer's thread,
    /// or when nothing is committed.
    @Nullable JournalRecord copyOf(MessageId id) throws IOException {
        var standings = new ArrayList<Standing>();
        long position;
        boolean hasBodyFile;
        lock.lock();
        try {
            LiveMessage message = index.find(id);
            if (message == null) {
                return null;
            }
            position = message.position();
            hasBodyFile = message.hasBodyFile();
            for (int i = 0; i < message.recipientCount(); i++) {
                standings.add(
                        new Standing(
                                new RecipientStatus(
                                        message.state(i),
                                        message.isReleased(i),
                                        message.isCondemned(i),
                                        message.attempts(i),
                                        message.dueMillis(i),
                                        null),
                                message.detail(i)));
            }
        } finally {
            lock.unlock();
        }
        // Only this thread moves records: the places hold without the lock.
        RecordReader.Stored stored = reader.message(id, position);
        int bodyBytes = hasBodyFile ? 0 : Math.toIntExact(stored.head().bodyBytes());
        var body = ByteBuffer.allocate(bodyBytes);
        reader.body(position, stored.bodyOffset(), 0, body);
        ByteBuffer states = Records.states(withReplies(id, standings));
        var head = ByteBuffer.allocate(stored.head().headBytes() + states.remaining());
        journal.read(position, 0, head.limit(stored.head().headBytes()));
        head.limit(head.capacity()).put(states);
        return new JournalRecord(Records.CARRIED, head.flip(), List.of(body.flip()));
    }

    private List<RecipientStatus> withReplies(MessageId id, List<Standing> standings)
            throws IOException {
        var statuses = new ArrayList<RecipientStatus>(standings.size());
        for (int i = 0; i < standings.size(); i++) {
            RecipientStatus status = standings.get(i).status();
            statuses.add(
                    new RecipientStatus(
                            status.state(),
                            status.isReleased(),
                            status.isCondemned(),
                            status.attempts(),
                            status.dueMillis(),
                            reader.reply(id, i, standings.get(i).detail())));
        }
        return statuses;
    }
}
