package org.malote.queue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.SpoolJournal;
import org.malote.queue.schedule.LaneSchedule;

/// What the journal says, in memory: every message that is not finished, and when its recipients
/// are due. The same methods apply a record when it was committed and when recovery reads it, so
/// the two cannot differ.
///
/// Guarded by its owner's lock.
final class Index {
    private final Map<Long, LiveMessage> messages = new HashMap<>();
    private final LaneSchedule schedule;
    private final Consumer<LiveMessage> onFinished;

    /// By file of the journal: messages whose record is in it and still needed.
    private long[] liveByFile = new long[16];

    private int oldestFile;
    private long bytes;
    private long journalBytes;
    private long waiting;
    private long held;
    private long active;
    private long finished;

    /// @param onFinished told of each message that left and whose record and file nobody needs any
    ///     more
    Index(QueueLimits limits, Consumer<LiveMessage> onFinished) {
        this.schedule = new LaneSchedule(limits.laneConcurrencyMax(), limits.attemptsMax());
        this.onFinished = onFinished;
    }

    @Nullable LiveMessage find(MessageId id) {
        return messages.get(id.value());
    }

    int size() {
        return messages.size();
    }

    LaneSchedule schedule() {
        return schedule;
    }

    /// Oldest first.
    long[] ids() {
        long[] ids = new long[messages.size()];
        int count = 0;
        for (long id : messages.keySet()) {
            ids[count++] = id;
        }
        Arrays.sort(ids);
        return ids;
    }

    void accepted(LiveMessage message, Envelope envelope) {
        LiveMessage before = messages.get(message.id.value());
        if (before != null) {
            // A carried record takes the place of the one that it was copied from.
            leave(before);
            countFile(before, -1);
        }
        messages.put(message.id.value(), message);
        countFile(message, 1);
        bytes += message.sizeBytes;
        for (int i = 0; i < message.states.length; i++) {
            count(message, i, 1);
        }
        for (LiveMessage.Group group : message.groups) {
            schedule.add(group, envelope.recipients().get(group.recipients[0]).destination());
            reschedule(group);
        }
        if (message.open == 0) {
            finish(message);
        }
    }

    /// The record and the body of a message are now elsewhere; nothing else changed.
    void moved(LiveMessage message, long position, int bodyOffset) {
        if (message.isGone && message.claims == 0) {
            return;
        }
        countFile(message, -1);
        message.position = position;
        message.bodyOffset = bodyOffset;
        countFile(message, 1);
    }

    void settled(LiveMessage message, List<? extends Settlement> settlements) {
        for (Settlement settlement : settlements) {
            int recipient = settlement.recipient();
            if (recipient >= message.states.length || message.isFinal(recipient)) {
                continue;
            }
            count(message, recipient, -1);
            message.active[recipient] = false;
            // A release outlives a deferral: the recipient is still on its way past what held it.
            if (!(settlement instanceof Settlement.Deferred)) {
                message.released[recipient] = false;
            }
            message.replies[recipient] = Records.cut(settlement.reply());
            message.attempts[recipient]++;
            switch (settlement) {
                case Settlement.Delivered _ -> {
                    message.states[recipient] = LiveMessage.DELIVERED;
                    message.open--;
                }
                case Settlement.Failed _ -> {
                    message.states[recipient] = LiveMessage.FAILED;
                    message.open--;
                }
                // A hold that came during the attempt takes effect now, by staying.
                case Settlement.Deferred deferred ->
                        message.dueMillis[recipient] = deferred.untilMillis();
                case Settlement.Held _ -> {
                    message.attempts[recipient]--;
                    if (message.states[recipient] == LiveMessage.WAITING) {
                        message.states[recipient] = LiveMessage.HELD_BY_ROUTE;
                    }
                }
            }
            count(message, recipient, 1);
        }
        rescheduleAll(message);
        if (message.open == 0) {
            finish(message);
        }
    }

    /// @return whether it changed anything
    boolean changed(LiveMessage message, Change change, int target, long atMillis) {
        if (change == Change.REMOVE) {
            finish(message);
            return true;
        }
        boolean any = false;
        for (int i = 0; i < message.states.length; i++) {
            boolean isMeant = target == Records.Target.ALL || target == i;
            if (!isMeant || !affects(change, message, i)) {
                continue;
            }
            any = true;
            count(message, i, -1);
            if (change == Change.HOLD) {
                message.states[i] = LiveMessage.HELD_BY_OPERATOR;
                message.released[i] = false;
            } else {
                message.released[i] = change != Change.RETRY || message.released[i];
                message.states[i] = LiveMessage.WAITING;
                message.dueMillis[i] = atMillis;
            }
            count(message, i, 1);
        }
        if (any) {
            rescheduleAll(message);
        }
        return any;
    }

    private static boolean affects(Change change, LiveMessage message, int recipient) {
        byte state = message.states[recipient];
        return switch (change) {
            case RETRY -> state == LiveMessage.WAITING;
            case HOLD -> state == LiveMessage.WAITING || state == LiveMessage.HELD_BY_ROUTE;
            case RELEASE -> message.isHeld(recipient);
            case RECONSIDER -> state == LiveMessage.HELD_BY_ROUTE;
            case REMOVE -> true;
        };
    }

