package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Message bytes on their way in.
final class MessageWriterTest {
    private final MemorySpool spool = new MemorySpool();

    @AfterEach
    void closeSpool() {
        spool.close();
    }

    /// Runs what was handed to the I/O executor before.
    private void awaitIo() {
        CompletableFuture.runAsync(() -> {}, spool.io()).join();
    }

    @Test
    void keepsBytesHoweverTheyAreCut() throws IOException {
        try (var queue = spool.open()) {
            for (int seed = 0; seed < 30; seed++) {
                var random = new Random(seed);
                byte[] body = Mail.random(seed, random.nextInt(seed % 5 == 0 ? 700_000 : 60_000));
                MessageWriter writer = queue.begin();
                int at = 0;
                while (at < body.length) {
                    int count = Math.min(body.length - at, 1 + random.nextInt(40_000));
                    var piece =
                            seed % 2 == 0
                                    ? ByteBuffer.wrap(body, at, count)
                                    : ByteBuffer.allocateDirect(count).put(body, at, count).flip();
                    writer.write(piece);
                    assertFalse(piece.hasRemaining());
                    at += count;
                }
                assertEquals(body.length, writer.size());
                Mail.seal(writer, Mail.to("x@b.example")).join();
                assertArrayEquals(body, Mail.read(queue.body(writer.id())), "seed " + seed);
            }
            awaitIo();
            assertEquals(0, queue.stats().intakeBytes());
        }
    }

    @Test
    void givesEveryMessageItsName() {
        try (var queue = spool.open()) {
            assertEquals(
                    1000,
                    IntStream.range(0, 1000).mapToObj(_ -> queue.begin().id()).distinct().count());
        }
    }

    @Test
    void forgetsAnAbandonedMessage() {
        try (var queue = spool.open()) {
            MessageWriter small = queue.begin();
            small.write(ByteBuffer.allocate(1000));
            small.abandon();
            small.abandon();
            MessageWriter large = queue.begin();
            large.write(ByteBuffer.allocate(600 << 10));
            large.abandon();
            awaitIo();
            awaitIo();
            assertEquals(0, queue.stats().intakeBytes());
            assertEquals(0, spool.bodies().drafts());
            assertEquals(0, spool.bodies().count());
            assertThrows(IllegalStateException.class, () -> large.write(ByteBuffer.allocate(1)));
            assertThrows(
                    IllegalStateException.class, () -> small.seal(Mail.to("x@b.example"), _ -> {}));
        }
    }

    @Test
    void holdsItsOwnerBackWhileTheDiskIsBehind() {
        try (var queue = spool.open()) {
            var disk = new CountDownLatch(1);
            spool.io().execute(() -> await(disk));
            MessageWriter writer = queue.begin();
            int written = 0;
            while (writer.isWritable()) {
                writer.write(ByteBuffer.allocate(50_000));
                written += 50_000;
                assertTrue(written < 2 << 20, "nobody held the owner back");
            }
            var writable = new CompletableFuture<Boolean>();
            writer.onWritable(() -> writable.complete(true));
            assertFalse(writable.isDone());
            disk.countDown();
            writable.join();
            assertTrue(writer.isWritable());
            writer.abandon();
        }
    }

