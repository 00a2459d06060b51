package org.malote.queue;

import java.util.Arrays;
import java.util.function.IntConsumer;
import org.malote.queue.schedule.EntryTable;

/// Finds entries by the message id that they hold: open addressing with linear probing over a table
/// of numbers, four octets each. Not thread-safe.
final class IdTable {
    private static final int SIZE_FIRST = 1 << 10;

    /// It grows when it is fuller than three quarters: probes stay short.
    private static final int LOAD_NUMERATOR = 3;

    private static final int LOAD_DENOMINATOR = 4;

    /// 2^64 divided by the golden ratio: spreads consecutive ids (Knuth, volume 3, §6.4).
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private final EntryTable entries;
    private final int idOffset;
    private int[] slots = new int[SIZE_FIRST];
    private int count;

    /// @param idOffset where in the owner's half of an entry its id is
    IdTable(EntryTable entries, int idOffset) {
        this.entries = entries;
        this.idOffset = idOffset;
    }

    int size() {
        return count;
    }

    /// @return [EntryTable#NONE] when there is none
    int find(long id) {
        return slots[slotOf(id)];
    }

    /// Adds an entry whose id is not here.
    void add(int entry) {
        if ((long) (count + 1) * LOAD_DENOMINATOR > (long) slots.length * LOAD_NUMERATOR) {
            grow();
        }
        slots[slotOf(idOf(entry))] = entry;
        count++;
    }

    void remove(long id) {
        int gap = slotOf(id);
        if (slots[gap] == EntryTable.NONE) {
            return;
        }
        count--;
        int mask = slots.length - 1;
        // What was pushed past the gap moves back into it: no marks are left behind.
        for (int at = (gap + 1) & mask; slots[at] != EntryTable.NONE; at = (at + 1) & mask) {
            int home = homeOf(idOf(slots[at]), slots.length);
            if (((at - home) & mask) >= ((at - gap) & mask)) {
                slots[gap] = slots[at];
                gap = at;
            }
        }
        slots[gap] = EntryTable.NONE;
    }

    void forEach(IntConsumer each) {
        for (int entry : slots) {
            if (entry != EntryTable.NONE) {
                each.accept(entry);
            }
        }
    }

    /// In octets, on the heap.
    long bytes() {
        return (long) slots.length * Integer.BYTES;
    }

    /// Where the id is, or would be.
    private int slotOf(long id) {
        int mask = slots.length - 1;
        int at = homeOf(id, slots.length);
        while (slots[at] != EntryTable.NONE && idOf(slots[at]) != id) {
            at = (at + 1) & mask;
        }
        return at;
    }

    private long idOf(int entry) {
        return entries.getLong(entry, idOffset);
    }

    private static int homeOf(long id, int length) {
        return (int) ((id * SPREAD) >>> (Long.SIZE - Integer.numberOfTrailingZeros(length)));
    }

    private void grow() {
        int[] before = slots;
        slots = new int[Math.multiplyExact(before.length, 2)];
        Arrays.stream(before)
                .filter(entry -> entry != EntryTable.NONE)
                .forEach(entry -> slots[slotOf(idOf(entry))] = entry);
    }
}
