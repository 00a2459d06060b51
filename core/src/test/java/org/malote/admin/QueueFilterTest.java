package org.malote.admin;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.queue.HoldCause;
import org.malote.queue.MessageId;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;
import org.malote.queue.Recipient;
import org.malote.queue.RecipientState;

final class QueueFilterTest {
    private static final long ACCEPTED = 1_000_000;

    private static final QueueEntry ENTRY =
            new QueueEntry(
                    new MessageId(1),
                    "Boss+a@M\u00dcLLER.example",
                    Map.of(),
                    List.of(
                            recipient("one@isp.example", RecipientState.WAITING, null),
                            recipient(
                                    "two@b\u00fccher.example",
                                    RecipientState.WAITING,
                                    "452 4.2.2 Mailbox (Full)\n try later"),
                            recipient("three@ISP.example", RecipientState.HELD, null),
                            recipient(
                                    "four@xn--bcher-kva.example", RecipientState.DELIVERED, "ok")),
                    1,
                    ACCEPTED);

    private static QueuedRecipient recipient(
            String address, RecipientState state, @Nullable String reply) {
        return new QueuedRecipient(
                new Recipient(
                        address,
                        address.substring(address.indexOf('@') + 1).toLowerCase(Locale.ROOT),
                        Map.of()),
                state,
                state == RecipientState.HELD ? HoldCause.OPERATOR : null,
                0,
                0,
                false,
                reply);
    }

    @Test
    void meansEverybodyWhoIsNotDoneWhenNothingIsAsked() {
        meant(QueueFilter.ALL, 0, 1, 2);
        assertFalse(QueueFilter.ALL.namesRecipients());
    }

    @Test
    void looksAtTheSender() {
        meant(sender("boss+A@m\u00fcller.EXAMPLE"), 0, 1, 2);
        meant(sender("*@xn--mller-kva.example"), 0, 1, 2);
        meant(sender("boss*"), 0, 1, 2);
        meant(sender("boss"));
        meant(sender("bossss*"));
        meant(sender(""));
        assertFalse(sender("").namesRecipients());
    }

    @Test
    void looksAtRecipients() {
        meant(recipientIs("*@isp.example"), 0, 2);
        meant(recipientIs("t*"), 1, 2);
        meant(recipientIs("*@xn--bcher-kva.example"), 1);
        meant(recipientIs("*@B\u00dcCHER.example"), 1);
        meant(recipientIs("one"));
        meant(domainIs("Isp.Example"), 0, 2);
        meant(domainIs("isp.*"), 0, 2);
        meant(domainIs("*.example"), 0, 1, 2);
        meant(domainIs("b\u00fccher.*"), 1);
        meant(domainIs("isp"));
        meant(stateIs(RecipientState.HELD), 2);
        meant(stateIs(RecipientState.DELIVERED), 3);
        meant(stateIs(RecipientState.FAILED));
        meant(replyHas("mailbox (full)"), 1);
        meant(replyHas("452*later"), 1);
        meant(replyHas("full."));
        meant(replyHas(""), 0, 1, 2);
        for (QueueFilter each :
                List.of(
                        recipientIs("a"),
                        domainIs("a"),
                        stateIs(RecipientState.HELD),
                        replyHas("a"))) {
            assertTrue(each.namesRecipients());
        }
    }

    /// Of one recipient everything must be true; of two of them half each is not enough.
    @Test
    void asksEverythingOfTheSameRecipient() {
        meant(new QueueFilter(null, null, "isp.example", RecipientState.HELD, null, null, null), 2);
        meant(
                new QueueFilter(
                        null, null, "b\u00fccher.example", RecipientState.HELD, null, null, null));
    }

    @Test
    void looksAtTheAge() {
        meant(aged(9L, null), 0, 1, 2);
        meant(aged(10L, null));
        meant(aged(null, 11L), 0, 1, 2);
        meant(aged(null, 10L));
        assertFalse(aged(1L, 2L).namesRecipients());
    }

    @Test
    void knowsStatesByTheirWords() {
        for (RecipientState state : RecipientState.values()) {
            assertEquals(state, QueueFilter.state(QueueFilter.word(state)));
        }
        assertEquals(RecipientState.HELD, QueueFilter.state("Held"));
        assertEquals(
                "a state is one of waiting, active, held, failed, delivered, not \"deferred\"",
                assertThrows(IllegalArgumentException.class, () -> QueueFilter.state("deferred"))
                        .getMessage());
    }

    private static QueueFilter sender(String pattern) {
        return new QueueFilter(pattern, null, null, null, null, null, null);
    }

    private static QueueFilter recipientIs(String pattern) {
        return new QueueFilter(null, pattern, null, null, null, null, null);
    }

    private static QueueFilter domainIs(String pattern) {
        return new QueueFilter(null, null, pattern, null, null, null, null);
    }

    private static QueueFilter stateIs(RecipientState state) {
        return new QueueFilter(null, null, null, state, null, null, null);
    }

    private static QueueFilter replyHas(String text) {
        return new QueueFilter(null, null, null, null, null, null, text);
    }

    private static QueueFilter aged(@Nullable Long olderThan, @Nullable Long youngerThan) {
        return new QueueFilter(null, null, null, null, olderThan, youngerThan, null);
    }

    private static void meant(QueueFilter filter, int... places) {
        assertArrayEquals(places, filter.at(ACCEPTED + 10).select(ENTRY), filter.toString());
    }
}
