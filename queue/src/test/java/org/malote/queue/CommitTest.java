package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// When a receipt is given, and when it is not.
final class CommitTest {
    private final MemorySpool spool = new MemorySpool();

    @AfterEach
    void closeSpool() {
        spool.close();
    }

    @Test
    void givesTheReceiptOnlyAfterTheForce() {
        try (var queue = spool.open()) {
            spool.journal().pauseCommits(true);
            var result = Mail.send(queue, Mail.to("x@b.example"), Mail.text("hello"));
            spool.journal().awaitPausedCommit();
            assertFalse(result.isDone());
            assertEquals(0, queue.stats().messages());
            assertEquals(0, spool.journal().forces());
            spool.journal().pauseCommits(false);
            assertInstanceOf(CommitResult.Committed.class, result.join());
            assertEquals(1, spool.journal().forces());
            assertEquals(1, queue.stats().messages());
        }
    }

    @Test
    void commitsWhatGatheredDuringAForceInOneGroupAndInOrder() {
        try (var queue = spool.open()) {
            spool.journal().pauseCommits(true);
            var order = new ArrayList<Integer>();
            var pending = new ArrayList<CompletableFuture<CommitResult>>();
            pending.add(Mail.send(queue, Mail.to("x@b.example"), Mail.text("first")));
            spool.journal().awaitPausedCommit();
            for (int i = 0; i < 100; i++) {
                var result = Mail.send(queue, Mail.to("x@b.example"), Mail.text("later"));
                int number = i;
                pending.add(result.whenComplete((_, _) -> order.add(number)));
            }
            assertEquals(100, queue.stats().commitQueueDepth());
            spool.journal().pauseCommits(false);
            pending.forEach(CompletableFuture::join);
            assertEquals(2, spool.journal().forces());
            assertEquals(101, queue.stats().records());
            assertEquals(order.stream().sorted().toList(), order);
        }
    }

    @Test
    void boundsAGroup() {
        try (var queue = spool.open()) {
            spool.journal().pauseCommits(true);
            var pending = new ArrayList<CompletableFuture<CommitResult>>();
            pending.add(Mail.send(queue, Mail.to("x@b.example"), Mail.text("first")));
            spool.journal().awaitPausedCommit();
            for (int i = 0; i < 300; i++) {
                pending.add(Mail.send(queue, Mail.to("x@b.example"), Mail.text("later")));
            }
            for (int i = 0; i < 10; i++) {
                pending.add(Mail.send(queue, Mail.to("x@b.example"), new byte[200 << 10]));
            }
            spool.journal().pauseCommits(false);
            pending.forEach(CompletableFuture::join);
            // One, then 256 records, then 44 and the first MiB, then the other.
            assertEquals(4, spool.journal().forces());
        }
    }

    @Test
    void forcesNothingBeforeTheEndWhenRelaxed() {
        QueueSettings relaxed = MemorySpool.settings().withDurability(Durability.RELAXED);
        try (var queue = spool.open(relaxed)) {
            Mail.accept(queue, "x@b.example");
            Mail.accept(queue, Mail.to("x@b.example"), new byte[300 << 10]);
            assertEquals(0, spool.journal().forces());
            // The control: a power cut takes what was not forced.
            try (var cut = spool.reopenAfterPowerCut(relaxed)) {
                assertEquals(0, cut.stats().messages());
            }
        }
    }

    @Test
    void forcesAtTheEndWhenRelaxed() {
        QueueSettings relaxed = MemorySpool.settings().withDurability(Durability.RELAXED);
        try (var queue = spool.open(relaxed)) {
            Mail.accept(queue, "x@b.example");
        }
        try (var queue = spool.reopenAfterPowerCut(relaxed)) {
            assertEquals(1, queue.stats().messages());
        }
    }

    private void passThrough(MailQueue queue, int messages) {
        for (int i = 0; i < messages; i++) {
            Mail.accept(queue, "passing@b.example");
            Claim claim = queue.claim(spool.nowMillis());
            assertNotNull(claim);
            Mail.settle(claim, Mail.delivered(claim));
        }
    }

    /// An old message moves to a new file; the old file goes when the new one is on the disk.
    @Test
    void losesNoOldMailToAPowerCutWhenRelaxed() throws IOException {
        QueueSettings relaxed = MemorySpool.settings().withDurability(Durability.RELAXED);
        spool.journal().rollEvery(10);
        MessageId old;
        try (var queue = spool.open()) {
            old = Mail.accept(queue, "x@b.example");
        }
        try (var queue = spool.reopen(relaxed)) {
            queue.hold(Selection.all());
            passThrough(queue, 60);
        }
        assertTrue(spool.journal().deletedFiles().contains(0));
        try (var queue = spool.reopenAfterPowerCut(relaxed)) {
            assertTrue(queue.contains(old));
        }
    }

