package org.malote.queue.schedule;

import java.util.Arrays;
import java.util.function.IntConsumer;

/// Entries by due time, to the millisecond: a hierarchical timing wheel (Varghese and Lauck, 1987).
/// Putting one in and taking one out cost the same however many there are; each moves down a level
/// a few times before it is due.
///
/// A level holds what first differs from the time now in its six bits: within the next 64 ms, 4 s,
/// 4 min, 5 h, 12 days and so on. So what is in a lower level is due before what is in a higher
/// one, and within a level the buckets are in order.
///
/// The wheel's time is what its caller says, and only that.
final class TimingWheel {
    private static final int BITS = 6;
    private static final int BUCKETS = 1 << BITS;

    /// Six bits each, for all of a long.
    private static final int LEVELS = (Long.SIZE + BITS - 1) / BITS;

    private final EntryTable table;

    /// By level and bucket; made when first used.
    private final int[] lists = new int[LEVELS * BUCKETS];

    /// By level: buckets that may hold something. What leaves a bucket early leaves its bit.
    private final long[] occupied = new long[LEVELS];

    private long nowMillis;

    TimingWheel(EntryTable table) {
        this.table = table;
    }

    /// The time up to which everything was handed out, in milliseconds since 1970.
    long nowMillis() {
        return nowMillis;
    }

    /// Puts in an entry, which is in no list, by the due time that the table has for it.
    ///
    /// @throws IllegalArgumentException when it is due already
    void add(int entry) {
        long dueMillis = table.dueMillis(entry);
        if (dueMillis <= nowMillis) {
            throw new IllegalArgumentException("the entry is due already");
        }
        int level = (Long.SIZE - 1 - Long.numberOfLeadingZeros(dueMillis ^ nowMillis)) / BITS;
        int bucket = (int) (dueMillis >>> (level * BITS)) & (BUCKETS - 1);
        int index = level * BUCKETS + bucket;
        if (lists[index] == EntryTable.NONE) {
            lists[index] = table.allocate();
        }
        table.append(lists[index], entry);
        occupied[level] |= 1L << bucket;
    }

    /// Lets the time pass and hands out what is due by then, earlier ones first.
    ///
    /// @param millis not before the time now
    void advance(long millis, IntConsumer due) {
        for (int level = lowestLevel(); level < LEVELS; level = lowestLevel()) {
            int bucket = Long.numberOfTrailingZeros(occupied[level]);
            long start = startOf(level, bucket);
            if (start > millis) {
                break;
            }
            nowMillis = start;
            occupied[level] &= ~(1L << bucket);
            int list = lists[level * BUCKETS + bucket];
            while (!table.isEmpty(list)) {
                int entry = table.next(list);
                table.unlink(entry);
                if (table.dueMillis(entry) <= nowMillis) {
                    due.accept(entry);
                } else {
                    add(entry);
                }
            }
        }
        nowMillis = Math.max(nowMillis, millis);
    }

    /// Sets the time back. Costs as much as putting everything in again.
    ///
    /// @param millis before the time now
    void rewind(long millis) {
        int all = table.allocate();
        for (int list : lists) {
            while (list != EntryTable.NONE && !table.isEmpty(list)) {
                int entry = table.next(list);
                table.unlink(entry);
                table.append(all, entry);
            }
        }
        Arrays.fill(occupied, 0);
        nowMillis = millis;
        while (!table.isEmpty(all)) {
            int entry = table.next(all);
            table.unlink(entry);
            add(entry);
        }
        table.free(all);
    }

    /// A time before which nothing is due, the next time to [#advance] to; [Long#MAX_VALUE] when
    /// the wheel is empty.
    long nextMillis() {
        int level = lowestLevel();
        return level == LEVELS
                ? Long.MAX_VALUE
                : startOf(level, Long.numberOfTrailingZeros(occupied[level]));
    }

    /// The lowest level that is not empty; forgets the bits of buckets that have become so.
    private int lowestLevel() {
        int level = 0;
        while (level < LEVELS) {
            if (occupied[level] == 0) {
                level++;
                continue;
            }
            int bucket = Long.numberOfTrailingZeros(occupied[level]);
            if (!table.isEmpty(lists[level * BUCKETS + bucket])) {
                break;
            }
            occupied[level] &= ~(1L << bucket);
        }
        return level;
    }

    private long startOf(int level, int bucket) {
        int shift = level * BITS;
        // A shift by 64 or more would be one by less.
        long above = shift + BITS >= Long.SIZE ? 0 : nowMillis >>> (shift + BITS) << (shift + BITS);
        return above | ((long) bucket << shift);
    }
}