    /// Many small unfinished messages use the memory up; none of them waits for another.
    @Test
    void goesToTheDiskWhenMemoryIsShort() throws IOException {
        QueueSettings tight =
                MemorySpool.settings()
                        .withLimits(QueueLimits.standard().withIntake(256 << 10, 1 << 20, 1 << 20));
        try (var queue = spool.open(tight)) {
            List<MessageWriter> writers =
                    IntStream.range(0, 200).mapToObj(_ -> queue.begin()).toList();
            for (int round = 0; round < 3; round++) {
                for (MessageWriter writer : writers) {
                    writer.write(ByteBuffer.wrap(Mail.random(round, 3000)));
                }
                awaitIo();
                for (MessageWriter writer : writers) {
                    assertTrue(writer.isWritable());
                }
            }
            assertTrue(queue.stats().intakeBytes() < 3 << 20, queue.stats().toString());
            for (MessageWriter writer : writers) {
                Mail.seal(writer, Mail.to("x@b.example")).join();
                byte[] body = Mail.read(queue.body(writer.id()));
                assertEquals(9000, body.length);
                assertArrayEquals(
                        Mail.random(2, 3000), java.util.Arrays.copyOfRange(body, 6000, 9000));
            }
            awaitIo();
            assertEquals(0, queue.stats().intakeBytes());
            assertTrue(spool.bodies().count() > 50);
        }
    }

    @Test
    void refusesALargeMessageThatFindsTheDiskFull() {
        try (var queue = spool.open()) {
            spool.bodies().failWith(new IOException("No space left on device"));
            var refused = Mail.send(queue, Mail.to("x@b.example"), new byte[400 << 10]);
            assertEquals(Refusal.NO_SPACE, Mail.refusal(refused));
            // Small ones go to the journal, which has its space.
            Mail.accept(queue, "x@b.example");
            assertEquals(0, spool.bodies().drafts());
        }
    }

    @Test
    void refusesALargeMessageForNowWhenItsFileCannotBeMade() throws IOException {
        try (var queue = spool.open()) {
            spool.bodies().refuseDrafts(true);
            var refused = Mail.send(queue, Mail.to("x@b.example"), new byte[400 << 10]);
            assertEquals(Refusal.NO_SPACE, Mail.refusal(refused));
            assertNull(queue.admission(0));
            assertEquals(List.of(), spool.alarms());
            spool.bodies().refuseDrafts(false);
            MessageId id = Mail.accept(queue, Mail.to("x@b.example"), new byte[400 << 10]);
            assertEquals(400 << 10, Mail.read(queue.body(id)).length);
        }
    }

    @Test
    void stopsWhenABodyCannotBeWritten() {
        try (var queue = spool.open()) {
            spool.bodies().failWith(new IOException("Input/output error"));
            var refused = Mail.send(queue, Mail.to("x@b.example"), new byte[400 << 10]);
            assertEquals(Refusal.STOPPED, Mail.refusal(refused));
            assertEquals(Refusal.STOPPED, queue.admission(0));
            assertEquals(1, spool.alarms().size());
        }
    }

    @Test
    void deletesTheBodyFileOfAFinishedMessage() {
        try (var queue = spool.open()) {
            Mail.accept(queue, Mail.to("x@b.example"), new byte[400 << 10]);
            assertEquals(1, spool.bodies().count());
            Claim claim = queue.claim(Long.MAX_VALUE);
            assertNotNull(claim);
            Mail.settle(claim, Mail.delivered(claim));
            awaitIo();
            assertEquals(0, spool.bodies().count());
        }
    }

    /// The journal may hold what was appended before it stopped, or may not: the next start sees.
    @Test
    void deletesNoBodyAfterTheQueueStopped() throws IOException {
        MessageId delivered;
        MessageId refused;
        try (var queue = spool.open()) {
            delivered = Mail.accept(queue, Mail.to("x@b.example"), new byte[400 << 10]);
            Claim claim = queue.claim(Long.MAX_VALUE);
            assertNotNull(claim);
            spool.journal().failForce();
            MessageWriter writer = queue.begin();
            refused = writer.id();
            writer.write(ByteBuffer.allocate(500 << 10));
            assertEquals(Refusal.STOPPED, Mail.refusal(Mail.seal(writer, Mail.to("y@b.example"))));
            claim.settle(Mail.delivered(claim));
        }
        awaitIo();
        assertEquals(2, spool.bodies().count());
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(400 << 10, Mail.read(queue.body(delivered)).length);
            assertEquals(500 << 10, Mail.read(queue.body(refused)).length);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
