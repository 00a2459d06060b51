package org.malote.peers;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Sessions that send numbered messages, each with an id of its own, and remember those that got
/// their 250. A session that is cut connects again and goes on with a fresh id.
final class Senders implements AutoCloseable {
    /// A server that is down is asked again after this long.
    private static final long AGAIN_NANOS = 20_000_000;

    private static final int BODY_OCTETS = 2000;

    private final int port;
    private final long idMax;
    private final long pauseNanos;
    private final AtomicLong nextId;
    private final AtomicBoolean isStopped = new AtomicBoolean();
    private final Set<Long> acknowledged = ConcurrentHashMap.newKeySet();
    private final Set<String> refusals = ConcurrentHashMap.newKeySet();
    private final List<Thread> threads = new ArrayList<>();

    private Senders(int port, long firstId, long idMax, Duration pause) {
        this.pauseNanos = pause.toNanos();
        this.port = port;
        this.nextId = new AtomicLong(firstId);
        this.idMax = idMax;
    }

    /// @param firstId the first message's id
    /// @param count how many messages at most
    static Senders start(int port, int sessions, long firstId, long count) {
        return start(new Senders(port, firstId, firstId + count, Duration.ZERO), sessions);
    }

    /// Without an end, and each session rests between its messages.
    static Senders paced(int port, int sessions, Duration pause) {
        return start(new Senders(port, 0, Long.MAX_VALUE, pause), sessions);
    }

    private static Senders start(Senders senders, int sessions) {
        for (int i = 0; i < sessions; i++) {
            senders.threads.add(Thread.ofVirtual().start(senders::run));
        }
        return senders;
    }

    /// Ids whose 250 came.
    Set<Long> acknowledged() {
        return Set.copyOf(acknowledged);
    }

    int acknowledgedCount() {
        return acknowledged.size();
    }

    /// Different replies that were no 2xx or 354.
    Set<String> refusals() {
        return Set.copyOf(refusals);
    }

    /// Waits until all messages are sent.
    void join() {
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
    }

    private void run() {
        while (!isStopped.get() && nextId.get() < idMax) {
            try (Smtp smtp = Smtp.connect(port)) {
                session(smtp);
            } catch (UncheckedIOException _) {
                LockSupport.parkNanos(AGAIN_NANOS); // The server is down or was killed.
            }
        }
    }

    private void session(Smtp smtp) {
        if (!isGood(smtp.reply(), "220") || !isGood(smtp.ask("EHLO peer.test"), "250")) {
            LockSupport.parkNanos(AGAIN_NANOS);
            return;
        }
        while (!isStopped.get()) {
            long id = nextId.getAndIncrement();
            if (id >= idMax) {
                smtp.send("QUIT\r\n");
                isGood(smtp.reply(), "221");
                return;
            }
            smtp.send("MAIL FROM:<load@peer.test>\r\nRCPT TO:<box@sink.test>\r\nDATA\r\n");
            for (String code : List.of("250", "250", "354")) {
                if (!isGood(smtp.reply(), code)) {
                    return;
                }
            }
            smtp.send(IdMail.compose(id, BODY_OCTETS) + ".\r\n");
            if (!isGood(smtp.reply(), "250")) {
                return;
            }
            acknowledged.add(id);
            if (pauseNanos > 0) {
                LockSupport.parkNanos(pauseNanos);
            }
        }
    }

    private boolean isGood(String reply, String code) {
        if (reply.startsWith(code)) {
            return true;
        }
        if (!reply.isEmpty()) {
            refusals.add(reply);
        }
        return false;
    }

    /// Sessions end after the message that they are at; all have ended when this returns.
    void stop() {
        isStopped.set(true);
        join();
    }

    @Override
    public void close() {
        stop();
    }
}
