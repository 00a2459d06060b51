package org.malote.server;

import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.malote.session.SessionLimits;

/// Counts sessions, over all and by client network. Safe for every event loop. Its size is bounded
/// by the number of sessions.
final class SessionQuota {
    private final int sessionsMax;
    private final int sessionsPerNetworkMax;
    private final AtomicInteger sessions = new AtomicInteger();

    /// Counted down when the last session leaves.
    private final AtomicReference<CountDownLatch> lastLeft =
            new AtomicReference<>(new CountDownLatch(1));

    private final ConcurrentHashMap<ClientNetwork, Integer> byNetwork = new ConcurrentHashMap<>();

    SessionQuota(SessionLimits limits) {
        this.sessionsMax = limits.sessionsMax();
        this.sessionsPerNetworkMax = limits.sessionsPerNetworkMax();
    }

    /// Sessions at this moment.
    int sessions() {
        return sessions.get();
    }

    /// Takes a place among all sessions. Give it back with [#leave].
    boolean tryEnter() {
        if (sessions.incrementAndGet() > sessionsMax) {
            sessions.decrementAndGet();
            return false;
        }
        return true;
    }

    void leave() {
        if (sessions.decrementAndGet() == 0) {
            lastLeft.get().countDown();
        }
    }

    /// Waits until there is no session, or for so long.
    void awaitNone(Duration timeout) throws InterruptedException {
        CountDownLatch left = new CountDownLatch(1);
        lastLeft.set(left);
        if (sessions.get() > 0) {
            var _ = left.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /// Takes a place among the sessions of the client's network. Give it back with [#leaveNetwork].
    boolean tryEnterNetwork(InetAddress client) {
        boolean[] entered = new boolean[1];
        byNetwork.compute(
                ClientNetwork.of(client),
                (_, count) -> {
                    int present = count == null ? 0 : count;
                    entered[0] = present < sessionsPerNetworkMax;
                    return entered[0] ? Integer.valueOf(present + 1) : count;
                });
        return entered[0];
    }

    void leaveNetwork(InetAddress client) {
        byNetwork.computeIfPresent(
                ClientNetwork.of(client), (_, count) -> count == 1 ? null : count - 1);
    }
}