    @Test
    void deletesJournalFilesInOrder() {
        spool.journal().rollEvery(10);
        try (var queue = spool.open()) {
            spool.journal().failDelete(true);
            passThrough(queue, 20);
            CompletableFuture.runAsync(() -> {}, spool.io()).join();
            assertEquals(List.of(), spool.journal().deletedFiles());
            spool.journal().failDelete(false);
            passThrough(queue, 20);
        }
        List<Integer> deleted = spool.journal().deletedFiles();
        assertTrue(deleted.size() >= 6, deleted.toString());
        assertEquals(IntStream.range(0, deleted.size()).boxed().toList(), deleted);
    }

    /// No group comes after the one that made the journal sparse.
    @Test
    void cleansWithoutTraffic() throws Exception {
        spool.journal().rollEvery(40);
        QueueSettings small = MemorySpool.settings();
        small = small.withLimits(small.limits().withJournalFileBytes(64 << 10));
        var pending = new ArrayList<CompletableFuture<CommitResult>>();
        try (var queue = spool.open(small)) {
            for (int i = 0; i < 400; i++) {
                pending.add(Mail.send(queue, Mail.to("x@b.example"), new byte[2000]));
            }
            pending.forEach(CompletableFuture::join);
            Set<MessageId> young =
                    queue.list().skip(70).map(QueueEntry::id).collect(Collectors.toSet());
            assertEquals(List.of(), spool.journal().deletedFiles());
            assertEquals(330, queue.remove(new Selection.Ids(young)));
            spool.journal().awaitDeletedFiles(10);
            assertEquals(70, queue.stats().messages());
        }
        try (var queue = spool.reopen(small)) {
            assertEquals(70, queue.stats().messages());
        }
    }

