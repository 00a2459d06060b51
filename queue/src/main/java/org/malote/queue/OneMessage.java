package org.malote.queue;

import org.malote.queue.schedule.EntryTable;

/// A message with one recipient: a view of its entry, made anew whenever it is asked for. It means
/// something as long as the message is in the index or in use.
final class OneMessage extends LiveMessage {
    // In the owner's half of an entry.
    static final int ID = 0;
    private static final int POSITION = 8;
    private static final int DETAIL = 16;
    private static final int SIZE = 24;

    // The small octets: flags, then attempts and one flag more.
    private static final int FLAGS = 0;
    private static final int ATTEMPTS_LOW = 1;
    private static final int ATTEMPTS_HIGH = 2;

    private static final int STATE_MASK = 7;
    private static final int RELEASED = 1 << 3;
    private static final int CONDEMNED = 1 << 4;
    private static final int BODY_FILE = 1 << 5;
    private static final int GONE = 1 << 6;
    private static final int BUSY = 1 << 7;
    private static final int ACTIVE = 1 << 7;
    private static final int ATTEMPTS_HIGH_MASK = 0x7F;

    /// In place of a state: the entry is a group of a [ManyMessage].
    private static final int IS_OF_MANY = 7;

    /// About what the envelope takes, and what was last said. Ours: the sum must not be far too
    /// low; octets of an entry are dear.
    private static final int HEAD_BYTES = 256;

    private static final int[] MEMBERS = {0};

    private final EntryTable table;
    private final int entry;

    OneMessage(EntryTable table, int entry) {
        this.table = table;
        this.entry = entry;
    }

    /// Fills a new entry.
    static OneMessage create(EntryTable table, AcceptedRecord record, long position) {
        int entry = table.allocate();
        table.setLong(entry, ID, record.id().value());
        table.setLong(entry, POSITION, position);
        table.setLong(entry, DETAIL, NO_DETAIL);
        table.setInt(entry, SIZE, (int) Math.min(record.bodyBytes(), 0xFFFF_FFFFL));
        table.setSmall(entry, FLAGS, record.hasBodyFile() ? BODY_FILE : 0);
        table.setDueMillis(entry, record.acceptedAtMillis());
        return new OneMessage(table, entry);
    }

    /// Fills a new entry for a group of a message of several recipients.
    static int createGroup(EntryTable table, MessageId id, int group) {
        int entry = table.allocate();
        table.setLong(entry, ID, id.value());
        table.setInt(entry, SIZE, group);
        table.setSmall(entry, FLAGS, IS_OF_MANY);
        return entry;
    }

    static boolean isOfMany(EntryTable table, int entry) {
        return (table.small(entry, FLAGS) & STATE_MASK) == IS_OF_MANY;
    }

    static long idOf(EntryTable table, int entry) {
        return table.getLong(entry, ID);
    }

    /// Of an entry that is a group.
    static int groupOf(EntryTable table, int entry) {
        return table.getInt(entry, SIZE);
    }

    private boolean has(int octet, int flag) {
        return (table.small(entry, octet) & flag) != 0;
    }

    private void set(int octet, int flag, boolean isSet) {
        int before = table.small(entry, octet);
        table.setSmall(entry, octet, isSet ? before | flag : before & ~flag);
    }

    @Override
    MessageId id() {
        return new MessageId(table.getLong(entry, ID));
    }

    @Override
    long position() {
        return table.getLong(entry, POSITION);
    }

    @Override
    void setPosition(long position) {
        table.setLong(entry, POSITION, position);
    }

    @Override
    long sizeBytes() {
        return Integer.toUnsignedLong(table.getInt(entry, SIZE));
    }

    @Override
    boolean hasBodyFile() {
        return has(FLAGS, BODY_FILE);
    }

    @Override
    int headBytes() {
        return HEAD_BYTES;
    }

    @Override
    void setHeadBytes(int bytes) {}

    @Override
    int recipientCount() {
        return 1;
    }

    @Override
    byte state(int recipient) {
        return (byte) (table.small(entry, FLAGS) & STATE_MASK);
    }

    @Override
    void setState(int recipient, byte state) {
        table.setSmall(entry, FLAGS, (table.small(entry, FLAGS) & ~STATE_MASK) | state);
    }

    @Override
    boolean isActive(int recipient) {
        return has(ATTEMPTS_HIGH, ACTIVE);
    }

    @Override
    void setActive(int recipient, boolean isActive) {
        set(ATTEMPTS_HIGH, ACTIVE, isActive);
    }

    @Override
    boolean isReleased(int recipient) {
        return has(FLAGS, RELEASED);
    }

    @Override
    void setReleased(int recipient, boolean isReleased) {
        set(FLAGS, RELEASED, isReleased);
    }

    @Override
    boolean isCondemned(int recipient) {
        return has(FLAGS, CONDEMNED);
    }

    @Override
    void setCondemned(int recipient, boolean isCondemned) {
        set(FLAGS, CONDEMNED, isCondemned);
    }

    @Override
    int attempts(int recipient) {
        int high = table.small(entry, ATTEMPTS_HIGH) & ATTEMPTS_HIGH_MASK;
        return (high << Byte.SIZE) | Byte.toUnsignedInt(table.small(entry, ATTEMPTS_LOW));
    }

    @Override
    void setAttempts(int recipient, int attempts) {
        int counted = Math.min(attempts, ATTEMPTS_MAX);
        int flag = table.small(entry, ATTEMPTS_HIGH) & ACTIVE;
        table.setSmall(entry, ATTEMPTS_LOW, counted);
        table.setSmall(entry, ATTEMPTS_HIGH, flag | (counted >>> Byte.SIZE));
    }

    @Override
    long dueMillis(int recipient) {
        return table.dueMillis(entry);
    }

    @Override
    void setDueMillis(int recipient, long millis) {
        table.setDueMillis(entry, millis);
    }

    @Override
    long detail(int recipient) {
        return table.getLong(entry, DETAIL);
    }

    @Override
    void setDetail(int recipient, long position) {
        table.setLong(entry, DETAIL, position);
    }

    @Override
    int groupCount() {
        return 1;
    }

    @Override
    int entry(int group) {
        return entry;
    }

    @Override
    int[] members(int group) {
        return MEMBERS;
    }

    @Override
    boolean isBusy(int group) {
        return has(FLAGS, BUSY);
    }

    @Override
    void setBusy(int group, boolean isBusy) {
        set(FLAGS, BUSY, isBusy);
    }

    @Override
    boolean isGone() {
        return has(FLAGS, GONE);
    }

    @Override
    void setGone() {
        set(FLAGS, GONE, true);
    }
}
