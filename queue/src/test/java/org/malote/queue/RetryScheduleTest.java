package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// RFC 5321 §4.5.4.1.
final class RetryScheduleTest {
    private static final RetrySchedule EXACT =
            new RetrySchedule(
                    Duration.ofMinutes(5),
                    Duration.ofHours(3),
                    2,
                    0,
                    Duration.ofDays(5),
                    Duration.ofDays(2));

    @Test
    void growsToTheLongestDelay() {
        var minutes = new ArrayList<Long>();
        for (int attempts = 1; attempts <= 9; attempts++) {
            var next = EXACT.next(0, attempts, 0, new Random(1));
            minutes.add(assertInstanceOf(RetrySchedule.RetryAt.class, next).epochMillis() / 60_000);
        }
        assertEquals(List.of(5L, 10L, 20L, 40L, 80L, 160L, 180L, 180L, 180L), minutes);
    }

    @Test
    void triesALastTimeAtTheEndAndThenGivesUp() {
        long end = Duration.ofDays(5).toMillis();
        assertEquals(new RetrySchedule.RetryAt(end), EXACT.next(0, 50, end - 1, new Random(1)));
        assertEquals(new RetrySchedule.GiveUp(), EXACT.next(0, 51, end, new Random(1)));
        long bounceEnd = Duration.ofDays(2).toMillis();
        assertEquals(
                new RetrySchedule.GiveUp(),
                EXACT.forNullSender().next(0, 20, bounceEnd, new Random(1)));
    }

    @Test
    void spreadsByTheJitterAndNoMore() {
        RetrySchedule schedule = RetrySchedule.standard();
        var random = new Random(4);
        long least = Long.MAX_VALUE;
        long most = 0;
        for (int i = 0; i < 5000; i++) {
            if (schedule.next(0, 1, 0, random) instanceof RetrySchedule.RetryAt(long at)) {
                least = Math.min(least, at);
                most = Math.max(most, at);
            }
        }
        assertTrue(least >= 240_000 && least < 245_000, "least " + least);
        assertTrue(most <= 360_000 && most > 355_000, "most " + most);
    }

    @Test
    void refusesScheduleThatMakesNoSense() {
        Duration minute = Duration.ofMinutes(1);
        assertThrows(
                IllegalArgumentException.class,
                () -> new RetrySchedule(Duration.ZERO, minute, 2, 0, minute, minute));
        assertThrows(
                IllegalArgumentException.class,
                () -> new RetrySchedule(minute, minute, 0.5, 0, minute, minute));
        assertThrows(
                IllegalArgumentException.class,
                () -> new RetrySchedule(minute, minute, 2, 1, minute, minute));
    }
}
