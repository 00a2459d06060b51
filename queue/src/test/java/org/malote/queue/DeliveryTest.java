package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// From the claim to the end of a message, and what an operator does to it.
final class DeliveryTest {
    private final MemorySpool spool = new MemorySpool();

    @AfterEach
    void closeSpool() {
        spool.close();
    }

    private Claim claim(MailQueue queue) {
        Claim claim = queue.claim(spool.nowMillis());
        assertNotNull(claim);
        return claim;
    }

    private static List<String> states(MailQueue queue, MessageId id) {
        QueueEntry entry = queue.find(id);
        return entry == null
                ? List.of("gone")
                : entry.recipients().stream()
                        .map(r -> r.state() + (r.heldBy() == null ? "" : " " + r.heldBy()))
                        .toList();
    }

    @Test
    void claimsTheRecipientsOfOneDestinationTogether() {
        try (var queue = spool.open()) {
            var id = Mail.accept(queue, "x@b.example", "y@c.example", "z@b.example");
            Claim first = claim(queue);
            assertEquals(id, first.messageId());
            assertEquals("b.example", first.destination());
            assertEquals("sender@a.example", first.sender());
            assertEquals(Map.of("body", "8bitmime"), first.attributes());
            assertEquals(spool.nowMillis(), first.acceptedAtMillis());
            assertEquals(5, first.sizeBytes());
            assertEquals(List.of(0, 2), first.recipients().stream().map(r -> r.index()).toList());
            Claim second = claim(queue);
            assertEquals("c.example", second.destination());
            assertNull(queue.claim(spool.nowMillis()));
            assertEquals(List.of("ACTIVE", "ACTIVE", "ACTIVE"), states(queue, id));
            assertEquals(3, queue.stats().active());
        }
    }

    @Test
    void keepsTheStateOfEachRecipientOverARestart() throws IOException {
        MessageId id;
        long until = spool.nowMillis() + 60_000;
        try (var queue = spool.open()) {
            id = Mail.accept(queue, "a@b.example", "b@b.example", "c@b.example", "d@b.example");
            Mail.settle(
                    claim(queue),
                    List.of(
                            new Settlement.Delivered(0, "250 ok"),
                            new Settlement.Deferred(1, until, "451 later"),
                            new Settlement.Failed(2, "550 no"),
                            new Settlement.Held(3, "route holds")));
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(
                    List.of("DELIVERED", "WAITING", "FAILED", "HELD ROUTE"), states(queue, id));
            QueueEntry entry = queue.find(id);
            assertNotNull(entry);
            assertEquals(until, entry.recipients().get(1).nextAttemptMillis());
            assertEquals("451 later", entry.recipients().get(1).lastReply());
            assertNull(queue.claim(until - 1));
            assertTrue(queue.nextDueMillis() > spool.nowMillis());
            assertTrue(queue.nextDueMillis() <= until);
            Claim again = queue.claim(until);
            assertNotNull(again);
            assertEquals(
                    List.of(1), again.recipients().stream().map(ClaimedRecipient::index).toList());
            assertEquals(1, again.recipients().getFirst().attempts());
            assertArrayEquals(Mail.text("hello"), Mail.read(again.body()));
            Mail.settle(again, Mail.delivered(again));
            assertEquals(1, queue.reconsiderHeld("b.example"::equals));
            Claim last = claim(queue);
            assertTrue(last.recipients().getFirst().wasReleased());
            Mail.settle(last, Mail.delivered(last));
            assertNull(queue.find(id));
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(0, queue.stats().messages());
        }
    }

    @Test
    void attemptsAgainWhatWasClaimedWhenTheProcessDied() {
        MessageId id;
        try (var queue = spool.open()) {
            id = Mail.accept(queue, "x@b.example");
            claim(queue);
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(id, claim(queue).messageId());
        }
    }

