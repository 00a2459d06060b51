package org.malote.offload;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Full and resumed handshakes, one after the other on a few threads, for as long as it is open.
final class Load implements AutoCloseable {
    private static final int THREADS = 2;
    private static final long WAIT_SECONDS_MAX = 60;

    /// How often the event loops are asked whether they live.
    private static final long PULSE_MILLIS = 5;

    private final AtomicInteger full = new AtomicInteger();
    private final AtomicInteger resumed = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private final AtomicLong longestStallNanos = new AtomicLong();
    private final Thread[] threads = new Thread[THREADS];
    private volatile boolean isOver;

    /// @param known a client that has sessions already
    Load(Loopback loopback, TlsContexts known) {
        loopback.watch(PULSE_MILLIS, longestStallNanos);
        for (int i = 0; i < THREADS; i++) {
            threads[i] =
                    Thread.ofPlatform()
                            .daemon()
                            .start(
                                    () -> {
                                        while (!isOver) {
                                            converse(loopback, null);
                                            converse(loopback, known);
                                        }
                                    });
        }
    }

    private void converse(Loopback loopback, @Nullable TlsContexts known) {
        try (TlsContexts fresh =
                TlsContexts.open(
                        Engines.settings(List.of()),
                        TestCertificates.environment(OffloadProviders.inProcess()))) {
            boolean isResumed =
                    loopback.converse(known == null ? fresh : known, "TLSv1.3").summary().resumed();
            (isResumed ? resumed : full).incrementAndGet();
        } catch (ExecutionException _) {
            failed.incrementAndGet();
        } catch (TimeoutException e) {
            throw new AssertionError("a handshake neither succeeded nor failed", e);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    int failed() {
        return failed.get();
    }

    int resumed() {
        return resumed.get();
    }

    /// Since the last call.
    long takeLongestStallMillis() {
        return TimeUnit.NANOSECONDS.toMillis(longestStallNanos.getAndSet(0));
    }

    /// Waits for so many more.
    void awaitFull(int more) {
        await(full, more);
    }

    void awaitFailed(int more) {
        await(failed, more);
    }

    void awaitResumed(int more) {
        await(resumed, more);
    }

    private static void await(AtomicInteger counter, int more) {
        int wanted = counter.get() + more;
        long begin = System.nanoTime();
        while (counter.get() < wanted) {
            if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX)) {
                throw new AssertionError("only " + counter.get() + " of " + wanted);
            }
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        isOver = true;
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(WAIT_SECONDS_MAX));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
