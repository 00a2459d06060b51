package org.malote.app;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes every thread of the server. Everyone else is handed an executor.
final class Threads implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Threads.class);

    /// Tasks of these threads wait for the disk: Maildir deliveries and large bodies. Ours: enough
    /// to keep a solid-state disk busy with forced writes.
    private static final int IO_THREADS = 32;

    private static final long IO_IDLE_SECONDS = 30;

    /// Tasks of these threads wait for the system's resolver, in native code. Ours: routes name few
    /// hosts, and a resolver that is dead must hold up nothing else.
    private static final int NAME_THREADS = 4;

    /// Passwords that are hashed at a time: half the processors, since mail wants some, too. Each
    /// hash takes 19 MiB and more of the heap while it is made, so not more than 8. Ours.
    private static final int HASH_THREADS_MAX = 8;

    /// Passwords that wait for it; more are told to come again. Ours: a few seconds' work.
    private static final int HASHES_WAITING_MAX = 200;

    /// How long stopping waits for each kind of thread.
    private static final long STOP_MILLIS = 1000;

    private final EventLoopGroup acceptors;
    private final EventLoopGroup loops;
    private final ThreadPoolExecutor io;
    private final ThreadPoolExecutor hashing;
    private final ExecutorService names;
    private final ExecutorService waiting;
    private final ScheduledExecutorService agent;
    private final ScheduledExecutorService housekeeping;

    /// @param loopThreads threads that drive connections: one a processor is best, since they never
    /// wait
    Threads(int loopThreads) {
        IoHandlerFactory handler =
                Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        this.acceptors = new MultiThreadIoEventLoopGroup(1, factory("accept"), handler);
        this.loops = new MultiThreadIoEventLoopGroup(loopThreads, factory("loop"), handler);
        this.io =
                new ThreadPoolExecutor(
                        IO_THREADS,
                        IO_THREADS,
                        IO_IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        // Bounded by those who hand in tasks: claims, writers, sessions.
                        new LinkedBlockingQueue<>(),
                        factory("io"));
        io.allowCoreThreadTimeOut(true);
        int hashThreads = Math.clamp(loopThreads / 2, 1, HASH_THREADS_MAX);
        this.hashing =
                new ThreadPoolExecutor(
                        hashThreads,
                        hashThreads,
                        IO_IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new ArrayBlockingQueue<>(HASHES_WAITING_MAX),
                        factory("hash"));
        hashing.allowCoreThreadTimeOut(true);
        this.names = Executors.newFixedThreadPool(NAME_THREADS, factory("names"));
        this.waiting =
                Executors.newThreadPerTaskExecutor(
                        Thread.ofVirtual()
                                .name("waiting-", 1)
                                .uncaughtExceptionHandler(Threads::onUncaught)
                                .factory());
        this.agent = Executors.newSingleThreadScheduledExecutor(factory("delivery"));
        this.housekeeping = Executors.newSingleThreadScheduledExecutor(factory("housekeeping"));
    }

    /// Makes daemon threads: what ends the process is the main thread, after everything has been
    /// closed in order.
    static ThreadFactory factory(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "malote-" + name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler(Threads::onUncaught);
            return thread;
        };
    }

    private static void onUncaught(Thread thread, Throwable e) {
        LOG.error("a bug ended a task of thread {}", thread.getName(), e);
    }

    /// Accepts connections where the loops cannot, and sees before that an address is free.
    EventLoopGroup acceptors() {
        return acceptors;
    }

    /// Drives connections. Nothing on it may wait.
    EventLoopGroup loops() {
        return loops;
    }

    /// Listens on such loops.
    Class<? extends ServerChannel> serverChannel() {
        return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    }

    /// Connects from such loops.
    Class<? extends SocketChannel> clientChannel() {
        return Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class;
    }

    /// For tasks that wait for the disk.
    Executor io() {
        return io;
    }

    /// For hashing passwords, which wants a processor for long. Refuses what is too much.
    Executor hashing() {
        return hashing;
    }

    /// For look-ups with the system's resolver.
    Executor names() {
        return names;
    }

    /// For tasks that mostly wait for others: name servers, an operator's request.
    Executor waiting() {
        return waiting;
    }

    /// The one thread on which deliveries are decided.
    ScheduledExecutorService agent() {
        return agent;
    }

    /// For what comes round now and then, and never waits.
    ScheduledExecutorService housekeeping() {
        return housekeeping;
    }

    @Override
    public void close() {
        housekeeping.shutdownNow();
        agent.shutdownNow();
        waiting.shutdownNow();
        names.shutdownNow();
        hashing.shutdownNow();
        io.shutdown();
        var _ = acceptors.shutdownGracefully(0, STOP_MILLIS, TimeUnit.MILLISECONDS);
        var stopped = loops.shutdownGracefully(0, STOP_MILLIS, TimeUnit.MILLISECONDS);
        stopped.awaitUninterruptibly(STOP_MILLIS);
        try {
            if (!io.awaitTermination(STOP_MILLIS, TimeUnit.MILLISECONDS)) {
                io.shutdownNow();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
