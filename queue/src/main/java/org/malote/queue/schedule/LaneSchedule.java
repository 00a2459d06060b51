package org.malote.queue.schedule;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Due times and turns. An entry waits for its time in a heap, then in its destination's lane,
/// first come first served. Lanes that have due entries and room in their window take turns, one
/// entry each, so a destination with a hundred thousand entries delays another by one claim. A
/// lane's window is well below the total: one dead destination cannot use it up.
///
/// Not thread-safe.
public final class LaneSchedule {
    /// One piece of work for one destination. Extended by whoever schedules.
    public abstract static class Entry {
        private @Nullable Lane lane;
        private State state = State.IDLE;
        private long dueMillis;
        private int heapIndex = -1;
        private @Nullable Entry before;
        private @Nullable Entry behind;

        /// The lane's name.
        public final String destination() {
            return lane().name;
        }

        private Lane lane() {
            if (lane == null) {
                throw new IllegalStateException("the entry is in no lane");
            }
            return lane;
        }

        /// When it was last scheduled for; of no meaning for one that waits for nothing.
        public final long dueMillis() {
            return dueMillis;
        }

        public final boolean isClaimed() {
            return state == State.CLAIMED;
        }
    }

    private enum State {
        /// In a lane, waiting for nothing.
        IDLE,
        /// In the heap.
        TIMED,
        /// In its lane's line.
        READY,
        /// Counted in its lane's window.
        CLAIMED,
        /// Settled, and not yet rescheduled: no longer in the window.
        SETTLED
    }

    /// One destination.
    private static final class Lane {
        final String name;
        int entries;
        int claims;
        boolean inTurn;
        @Nullable Entry first;
        @Nullable Entry last;

        Lane(String name) {
            this.name = name;
        }

        boolean wantsTurn(int laneMax) {
            return first != null && claims < laneMax;
        }
    }

    private final int laneMax;
    private final int totalMax;
    private final Map<String, Lane> lanes = new HashMap<>();
    private final ArrayDeque<Lane> turns = new ArrayDeque<>();
    private Entry[] heap = new Entry[64];
    private int heapSize;
    private int claims;

    /// @param laneMax claims of one destination at a time
    /// @param totalMax claims at a time
    public LaneSchedule(int laneMax, int totalMax) {
        if (laneMax < 1 || totalMax < 1) {
            throw new IllegalArgumentException("a window must let one claim through");
        }
        this.laneMax = laneMax;
        this.totalMax = totalMax;
    }

    /// Takes a new entry into a lane; it waits for nothing until it is scheduled.
    public void add(Entry entry, String destination) {
        Lane lane = lanes.computeIfAbsent(destination, Lane::new);
        lane.entries++;
        entry.lane = lane;
    }

    /// Forgets an entry that is not claimed.
    public void drop(Entry entry) {
        unschedule(entry);
        Lane lane = entry.lane();
        if (--lane.entries == 0) {
            lanes.remove(lane.name);
        }
        entry.lane = null;
    }

    /// Makes an entry due at a time, wherever it waited before. Not for a claimed one.
    public void schedule(Entry entry, long dueMillis) {
        unschedule(entry);
        entry.dueMillis = dueMillis;
        entry.state = State.TIMED;
        push(entry);
    }

    /// Makes an entry wait for nothing. Not for a claimed one.
    public void unschedule(Entry entry) {
        switch (entry.state) {
            case IDLE, SETTLED -> {}
            case TIMED -> removeFromHeap(entry);
            case READY -> unlink(entry);
            case CLAIMED -> throw new IllegalStateException("the entry is claimed");
        }
        entry.state = State.IDLE;
    }

    /// Takes the entry whose turn it is, or null when none is due and allowed.
    ///
    /// @param nowMillis the time now; entries due at or before it are due
    public @Nullable Entry claim(long nowMillis) {
        promote(nowMillis);
        if (claims >= totalMax) {
            return null;
        }
        Lane lane = nextInTurn();
        if (lane == null || lane.first == null) {
            return null;
        }
        Entry entry = lane.first;
        turns.remove();
        lane.inTurn = false;
        lane.claims++;
        claims++;
        unlink(entry);
        entry.state = State.CLAIMED;
        giveTurn(lane);
        return entry;
    }

