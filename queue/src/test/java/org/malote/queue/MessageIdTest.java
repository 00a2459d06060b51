package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class MessageIdTest {
    @Test
    void readsWhatItWrites() {
        var random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            var id = new MessageId(random.nextLong() >>> (1 + random.nextInt(63)));
            assertEquals(id, MessageId.parse(id.toString()));
            assertTrue(id.toString().matches("[2-9bcdfghjkmnpqrstvwxyz]{1,14}"), id.toString());
        }
        assertEquals("2", new MessageId(0).toString());
        assertEquals(
                Long.MAX_VALUE, MessageId.parse(new MessageId(Long.MAX_VALUE).toString()).value());
    }

    @Test
    void namesAMessageInOneWayOnly() {
        for (String text :
                new String[] {
                    "", "a", "22", "23", "B", "0", "zzzzzzzzzzzzzz", " 3", "3333333333333333"
                }) {
            assertThrows(IllegalArgumentException.class, () -> MessageId.parse(text), text);
        }
    }

    @Test
    void ordersByStartAndThenBySequence() {
        assertTrue(MessageId.of(1, MessageId.SEQUENCE_MAX).compareTo(MessageId.of(2, 0)) < 0);
        assertEquals(MessageId.EPOCH_MAX, MessageId.of(MessageId.EPOCH_MAX, 3).epoch());
        assertThrows(
                IllegalArgumentException.class, () -> MessageId.of(MessageId.EPOCH_MAX + 1, 0));
    }
}
