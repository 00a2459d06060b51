package org.malote.queue;

import org.jspecify.annotations.Nullable;
import org.malote.queue.schedule.LaneSchedule;

/// A message in the index: where its record is, and how each recipient stands. The envelope is not
/// here; it is read from the journal when somebody asks. Guarded by the [Index].
final class LiveMessage {
    // States of a recipient. Which of them are ACTIVE is no state of the journal: it ends with the
    // process.
    static final byte WAITING = 0;
    static final byte HELD_BY_OPERATOR = 1;
    static final byte HELD_BY_ROUTE = 2;
    static final byte DELIVERED = 3;
    static final byte FAILED = 4;

    final MessageId id;
    final long acceptedAtMillis;
    final long sizeBytes;
    final int bodyCrc;
    final boolean hasBodyFile;

    /// What the envelope takes in the payload.
    final int headBytes;

    /// Where in the payload the body begins, when it is in the journal.
    int bodyOffset;

    /// Of the record in the journal.
    long position;

    final Group[] groups;
    final byte[] states;
    final boolean[] active;
    final boolean[] released;
    final int[] attempts;
    final long[] dueMillis;
    final @Nullable String[] replies;

    /// Recipients that are neither delivered nor failed.
    int open;

    /// Claims that are not yet settled, and settlements that are not yet recorded. While there are
    /// any, nothing of the message is deleted from the disk.
    int claims;

    /// It is no longer in the index.
    boolean isGone;

    /// The recipients of a message that share a destination.
    static final class Group extends LaneSchedule.Entry {
        final LiveMessage message;
        final int[] recipients;

        /// Claimed, or settled and not yet recorded.
        boolean isBusy;

        Group(LiveMessage message, int[] recipients) {
            this.message = message;
            this.recipients = recipients;
        }
    }

    LiveMessage(AcceptedRecord record, long position) {
        this.id = record.id();
        this.acceptedAtMillis = record.acceptedAtMillis();
        this.sizeBytes = record.bodyBytes();
        this.bodyCrc = record.bodyCrc();
        this.hasBodyFile = record.hasBodyFile();
        this.headBytes = record.headBytes();
        this.bodyOffset = record.headBytes();
        this.position = position;
        int count = record.envelope().recipients().size();
        this.states = new byte[count];
        this.active = new boolean[count];
        this.released = new boolean[count];
        this.attempts = new int[count];
        this.dueMillis = new long[count];
        this.replies = new @Nullable String[count];
        this.open = count;
        java.util.Arrays.fill(dueMillis, acceptedAtMillis);
        this.groups = groups(record.envelope());
    }

    private Group[] groups(Envelope envelope) {
        if (envelope.recipients().size() == 1) {
            return new Group[] {new Group(this, new int[] {0})};
        }
        var byDestination = new java.util.LinkedHashMap<String, java.util.List<Integer>>();
        for (int i = 0; i < envelope.recipients().size(); i++) {
            byDestination
                    .computeIfAbsent(
                            envelope.recipients().get(i).destination(),
                            _ -> new java.util.ArrayList<>())
                    .add(i);
        }
        return byDestination.values().stream()
                .map(
                        members ->
                                new Group(
                                        this,
                                        members.stream().mapToInt(Integer::intValue).toArray()))
                .toArray(Group[]::new);
    }

    boolean isHeld(int recipient) {
        return states[recipient] == HELD_BY_OPERATOR || states[recipient] == HELD_BY_ROUTE;
    }

    boolean isFinal(int recipient) {
        return states[recipient] == DELIVERED || states[recipient] == FAILED;
    }
}
