package org.malote.queue;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// When a deferred recipient is tried again, and when it is given up: RFC 5321 §4.5.4.1. The delay
/// starts at `first`, grows by `factor` to `max` and varies by `jitter`, so that what failed
/// together is not tried together.
///
/// @param first the delay after the first attempt
/// @param max the longest delay
/// @param factor growth from one delay to the next, at least 1
/// @param jitter the share of a delay that varies either way, from 0 to below 1
/// @param giveUp the age at which a message is given up
/// @param giveUpNullSender the same for messages with the null reverse-path, whose failure nobody
///     is told of
public record RetrySchedule(
        Duration first,
        Duration max,
        double factor,
        double jitter,
        Duration giveUp,
        Duration giveUpNullSender) {

    /// What follows a deferral.
    public sealed interface Next {}

    /// Try again then, in milliseconds since 1970.
    public record RetryAt(long epochMillis) implements Next {}

    /// The message is too old: the recipient has failed.
    public record GiveUp() implements Next {}

    public RetrySchedule {
        if (first.isNegative() || first.isZero() || max.compareTo(first) < 0) {
            throw new IllegalArgumentException(
                    "the first retry delay must be above zero and not above the longest");
        }
        if (!(factor >= 1) || Double.isInfinite(factor) || !(jitter >= 0 && jitter < 1)) {
            throw new IllegalArgumentException(
                    "the retry factor must be at least 1 and the jitter from 0 to below 1");
        }
        if (giveUp.isNegative() || giveUpNullSender.isNegative()) {
            throw new IllegalArgumentException("a message cannot be given up before it came");
        }
    }

    /// First after five minutes (greylisting ends by then; RFC 6647 §5), then twice as long each
    /// time up to three hours. RFC 5321 §4.5.4.1: the give-up time is at least 4 to 5 days, and a
    /// retry every two or three hours suffices once the first hour is over.
    public static RetrySchedule standard() {
        return new RetrySchedule(
                Duration.ofMinutes(5),
                Duration.ofHours(3),
                2,
                0.2,
                Duration.ofDays(5),
                Duration.ofDays(2));
    }

    /// The same schedule with the give-up age of messages with the null reverse-path.
    public RetrySchedule forNullSender() {
        return new RetrySchedule(first, max, factor, jitter, giveUpNullSender, giveUpNullSender);
    }

    /// What follows when an attempt has just been deferred.
    ///
    /// @param acceptedAtMillis when the message came, in milliseconds since 1970
    /// @param attempts how many attempts were made, counting the one that was just deferred
    /// @param nowMillis the time now, in milliseconds since 1970
    public Next next(long acceptedAtMillis, int attempts, long nowMillis, RandomGenerator random) {
        long deadlineMillis = acceptedAtMillis + giveUp.toMillis();
        if (nowMillis >= deadlineMillis) {
            return new GiveUp();
        }
        double delay = (double) first.toMillis() * Math.pow(factor, Math.max(0, attempts - 1));
        delay = Math.min(delay, (double) max.toMillis());
        delay *= 1 + jitter * (2 * random.nextDouble() - 1);
        // The last attempt comes when the message is due to be given up, not a whole delay before.
        return new RetryAt(Math.min(nowMillis + Math.max(1, (long) delay), deadlineMillis));
    }
}
