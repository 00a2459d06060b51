package org.malote.peers;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Waiting for another process, which cannot tell us when it is ready.
final class Await {
    private static final long STEP_NANOS = 10_000_000;

    private Await() {}

    /// Waits until it is true, and throws when that takes too long.
    ///
    /// @param state what the world looks like, for the message when it takes too long
    static void until(Duration limit, BooleanSupplier isTrue, Supplier<String> state) {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (!isTrue.getAsBoolean()) {
            if (System.nanoTime() > deadlineNanos) {
                throw new AssertionError("not within " + limit + ": " + state.get());
            }
            LockSupport.parkNanos(STEP_NANOS);
        }
    }
}
