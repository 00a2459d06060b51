package org.malote.queue.schedule;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Records of fixed size outside of the heap, named by number: what waits in the queue, a million
/// times, at [#ENTRY_BYTES] each. The first half of a record is the schedule's; the other, of
/// [#OWNER_BYTES], means what its owner wants.
///
/// Records are linked into rings: a list is a record that nobody owns, whose neighbours are its
/// first and its last. So a record leaves its list without knowing which one it is in.
///
/// Not thread-safe.
public final class EntryTable {
    /// No record: the number is never given out.
    public static final int NONE = 0;

    private static final long NEXT = 0;
    private static final long BEFORE = 4;
    private static final long LANE = 8;
    private static final long STATE = 12;
    private static final long OWNER_SMALL = 13;
    private static final long DUE = 16;
    private static final long OWNER = 24;

    /// Beside them the owner has the three octets of [#small].
    public static final int OWNER_BYTES = 28;

    public static final int ENTRY_BYTES = (int) OWNER + OWNER_BYTES;

    /// Records are made in such numbers: 416 KiB. Ours: an empty queue stays small, and a million
    /// take 123 steps.
    private static final int PAGE_BITS = 13;

    private static final int PAGE_ENTRIES = 1 << PAGE_BITS;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private MemorySegment[] pages = new MemorySegment[0];
    private int free = NONE;
    private int used;

    /// The lowest number that was never given out.
    private int fresh = NONE + 1;

    /// A record that is in no list and whose owner's half is zeros.
    ///
    /// @throws OutOfMemoryError when there is no more memory; nothing has changed then
    public int allocate() {
        int entry = free;
        if (entry == NONE) {
            if (fresh >>> PAGE_BITS == pages.length) {
                addPage();
            }
            entry = fresh++;
        } else {
            free = next(entry);
            page(entry).asSlice(at(entry), ENTRY_BYTES).fill((byte) 0);
        }
        used++;
        setNext(entry, entry);
        setBefore(entry, entry);
        return entry;
    }

    private void addPage() {
        // Freed when nobody can reach the table any more.
        MemorySegment page = Arena.ofAuto().allocate((long) PAGE_ENTRIES * ENTRY_BYTES, Long.BYTES);
        pages = Arrays.copyOf(pages, pages.length + 1);
        pages[pages.length - 1] = page;
    }

    /// Gives a record back that is in no list. Its number will be given out again.
    public void free(int entry) {
        setNext(entry, free);
        free = entry;
        used--;
    }

    /// Records in use, with those that are lists.
    public int used() {
        return used;
    }

    /// What the table takes outside of the heap, in octets.
    public long bytes() {
        return (long) pages.length * PAGE_ENTRIES * ENTRY_BYTES;
    }

    // ---- The owner's half ----

    /// @param index from 0 to 2
    public byte small(int entry, int index) {
        return page(entry).get(ValueLayout.JAVA_BYTE, at(entry) + OWNER_SMALL + index);
    }

    public void setSmall(int entry, int index, int value) {
        page(entry).set(ValueLayout.JAVA_BYTE, at(entry) + OWNER_SMALL + index, (byte) value);
    }

    /// @param offset from 0 to [#OWNER_BYTES] − 8
    public long getLong(int entry, int offset) {
        return page(entry).get(LONG, at(entry) + OWNER + offset);
    }

    public void setLong(int entry, int offset, long value) {
        page(entry).set(LONG, at(entry) + OWNER + offset, value);
    }

    /// @param offset from 0 to [#OWNER_BYTES] − 4
    public int getInt(int entry, int offset) {
        return page(entry).get(INT, at(entry) + OWNER + offset);
    }

    public void setInt(int entry, int offset, int value) {
        page(entry).set(INT, at(entry) + OWNER + offset, value);
    }

    // ---- The schedule's half ----

    int lane(int entry) {
        return page(entry).get(INT, at(entry) + LANE);
    }

    void setLane(int entry, int lane) {
        page(entry).set(INT, at(entry) + LANE, lane);
    }

    byte state(int entry) {
        return page(entry).get(ValueLayout.JAVA_BYTE, at(entry) + STATE);
    }

    void setState(int entry, byte state) {
        page(entry).set(ValueLayout.JAVA_BYTE, at(entry) + STATE, state);
    }

    /// Milliseconds since 1970. The owner may keep one here for a record that is not scheduled; it
    /// must schedule one that is again, as soon as this changes.
    public long dueMillis(int entry) {
        return page(entry).get(LONG, at(entry) + DUE);
    }

    public void setDueMillis(int entry, long millis) {
        page(entry).set(LONG, at(entry) + DUE, millis);
    }

    // ---- Lists ----

    int next(int entry) {
        return page(entry).get(INT, at(entry) + NEXT);
    }

    private void setNext(int entry, int next) {
        page(entry).set(INT, at(entry) + NEXT, next);
    }

    private int before(int entry) {
        return page(entry).get(INT, at(entry) + BEFORE);
    }

    private void setBefore(int entry, int before) {
        page(entry).set(INT, at(entry) + BEFORE, before);
    }

    boolean isEmpty(int list) {
        return next(list) == list;
    }

    /// Puts a record that is in no list at a list's end.
    void append(int list, int entry) {
        int last = before(list);
        setNext(last, entry);
        setBefore(entry, last);
        setNext(entry, list);
        setBefore(list, entry);
    }

    /// Takes a record out of its list.
    void unlink(int entry) {
        int before = before(entry);
        int next = next(entry);
        setNext(before, next);
        setBefore(next, before);
        setNext(entry, entry);
        setBefore(entry, entry);
    }

    private MemorySegment page(int entry) {
        return pages[entry >>> PAGE_BITS];
    }

    private static long at(int entry) {
        return (long) (entry & (PAGE_ENTRIES - 1)) * ENTRY_BYTES;
    }
}
