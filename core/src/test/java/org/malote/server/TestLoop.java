package org.malote.server;

import io.netty.util.concurrent.AbstractScheduledEventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/// The event loop of a handler under test: the thread that made it, on a clock that stands still
/// until it is moved. What other threads hand in waits for [#runTasks]; an embedded channel's own
/// loop takes every thread for its own, and would let the queue's committer into the handler.
final class TestLoop extends AbstractScheduledEventExecutor {
    private final Thread thread = Thread.currentThread();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Promise<?> termination = GlobalEventExecutor.INSTANCE.newPromise();
    private long nowNanos;

    private final Ticker ticker =
            new Ticker() {
                @Override
                public long initialNanoTime() {
                    return 0;
                }

                @Override
                public long nanoTime() {
                    return nowNanos;
                }

                @Override
                public void sleep(long delay, TimeUnit unit) {
                    throw new UnsupportedOperationException("nothing sleeps on an event loop");
                }
            };

    /// Runs what was handed in and what is due.
    void runTasks() {
        while (true) {
            Runnable task = tasks.poll();
            if (task == null) {
                task = pollScheduledTask(nowNanos);
            }
            if (task == null) {
                return;
            }
            task.run();
        }
    }

    /// Lets time pass and runs what has become due.
    void pass(Duration time) {
        nowNanos += time.toNanos();
        runTasks();
    }

    @Override
    public Ticker ticker() {
        return ticker;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    @Override
    public boolean inEventLoop(Thread candidate) {
        return candidate.equals(thread);
    }

    @Override
    public boolean isShuttingDown() {
        return false;
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return false;
    }

    @Override
    public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
        return termination;
    }

    @Override
    public Future<?> terminationFuture() {
        return termination;
    }

    @Override
    @Deprecated
    public void shutdown() {
        throw new UnsupportedOperationException("it has nothing to shut down");
    }
}
