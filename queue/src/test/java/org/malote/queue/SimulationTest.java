package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// The queue on a simulated disk, with one seed a run.
///
/// `-Dsim.seed=N` runs that seed and says what happened; `-Dsim.forever=true` goes on from there
/// until it is stopped or finds something.
final class SimulationTest {
    private static final long SEEDS = 200;

    /// Seeds that found something once, beyond those that are run anyway. 153: a copy of a record
    /// that only the page cache had was believed after a force had failed, and its original
    // deleted.
    private static final long[] FOUND = {153};

    @Test
    void keepsItsPromisesThroughEveryFault() throws IOException {
        Long seed = Long.getLong("sim.seed");
        boolean isForever = Boolean.getBoolean("sim.forever");
        if (seed == null && !isForever) {
            for (long each :
                    LongStream.concat(LongStream.range(0, SEEDS), LongStream.of(FOUND)).toArray()) {
                var _ = new Simulation(each, false).run();
            }
            return;
        }
        long next = seed == null ? SEEDS : seed;
        do {
            System.out.println(new Simulation(next++, false).run());
        } while (isForever);
    }

    /// A disk whose forces do nothing must be found out, or the test above proves nothing.
    @Test
    void findsOutADiskThatLies() {
        int found = 0;
        for (long seed = 0; seed < 20; seed++) {
            try {
                var _ = new Simulation(seed, true).run();
            } catch (Simulation.Violation | IOException e) {
                found++;
            }
        }
        assertTrue(found >= 10, "only " + found + " of 20 runs on a lying disk failed");
    }
}
