package org.malote.queue.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LaneScheduleTest {
    private static final class Job extends LaneSchedule.Entry {
        final String name;
        long dueMillis = Long.MAX_VALUE;

        Job(String name) {
            this.name = name;
        }
    }

    private static Job add(LaneSchedule schedule, String lane, String name, long dueMillis) {
        var job = new Job(name);
        schedule.add(job, lane);
        schedule.schedule(job, dueMillis);
        return job;
    }

    private static Job claim(LaneSchedule schedule, long now) {
        Job job = (Job) schedule.claim(now);
        assertNotNull(job);
        return job;
    }

    @Test
    void handsOutNothingBeforeItsTime() {
        var schedule = new LaneSchedule(2, 10);
        add(schedule, "a", "a1", 100);
        assertNull(schedule.claim(99));
        assertEquals(100, schedule.nextDueMillis(99));
        assertEquals("a1", claim(schedule, 100).name);
        assertEquals(Long.MAX_VALUE, schedule.nextDueMillis(100));
    }

    @Test
    void servesALaneInOrderAndLanesInTurn() {
        var schedule = new LaneSchedule(10, 100);
        for (int i = 1; i <= 3; i++) {
            add(schedule, "a", "a" + i, i);
        }
        add(schedule, "b", "b1", 4);
        add(schedule, "c", "c1", 5);
        var order = new ArrayList<String>();
        for (int i = 0; i < 5; i++) {
            order.add(claim(schedule, 10).name);
        }
        assertEquals(List.of("a1", "b1", "c1", "a2", "a3"), order);
    }

    /// One host that never answers holds its lane's window, and nothing else.
    @Test
    void keepsADeadDestinationFromDelayingOthers() {
        var schedule = new LaneSchedule(5, 20);
        for (int i = 0; i < 100_000; i++) {
            add(schedule, "dead.example", "d" + i, 0);
        }
        int dead = 0;
        for (int i = 0; i < 1000; i++) {
            add(schedule, "ok.example", "o" + i, 1);
            Job job = claim(schedule, 1);
            while (job.destination().equals("dead.example")) {
                dead++;
                job = claim(schedule, 1);
            }
            assertEquals("o" + i, job.name);
            schedule.settle(job);
            schedule.drop(job);
        }
        assertEquals(5, dead);
        assertEquals(5, schedule.claims());
        assertNull(schedule.claim(1));
        assertEquals(Long.MAX_VALUE, schedule.nextDueMillis(1));
    }

    @Test
    void obeysTheTotal() {
        var schedule = new LaneSchedule(5, 3);
        for (int i = 0; i < 6; i++) {
            add(schedule, "lane" + i, "j" + i, 0);
        }
        Job first = claim(schedule, 0);
        claim(schedule, 0);
        claim(schedule, 0);
        assertNull(schedule.claim(0));
        schedule.settle(first);
        assertEquals("j3", claim(schedule, 0).name);
    }

    @Test
    void forgetsALaneWithItsLastEntry() {
        var schedule = new LaneSchedule(1, 1);
        Job job = add(schedule, "a", "a1", 0);
        assertEquals(1, schedule.lanes());
        schedule.drop(job);
        assertEquals(0, schedule.lanes());
        assertNull(schedule.claim(5));
        add(schedule, "a", "a2", 0);
        assertEquals("a2", claim(schedule, 5).name);
    }

    /// A list that is searched each time, with the same promises but for the turns.
    @Test
    void agreesWithASlowTwin() {
        for (int seed = 0; seed < 40; seed++) {
            var random = new Random(seed);
            int laneMax = 1 + random.nextInt(3);
            int totalMax = laneMax + random.nextInt(5);
            var schedule = new LaneSchedule(laneMax, totalMax);
            var waiting = new ArrayList<Job>();
            var claimed = new ArrayList<Job>();
            long now = 0;
            for (int step = 0; step < 600; step++) {
                switch (random.nextInt(6)) {
                    case 0, 1 -> {
                        long due = now + random.nextInt(50) - 10;
                        Job job = add(schedule, "l" + random.nextInt(5), "j" + step, due);
                        job.dueMillis = due;
                        waiting.add(job);
                    }
                    case 2 -> now += random.nextInt(20);
                    case 3 -> {
                        if (!waiting.isEmpty()) {
                            Job job = waiting.get(random.nextInt(waiting.size()));
                            job.dueMillis =
                                    random.nextInt(4) == 0
                                            ? Long.MAX_VALUE
                                            : now + random.nextInt(40);
                            if (job.dueMillis == Long.MAX_VALUE) {
                                schedule.unschedule(job);
                            } else {
                                schedule.schedule(job, job.dueMillis);
                            }
                        }
                    }
                    case 4 -> {
                        if (!claimed.isEmpty()) {
                            Job job = claimed.remove(random.nextInt(claimed.size()));
                            schedule.settle(job);
                            if (random.nextBoolean()) {
                                schedule.drop(job);
                            } else {
                                job.dueMillis = now + random.nextInt(30);
                                schedule.schedule(job, job.dueMillis);
                                waiting.add(job);
                            }
                        }
                    }
                    default -> {
                        boolean possible = claimable(waiting, claimed, now, laneMax, totalMax);
                        assertEquals(possible, schedule.isClaimable(now), "seed " + seed);
                        Job job = (Job) schedule.claim(now);
                        assertEquals(possible, job != null, "seed " + seed + " step " + step);
                        if (job != null) {
                            assertTrue(job.dueMillis <= now, "seed " + seed + ": too early");
                            assertTrue(waiting.remove(job), "seed " + seed + ": twice");
                            claimed.add(job);
                        }
                    }
                }
                assertEquals(claimed.size(), schedule.claims());
            }
        }
    }

    private static boolean claimable(
            List<Job> waiting, List<Job> claimed, long now, int laneMax, int totalMax) {
        Map<String, Integer> used = new HashMap<>();
        claimed.forEach(job -> used.merge(job.destination(), 1, Integer::sum));
        return claimed.size() < totalMax
                && waiting.stream()
                        .anyMatch(
                                job ->
                                        job.dueMillis <= now
                                                && used.getOrDefault(job.destination(), 0)
                                                        < laneMax);
    }
}
