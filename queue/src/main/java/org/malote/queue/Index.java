package org.malote.queue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.Disk;
import org.malote.queue.journal.Frames;
import org.malote.queue.journal.SpoolJournal;
import org.malote.queue.schedule.EntryTable;
import org.malote.queue.schedule.Feedback;
import org.malote.queue.schedule.LaneSchedule;
import org.malote.queue.schedule.SiteLimits;

/// What the journal says, in memory: every message that is not finished, and when its recipients
/// are due. The same methods apply a record when it was committed and when recovery reads it, so
/// the two cannot differ.
///
/// A message with one recipient takes an entry of [EntryTable#ENTRY_BYTES] outside of the heap and
/// 5 to 11 bytes of the table that finds it.
///
/// Guarded by its owner's lock.
final class Index {
    /// What a record takes beside its payload: the frame's header, and its share of a block when
    /// the [Mover] has appended it again.
    private static final int RECORD_OVERHEAD_BYTES =
            Frames.HEADER_BYTES + Disk.BLOCK_BYTES / Mover.RECORDS_MAX;

    // What things take of memory, measured by IndexMemoryTest, which fails when it is more.
    static final int ONE_BYTES = 64;
    private static final int MANY_BYTES = 320;
    private static final int RECIPIENT_BYTES = 24;
    private static final int DESTINATION_BYTES = 100;
    private static final int LANE_BYTES = 512;

    /// Destinations that cost nothing: a queue of a few messages is counted by messages. Ours: 4
    /// MiB.
    private static final int LANES_FREE = 8192;

    private final EntryTable entries = new EntryTable();
    private final IdTable ones = new IdTable(entries, OneMessage.ID);
    private final Map<Long, ManyMessage> many = new HashMap<>();
    private final LaneSchedule schedule;
    private final Consumer<LiveMessage> onFinished;

    /// By file of the journal: messages whose record is in it and still needed.
    private long[] liveByFile = new long[16];

    private int oldestFile;
    private long bytes;
    private long journalBytes;
    private long manyBytes;
    private long waiting;
    private long held;
    private long active;
    private long finished;

    /// The recipients of a message that share a destination.
    ///
    /// @param index its number in the message
    record Group(LiveMessage message, int index) {
        int entry() {
            return message.entry(index);
        }
    }

    /// @param random spreads the tries of sites that are down
    /// @param onFinished told of each message that left and whose record and file nobody needs any
    ///     more
    Index(QueueLimits limits, RandomGenerator random, Consumer<LiveMessage> onFinished) {
        this.schedule =
                new LaneSchedule(
                        entries,
                        SiteLimits.window(limits.laneConcurrencyMax()),
                        limits.attemptsMax(),
                        random);
        this.onFinished = onFinished;
    }

    /// The message is a view: it means something until the lock is given up, or, when it is
    /// claimed, until its claim ends.
    @Nullable LiveMessage find(MessageId id) {
        int entry = ones.find(id.value());
        return entry == EntryTable.NONE ? many.get(id.value()) : new OneMessage(entries, entry);
    }

    int size() {
        return ones.size() + many.size();
    }

    LaneSchedule schedule() {
        return schedule;
    }

    /// Oldest first.
    long[] ids() {
        long[] ids = new long[size()];
        int[] count = {0};
        ones.forEach(entry -> ids[count[0]++] = OneMessage.idOf(entries, entry));
        for (long id : many.keySet()) {
            ids[count[0]++] = id;
        }
        Arrays.sort(ids);
        return ids;
    }

    /// A message is in the journal, at a position.
    void accepted(AcceptedRecord record, long position) {
        LiveMessage message = enter(record, record.headBytes(), position);
        for (int i = 0; i < message.recipientCount(); i++) {
            count(message, i, 1);
        }
        rescheduleAll(message);
    }

    /// Recovery found a copy of a message's record, with the states of its recipients. It counts in
    /// place of any before.
    ///
    /// @param headBytes what the record holds beside the body
    void carried(
            AcceptedRecord record, List<RecipientStatus> statuses, int headBytes, long position) {
        LiveMessage before = find(record.id());
        if (before != null) {
            leave(before);
            countFile(before, -1);
            freeEntries(before);
        }
        LiveMessage message = enter(record, headBytes, position);
        for (int i = 0; i < message.recipientCount(); i++) {
            RecipientStatus status = statuses.get(i);
            message.setState(i, status.state());
            message.setReleased(i, status.isReleased());
            message.setCondemned(i, status.isCondemned());
            message.setAttempts(i, status.attempts());
            message.setDueMillis(i, status.dueMillis());
            message.setDetail(i, status.reply() == null ? LiveMessage.NO_DETAIL : position);
            count(message, i, 1);
        }
        rescheduleAll(message);
        if (message.isDone()) {
            finish(message);
        }
    }

