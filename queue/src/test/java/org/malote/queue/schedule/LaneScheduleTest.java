package org.malote.queue.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class LaneScheduleTest {
    private static final Feedback ANSWERED = new Feedback.Answered();
    private static final Feedback FAILED = new Feedback.Failed("no answer");
    private static final Feedback NONE = new Feedback.None();

    private final EntryTable table = new EntryTable();
    private final Map<Integer, String> names = new HashMap<>();

    private LaneSchedule schedule(int laneMax, int totalMax) {
        return new LaneSchedule(table, SiteLimits.window(laneMax), totalMax, new Random(1));
    }

    private int add(LaneSchedule schedule, String lane, String name, long dueMillis) {
        int entry = table.allocate();
        names.put(entry, name);
        schedule.add(entry, lane);
        schedule.schedule(entry, dueMillis);
        return entry;
    }

    private static int claim(LaneSchedule schedule, long now) {
        int entry = schedule.claim(now);
        assertNotEquals(EntryTable.NONE, entry);
        return entry;
    }

    private String claimName(LaneSchedule schedule, long now) {
        return names.getOrDefault(claim(schedule, now), "(none)");
    }

    private static void assertNothing(LaneSchedule schedule, long now) {
        assertEquals(EntryTable.NONE, schedule.claim(now));
    }

    @Test
    void handsOutNothingBeforeItsTime() {
        var schedule = schedule(2, 10);
        add(schedule, "a", "a1", 100);
        assertNothing(schedule, 99);
        assertEquals(100, schedule.nextDueMillis(99));
        assertEquals("a1", claimName(schedule, 100));
        assertEquals(Long.MAX_VALUE, schedule.nextDueMillis(100));
    }

    @Test
    void servesALaneInOrderAndLanesInTurn() {
        var schedule = schedule(10, 100);
        for (int i = 1; i <= 3; i++) {
            add(schedule, "a", "a" + i, i);
        }
        add(schedule, "b", "b1", 4);
        add(schedule, "c", "c1", 5);
        var order = new ArrayList<String>();
        for (int i = 0; i < 5; i++) {
            order.add(claimName(schedule, 10));
        }
        assertEquals(List.of("a1", "b1", "c1", "a2", "a3"), order);
    }

    /// One host that never answers holds its window, and nothing else.
    @Test
    void keepsADeadDestinationFromDelayingOthers() {
        var schedule = schedule(5, 20);
        for (int i = 0; i < 100_000; i++) {
            add(schedule, "dead.example", "d" + i, 0);
        }
        int dead = 0;
        for (int i = 0; i < 1000; i++) {
            add(schedule, "ok.example", "o" + i, 1);
            int entry = claim(schedule, 1);
            while (schedule.destination(entry).equals("dead.example")) {
                dead++;
                entry = claim(schedule, 1);
            }
            assertEquals("o" + i, names.get(entry));
            schedule.settle(entry, ANSWERED, 1);
            schedule.drop(entry);
        }
        assertEquals(5, dead);
        assertEquals(5, schedule.claims());
        assertNothing(schedule, 1);
        assertEquals(Long.MAX_VALUE, schedule.nextDueMillis(1));
    }

    @Test
    void obeysTheTotal() {
        var schedule = schedule(5, 3);
        for (int i = 0; i < 6; i++) {
            add(schedule, "lane" + i, "j" + i, 0);
        }
        int first = claim(schedule, 0);
        claim(schedule, 0);
        claim(schedule, 0);
        assertNothing(schedule, 0);
        schedule.settle(first, ANSWERED, 0);
        assertEquals("j3", claimName(schedule, 0));
        assertThrows(IllegalStateException.class, () -> schedule.settle(first, ANSWERED, 0));
    }

    @Test
    void forgetsALaneWithItsLastEntry() {
        var schedule = schedule(1, 1);
        int entry = add(schedule, "a", "a1", 0);
        assertEquals(1, schedule.lanes());
        schedule.drop(entry);
        assertEquals(0, schedule.lanes());
        assertNothing(schedule, 5);
        add(schedule, "a", "a2", 0);
        assertEquals("a2", claimName(schedule, 5));
    }

    @Test
    void growsTheWindowOfAHostThatAnswers() {
        var schedule = schedule(20, 1000);
        for (int i = 0; i < 5000; i++) {
            add(schedule, "a", "a" + i, 0);
        }
        assertEquals(5, schedule.window("a"));
        int rounds = 0;
        while (schedule.window("a") < 20) {
            int before = schedule.window("a");
            List<Integer> claimed = claimAll(schedule, 0);
            assertEquals(before, claimed.size());
            claimed.forEach(entry -> end(schedule, entry, ANSWERED, 0));
            assertTrue(schedule.window("a") <= before + 1, "one more a round at most");
            rounds++;
        }
        assertTrue(rounds < 60, rounds + " rounds");
        assertEquals(20, claimAll(schedule, 0).size());
    }

    @Test
    void doesNotGrowAWindowThatIsNotUsed() {
        var schedule = schedule(20, 1000);
        for (int i = 0; i < 100; i++) {
            add(schedule, "a", "a" + i, 0);
            end(schedule, claim(schedule, 0), ANSWERED, 0);
        }
        add(schedule, "a", "last", 0);
        assertEquals(5, schedule.window("a"));
    }

    private void end(LaneSchedule schedule, int entry, Feedback feedback, long now) {
        schedule.settle(entry, feedback, now);
        schedule.drop(entry);
        table.free(entry);
    }

    private static List<Integer> claimAll(LaneSchedule schedule, long now) {
        var claimed = new ArrayList<Integer>();
        for (int entry = schedule.claim(now);
                entry != EntryTable.NONE;
                entry = schedule.claim(now)) {
            claimed.add(entry);
        }
        return claimed;
    }

    @Test
    void leavesADownHostAloneAndProbesIt() {
        var schedule = schedule(20, 1000);
        for (int i = 0; i < 20_000; i++) {
            add(schedule, "a", "a" + i, 0);
        }
        claimAll(schedule, 0).forEach(entry -> retry(schedule, entry, FAILED, 0, 1));
        assertEquals(0, schedule.window("a"));
        assertEquals(1, schedule.sitesDown());
        // Meanwhile entries are told so at a slow pace, and nothing is attempted.
        int told = 0;
        for (long now = 1; now <= 50_000; now++) {
            for (int entry : claimAll(schedule, now)) {
                assertEquals("no answer", schedule.trouble());
                told++;
                retry(schedule, entry, NONE, now, now + 3_600_000);
            }
        }
        assertTrue(told > 100 && told <= 5001, told + " were told");
        // Then one at a time.
        int probe = EntryTable.NONE;
        long now = 50_000;
        while (probe == EntryTable.NONE && now < 70_000) {
            for (int entry : claimAll(schedule, ++now)) {
                if (schedule.trouble() == null) {
                    probe = entry;
                } else {
                    retry(schedule, entry, NONE, now, now + 3_600_000);
                }
            }
        }
        assertNotEquals(EntryTable.NONE, probe, "no probe within 70 seconds");
        for (int i = 0; i < 100; i++) {
            for (int entry : claimAll(schedule, ++now)) {
                assertNotNull(schedule.trouble(), "a second probe");
                retry(schedule, entry, NONE, now, now + 3_600_000);
            }
        }
        // It answers: one attempt at a time, and more with each answer.
        retry(schedule, probe, ANSWERED, now, now + 3_600_000);
        assertEquals(1, schedule.window("a"));
        List<Integer> first = claimAll(schedule, now);
        assertNull(schedule.trouble());
        assertEquals(1, first.size());
        retry(schedule, first.getFirst(), ANSWERED, now, now + 3_600_000);
        assertEquals(2, claimAll(schedule, now).size());
    }

    private void retry(
            LaneSchedule schedule, int entry, Feedback feedback, long now, long dueMillis) {
        schedule.settle(entry, feedback, now);
        schedule.schedule(entry, dueMillis);
    }

    @Test
    void waitsLongerEachTimeUpToAQuarterOfAnHour() {
        var schedule = schedule(1, 1000);
        add(schedule, "a", "a", 0);
        var probes = new ArrayList<Long>();
        for (long now = 0; now < 4 * 3_600_000L; now += 100) {
            for (int entry : claimAll(schedule, now)) {
                boolean isProbe = schedule.trouble() == null;
                if (isProbe) {
                    probes.add(now);
                }
                retry(schedule, entry, isProbe ? FAILED : NONE, now, now);
            }
        }
        for (int i = 2; i < probes.size(); i++) {
            long gap = probes.get(i) - probes.get(i - 1);
            long before = probes.get(i - 1) - probes.get(i - 2);
            assertTrue(gap < 1.2 * 900_000, "a gap of " + gap);
            assertTrue(gap > 1.5 * before || gap > 0.8 * 900_000, "a gap of " + gap);
        }
        assertTrue(probes.size() > 15 && probes.size() < 25, probes.size() + " probes");
    }

    /// However many are down, what is told costs no more.
    @Test
    void tellsAtOnePaceOverAllSites() {
        var schedule = schedule(1, 10_000);
        for (int i = 0; i < 500; i++) {
            for (int j = 0; j < 20; j++) {
                add(schedule, "d" + i, "e", 0);
            }
        }
        claimAll(schedule, 0).forEach(entry -> retry(schedule, entry, FAILED, 0, 0));
        assertEquals(500, schedule.sitesDown());
        int told = 0;
        for (long now = 1; now <= 20_000; now += 10) {
            List<Integer> claimed = claimAll(schedule, now);
            assertTrue(claimed.size() <= 2, claimed.size() + " at once");
            told += claimed.size();
            long until = now + 3_600_000;
            long at = now;
            claimed.forEach(entry -> retry(schedule, entry, NONE, at, until));
        }
        assertTrue(told > 1000 && told <= 2001, told + " were told");
    }

    @Test
    void sharesTheWindowOfASite() {
        var schedule = schedule(20, 1000);
        for (int i = 0; i < 50; i++) {
            add(schedule, "a", "a" + i, 0);
            add(schedule, "b", "b" + i, 0);
        }
        schedule.assign("a", "mx.example", SiteLimits.window(4));
        schedule.assign("b", "mx.example", SiteLimits.window(4));
        assertEquals(1, schedule.sites());
        List<Integer> claimed = claimAll(schedule, 0);
        assertEquals(4, claimed.size());
        assertEquals(
                List.of("a", "b", "a", "b"), claimed.stream().map(schedule::destination).toList());
        claimed.forEach(entry -> end(schedule, entry, FAILED, 0));
        assertEquals(0, schedule.window("a"));
        assertEquals(0, schedule.window("b"));
    }

    @Test
    void movesWhatIsClaimedWithItsLane() {
        var schedule = schedule(3, 1000);
        for (int i = 0; i < 9; i++) {
            add(schedule, "a", "a" + i, 0);
        }
        List<Integer> claimed = claimAll(schedule, 0);
        assertEquals(3, claimed.size());
        schedule.assign("a", "mx.example", SiteLimits.window(5));
        assertEquals(2, claimAll(schedule, 0).size());
        claimed.forEach(entry -> end(schedule, entry, ANSWERED, 0));
        assertEquals(3, claimAll(schedule, 0).size());
        assertEquals(5, schedule.claims());
        // And back, with another window.
        schedule.assign("a", "other.example", SiteLimits.window(9));
        assertEquals(5, schedule.window("a"));
        assertEquals(0, claimAll(schedule, 0).size());
    }

    @Test
    void remembersASiteThatIsDownWhenItHasNoMailForAWhile() {
        var schedule = schedule(1, 10);
        int entry = add(schedule, "a", "a1", 0);
        schedule.assign("a", "mx.example", SiteLimits.window(1));
        claim(schedule, 0);
        end(schedule, entry, FAILED, 0);
        assertEquals(0, schedule.lanes());
        add(schedule, "a", "a2", 1000);
        assertEquals(0, schedule.window("a"));
        claim(schedule, 1000);
        assertEquals("no answer", schedule.trouble());
    }

    @Test
    void keepsToARate() {
        var schedule = schedule(100, 1000);
        for (int i = 0; i < 1000; i++) {
            add(schedule, "a", "a" + i, 0);
        }
        schedule.assign("a", "mx.example", new SiteLimits(100, 20));
        int count = 0;
        for (long now = 1000; now < 11_000; now += 10) {
            for (int entry : claimAll(schedule, now)) {
                count++;
                end(schedule, entry, ANSWERED, now);
            }
            assertTrue(schedule.nextDueMillis(now) > now);
            assertTrue(schedule.nextDueMillis(now) <= now + 50);
        }
        assertTrue(count >= 199 && count <= 203, count + " in ten seconds");
    }

    @Test
    void handsOutNothingOfASuspendedDestination() {
        var schedule = schedule(5, 100);
        add(schedule, "a", "a1", 0);
        add(schedule, "b", "b1", 0);
        assertTrue(schedule.suspend("a"));
        assertFalse(schedule.suspend("a"));
        assertTrue(schedule.suspend("c"));
        assertEquals(List.of("a", "c"), schedule.suspended());
        add(schedule, "c", "c1", 0);
        assertEquals(List.of("b1"), claimAll(schedule, 0).stream().map(names::get).toList());
        assertEquals(Long.MAX_VALUE, schedule.nextDueMillis(0));
        int urgent = add(schedule, "a", "a2", 0);
        schedule.scheduleUrgently(urgent, 0);
        assertEquals(0, schedule.nextDueMillis(0));
        assertEquals("a2", claimName(schedule, 0));
        end(schedule, urgent, NONE, 0);
        assertTrue(schedule.resume("a"));
        assertFalse(schedule.resume("a"));
        assertEquals("a1", claimName(schedule, 0));
    }

    @Test
    void letsUrgentEntriesWaitForTheirTimeToo() {
        var schedule = schedule(2, 100);
        schedule.suspend("a");
        add(schedule, "a", "a1", 5);
        schedule.scheduleUrgently(add(schedule, "a", "u1", 0), 10);
        int dropped = add(schedule, "a", "u2", 0);
        schedule.scheduleUrgently(dropped, 10);
        schedule.drop(dropped);
        assertNothing(schedule, 9);
        assertEquals(10, schedule.nextDueMillis(9));
        assertEquals(10, schedule.nextDueMillis(10));
        assertEquals("u1", claimName(schedule, 10));
        assertNothing(schedule, 10);
    }

    @Test
    void givesUrgentEntriesEverySecondTurn() {
        var schedule = schedule(2, 100);
        for (int i = 0; i < 4; i++) {
            add(schedule, "a", "a" + i, 0);
            schedule.scheduleUrgently(add(schedule, "a", "u" + i, 0), 0);
        }
        assertEquals(
                List.of("a0", "u0", "a1", "u1", "u2", "u3"),
                claimAll(schedule, 0).stream().map(names::get).toList());
    }

    /// A list that is searched each time, with the same promises but for the turns.
    @Test
    void agreesWithASlowTwin() {
        for (int seed = 0; seed < 300; seed++) {
            new Twin(seed).run();
        }
    }

    private static final class Twin {
        final int seed;
        final Random random;
        final EntryTable table = new EntryTable();
        final int laneMax;
        final int totalMax;
        final LaneSchedule schedule;
        final Map<Integer, Long> waiting = new HashMap<>();
        final Map<Integer, String> lanes = new HashMap<>();
        final Map<String, String> sites = new HashMap<>();
        final List<Integer> claimed = new ArrayList<>();
        final Set<String> suspended = new HashSet<>();

        /// Found due once: they stay so when the clock is set back.
        final Set<Integer> found = new HashSet<>();

        long now = 1_000_000;

        Twin(int seed) {
            this.seed = seed;
            this.random = new Random(seed);
            this.laneMax = 1 + random.nextInt(3);
            this.totalMax = laneMax + random.nextInt(5);
            this.schedule = new LaneSchedule(table, SiteLimits.window(laneMax), totalMax, random);
        }

        void run() {
            for (int step = 0; step < 300; step++) {
                var _ = schedule.isClaimable(now); // it learns the time
                waiting.forEach(
                        (entry, due) -> {
                            if (due <= now) {
                                found.add(entry);
                            }
                        });
                switch (random.nextInt(9)) {
                    case 0, 1 -> {
                        int entry = table.allocate();
                        String lane = "lane" + random.nextInt(4);
                        schedule.add(entry, lane);
                        lanes.put(entry, lane);
                        putIn(entry);
                    }
                    case 2 -> {
                        if (!waiting.isEmpty()) {
                            int entry = anyWaiting();
                            if (random.nextBoolean()) {
                                putIn(entry);
                            } else {
                                waiting.remove(entry);
                                schedule.drop(entry);
                                table.free(entry);
                            }
                        }
                    }
                    case 3 -> {
                        if (!claimed.isEmpty()) {
                            int at = random.nextInt(claimed.size());
                            int entry = claimed.get(at);
                            claimed.remove(Integer.valueOf(entry));
                            schedule.settle(entry, NONE, now);
                            if (random.nextBoolean()) {
                                putIn(entry);
                            } else {
                                schedule.drop(entry);
                                table.free(entry);
                            }
                        }
                    }
                    case 4 -> now += random.nextInt(4) == 0 ? random.nextInt(100_000) : 7;
                    case 5 -> {
                        if (random.nextInt(8) == 0) {
                            now -= 2000 + random.nextInt(20_000);
                        }
                    }
                    case 6 -> {
                        String lane = "lane" + random.nextInt(4);
                        if (suspended.remove(lane)) {
                            schedule.resume(lane);
                        } else if (random.nextInt(3) == 0) {
                            suspended.add(lane);
                            schedule.suspend(lane);
                        }
                    }
                    case 7 -> {
                        String lane = "lane" + random.nextInt(4);
                        if (isOpen(lane)) {
                            String site = "site" + random.nextInt(2);
                            sites.put(lane, site);
                            schedule.assign(lane, site, SiteLimits.window(laneMax));
                        }
                    }
                    default -> claimOne(step);
                }
                assertEquals(claimed.size(), schedule.claims());
            }
        }

        private boolean isOpen(String lane) {
            return waiting.keySet().stream().anyMatch(e -> lane.equals(lanes.get(e)))
                    || claimed.stream().anyMatch(e -> lane.equals(lanes.get(e)));
        }

        private int anyWaiting() {
            List<Integer> all = waiting.keySet().stream().sorted().toList();
            return all.get(random.nextInt(all.size()));
        }

        private void putIn(int entry) {
            long due = now + random.nextInt(50_000) - 10_000;
            waiting.put(entry, due);
            found.remove(entry);
            schedule.schedule(entry, due);
        }

        private void claimOne(int step) {
            boolean isPossible = isPossible();
            assertEquals(isPossible, schedule.isClaimable(now), "seed " + seed + " step " + step);
            long next = schedule.nextDueMillis(now);
            assertTrue(isPossible ? next == now : next > now, "seed " + seed);
            int entry = schedule.claim(now);
            assertEquals(isPossible, entry != EntryTable.NONE, "seed " + seed + " step " + step);
            if (entry != EntryTable.NONE) {
                assertNotNull(waiting.remove(entry), "seed " + seed + ": twice");
                assertFalse(suspended.contains(lanes.get(entry)), "seed " + seed);
                claimed.add(entry);
            }
        }

        private String siteOf(int entry) {
            String lane = String.valueOf(lanes.get(entry));
            return sites.getOrDefault(lane, lane);
        }

        private boolean isPossible() {
            Map<String, Integer> used = new HashMap<>();
            claimed.forEach(entry -> used.merge(siteOf(entry), 1, Integer::sum));
            return claimed.size() < totalMax
                    && waiting.entrySet().stream()
                            .anyMatch(
                                    entry ->
                                            found.contains(entry.getKey())
                                                    && !suspended.contains(
                                                            lanes.get(entry.getKey()))
                                                    && used.getOrDefault(siteOf(entry.getKey()), 0)
                                                            < laneMax);
        }
    }
}
