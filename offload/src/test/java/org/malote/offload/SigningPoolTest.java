package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A token that is slow, hangs, fails and comes back. Time is the test's own.
final class SigningPoolTest {
    private static final long WAIT_SECONDS_MAX = 20;
    private static final byte[] SIGNATURE = {1, 2, 3};
    private static final KeyLimits LIMITS =
            new KeyLimits(1, 2, Duration.ofSeconds(2), Duration.ofSeconds(5));

    private final AtomicLong now = new AtomicLong(1_000_000_000_000L);
    private final Token token = new Token();
    private final SigningPool<Integer> pool =
            new SigningPool<>(
                    "the token",
                    LIMITS,
                    new KeyEnvironment(
                            Thread.ofPlatform().daemon().factory(),
                            now::get,
                            new SecureRandom(),
                            null),
                    token,
                    _ -> token.probe());

    /// What a thread of the pool is with.
    private static final class Token implements SigningPool.Sessions<Integer> {
        private final AtomicInteger opened = new AtomicInteger();
        private final List<Boolean> openedAiling = new CopyOnWriteArrayList<>();
        private final AtomicInteger closedSessions = new AtomicInteger();
        private final CountDownLatch closed = new CountDownLatch(1);
        private final LinkedBlockingQueue<CompletableFuture<byte[]>> probes =
                new LinkedBlockingQueue<>();

        @Override
        public Integer open(boolean isAiling) {
            openedAiling.add(isAiling);
            return opened.incrementAndGet();
        }

        @Override
        public void close(Integer session) {
            closedSessions.incrementAndGet();
        }

        @Override
        public void close() {
            closed.countDown();
        }

        /// Waits for the test's answer.
        private byte[] probe() throws Exception {
            CompletableFuture<byte[]> answer = new CompletableFuture<>();
            probes.add(answer);
            try {
                return answer.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw new IOException(e.getCause() == null ? "" : e.getCause().getMessage());
            }
        }

        private CompletableFuture<byte[]> nextProbe() throws InterruptedException {
            CompletableFuture<byte[]> probe = probes.poll(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
            if (probe == null) {
                throw new AssertionError("the pool did not try the token");
            }
            return probe;
        }
    }

    @AfterEach
    void close() {
        pool.close();
    }