    /// @param headBytes what its record holds beside the body
    private LiveMessage enter(AcceptedRecord record, int headBytes, long position) {
        LiveMessage message;
        List<Recipient> recipients = record.envelope().recipients();
        if (recipients.size() == 1) {
            message = OneMessage.create(entries, record, position);
            ones.add(message.entry(0));
        } else {
            var several = new ManyMessage(entries, record, headBytes, position);
            many.put(record.id().value(), several);
            manyBytes += manyBytes(several.recipientCount(), several.groupCount());
            message = several;
        }
        for (int group = 0; group < message.groupCount(); group++) {
            int first = message.members(group)[0];
            schedule.add(message.entry(group), recipients.get(first).destination());
        }
        countFile(message, 1);
        bytes += message.sizeBytes();
        return message;
    }

    /// The record of a message is now elsewhere, with what was last said; nothing else changed.
    ///
    /// @param recordBytes what its payload takes now
    void moved(MessageId id, int recordBytes, long position) {
        LiveMessage message = find(id);
        if (message == null) {
            return;
        }
        countFile(message, -1);
        message.setPosition(position);
        message.setHeadBytes((int) (recordBytes - bodyInJournal(message)));
        countFile(message, 1);
        for (int i = 0; i < message.recipientCount(); i++) {
            if (message.detail(i) != LiveMessage.NO_DETAIL) {
                message.setDetail(i, position);
            }
        }
    }

    /// @param position of the record, or [LiveMessage#NO_DETAIL] when there is none
    void settled(LiveMessage message, List<? extends Settlement> settlements, long position) {
        for (Settlement settlement : settlements) {
            int recipient = settlement.recipient();
            if (recipient >= message.recipientCount() || message.isFinal(recipient)) {
                continue;
            }
            count(message, recipient, -1);
            message.setActive(recipient, false);
            // A release outlives a deferral: the recipient is still on its way past what held it.
            if (!(settlement instanceof Settlement.Deferred)) {
                message.setReleased(recipient, false);
            }
            message.setDetail(recipient, position);
            switch (settlement) {
                case Settlement.Delivered _ -> end(message, recipient, LiveMessage.DELIVERED);
                case Settlement.Failed _ -> end(message, recipient, LiveMessage.FAILED);
                // A hold that came during the attempt takes effect now, by staying; and so does a
                // return to the sender.
                case Settlement.Deferred deferred -> {
                    message.setAttempts(recipient, message.attempts(recipient) + 1);
                    if (!message.isCondemned(recipient)) {
                        message.setDueMillis(recipient, deferred.untilMillis());
                    }
                }
                case Settlement.Held _ -> {
                    if (message.state(recipient) == LiveMessage.WAITING
                            && !message.isCondemned(recipient)) {
                        message.setState(recipient, LiveMessage.HELD_BY_ROUTE);
                    }
                }
            }
            count(message, recipient, 1);
        }
        rescheduleAll(message);
        if (message.isDone()) {
            finish(message);
        }
    }

    private static void end(LiveMessage message, int recipient, byte state) {
        message.setAttempts(recipient, message.attempts(recipient) + 1);
        message.setState(recipient, state);
        message.setCondemned(recipient, false);
    }

    /// @return whether it changed anything
    boolean changed(LiveMessage message, Change change, int target, long atMillis) {
        if (change == Change.REMOVE && target == Records.Target.ALL) {
            finish(message);
            return true;
        }
        boolean any = false;
        for (int i = 0; i < message.recipientCount(); i++) {
            boolean isMeant = target == Records.Target.ALL || target == i;
            if (!isMeant || !affects(change, message, i)) {
                continue;
            }
            any = true;
            count(message, i, -1);
            apply(change, message, i, atMillis);
            count(message, i, 1);
        }
        if (any) {
            rescheduleAll(message);
            if (message.isDone()) {
                finish(message);
            }
        }
        return any;
    }

    private static void apply(Change change, LiveMessage message, int recipient, long atMillis) {
        switch (change) {
            case HOLD -> {
                message.setState(recipient, LiveMessage.HELD_BY_OPERATOR);
                message.setReleased(recipient, false);
                message.setCondemned(recipient, false);
            }
            case REMOVE -> {
                message.setState(recipient, LiveMessage.FAILED);
                message.setCondemned(recipient, false);
            }
            case RETRY -> message.setDueMillis(recipient, atMillis);
            case RELEASE, RECONSIDER -> {
                message.setState(recipient, LiveMessage.WAITING);
                message.setReleased(recipient, true);
                message.setDueMillis(recipient, atMillis);
            }
            case BOUNCE -> {
                message.setState(recipient, LiveMessage.WAITING);
                message.setCondemned(recipient, true);
                message.setDueMillis(recipient, atMillis);
            }
        }
    }

