package org.malote.queue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.malote.queue.schedule.EntryTable;

/// A message with several recipients. About 320 octets and 40 for each recipient, beside an entry
/// for each destination.
final class ManyMessage extends LiveMessage {
    private static final int STATE_MASK = 7;
    private static final int RELEASED = 1 << 3;
    private static final int CONDEMNED = 1 << 4;
    private static final int ACTIVE = 1 << 5;

    private final MessageId id;
    private final long sizeBytes;
    private final boolean hasBodyFile;
    private final byte[] flags;
    private final short[] attempts;
    private final long[] dueMillis;
    private final long[] details;
    private final int[] entries;
    private final int[][] members;
    private final boolean[] busy;
    private long position;
    private int headBytes;
    private boolean isGone;

    /// Allocates an entry for each destination.
    ManyMessage(EntryTable table, AcceptedRecord record, int headBytes, long position) {
        this.id = record.id();
        this.sizeBytes = record.bodyBytes();
        this.hasBodyFile = record.hasBodyFile();
        this.headBytes = headBytes;
        this.position = position;
        int count = record.envelope().recipients().size();
        this.flags = new byte[count];
        this.attempts = new short[count];
        this.dueMillis = new long[count];
        this.details = new long[count];
        Arrays.fill(dueMillis, record.acceptedAtMillis());
        Arrays.fill(details, NO_DETAIL);
        this.members = groups(record.envelope());
        this.entries = new int[members.length];
        this.busy = new boolean[members.length];
        for (int group = 0; group < members.length; group++) {
            entries[group] = OneMessage.createGroup(table, id, group);
        }
    }

    private static int[][] groups(Envelope envelope) {
        Map<String, List<Integer>> byDestination = new LinkedHashMap<>();
        for (int i = 0; i < envelope.recipients().size(); i++) {
            byDestination
                    .computeIfAbsent(
                            envelope.recipients().get(i).destination(), _ -> new ArrayList<>())
                    .add(i);
        }
        return byDestination.values().stream()
                .map(group -> group.stream().mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
    }

    private boolean has(int recipient, int flag) {
        return (flags[recipient] & flag) != 0;
    }

    private void set(int recipient, int flag, boolean isSet) {
        flags[recipient] = (byte) (isSet ? flags[recipient] | flag : flags[recipient] & ~flag);
    }

    @Override
    MessageId id() {
        return id;
    }

    @Override
    long position() {
        return position;
    }

    @Override
    void setPosition(long changed) {
        position = changed;
    }

    @Override
    long sizeBytes() {
        return sizeBytes;
    }

    @Override
    boolean hasBodyFile() {
        return hasBodyFile;
    }

    @Override
    int headBytes() {
        return headBytes;
    }

    @Override
    void setHeadBytes(int bytes) {
        headBytes = bytes;
    }

    @Override
    int recipientCount() {
        return flags.length;
    }

    @Override
    byte state(int recipient) {
        return (byte) (flags[recipient] & STATE_MASK);
    }

    @Override
    void setState(int recipient, byte state) {
        flags[recipient] = (byte) ((flags[recipient] & ~STATE_MASK) | state);
    }

    @Override
    boolean isActive(int recipient) {
        return has(recipient, ACTIVE);
    }

    @Override
    void setActive(int recipient, boolean isActive) {
        set(recipient, ACTIVE, isActive);
    }

    @Override
    boolean isReleased(int recipient) {
        return has(recipient, RELEASED);
    }

    @Override
    void setReleased(int recipient, boolean isReleased) {
        set(recipient, RELEASED, isReleased);
    }

    @Override
    boolean isCondemned(int recipient) {
        return has(recipient, CONDEMNED);
    }

    @Override
    void setCondemned(int recipient, boolean isCondemned) {
        set(recipient, CONDEMNED, isCondemned);
    }

    @Override
    int attempts(int recipient) {
        return attempts[recipient];
    }

    @Override
    void setAttempts(int recipient, int count) {
        attempts[recipient] = (short) Math.min(count, ATTEMPTS_MAX);
    }

    @Override
    long dueMillis(int recipient) {
        return dueMillis[recipient];
    }

    @Override
    void setDueMillis(int recipient, long millis) {
        dueMillis[recipient] = millis;
    }

    @Override
    long detail(int recipient) {
        return details[recipient];
    }

    @Override
    void setDetail(int recipient, long at) {
        details[recipient] = at;
    }

    @Override
    int groupCount() {
        return entries.length;
    }

    @Override
    int entry(int group) {
        return entries[group];
    }

    @Override
    int[] members(int group) {
        return members[group];
    }

    @Override
    boolean isBusy(int group) {
        return busy[group];
    }

    @Override
    void setBusy(int group, boolean isBusy) {
        busy[group] = isBusy;
    }

    @Override
    boolean isGone() {
        return isGone;
    }

    @Override
    void setGone() {
        isGone = true;
    }
}
