package org.malote.offload;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Signs with something that takes its time, or hangs: a token, a service on the network. For
/// providers, those of others too.
///
/// A few threads, each with a session of its own, take requests from a bounded queue. A signature
/// has the time limit from when a thread takes the request, and the request the same time again to
/// wait for that: so it is answered within twice the limit, by a failure if need be, whatever the
/// token does. A request that no thread came to is refused, and says nothing of the token but that
/// it is busy. After a signature's time-out, or when one of the pool's own fails, a breaker opens:
/// requests fail at once, without a wait, and those that wait do too. The pool's own signature is
/// made after several failures in a row (which can be the fault of what a peer asked for), now and
/// then to find an idle token that has died, and once a second while the breaker is open, to close
/// it again.
///
/// Threads: any. A call never waits.
///
/// @param <S> a session: what one thread signs with, such as a login at a token
public final class SigningPool<S> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SigningPool.class);

    /// Failures in a row after which the pool tries the key itself. Ours.
    static final int FAILURES_MAX = 3;

    /// How often time limits are looked at. Ours: short beside a limit of seconds.
    private static final long SWEEP_NANOS = 50_000_000;

    /// How often a token that failed is tried again. Ours: its return is seen soon, and a token
    /// that is busy with its own start is not hammered.
    private static final long RETRY_NANOS = 1_000_000_000;

    private final String name;
    private final Sessions<S> sessions;
    private final Work<S> probe;
    private final KeyEnvironment environment;
    private final long timeoutNanos;
    private final long healthNanos;
    private final BlockingQueue<Request<S>> queue;
    private final List<Thread> workers = new ArrayList<>();
    private final Thread watcher;
    private final AtomicInteger running;
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicBoolean isClosed = new AtomicBoolean();

    /// Why the breaker is open; null while it is closed.
    private volatile @Nullable String ailment;

    private volatile long lastSuccessNanos;

    /// What no thread has taken, and what was given up in the meantime. In the order of their
    /// coming, which is that of their limits. Guarded by itself.
    private final Deque<Request<S>> waiting = new ArrayDeque<>();

    /// What a thread is with, in the order of their being taken. Guarded by itself.
    private final Deque<Request<S>> underWay = new ArrayDeque<>();

    private final AtomicReference<@Nullable Request<S>> lastProbe = new AtomicReference<>();
    private volatile long lastProbeNanos;

    /// Opens and closes sessions, on the thread that will use them. May wait for as long as it
    /// likes.
    ///
    /// @param <S> a session
    public interface Sessions<S> extends AutoCloseable {
        /// @param isAiling whether signatures have failed: the time to begin from the start
        S open(boolean isAiling) throws Exception;

        /// Ends a session, which may be broken.
        void close(S session);

        /// Nothing is opened any more, and all sessions are closed.
        @Override
        void close();
    }

    /// A signature.
    ///
    /// @param <S> a session
    public interface Work<S> {
        byte[] sign(S session) throws Exception;
    }

    /// Takes over `sessions` and starts the threads. The breaker is closed.
    ///
    /// @param name of the key, for the log and for failures: `pkcs11:object=mx1`
    /// @param probe makes a signature to see whether the key is well
    public SigningPool(
            String name,
            KeyLimits limits,
            KeyEnvironment environment,
            Sessions<S> sessions,
            Work<S> probe) {
        this.name = name;
        this.sessions = sessions;
        this.probe = probe;
        this.environment = environment;
        this.timeoutNanos = limits.timeout().toNanos();
        this.healthNanos = limits.healthInterval().toNanos();
        this.queue = new ArrayBlockingQueue<>(limits.queueMax());
        this.running = new AtomicInteger(limits.threads());
        long now = environment.nanoTime().getAsLong();
        this.lastSuccessNanos = now;
        this.lastProbeNanos = now;
        for (int i = 0; i < limits.threads(); i++) {
            workers.add(environment.threads().newThread(this::work));
        }
        this.watcher = environment.threads().newThread(this::watch);
        workers.forEach(Thread::start);
        watcher.start();
    }

    /// Asks for a signature.
    ///
    /// @return a stage that ends within twice the time limit, on a thread of the pool
    public CompletionStage<byte[]> submit(Work<S> work) {
        String reason = ailment;
        if (reason != null) {
            return CompletableFuture.failedFuture(new KeyUnavailable(reason));
        }
        Request<S> request = request(work, false);
        enqueue(request);
        return request.answer;
    }

    private Request<S> request(Work<S> work, boolean isProbe) {
        return new Request<>(work, isProbe, environment.nanoTime().getAsLong());
    }

    private void enqueue(Request<S> request) {
        if (isClosed.get()) {
            request.fail(new KeyUnavailable(name + " is closed"));
            return;
        }
        synchronized (waiting) {
            if (queue.offer(request)) {
                waiting.addLast(request);
                return;
            }
        }
        request.fail(
                new KeyUnavailable(
                        String.format("%s has %d signatures waiting already", name, queue.size())));
    }

    /// Whether a signature can be expected to succeed now.
    public PrivateKeyOps.Health health() {
        String reason = ailment;
        return reason == null
                ? new PrivateKeyOps.Health.Well()
                : new PrivateKeyOps.Health.Ailing(reason);
    }

    /// Requests that no thread has taken.
    public int queued() {
        return queue.size();
    }

    /// Fails what waits. Sessions are closed by their threads, which may be later: a token that
    /// hangs is not waited for.
    @Override
    public void close() {
        if (!isClosed.compareAndSet(false, true)) {
            return;
        }
        failWaiting(name + " is closed");
        workers.forEach(Thread::interrupt);
        LockSupport.unpark(watcher);
    }

    // ---- the workers ----

    private void work() {
        S session = null;
        try {
            while (!isClosed.get()) {
                Request<S> request;
                try {
                    request = queue.take();
                } catch (InterruptedException _) {
                    continue; // close() says so, nobody else
                }
                if (request.tryClaim()) {
                    begin(request);
                    session = serve(request, session);
                    end(request);
                }
            }
        } finally {
            closeQuietly(session);
            if (running.decrementAndGet() == 0) {
                sessions.close();
            }
        }
    }

    private void begin(Request<S> request) {
        synchronized (underWay) {
            request.begunNanos = environment.nanoTime().getAsLong();
            underWay.addLast(request);
        }
    }

    private void end(Request<S> request) {
        synchronized (underWay) {
            underWay.remove(request); // among as many as there are threads
        }
    }

    /// A session that fails is opened anew, once: it may have died of idleness.
    ///
    /// @return the session for the next request, or null when there is none
    private @Nullable S serve(Request<S> request, @Nullable S kept) {
        S session = kept;
        try {
            if (session != null) {
                try {
                    succeed(request, request.work.sign(session));
                    return session;
                } catch (Exception _) {
                    S broken = session;
                    session = null;
                    sessions.close(broken);
                }
            }
            session = sessions.open(ailment != null);
            succeed(request, request.work.sign(session));
            return session;
        } catch (Exception | LinkageError e) { // the latter from libraries that do not fit
            closeQuietly(session);
            onFailure(request, e);
            return null;
        }
    }

    private void closeQuietly(@Nullable S session) {
        if (session != null) {
            sessions.close(session);
        }
    }

    private void succeed(Request<S> request, byte[] signature) {
        if (!request.answer.complete(signature)) {
            return; // too late to count as well
        }
        failures.set(0);
        lastSuccessNanos = environment.nanoTime().getAsLong();
        if (ailment != null) {
            ailment = null;
            LOG.info("key {} signs again", name);
        }
    }

    private void onFailure(Request<S> request, Throwable e) {
        if (!request.fail(e)) {
            return; // the time-out was told already
        }
        if (request.isProbe) {
            trip(name + ": " + PemFile.firstLine(e.getMessage()));
        } else if (failures.incrementAndGet() >= FAILURES_MAX) {
            askForProbe();
        }
    }

    private void askForProbe() {
        Request<S> last = lastProbe.get();
        if (last == null || last.answer.isDone()) {
            Request<S> next = request(probe, true);
            if (lastProbe.compareAndSet(last, next)) {
                lastProbeNanos = environment.nanoTime().getAsLong();
                enqueue(next);
            }
        }
    }

    private void trip(String reason) {
        if (ailment == null) {
            LOG.error("key {} does not sign, no new TLS handshake can use it: {}", name, reason);
        }
        ailment = reason;
        failWaiting(reason);
    }

    private void failWaiting(String reason) {
        List<Request<S>> drained = new ArrayList<>();
        queue.drainTo(drained);
        drained.forEach(request -> request.fail(new KeyUnavailable(reason)));
    }

    // ---- the watcher ----

    private void watch() {
        while (!isClosed.get()) {
            look();
            LockSupport.parkNanos(this, SWEEP_NANOS);
        }
    }

    /// Ends requests that took or waited too long, and asks for a signature of its own when it is
    /// time. One at a time, so that what waits behind a token that hangs is told so.
    synchronized void look() {
        long now = environment.nanoTime().getAsLong();
        for (Request<S> late = nextLate(now); late != null; late = nextLate(now)) {
            String reason =
                    String.format(
                            "%s gave no signature within %d ms", name, timeoutNanos / 1_000_000);
            if (late.fail(new KeyUnavailable(reason))) {
                trip(reason);
            }
        }
        for (Request<S> stale = nextStale(now); stale != null; stale = nextStale(now)) {
            stale.fail(
                    new KeyUnavailable(
                            String.format(
                                    "%s is busy: no thread of it was free within %d ms",
                                    name, timeoutNanos / 1_000_000)));
        }
        boolean isDue =
                ailment == null
                        ? now - Math.max(lastProbeNanos, lastSuccessNanos) >= healthNanos
                        : now - lastProbeNanos >= Math.min(RETRY_NANOS, healthNanos);
        if (isDue) {
            askForProbe();
        }
    }

    /// The next whose thread should be back. Its thread is not waited for any more.
    private @Nullable Request<S> nextLate(long now) {
        synchronized (underWay) {
            Request<S> first = underWay.peekFirst();
            return first != null && now - first.begunNanos >= timeoutNanos
                    ? underWay.removeFirst()
                    : null;
        }
    }

    /// The next that has waited too long; forgets those that wait no more.
    private @Nullable Request<S> nextStale(long now) {
        synchronized (waiting) {
            for (Request<S> first = waiting.peekFirst();
                    first != null && (first.isOver() || now - first.comeNanos >= timeoutNanos);
                    first = waiting.peekFirst()) {
                waiting.removeFirst();
                if (first.tryClaim()) {
                    boolean _ = queue.remove(first); // it has no place there any more
                    return first;
                }
            }
            return null;
        }
    }

    private static final class Request<S> {
        private final Work<S> work;
        private final boolean isProbe;
        private final long comeNanos;
        private final CompletableFuture<byte[]> answer = new CompletableFuture<>();

        /// Once for all: a thread that has it is watched until it is back.
        private final AtomicBoolean isClaimed = new AtomicBoolean();

        /// Guarded by what is under way.
        private long begunNanos;

        private Request(Work<S> work, boolean isProbe, long comeNanos) {
            this.work = work;
            this.isProbe = isProbe;
            this.comeNanos = comeNanos;
        }

        /// To answer it. Whoever fails is not the one.
        private boolean tryClaim() {
            return isClaimed.compareAndSet(false, true);
        }

        private boolean isOver() {
            return isClaimed.get() || answer.isDone();
        }

        private boolean fail(Throwable e) {
            return answer.completeExceptionally(e);
        }
    }
}