    @Test
    void countsNoAttemptForAReleasedClaim() {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            long later = spool.nowMillis() + 1000;
            Claim claim = claim(queue);
            claim.release(later);
            assertThrows(IllegalStateException.class, () -> claim.release(later));
            assertThrows(IllegalStateException.class, () -> claim.settle(Mail.delivered(claim)));
            assertNull(queue.claim(later - 1));
            Claim again = queue.claim(later);
            assertNotNull(again);
            assertEquals(0, again.recipients().getFirst().attempts());
        }
    }

    @Test
    void asksForExactlyOneSettlementEach() {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example", "y@b.example");
            Claim claim = claim(queue);
            var one = new Settlement.Delivered(0, "250 ok");
            var two = new Settlement.Delivered(1, "250 ok");
            var other = new Settlement.Delivered(2, "250 ok");
            assertThrows(IllegalArgumentException.class, () -> claim.settle(List.of(one)));
            assertThrows(IllegalArgumentException.class, () -> claim.settle(List.of(one, one)));
            assertThrows(
                    IllegalArgumentException.class, () -> claim.settle(List.of(one, two, other)));
            Mail.settle(claim, List.of(two, one));
            assertEquals(0, queue.stats().messages());
        }
    }

    @Test
    void splitsAGroupThatIsTooLargeForOneClaim() {
        try (var queue = spool.open()) {
            var addresses = new String[250];
            for (int i = 0; i < addresses.length; i++) {
                addresses[i] = "r" + i + "@b.example";
            }
            Mail.accept(queue, addresses);
            var sizes = new ArrayList<Integer>();
            for (Claim claim = queue.claim(spool.nowMillis());
                    claim != null;
                    claim = queue.claim(spool.nowMillis())) {
                sizes.add(claim.recipients().size());
                Mail.settle(claim, Mail.delivered(claim));
            }
            assertEquals(List.of(100, 100, 50), sizes);
            assertEquals(0, queue.stats().messages());
        }
    }

    @Test
    void delaysNobodyForADeadDestination() {
        QueueSettings few =
                MemorySpool.settings().withLimits(QueueLimits.standard().withConcurrency(3, 10));
        try (var queue = spool.open(few)) {
            for (int i = 0; i < 50; i++) {
                Mail.accept(queue, "x@dead.example");
            }
            MessageId id = Mail.accept(queue, "x@live.example");
            var destinations = new ArrayList<String>();
            for (Claim claim = queue.claim(spool.nowMillis());
                    claim != null;
                    claim = queue.claim(spool.nowMillis())) {
                destinations.add(claim.destination());
                if (claim.messageId().equals(id)) {
                    Mail.settle(claim, Mail.delivered(claim));
                }
            }
            assertEquals(
                    List.of("dead.example", "live.example", "dead.example", "dead.example"),
                    destinations);
        }
    }

    @Test
    void holdsAndReleases() throws IOException {
        MessageId id;
        try (var queue = spool.open()) {
            id = Mail.accept(queue, "x@b.example");
            Mail.accept(queue, "y@b.example");
            assertEquals(1, queue.hold(Selection.of(id, new MessageId(4))));
            assertEquals(0, queue.hold(Selection.of(id)));
            assertEquals(List.of("HELD OPERATOR"), states(queue, id));
            assertEquals(1, queue.hold(Selection.all()));
            assertNull(queue.claim(Long.MAX_VALUE));
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(2, queue.stats().held());
            assertNull(queue.claim(Long.MAX_VALUE));
            assertEquals(0, queue.reconsiderHeld(_ -> true));
            assertEquals(2, queue.release(Selection.all()));
            assertTrue(claim(queue).recipients().getFirst().wasReleased());
        }
    }

    @Test
    void holdsAnActiveRecipientWhenItsClaimEnds() throws IOException {
        MessageId id;
        try (var queue = spool.open()) {
            id = Mail.accept(queue, "x@b.example");
            Claim claim = claim(queue);
            assertEquals(1, queue.hold(Selection.all()));
            assertEquals(List.of("ACTIVE"), states(queue, id));
            Mail.settle(claim, Mail.deferred(claim, spool.nowMillis()));
            assertEquals(List.of("HELD OPERATOR"), states(queue, id));
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(List.of("HELD OPERATOR"), states(queue, id));
            queue.release(Selection.all());
            Claim claim = claim(queue);
            queue.hold(Selection.all());
            Mail.settle(claim, Mail.delivered(claim));
            assertEquals(List.of("gone"), states(queue, id));
        }
    }

    @Test
    void bouncesOverHoldsSuspensionsAndRestarts() throws IOException {
        MessageId id;
        try (var queue = spool.open()) {
            id = Mail.accept(queue, "x@b.example", "y@b.example", "z@c.example");
            queue.hold(Selection.all());
            assertTrue(queue.suspend("b.example"));
            assertEquals(1, queue.bounce(new Selection.Recipients(Map.of(id, Set.of(1, 2)))));
            assertEquals(0, queue.bounce(new Selection.Recipients(Map.of(id, Set.of(1)))));
            QueueEntry entry = queue.find(id);
            assertNotNull(entry);
            assertEquals(
                    List.of(false, true, true),
                    entry.recipients().stream()
                            .map(QueueEntry.QueuedRecipient::isCondemned)
                            .toList());
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(List.of("b.example"), queue.suspended());
            for (int i = 1; i <= 2; i++) {
                Claim claim = claim(queue);
                assertEquals(1, claim.recipients().size());
                assertTrue(claim.recipients().getFirst().isCondemned());
                assertNotEquals(0, claim.recipients().getFirst().index());
                int index = claim.recipients().getFirst().index();
                Mail.settle(claim, List.of(new Settlement.Failed(index, "returned")));
            }
            assertNull(queue.claim(spool.nowMillis()));
            assertEquals(List.of("HELD OPERATOR", "FAILED", "FAILED"), states(queue, id));
            queue.release(Selection.all());
            assertNull(queue.claim(spool.nowMillis()));
            assertTrue(queue.resume("b.example"));
            assertFalse(claim(queue).recipients().getFirst().isCondemned());
        }
    }

    /// Nothing else of the message, and no other message, has to come before it.
    @Test
    void bouncesBehindASuspensionAfterARestart() throws IOException {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            queue.suspend("b.example");
            spool.advance(Duration.ofMinutes(1));
            assertEquals(1, queue.bounce(Selection.all()));
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(spool.nowMillis(), queue.nextDueMillis());
            assertTrue(claim(queue).recipients().getFirst().isCondemned());
        }
    }

    @Test
    void bouncesBehindASuspensionLaterThanTheLastClaim() throws IOException {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            queue.suspend("b.example");
            assertNull(queue.claim(spool.nowMillis()));
            spool.advance(Duration.ofMinutes(1));
            queue.bounce(Selection.all());
            Claim claim = claim(queue);
            assertTrue(claim.recipients().getFirst().isCondemned());
            // What could not be returned to its sender now is tried again then.
            claim.release(spool.nowMillis() + 1000);
            assertNull(queue.claim(spool.nowMillis() + 999));
            assertNotNull(queue.claim(spool.nowMillis() + 1000));
        }
    }

    @Test
    void bouncesWhatIsClaimedAsSoonAsItsClaimEndsWithoutSuccess() throws IOException {
        try (var queue = spool.open()) {
            MessageId deferred = Mail.accept(queue, "x@b.example");
            Claim first = claim(queue);
            MessageId held = Mail.accept(queue, "x@b.example");
            Claim second = claim(queue);
            MessageId released = Mail.accept(queue, "x@b.example");
            Claim third = claim(queue);
            queue.suspend("b.example");
            spool.advance(Duration.ofSeconds(1));
            assertEquals(3, queue.bounce(Selection.all()));
            assertNull(queue.claim(spool.nowMillis()));
            long later = spool.nowMillis() + 3_600_000;
            Mail.settle(first, Mail.deferred(first, later));
            Mail.settle(second, List.of(new Settlement.Held(0, "route holds")));
            third.release(later);
            for (MessageId id : List.of(deferred, held, released)) {
                Claim claim = claim(queue);
                assertEquals(id, claim.messageId());
                assertTrue(claim.recipients().getFirst().isCondemned());
            }
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            for (int i = 0; i < 3; i++) {
                assertTrue(claim(queue).recipients().getFirst().isCondemned());
            }
        }
    }

    @Test
    void endsOrReleasesWhatIsReturnedToItsSender() throws IOException {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            queue.bounce(Selection.all());
            Claim claim = claim(queue);
            List<Settlement> deferred = Mail.deferred(claim, spool.nowMillis());
            assertThrows(IllegalArgumentException.class, () -> claim.settle(deferred));
            Mail.settle(claim, List.of(new Settlement.Failed(0, "returned")));
            assertEquals(0, queue.stats().messages());
        }
    }

    @Test
    void changesOnlyTheRecipientsThatAreMeant() throws IOException {
        try (var queue = spool.open()) {
            MessageId id = Mail.accept(queue, "x@b.example", "y@b.example", "z@c.example");
            var two = new Selection.Recipients(Map.of(id, Set.of(0, 2)));
            assertEquals(1, queue.hold(two));
            assertEquals(List.of("HELD OPERATOR", "WAITING", "HELD OPERATOR"), states(queue, id));
            assertEquals(1, queue.remove(new Selection.Recipients(Map.of(id, Set.of(0)))));
            assertEquals(List.of("FAILED", "WAITING", "HELD OPERATOR"), states(queue, id));
            assertEquals(1, queue.remove(new Selection.Recipients(Map.of(id, Set.of(1, 2)))));
            assertEquals(List.of("gone"), states(queue, id));
        }
    }

    @Test
    void removesEvenWhatIsClaimed() throws IOException {
        try (var queue = spool.open()) {
            MessageId id = Mail.accept(queue, Mail.to("x@b.example"), new byte[400 << 10]);
            Mail.accept(queue, "y@b.example");
            Claim claim = claim(queue);
            assertEquals(2, queue.remove(Selection.all()));
            assertEquals(List.of("gone"), states(queue, id));
            // The attempt goes on; its message is still to be read.
            assertEquals(400 << 10, Mail.read(claim.body()).length);
            Mail.settle(claim, Mail.deferred(claim, 0));
            assertEquals(0, queue.stats().messages());
            assertEquals(0, queue.stats().active());
            assertEquals(0, queue.stats().lanes());
            assertNull(queue.claim(Long.MAX_VALUE));
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            assertEquals(0, queue.stats().messages());
            assertEquals(0, spool.bodies().count());
        }
    }

    @Test
    void retriesNow() throws IOException {
        try (var queue = spool.open()) {
            MessageId id = Mail.accept(queue, "x@b.example");
            Claim claim = claim(queue);
            Mail.settle(claim, Mail.deferred(claim, spool.nowMillis() + 3_600_000));
            assertNull(queue.claim(spool.nowMillis()));
            assertEquals(1, queue.retry(Selection.of(id)));
            Claim again = claim(queue);
            assertEquals(1, again.recipients().getFirst().attempts());
            assertFalse(again.recipients().getFirst().wasReleased());
        }
    }

    @Test
    void signalsWhenSomethingMayBeDue() {
        try (var queue = spool.open()) {
            var signals = new AtomicInteger();
            queue.onDue(signals::incrementAndGet);
            int before = signals.get();
            Mail.accept(queue, "x@b.example");
            assertTrue(signals.get() > before);
            Claim claim = claim(queue);
            before = signals.get();
            claim.release(spool.nowMillis());
            assertTrue(signals.get() > before);
            assertTrue(queue.nextDueMillis() <= spool.nowMillis());
            spool.advance(Duration.ofDays(1));
            assertNotNull(queue.claim(spool.nowMillis()));
            assertEquals(Long.MAX_VALUE, queue.nextDueMillis());
        }
    }

    /// What was found due is handed out whole, whatever the clock says by then.
    @Test
    void givesNoEmptyClaimWhenTheClockIsSetBack() {
        try (var queue = spool.open()) {
            MessageId id = Mail.accept(queue, "x@b.example", "y@b.example");
            assertTrue(queue.contains(id));
            assertEquals(spool.nowMillis(), queue.nextDueMillis());
            spool.advance(Duration.ofDays(-3));
            Claim claim = claim(queue);
            assertEquals(
                    List.of(0, 1),
                    claim.recipients().stream().map(ClaimedRecipient::index).toList());
            Mail.settle(claim, Mail.delivered(claim));
            assertFalse(queue.contains(id));
            assertEquals(0, queue.stats().claims());
        }
    }

    @Test
    void triesAgainInAMinuteWhatItCannotReadNow() {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            spool.journal().failRead(true);
            assertNull(queue.claim(spool.nowMillis()));
            assertTrue(queue.nextDueMillis() > spool.nowMillis());
            assertNull(queue.claim(spool.nowMillis() + 59_999));
            assertEquals(0, queue.stats().claims());
            assertEquals(0, queue.stats().held());
            spool.advance(Duration.ofMinutes(1));
            spool.journal().failRead(false);
            assertEquals(0, claim(queue).recipients().getFirst().attempts());
            assertEquals(List.of(), spool.alarms());
        }
    }

    @Test
    void holdsAMessageWhoseRecordIsAnother() {
        try (var queue = spool.open()) {
            MessageId id = Mail.accept(queue, "x@b.example");
            spool.journal().garble();
            assertNull(queue.claim(spool.nowMillis()));
            assertEquals(List.of("HELD OPERATOR"), states(queue, id));
            assertEquals(1, spool.alarms().size());
        }
    }

    @Test
    void keepsAReleaseThroughADeferral() throws IOException {
        try (var queue = spool.open()) {
            Mail.accept(queue, "x@b.example");
            queue.hold(Selection.all());
            queue.release(Selection.all());
            Claim claim = claim(queue);
            Mail.settle(claim, Mail.deferred(claim, spool.nowMillis()));
            assertTrue(claim(queue).recipients().getFirst().wasReleased());
        }
        try (var queue = spool.reopen(MemorySpool.settings())) {
            Claim claim = claim(queue);
            assertTrue(claim.recipients().getFirst().wasReleased());
            Mail.settle(claim, List.of(new Settlement.Held(0, "route holds")));
            assertNull(queue.claim(Long.MAX_VALUE));
        }
    }

    @Test
    void findsNothingWhereNothingIs() {
        try (var queue = spool.open()) {
            var id = new MessageId(42);
            assertFalse(queue.contains(id));
            assertNull(queue.find(id));
            assertThrows(IOException.class, () -> queue.body(id));
            assertEquals(0, queue.list().count());
        }
    }
}
