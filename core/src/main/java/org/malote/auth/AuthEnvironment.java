package org.malote.auth;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// What an [Authenticator] is given.
///
/// @param hashing for passwords; refuses what is too much, by a
///     [java.util.concurrent.RejectedExecutionException]
/// @param timer tells failures late
/// @param nanoTime a clock that only goes on, in nanoseconds
/// @param random for nonces that nobody can guess
public record AuthEnvironment(
        Executor hashing, Timer timer, LongSupplier nanoTime, RandomGenerator random) {

    /// Runs a task later, on any thread.
    public interface Timer {
        /// Runs `task` after `delay`.
        void after(Duration delay, Runnable task);
    }
}