    private static boolean affects(Change change, LiveMessage message, int recipient) {
        byte state = message.state(recipient);
        return switch (change) {
            case RETRY -> state == LiveMessage.WAITING;
            case HOLD -> state == LiveMessage.WAITING || state == LiveMessage.HELD_BY_ROUTE;
            case RELEASE -> message.isHeld(recipient);
            case RECONSIDER -> state == LiveMessage.HELD_BY_ROUTE;
            case REMOVE -> !message.isFinal(recipient);
            case BOUNCE -> !message.isFinal(recipient) && !message.isCondemned(recipient);
        };
    }

    /// Which recipients of a message a change would touch: none, all ([Records.Target#ALL]) or
    /// some.
    ///
    /// @param isMeant asked by recipient and destination
    void targets(LiveMessage message, Change change, Meant isMeant, List<Records.Target> targets) {
        int affected = 0;
        var some = new ArrayList<Records.Target>();
        for (int group = 0; group < message.groupCount(); group++) {
            String destination = destination(message, group);
            for (int recipient : message.members(group)) {
                if (affects(change, message, recipient)) {
                    affected++;
                    if (isMeant.test(recipient, destination)) {
                        some.add(new Records.Target(message.id(), recipient));
                    }
                }
            }
        }
        // The record of RECONSIDER names the recipients: what else is held when it is read again
        // is another matter.
        if (affected > 0 && some.size() == affected && change != Change.RECONSIDER) {
            targets.add(new Records.Target(message.id(), Records.Target.ALL));
        } else {
            targets.addAll(some);
        }
    }

    /// Whether a change is for a recipient.
    interface Meant {
        boolean test(int recipient, String destination);

        /// By the destination alone.
        static Meant byDestination(Predicate<String> test) {
            return (_, destination) -> test.test(destination);
        }
    }

    String destination(LiveMessage message, int group) {
        return schedule.destination(message.entry(group));
    }

    /// Takes the group whose turn it is.
    @Nullable Group claim(long nowMillis) {
        int entry = schedule.claim(nowMillis);
        if (entry == EntryTable.NONE) {
            return null;
        }
        if (!OneMessage.isOfMany(entries, entry)) {
            return new Group(new OneMessage(entries, entry), 0);
        }
        ManyMessage message = many.get(OneMessage.idOf(entries, entry));
        if (message == null) {
            throw new IllegalStateException("an entry without its message");
        }
        return new Group(message, OneMessage.groupOf(entries, entry));
    }

    /// The due recipients of a claimed group become active: one at least. Condemned ones come
    /// alone. A group that was found due stays due when the clock is set back.
    ///
    /// @param max at most so many
    int[] activate(Group group, long nowMillis, int max) {
        LiveMessage message = group.message();
        long asOfMillis = Math.max(nowMillis, entries.dueMillis(group.entry()));
        int[] members = message.members(group.index());
        boolean areCondemned =
                Arrays.stream(members)
                        .anyMatch(member -> isIdle(message, member) && message.isCondemned(member));
        var due = new int[Math.min(max, members.length)];
        int count = 0;
        for (int recipient : members) {
            if (count < due.length
                    && isIdle(message, recipient)
                    && message.isCondemned(recipient) == areCondemned
                    && (areCondemned || message.dueMillis(recipient) <= asOfMillis)) {
                count(message, recipient, -1);
                message.setActive(recipient, true);
                count(message, recipient, 1);
                due[count++] = recipient;
            }
        }
        message.setBusy(group.index(), true);
        return Arrays.copyOf(due, count);
    }

    private static boolean isIdle(LiveMessage message, int recipient) {
        return message.state(recipient) == LiveMessage.WAITING && !message.isActive(recipient);
    }

    /// A claim has ended without a word to the journal.
    ///
    /// @param ofCondemned whether they were condemned when they were claimed; one that became so
    ///     meanwhile does not wait
    void released(
            Group group, int[] recipients, boolean ofCondemned, long untilMillis, long nowMillis) {
        LiveMessage message = group.message();
        schedule.settle(group.entry(), new Feedback.None(), nowMillis);
        for (int recipient : recipients) {
            if (!message.isGone()) {
                count(message, recipient, -1);
            }
            message.setActive(recipient, false);
            if (ofCondemned || !message.isCondemned(recipient)) {
                message.setDueMillis(recipient, untilMillis);
            }
            if (!message.isGone()) {
                count(message, recipient, 1);
            }
        }
        claimEnded(group);
    }

