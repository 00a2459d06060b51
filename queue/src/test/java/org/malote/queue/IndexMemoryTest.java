package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.malote.queue.journal.SpoolJournal;
import org.malote.queue.schedule.Feedback;

/// What a waiting message takes of memory, on the heap and beside it.
final class IndexMemoryTest {
    private static final int BYTES_MAX = Index.ONE_BYTES;

    /// What else moves on the heap of a test.
    private static final long SLACK_BYTES = 4 << 20;

    private static final int DESTINATIONS = 1000;

    @Test
    void takesAMillionMessagesInSixtyFourBytesEach() {
        fill(1_000_000);
    }

    @Test
    @Tag("long")
    void takesTenMillionMessagesInSixtyFourBytesEach() {
        fill(10_000_000);
    }

    /// What admission counts is no less than what is taken, whatever the mail is like.
    @Test
    void weighsNoLessThanItTakes() {
        weigh("two recipients at one destination", 100_000, 2, (_, _) -> "d.example");
        weigh("two destinations", 100_000, 2, (_, r) -> r + ".example");
        weigh("many recipients at one destination", 200, 5000, (_, _) -> "d.example");
        weigh("many destinations", 1000, 1000, (_, r) -> "destination" + r + ".example");
        weigh("a destination each", 500_000, 1, (m, _) -> "destination" + m + ".example");
        weigh("destinations of their own", 500, 1000, (m, r) -> "dest" + m + "." + r + ".example");
    }

    private interface Naming {
        String destination(int message, int recipient);
    }

    private static void weigh(String what, int messages, int recipients, Naming naming) {
        long before = usedHeapBytes();
        var index = new Index(QueueLimits.standard(), new Random(1), _ -> {});
        for (int i = 0; i < messages; i++) {
            int message = i;
            List<Recipient> all =
                    IntStream.range(0, recipients)
                            .mapToObj(r -> naming.destination(message, r))
                            .map(name -> new Recipient("", name, Map.of()))
                            .toList();
            var envelope = new Envelope("", Map.of(), all);
            index.accepted(
                    new AcceptedRecord(MessageId.of(1, i + 1L), 1, 4096, 0, false, envelope, 100),
                    SpoolJournal.position(i >>> 15, i));
        }
        long taken = usedHeapBytes() - before + index.memoryBytes() - index.heapBytes();
        System.out.printf(
                "%s: %d messages take %d KiB and weigh %d KiB%n",
                what, messages, taken >> 10, index.weightBytes() >> 10);
        assertEquals(messages, index.size());
        assertTrue(taken <= index.weightBytes() + 2 * SLACK_BYTES, what + ": " + taken);
    }

    private static void fill(int messages) {
        long before = usedHeapBytes();
        var index =
                new Index(
                        QueueLimits.standard().withConcurrency(20, 1 << 20),
                        new Random(1),
                        _ -> {});
        long begun = System.nanoTime();
        for (int i = 0; i < messages; i++) {
            index.accepted(record(i), SpoolJournal.position(i >>> 15, i));
        }
        long took = System.nanoTime() - begun;
        // Some of them wait for a time, as most do in a full queue.
        for (int i = 0; i < 1000; i++) {
            Index.Group group = index.claim(1);
            assertNotNull(group);
            int[] recipients = index.activate(group, 1, 1);
            assertEquals(1, recipients.length);
            index.schedule().settle(group.entry(), new Feedback.Answered(), 1);
            index.settled(
                    group.message(),
                    List.of(new Settlement.Deferred(0, 60_000L + i, "450 no")),
                    SpoolJournal.position(50, i));
            index.claimEnded(group);
        }
        long heap = usedHeapBytes() - before;
        long outside = index.memoryBytes() - index.heapBytes();
        System.out.printf(
                "%d messages: %.1f bytes each outside of the heap, %.1f on it; %.2f s%n",
                messages, (double) outside / messages, (double) heap / messages, took / 1e9);
        assertEquals(messages, index.size());
        assertTrue(index.memoryBytes() <= (long) BYTES_MAX * messages, "by our own account");
        assertTrue(
                heap + outside <= (long) BYTES_MAX * messages + SLACK_BYTES,
                "on the heap " + heap + ", outside " + outside);
    }

    private static AcceptedRecord record(int i) {
        var recipient = new Recipient("", "d" + i % DESTINATIONS + ".example", Map.of());
        return new AcceptedRecord(
                MessageId.of(1, i + 1L),
                1,
                4096,
                0,
                false,
                new Envelope("", Map.of(), List.of(recipient)),
                100);
    }

    private static long usedHeapBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