    /// The head counts, which may be much larger than the body.
    @Test
    void leavesAJournalAloneThatIsFullOfLargeEnvelopes() throws IOException {
        spool.journal().rollEvery(2);
        QueueSettings small = MemorySpool.settings();
        small = small.withLimits(small.limits().withJournalFileBytes(64 << 10));
        var addresses = new String[1000];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = "recipient" + i + "@b.example";
        }
        try (var queue = spool.open(small)) {
            for (int i = 0; i < 20; i++) {
                Mail.accept(queue, addresses);
            }
            assertEquals(20, queue.hold(Selection.all()));
        }
        assertEquals(List.of(), spool.journal().deletedFiles());
        try (var queue = spool.reopen(small)) {
            assertEquals(20, queue.release(Selection.all()));
        }
        assertEquals(List.of(), spool.journal().deletedFiles());
    }

    @Test
    void keepsWhatHadItsReceiptThroughAPowerCut() {
        MessageId id;
        try (var queue = spool.open()) {
            id = Mail.accept(queue, "x@b.example");
        }
        try (var queue = spool.reopenAfterPowerCut(MemorySpool.settings())) {
            assertEquals(List.of(id), queue.list().map(QueueEntry::id).toList());
        }
    }

    @Test
    void takesTheFirstFailureForFinal() {
        try (var queue = spool.open()) {
            MessageId id = Mail.accept(queue, "kept@b.example");
            spool.journal().pauseCommits(true);
            var first = Mail.send(queue, Mail.to("x@b.example"), Mail.text("in the group"));
            spool.journal().awaitPausedCommit();
            var second = Mail.send(queue, Mail.to("x@b.example"), Mail.text("behind it"));
            spool.journal().failForce();
            spool.journal().pauseCommits(false);
            assertEquals(Refusal.STOPPED, Mail.refusal(first));
            assertEquals(Refusal.STOPPED, Mail.refusal(second));
            assertEquals(Refusal.STOPPED, queue.admission(0));
            assertEquals(
                    Refusal.STOPPED,
                    Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("late"))));
            assertThrows(IOException.class, () -> queue.hold(Selection.all()));
            assertEquals(2, spool.journal().forces());
            assertEquals(1, spool.alarms().size());
            // What is attempted now could not be recorded.
            assertNull(queue.claim(Long.MAX_VALUE));
            assertEquals(List.of(id), queue.list().map(QueueEntry::id).toList());
        }
    }

    @Test
    void stopsWhenAnAppendFails() {
        try (var queue = spool.open()) {
            spool.journal().failAppend();
            assertEquals(
                    Refusal.STOPPED,
                    Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("no"))));
            assertEquals(0, spool.journal().forces());
        }
    }

    @Test
    void refusesMailForWantOfSpaceAndGoesOnDelivering() {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            long reserve = QueueLimits.standard().freeSpaceReserveBytes();
            spool.journal().setUsableBytes(reserve + 1_000_000);
            spool.advance(Duration.ofSeconds(1));
            assertNull(queue.admission(900_000));
            assertEquals(Refusal.NO_SPACE, queue.admission(1_100_000));
            // What was admitted before is still taken from the reserve, to a point.
            spool.journal().setUsableBytes(reserve - 1);
            spool.advance(Duration.ofSeconds(1));
            assertEquals(Refusal.NO_SPACE, queue.admission(0));
            Mail.accept(queue, "y@b.example");
            spool.journal().setUsableBytes(reserve / 4);
            spool.advance(Duration.ofSeconds(1));
            assertEquals(
                    Refusal.NO_SPACE,
                    Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("no"))));
            Claim claim = queue.claim(Long.MAX_VALUE);
            assertNotNull(claim);
            Mail.settle(claim, Mail.delivered(claim));
            spool.journal().setUsableBytes(1L << 40);
            spool.advance(Duration.ofSeconds(1));
            assertNull(queue.admission(0));
            assertTrue(
                    spool.alarms().stream().allMatch(alarm -> alarm.startsWith("SPACE_LOW")),
                    spool.alarms().toString());
        }
    }

    @Test
    void refusesMailThatFindsTheJournalFull() {
        try (var queue = spool.open()) {
            spool.journal().fill(true);
            assertEquals(
                    Refusal.NO_SPACE,
                    Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("no"))));
            spool.journal().fill(false);
            Mail.accept(queue, "x@b.example");
        }
    }

    @Test
    void refusesWhenCommitsAreLate() {
        try (var queue = spool.open()) {
            spool.journal().pauseCommits(true);
            var stuck = Mail.send(queue, Mail.to("x@b.example"), Mail.text("stuck"));
            spool.journal().awaitPausedCommit();
            assertNull(queue.admission(0));
            spool.advance(Duration.ofMillis(2001));
            assertEquals(Refusal.COMMITS_LATE, queue.admission(0));
            assertEquals(
                    Refusal.COMMITS_LATE,
                    Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("late"))));
            spool.journal().pauseCommits(false);
            stuck.join();
            // The committer may not have gone back to waiting yet; its next commit has.
            Mail.accept(queue, "x@b.example");
        }
    }

    /// A delivery that cannot be recorded would be made again after a crash.
    @Test
    void handsNothingOutWhileCommitsAreLate() {
        try (var queue = spool.open()) {
            MessageId id = Mail.accept(queue, "x@b.example");
            spool.journal().pauseCommits(true);
            var stuck = Mail.send(queue, Mail.to("x@b.example"), Mail.text("stuck"));
            spool.journal().awaitPausedCommit();
            var behind = Mail.send(queue, Mail.to("x@b.example"), Mail.text("behind it"));
            assertEquals(spool.nowMillis(), queue.nextDueMillis());
            spool.advance(Duration.ofMillis(2001));
            assertEquals(Long.MAX_VALUE, queue.nextDueMillis());
            var claimed = new CompletableFuture<MessageId>();
            queue.onDue(
                    () -> {
                        Claim claim = queue.claim(spool.nowMillis());
                        if (claim != null) {
                            claimed.complete(claim.messageId());
                        }
                    });
            assertFalse(claimed.isDone());
            spool.journal().pauseCommits(false);
            assertEquals(id, claimed.orTimeout(1, TimeUnit.MINUTES).join());
            stuck.join();
            behind.join();
        }
    }

    @Test
    void answersAllWhoWaitWhenItsThreadFails() {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            spool.journal().pauseCommits(true);
            var first = Mail.send(queue, Mail.to("x@b.example"), Mail.text("first"));
            spool.journal().awaitPausedCommit();
            MessageWriter writer = queue.begin();
            writer.seal(
                    Mail.to("x@b.example"),
                    _ -> {
                        throw new AssertionError("an owner beyond help");
                    });
            var sameGroup = Mail.send(queue, Mail.to("x@b.example"), Mail.text("beside it"));
            var later = new ArrayList<CompletableFuture<CommitResult>>();
            for (int i = 0; i < 5; i++) {
                later.add(Mail.send(queue, Mail.to("x@b.example"), new byte[250 << 10]));
            }
            spool.journal().pauseCommits(false);
            assertInstanceOf(CommitResult.Committed.class, first.join());
            assertInstanceOf(CommitResult.Committed.class, sameGroup.join());
            assertEquals(
                    Refusal.STOPPED, Mail.refusal(later.getLast().orTimeout(1, TimeUnit.MINUTES)));
            assertEquals(Refusal.STOPPED, queue.admission(0));
            assertNull(queue.claim(Long.MAX_VALUE));
            assertEquals(1, spool.alarms().size());
        }
    }

    @Test
    void countsAMessageByWhatItTakesOfMemory() {
        QueueSettings few =
                MemorySpool.settings().withLimits(QueueLimits.standard().withMessagesMax(1000));
        var addresses = new String[100];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = "r" + i + "@b.example";
        }
        try (var queue = spool.open(few)) {
            int taken = 0;
            while (queue.admission(0) == null) {
                Mail.accept(queue, addresses);
                taken++;
            }
            assertTrue(taken > 10 && taken < 30, taken + " taken");
            assertEquals(Refusal.INDEX_FULL, queue.admission(0));
            assertEquals(
                    Refusal.INDEX_FULL,
                    Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("no"))));
        }
        try (var queue = spool.reopen(few)) {
            assertEquals(Refusal.INDEX_FULL, queue.admission(0));
            Claim claim = queue.claim(spool.nowMillis());
            assertNotNull(claim);
            Mail.settle(claim, Mail.delivered(claim));
            assertNull(queue.admission(0));
        }
    }

    @Test
    void takesNoMoreThanItsLimitFromManyAtOnce() throws Exception {
        QueueSettings few =
                MemorySpool.settings().withLimits(QueueLimits.standard().withMessagesMax(50));
        int threads = 8;
        var results = new ConcurrentLinkedQueue<CompletableFuture<CommitResult>>();
        var start = new CyclicBarrier(threads);
        try (var queue = spool.open(few);
                var executor = Executors.newFixedThreadPool(threads)) {
            var senders = new ArrayList<Future<?>>();
            for (int i = 0; i < threads; i++) {
                senders.add(
                        executor.submit(
                                () -> {
                                    start.await();
                                    for (int k = 0; k < 200; k++) {
                                        results.add(
                                                Mail.send(
                                                        queue,
                                                        Mail.to("x@b.example"),
                                                        Mail.text("m")));
                                    }
                                    return null;
                                }));
            }
            for (Future<?> sender : senders) {
                sender.get();
            }
            results.forEach(CompletableFuture::join);
            assertEquals(50, queue.stats().messages());
        }
    }

    @Test
    void refusesMoreMessagesThanTheIndexHolds() {
        QueueSettings small =
                MemorySpool.settings().withLimits(QueueLimits.standard().withMessagesMax(2));
        try (var queue = spool.open(small)) {
            Mail.accept(queue, "x@b.example");
            Mail.accept(queue, "x@b.example");
            assertEquals(Refusal.INDEX_FULL, queue.admission(0));
            assertEquals(
                    Refusal.INDEX_FULL,
                    Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("no"))));
        }
    }

    @Test
    void commitsWhatIsSealedWhenItCloses() {
        var queue = spool.open();
        spool.journal().pauseCommits(true);
        var pending = new ArrayList<CompletableFuture<CommitResult>>();
        pending.add(Mail.send(queue, Mail.to("x@b.example"), Mail.text("one")));
        spool.journal().awaitPausedCommit();
        pending.add(Mail.send(queue, Mail.to("x@b.example"), Mail.text("two")));
        pending.add(Mail.send(queue, Mail.to("x@b.example"), new byte[400 << 10]));
        var closed = CompletableFuture.runAsync(queue::close, spool.io());
        spool.journal().pauseCommits(false);
        closed.join();
        queue.close();
        for (CompletableFuture<CommitResult> result : pending) {
            assertInstanceOf(CommitResult.Committed.class, result.join());
        }
        assertEquals(Refusal.CLOSED, queue.admission(0));
        assertEquals(
                Refusal.CLOSED,
                Mail.refusal(Mail.send(queue, Mail.to("x@b.example"), Mail.text("late"))));
    }

    @Test
    void survivesAnOwnerThatFails() {
        try (var queue = spool.open()) {
            MessageWriter writer = queue.begin();
            var told = new CompletableFuture<CommitResult>();
            writer.seal(
                    Mail.to("x@b.example"),
                    result -> {
                        told.complete(result);
                        throw new IllegalStateException("an owner with a bug");
                    });
            told.join();
            Mail.accept(queue, "y@b.example");
        }
    }
}