    /// A claim's settlements are recorded, or never will be.
    void claimEnded(Group group) {
        LiveMessage message = group.message();
        message.setBusy(group.index(), false);
        if (!message.isGone()) {
            reschedule(message, group.index());
            return;
        }
        schedule.drop(group.entry());
        if (!message.isInUse()) {
            free(message);
        }
    }

    private void rescheduleAll(LiveMessage message) {
        for (int group = 0; group < message.groupCount(); group++) {
            reschedule(message, group);
        }
    }

    private void reschedule(LiveMessage message, int group) {
        if (message.isGone() || message.isBusy(group)) {
            return;
        }
        int entry = message.entry(group);
        long due = Long.MAX_VALUE;
        long condemnedDue = Long.MAX_VALUE;
        for (int recipient : message.members(group)) {
            if (isIdle(message, recipient)) {
                due = Math.min(due, message.dueMillis(recipient));
                if (message.isCondemned(recipient)) {
                    condemnedDue = Math.min(condemnedDue, message.dueMillis(recipient));
                }
            }
        }
        if (condemnedDue != Long.MAX_VALUE) {
            // They come first, and alone: see #activate.
            schedule.scheduleUrgently(entry, condemnedDue);
        } else if (due == Long.MAX_VALUE) {
            schedule.unschedule(entry);
        } else {
            schedule.schedule(entry, due);
        }
    }

    private void finish(LiveMessage message) {
        leave(message);
        finished++;
        if (!message.isInUse()) {
            free(message);
        }
    }

    private void leave(LiveMessage message) {
        long id = message.id().value();
        if (message instanceof OneMessage) {
            ones.remove(id);
        } else {
            many.remove(id);
            manyBytes -= manyBytes(message.recipientCount(), message.groupCount());
        }
        bytes -= message.sizeBytes();
        for (int i = 0; i < message.recipientCount(); i++) {
            count(message, i, -1);
        }
        message.setGone();
        for (int group = 0; group < message.groupCount(); group++) {
            if (!message.isBusy(group)) {
                schedule.drop(message.entry(group));
            }
        }
    }

    private void free(LiveMessage message) {
        countFile(message, -1);
        onFinished.accept(message);
        freeEntries(message);
    }

    private void freeEntries(LiveMessage message) {
        for (int group = 0; group < message.groupCount(); group++) {
            entries.free(message.entry(group));
        }
    }

    private void count(LiveMessage message, int recipient, int by) {
        if (message.isFinal(recipient)) {
            return;
        }
        if (message.isActive(recipient)) {
            active += by;
        } else if (message.isHeld(recipient)) {
            held += by;
        } else {
            waiting += by;
        }
    }

    private void countFile(LiveMessage message, int by) {
        int file = SpoolJournal.fileOf(message.position());
        if (file >= liveByFile.length) {
            liveByFile = Arrays.copyOf(liveByFile, Math.max(file + 1, liveByFile.length * 2));
        }
        liveByFile[file] += by;
        journalBytes += by * (RECORD_OVERHEAD_BYTES + message.headBytes() + bodyInJournal(message));
    }

    private static long bodyInJournal(LiveMessage message) {
        return message.hasBodyFile() ? 0 : message.sizeBytes();
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
    List<MessageId> inOldestFile() {
        var found = new ArrayList<MessageId>();
        ones.forEach(entry -> addIfInOldestFile(new OneMessage(entries, entry), found));
        many.values().forEach(message -> addIfInOldestFile(message, found));
        return found;
    }

    private void addIfInOldestFile(LiveMessage message, List<MessageId> found) {
        if (SpoolJournal.fileOf(message.position()) == oldestFile) {
            found.add(message.id());
        }
    }

    /// What the messages take in the journal, about.
    long journalBytes() {
        return journalBytes;
    }

    /// What messages of one recipient take of memory, with the room that is kept for more.
    long memoryBytes() {
        return entries.bytes() + ones.bytes();
    }

    /// What everything takes of memory, on the heap and beside it, with what comes with
    /// destinations:
    /// not less than it does. In it [#messageBytes] of each message.
    long weightBytes() {
        int lanes = Math.max(0, schedule.lanes() - LANES_FREE);
        return (long) ones.size() * ONE_BYTES + manyBytes + (long) lanes * LANE_BYTES;
    }

    /// What a message will take, if no other has its destinations' entries; lanes are not in it.
    static long messageBytes(Envelope envelope) {
        int count = envelope.recipients().size();
        return count == 1 ? ONE_BYTES : manyBytes(count, count);
    }

    private static long manyBytes(int recipients, int destinations) {
        return MANY_BYTES
                + (long) recipients * RECIPIENT_BYTES
                + (long) destinations * DESTINATION_BYTES;
    }

    /// The part of [#memoryBytes] that is on the heap.
    long heapBytes() {
        return ones.bytes();
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
