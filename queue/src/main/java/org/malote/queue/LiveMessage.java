package org.malote.queue;

/// A message in the index: where its record is, and how each recipient stands. The envelope, the
/// size of its head and what was last said are not here; they are read from the journal when
/// somebody asks. Guarded by the [Index].
///
/// There are two kinds, since a queue is as large as its memory lets it be: [OneMessage], with a
/// single recipient, is a view of an entry outside of the heap; [ManyMessage] has arrays.
abstract sealed class LiveMessage permits OneMessage, ManyMessage {
    // States of a recipient. Which of them are active is no state of the journal: it ends with the
    // process.
    static final byte WAITING = 0;
    static final byte HELD_BY_OPERATOR = 1;
    static final byte HELD_BY_ROUTE = 2;
    static final byte DELIVERED = 3;
    static final byte FAILED = 4;

    /// No record says what was last said of a recipient.
    static final long NO_DETAIL = -1;

    /// More attempts than these are not counted. Ours: five days of one every fifteen seconds.
    static final int ATTEMPTS_MAX = Short.MAX_VALUE;

    abstract MessageId id();

    /// Of the record in the journal.
    abstract long position();

    abstract void setPosition(long position);

    /// Of the message; for one above 4 GiB, that.
    abstract long sizeBytes();

    abstract boolean hasBodyFile();

    /// What its record in the journal holds beside the body; with one recipient an estimate.
    abstract int headBytes();

    abstract void setHeadBytes(int bytes);

    abstract int recipientCount();

    abstract byte state(int recipient);

    abstract void setState(int recipient, byte state);

    /// Claimed, and not yet settled on the disk.
    abstract boolean isActive(int recipient);

    abstract void setActive(int recipient, boolean isActive);

    /// Released from a hold, which nothing has held since.
    abstract boolean isReleased(int recipient);

    abstract void setReleased(int recipient, boolean isReleased);

    /// To be returned to its sender instead of being attempted.
    abstract boolean isCondemned(int recipient);

    abstract void setCondemned(int recipient, boolean isCondemned);

    abstract int attempts(int recipient);

    abstract void setAttempts(int recipient, int attempts);

    /// Milliseconds since 1970; of meaning for one that waits.
    abstract long dueMillis(int recipient);

    abstract void setDueMillis(int recipient, long millis);

    /// The position of the record that has its last reply, or [#NO_DETAIL].
    abstract long detail(int recipient);

    abstract void setDetail(int recipient, long position);

    /// Recipients of one destination are a group: one entry of the schedule.
    abstract int groupCount();

    abstract int entry(int group);

    /// Recipients, ascending.
    abstract int[] members(int group);

    /// Claimed, or settled and not yet recorded.
    abstract boolean isBusy(int group);

    abstract void setBusy(int group, boolean isBusy);

    /// It is no longer in the index.
    abstract boolean isGone();

    abstract void setGone();

    final boolean isHeld(int recipient) {
        byte state = state(recipient);
        return state == HELD_BY_OPERATOR || state == HELD_BY_ROUTE;
    }

    final boolean isFinal(int recipient) {
        byte state = state(recipient);
        return state == DELIVERED || state == FAILED;
    }

    /// Whether no recipient is left.
    final boolean isDone() {
        for (int i = 0; i < recipientCount(); i++) {
            if (!isFinal(i)) {
                return false;
            }
        }
        return true;
    }

    /// Whether there are claims that are not yet settled, or settlements not yet recorded. While
    /// there are, nothing of the message is deleted from the disk or the memory.
    final boolean isInUse() {
        for (int group = 0; group < groupCount(); group++) {
            if (isBusy(group)) {
                return true;
            }
        }
        return false;
    }
}