    @Test
    void oneSessionServesManySignatures() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertArrayEquals(SIGNATURE, get(pool.submit(_ -> SIGNATURE).toCompletableFuture()));
        }
        assertEquals(1, token.opened.get());
    }

    @Test
    void aSessionThatDiedIsOpenedAnewWithoutALostSignature() throws Exception {
        assertArrayEquals(SIGNATURE, get(pool.submit(_ -> SIGNATURE).toCompletableFuture()));
        assertArrayEquals(
                SIGNATURE,
                get(
                        pool.submit(
                                        session -> {
                                            if (session == 1) {
                                                throw new IOException("the session timed out");
                                            }
                                            return SIGNATURE;
                                        })
                                .toCompletableFuture()));
        assertEquals(2, token.opened.get());
        assertEquals(1, token.closedSessions.get());
        assertWell();
    }

    @Test
    void aFullQueueFailsAtOnce() throws Exception {
        Hang hang = hang();
        CompletableFuture<byte[]> second = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        CompletableFuture<byte[]> third = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        CompletableFuture<byte[]> fourth = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        assertTrue(fourth.isCompletedExceptionally());
        assertEquals("the token has 2 signatures waiting already", failure(fourth));
        assertEquals(2, pool.queued());
        hang.end.countDown();
        assertArrayEquals(SIGNATURE, get(second));
        assertArrayEquals(SIGNATURE, get(third));
        assertEquals(0, pool.queued());
    }

    @Test
    void aHungTokenFailsWhatWaitsAndThenEverythingAtOnce() throws Exception {
        Hang hang = hang();
        CompletableFuture<byte[]> waiting = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        now.addAndGet(Duration.ofSeconds(2).toNanos());
        pool.look();
        assertEquals("the token gave no signature within 2000 ms", failure(hang.answer));
        assertEquals("the token gave no signature within 2000 ms", failure(waiting));
        CompletableFuture<byte[]> later = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        assertTrue(later.isCompletedExceptionally());
        assertEquals(
                new PrivateKeyOps.Health.Ailing("the token gave no signature within 2000 ms"),
                pool.health());
        hang.end.countDown();
    }

    /// More is asked than it can do, and what it does comes in time.
    @Test
    void aBusyTokenIsNotAnAilingOne() throws Exception {
        Hang first = hang();
        CompletableFuture<byte[]> second = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        CompletableFuture<byte[]> third =
                pool.submit(_ -> signWhen(begun, end)).toCompletableFuture();
        now.addAndGet(Duration.ofMillis(1999).toNanos());
        first.end.countDown();
        assertArrayEquals(SIGNATURE, get(first.answer));
        assertArrayEquals(SIGNATURE, get(second));
        assertTrue(begun.await(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        now.addAndGet(Duration.ofMillis(1999).toNanos()); // its time began with the thread's taking
        pool.look();
        assertFalse(third.isDone());
        assertWell();
        end.countDown();
        assertArrayEquals(SIGNATURE, get(third));
    }

    @Test
    void whatWaitsTooLongForABusyTokenIsRefusedAndTheTokenIsWell() throws Exception {
        Hang first = hang();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        CompletableFuture<byte[]> second =
                pool.submit(_ -> signWhen(begun, end)).toCompletableFuture();
        CompletableFuture<byte[]> third = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        first.end.countDown();
        assertArrayEquals(SIGNATURE, get(first.answer));
        assertTrue(begun.await(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        pool.look();
        assertEquals("the token is busy: no thread of it was free within 2000 ms", failure(third));
        assertFalse(second.isDone());
        assertWell();
        end.countDown();
        assertArrayEquals(SIGNATURE, get(second));
        assertArrayEquals(SIGNATURE, get(pool.submit(_ -> SIGNATURE).toCompletableFuture()));
        assertWell();
    }

    /// The one thread must not be given up for a request that it no longer has.
    @Test
    void aTokenThatHangsAfterABusyTimeIsStillFound() throws Exception {
        Hang first = hang();
        CompletableFuture<byte[]> waiting = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        first.end.countDown();
        assertArrayEquals(SIGNATURE, get(first.answer));
        assertArrayEquals(SIGNATURE, get(waiting));
        Hang second = hang();
        now.addAndGet(Duration.ofSeconds(2).toNanos());
        pool.look();
        assertEquals("the token gave no signature within 2000 ms", failure(second.answer));
        assertInstanceOf(PrivateKeyOps.Health.Ailing.class, pool.health());
        second.end.countDown();
    }

    private static byte[] signWhen(CountDownLatch begun, CountDownLatch end) {
        begun.countDown();
        awaitUninterrupted(end);
        return SIGNATURE;
    }

    @Test
    void aTokenThatComesBackIsUsedAgain() throws Exception {
        Hang hang = hang();
        now.addAndGet(Duration.ofSeconds(2).toNanos());
        pool.look();
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        pool.look();
        hang.end.countDown();
        token.nextProbe().complete(SIGNATURE);
        awaitWell();
        assertArrayEquals(SIGNATURE, get(pool.submit(_ -> SIGNATURE).toCompletableFuture()));
    }

    @Test
    void aSignatureThatComesTooLateProvesNothing() throws Exception {
        Hang hang = hang();
        now.addAndGet(Duration.ofSeconds(2).toNanos());
        pool.look();
        hang.end.countDown();
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        pool.look();
        CompletableFuture<byte[]> probe = token.nextProbe(); // so the late answer is through
        assertInstanceOf(PrivateKeyOps.Health.Ailing.class, pool.health());
        probe.complete(SIGNATURE);
        awaitWell();
    }

    /// A peer may ask for what the card cannot do: that is not the card's end.
    @Test
    void failuresOfOthersMakingDoNotOpenTheBreaker() throws Exception {
        failThrice();
        token.nextProbe().complete(SIGNATURE);
        assertArrayEquals(SIGNATURE, get(pool.submit(_ -> SIGNATURE).toCompletableFuture()));
        assertWell();
    }

    @Test
    void failuresOfTheTokenOpenItAndSessionsStartFromTheBeginning() throws Exception {
        failThrice();
        token.nextProbe().completeExceptionally(new IOException("the card is gone"));
        // Once more with a fresh session, where there was one; here the first was fresh.
        awaitAiling();
        assertEquals("the token: the card is gone", reason());
        assertFalse(token.openedAiling.contains(true));
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        pool.look();
        token.nextProbe().complete(SIGNATURE);
        awaitWell();
        assertEquals(true, token.openedAiling.getLast());
    }

    @Test
    void anIdleTokenIsTriedNowAndThen() throws Exception {
        now.addAndGet(Duration.ofSeconds(5).toNanos());
        pool.look();
        token.nextProbe().completeExceptionally(new IOException("the card is gone"));
        awaitAiling();
    }

    @Test
    void closingFailsWhatWaitsAndClosesTheSessions() throws Exception {
        Hang hang = hang();
        CompletableFuture<byte[]> waiting = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        pool.close();
        assertEquals("the token is closed", failure(waiting));
        assertEquals(1, token.closed.getCount()); // the session is in use
        hang.end.countDown();
        assertTrue(token.closed.await(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        assertEquals(1, token.closedSessions.get());
        CompletableFuture<byte[]> later = pool.submit(_ -> SIGNATURE).toCompletableFuture();
        assertEquals("the token is closed", failure(later));
    }

    private record Hang(CompletableFuture<byte[]> answer, CountDownLatch end) {}

    /// The one thread is in a call that does not return.
    private Hang hang() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        CompletableFuture<byte[]> answer =
                pool.submit(_ -> signWhen(begun, end)).toCompletableFuture();
        assertTrue(begun.await(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        return new Hang(answer, end);
    }

    /// A call into native code cannot be interrupted.
    private static void awaitUninterrupted(CountDownLatch end) {
        while (true) {
            try {
                end.await();
                return;
            } catch (InterruptedException _) {
                // go on
            }
        }
    }

    private void failThrice() {
        for (int i = 0; i < SigningPool.FAILURES_MAX; i++) {
            assertEquals(
                    "no such mechanism",
                    failure(
                            pool.submit(
                                            _ -> {
                                                throw new IOException("no such mechanism");
                                            })
                                    .toCompletableFuture()));
        }
    }

    private static byte[] get(CompletableFuture<byte[]> answer) throws Exception {
        return answer.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
    }

    private static String failure(CompletableFuture<byte[]> answer) {
        ExecutionException e = assertThrows(ExecutionException.class, () -> get(answer));
        Throwable cause = e.getCause();
        return cause == null ? "" : String.valueOf(cause.getMessage());
    }

    private String reason() {
        return pool.health() instanceof PrivateKeyOps.Health.Ailing(String reason) ? reason : "";
    }

    private void assertWell() {
        assertEquals(new PrivateKeyOps.Health.Well(), pool.health());
    }

    /// The pool's own thread is about to say so.
    private void awaitWell() {
        while (pool.health() instanceof PrivateKeyOps.Health.Ailing) {
            Thread.onSpinWait();
        }
    }

    private void awaitAiling() {
        while (pool.health() instanceof PrivateKeyOps.Health.Well) {
            Thread.onSpinWait();
        }
    }
}