    /// Which recipients a change would touch: none, all ([Records.Target#ALL]) or some.
    void targets(
            LiveMessage message,
            Change change,
            Predicate<String> destination,
            List<Records.Target> targets) {
        if (change == Change.RECONSIDER) {
            for (LiveMessage.Group group : message.groups) {
                for (int recipient : group.recipients) {
                    if (affects(change, message, recipient)
                            && destination.test(group.destination())) {
                        targets.add(new Records.Target(message.id, recipient));
                    }
                }
            }
            return;
        }
        for (int i = 0; i < message.states.length; i++) {
            if (affects(change, message, i)) {
                targets.add(new Records.Target(message.id, Records.Target.ALL));
                return;
            }
        }
    }

    /// Takes the group whose turn it is.
    LiveMessage.@Nullable Group claim(long nowMillis) {
        return (LiveMessage.Group) schedule.claim(nowMillis);
    }

    /// The due recipients of a claimed group become active: one at least. A group that was found
    /// due stays due when the clock is set back.
    ///
    /// @param max at most so many
    int[] activate(LiveMessage.Group group, long nowMillis, int max) {
        LiveMessage message = group.message;
        long asOfMillis = Math.max(nowMillis, group.dueMillis());
        var due = new int[Math.min(max, group.recipients.length)];
        int count = 0;
        for (int recipient : group.recipients) {
            if (count < max
                    && message.states[recipient] == LiveMessage.WAITING
                    && message.dueMillis[recipient] <= asOfMillis) {
                count(message, recipient, -1);
                message.active[recipient] = true;
                count(message, recipient, 1);
                due[count++] = recipient;
            }
        }
        message.claims++;
        group.isBusy = true;
        return Arrays.copyOf(due, count);
    }

    /// A claim has ended without a word to the journal.
    void released(LiveMessage.Group group, int[] recipients, long untilMillis) {
        LiveMessage message = group.message;
        schedule.settle(group);
        for (int recipient : recipients) {
            if (!message.isGone) {
                count(message, recipient, -1);
            }
            message.active[recipient] = false;
            message.dueMillis[recipient] = untilMillis;
            if (!message.isGone) {
                count(message, recipient, 1);
            }
        }
        claimEnded(group);
    }

    /// A claim's settlements are recorded, or never will be.
    void claimEnded(LiveMessage.Group group) {
        LiveMessage message = group.message;
        message.claims--;
        group.isBusy = false;
        if (!message.isGone) {
            reschedule(group);
            return;
        }
        schedule.drop(group);
        if (message.claims == 0) {
            free(message);
        }
    }

    private void rescheduleAll(LiveMessage message) {
        for (LiveMessage.Group group : message.groups) {
            reschedule(group);
        }
    }

    private void reschedule(LiveMessage.Group group) {
        LiveMessage message = group.message;
        if (message.isGone || group.isBusy) {
            return;
        }
        long due = Long.MAX_VALUE;
        for (int recipient : group.recipients) {
            if (message.states[recipient] == LiveMessage.WAITING && !message.active[recipient]) {
                due = Math.min(due, message.dueMillis[recipient]);
            }
        }
        if (due == Long.MAX_VALUE) {
            schedule.unschedule(group);
        } else {
            schedule.schedule(group, due);
        }
    }

    private void finish(LiveMessage message) {
        leave(message);
        finished++;
        if (message.claims == 0) {
            free(message);
        }
    }

    private void leave(LiveMessage message) {
        messages.remove(message.id.value());
        bytes -= message.sizeBytes;
        for (int i = 0; i < message.states.length; i++) {
            count(message, i, -1);
        }
        message.isGone = true;
        for (LiveMessage.Group group : message.groups) {
            if (!group.isBusy) {
                schedule.drop(group);
            }
        }
    }

    private void free(LiveMessage message) {
        countFile(message, -1);
        onFinished.accept(message);
    }

    private void count(LiveMessage message, int recipient, int by) {
        if (message.isFinal(recipient)) {
            return;
        }
        if (message.active[recipient]) {
            active += by;
        } else if (message.isHeld(recipient)) {
            held += by;
        } else {
            waiting += by;
        }
    }

    private void countFile(LiveMessage message, int by) {
        int file = SpoolJournal.fileOf(message.position);
        if (file >= liveByFile.length) {
            liveByFile = Arrays.copyOf(liveByFile, Math.max(file + 1, liveByFile.length * 2));
        }
        liveByFile[file] += by;
        journalBytes += by * (message.bodyOffset + (message.hasBodyFile ? 0 : message.sizeBytes));
    }

    /// The oldest files that no message needs, up to but without `current`; asked once each. Only
    /// whole runs from the oldest on: a younger file may hold what became of a message in an older
    /// one.
    List<Integer> filesToDelete(int current) {
        var files = new ArrayList<Integer>();
        while (oldestFile < current
                && (oldestFile >= liveByFile.length || liveByFile[oldestFile] == 0)) {
            files.add(oldestFile++);
        }
        return files;
    }

    int oldestFile() {
        return oldestFile;
    }

    /// The messages whose record is in the oldest file.
    List<LiveMessage> inOldestFile() {
        var found = new ArrayList<LiveMessage>();
        for (LiveMessage message : messages.values()) {
            if (SpoolJournal.fileOf(message.position) == oldestFile) {
                found.add(message);
            }
        }
        return found;
    }

    /// What the messages take in the journal.
    long journalBytes() {
        return journalBytes;
    }

    long bytes() {
        return bytes;
    }

    long waiting() {
        return waiting;
    }

    long held() {
        return held;
    }

    long active() {
        return active;
    }

    long finished() {
        return finished;
    }
}
