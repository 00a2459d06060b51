package org.malote.queue.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class TimingWheelTest {
    /// A sorted map, with the same promises.
    @Test
    void agreesWithASlowTwin() {
        for (int seed = 0; seed < 200; seed++) {
            var random = new Random(seed);
            var table = new EntryTable();
            var wheel = new TimingWheel(table);
            var twin = new TreeMap<Long, List<Integer>>();
            long now = random.nextLong(2_000_000_000_000L);
            wheel.advance(now, _ -> {});
            for (int step = 0; step < 400; step++) {
                switch (random.nextInt(6)) {
                    case 0, 1, 2 -> {
                        int entry = table.allocate();
                        long due = now + 1 + (random.nextLong() >>> 1 >>> random.nextInt(63));
                        due = due <= now ? Long.MAX_VALUE : due;
                        table.setDueMillis(entry, due);
                        wheel.add(entry);
                        twin.computeIfAbsent(due, _ -> new ArrayList<>()).add(entry);
                    }
                    case 3 -> {
                        if (!twin.isEmpty()) {
                            Map.Entry<Long, List<Integer>> first = twin.firstEntry();
                            int entry = first.getValue().removeFirst();
                            if (first.getValue().isEmpty()) {
                                twin.remove(first.getKey());
                            }
                            table.unlink(entry);
                            table.free(entry);
                        }
                    }
                    case 4 -> {
                        if (random.nextInt(10) == 0) {
                            now -= random.nextInt(1_000_000);
                            wheel.rewind(now);
                        }
                    }
                    default -> {
                        now += random.nextLong() >>> (24 + random.nextInt(38));
                        var due = new ArrayList<Long>();
                        wheel.advance(
                                now,
                                entry -> {
                                    due.add(table.dueMillis(entry));
                                    table.free(entry);
                                });
                        var expected = new ArrayList<Long>();
                        Map<Long, List<Integer>> head = twin.headMap(now, true);
                        head.forEach((time, all) -> all.forEach(_ -> expected.add(time)));
                        head.clear();
                        assertEquals(expected, due, "seed " + seed);
                    }
                }
                long next = wheel.nextMillis();
                assertTrue(next > now, "seed " + seed);
                assertTrue(
                        twin.isEmpty() ? next == Long.MAX_VALUE : next <= twin.firstKey(),
                        "seed " + seed + ": " + next + " is too late");
            }
        }
    }

    @Test
    void takesNothingThatIsDue() {
        var table = new EntryTable();
        var wheel = new TimingWheel(table);
        wheel.advance(100, _ -> {});
        int entry = table.allocate();
        table.setDueMillis(entry, 100);
        assertThrows(IllegalArgumentException.class, () -> wheel.add(entry));
    }

    /// The caller asks again at the time that it was told: that must come to an end.
    @Test
    void needsFewStepsToTheNextEntry() {
        var table = new EntryTable();
        var wheel = new TimingWheel(table);
        wheel.advance(1_700_000_000_123L, _ -> {});
        int entry = table.allocate();
        table.setDueMillis(entry, 1_700_000_000_123L + 86_400_000L);
        wheel.add(entry);
        int steps = 0;
        var due = new ArrayList<Integer>();
        while (due.isEmpty()) {
            wheel.advance(wheel.nextMillis(), due::add);
            steps++;
        }
        assertEquals(1_700_000_000_123L + 86_400_000L, wheel.nowMillis());
        assertTrue(steps <= 5, steps + " steps");
    }
}