    /// Frees the claim's place. The entry stays out of the line until it is scheduled or dropped.
    public void settle(Entry entry) {
        if (entry.state != State.CLAIMED) {
            throw new IllegalStateException("the entry is not claimed");
        }
        entry.state = State.SETTLED;
        Lane lane = entry.lane();
        lane.claims--;
        claims--;
        giveTurn(lane);
    }

    /// When a claim may become possible by the passing of time alone: now when one is possible
    /// already, [Long#MAX_VALUE] when none waits for a time.
    ///
    /// @param nowMillis the time now
    public long nextDueMillis(long nowMillis) {
        if (isClaimable(nowMillis)) {
            return nowMillis;
        }
        // With every place taken, or with due entries behind full windows only, a settlement comes
        // first.
        if (claims >= totalMax || heapSize == 0) {
            return Long.MAX_VALUE;
        }
        return heap[0].dueMillis;
    }

    /// Whether [#claim] would give an entry now.
    public boolean isClaimable(long nowMillis) {
        promote(nowMillis);
        return claims < totalMax && nextInTurn() != null;
    }

    public int claims() {
        return claims;
    }

    public int lanes() {
        return lanes.size();
    }

    private void promote(long nowMillis) {
        while (heapSize > 0 && heap[0].dueMillis <= nowMillis) {
            Entry entry = heap[0];
            removeFromHeap(entry);
            entry.state = State.READY;
            Lane lane = entry.lane();
            entry.before = lane.last;
            if (lane.last == null) {
                lane.first = entry;
            } else {
                lane.last.behind = entry;
            }
            lane.last = entry;
            giveTurn(lane);
        }
    }

    /// A lane that has a due entry and room in its window takes its place behind the others.
    private void giveTurn(Lane lane) {
        if (!lane.inTurn && lane.wantsTurn(laneMax)) {
            lane.inTurn = true;
            turns.add(lane);
        }
    }

    /// The lane at the head of the line, past those that have nothing to do any more.
    private @Nullable Lane nextInTurn() {
        while (true) {
            Lane lane = turns.peek();
            if (lane == null || lane.wantsTurn(laneMax)) {
                return lane;
            }
            turns.remove();
            lane.inTurn = false;
        }
    }

    private void unlink(Entry entry) {
        Lane lane = entry.lane();
        if (entry.before == null) {
            lane.first = entry.behind;
        } else {
            entry.before.behind = entry.behind;
        }
        if (entry.behind == null) {
            lane.last = entry.before;
        } else {
            entry.behind.before = entry.before;
        }
        entry.before = null;
        entry.behind = null;
    }

    private void push(Entry entry) {
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, heap.length * 2);
        }
        siftUp(heapSize++, entry);
    }

    private void removeFromHeap(Entry entry) {
        int at = entry.heapIndex;
        entry.heapIndex = -1;
        Entry moved = heap[--heapSize];
        Arrays.fill(heap, heapSize, heapSize + 1, null);
        if (at == heapSize) {
            return;
        }
        if (at > 0 && moved.dueMillis < heap[(at - 1) / 2].dueMillis) {
            siftUp(at, moved);
        } else {
            siftDown(at, moved);
        }
    }

    private void siftUp(int from, Entry entry) {
        int at = from;
        while (at > 0) {
            int parent = (at - 1) / 2;
            if (heap[parent].dueMillis <= entry.dueMillis) {
                break;
            }
            place(at, heap[parent]);
            at = parent;
        }
        place(at, entry);
    }

    private void siftDown(int from, Entry entry) {
        int at = from;
        while (true) {
            int child = 2 * at + 1;
            if (child >= heapSize) {
                break;
            }
            if (child + 1 < heapSize && heap[child + 1].dueMillis < heap[child].dueMillis) {
                child++;
            }
            if (heap[child].dueMillis >= entry.dueMillis) {
                break;
            }
            place(at, heap[child]);
            at = child;
        }
        place(at, entry);
    }

    private void place(int at, Entry entry) {
        heap[at] = entry;
        entry.heapIndex = at;
    }
}
