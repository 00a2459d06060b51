package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.malote.queue.schedule.EntryTable;

final class IdTableTest {
    @Test
    void agreesWithAMap() {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            var entries = new EntryTable();
            var table = new IdTable(entries, 0);
            Map<Long, Integer> twin = new HashMap<>();
            // Some seeds crowd the ids, so that they meet in the table.
            long range = seed % 2 == 0 ? 5000 : Long.MAX_VALUE;
            for (int step = 0; step < 8000; step++) {
                long id = random.nextLong(range);
                if (random.nextInt(3) < 2) {
                    if (!twin.containsKey(id)) {
                        int entry = entries.allocate();
                        entries.setLong(entry, 0, id);
                        table.add(entry);
                        twin.put(id, entry);
                    }
                } else {
                    table.remove(id);
                    twin.remove(id);
                }
                assertEquals(twin.size(), table.size());
                assertEquals(twin.getOrDefault(id, EntryTable.NONE), table.find(id));
            }
            twin.forEach((id, entry) -> assertEquals(entry, table.find(id)));
            Set<Integer> all = new HashSet<>();
            table.forEach(all::add);
            assertEquals(new HashSet<>(twin.values()), all);
        }
    }
}
