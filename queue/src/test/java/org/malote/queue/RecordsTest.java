package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.MalformedRecordException;

/// What is written is what is read, and no bytes make the reader fail otherwise than it says.
final class RecordsTest {
    private static final String[] TEXTS = {"", "a", "ü@例え.example", "x".repeat(300), "\r\n\0"};

    private static String text(Random random) {
        return TEXTS[random.nextInt(TEXTS.length)];
    }

    private static Map<String, String> attributes(Random random) {
        var attributes = new LinkedHashMap<String, String>();
        for (int i = random.nextInt(4); i > 0; i--) {
            attributes.put(text(random) + i, text(random));
        }
        return attributes;
    }

    private static Envelope envelope(Random random) {
        var recipients = new ArrayList<Recipient>();
        for (int i = 1 + random.nextInt(200); i > 0; i--) {
            recipients.add(new Recipient(text(random), text(random), attributes(random)));
        }
        return new Envelope(text(random), attributes(random), recipients);
    }

    private static ByteBuffer payload(JournalRecord record) {
        var payload = ByteBuffer.allocate(record.length());
        record.copyTo(payload);
        return payload.flip();
    }

    @Test
    void readsAcceptedMessagesAsWritten() throws MalformedRecordException {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            Envelope envelope = envelope(random);
            var id = new MessageId(random.nextLong() >>> 1);
            long time = random.nextLong();
            int crc = random.nextInt();
            ByteBuffer head = Records.accepted(id, time, seed, crc, seed % 2 == 0, envelope);
            int length = head.remaining();
            assertEquals(
                    new AcceptedRecord(id, time, seed, crc, seed % 2 == 0, envelope, length),
                    Records.readAccepted(head));
            assertEquals(0, head.remaining());
            assertEquals(
                    List.copyOf(envelope.attributes().keySet()),
                    List.copyOf(
                            Records.readAccepted(head.rewind()).envelope().attributes().keySet()));
        }
    }

    @Test
    void readsSettlementsAndChangesAsWritten() throws MalformedRecordException {
        var id = new MessageId(5);
        List<Settlement> settlements =
                List.of(
                        new Settlement.Delivered(0, "250 ok"),
                        new Settlement.Deferred(300, Long.MAX_VALUE, ""),
                        new Settlement.Failed(70_000, "550 5.1.1 ñ"),
                        new Settlement.Held(2, "hold"));
        assertEquals(
                new Records.SettledRecord(id, settlements),
                Records.readSettled(payload(Records.settled(id, settlements))));
        for (Change change : Change.values()) {
            var record =
                    new Records.ChangedRecord(
                            change,
                            -1,
                            List.of(
                                    new Records.Target(id, Records.Target.ALL),
                                    new Records.Target(new MessageId(9), 130)));
            assertEquals(
                    record,
                    Records.readChanged(
                            payload(Records.changed(change, record.atMillis(), record.targets()))));
        }
    }

    @Test
    void cutsLongReplies() throws MalformedRecordException {
        var settlement = new Settlement.Failed(0, "x".repeat(100_000));
        var read =
                Records.readSettled(
                        payload(Records.settled(new MessageId(1), List.of(settlement))));
        assertEquals(Records.REPLY_MAX_CHARS, read.settlements().getFirst().reply().length());
    }

    @Test
    void refusesAnEnvelopeThatFitsNoRecord() {
        var huge =
                new Envelope(
                        "x".repeat(Records.HEAD_MAX_BYTES), Map.of(), Mail.to("a@b").recipients());
        assertThrows(
                IllegalArgumentException.class,
                () -> Records.accepted(new MessageId(1), 0, 0, 0, false, huge));
    }

    @Test
    void callsAnyOtherBytesMalformed() {
        int malformed = 0;
        for (int seed = 0; seed < 3000; seed++) {
            var random = new Random(seed);
            byte[] bytes;
            if (random.nextBoolean()) {
                bytes = Mail.random(seed, random.nextInt(200));
            } else {
                ByteBuffer head =
                        Records.accepted(new MessageId(1), 0, 0, 0, false, Mail.to("x@b.example"));
                bytes = new byte[head.remaining()];
                head.get(bytes);
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            malformed += isMalformed(() -> Records.readAccepted(ByteBuffer.wrap(bytes))) ? 1 : 0;
            malformed += isMalformed(() -> Records.readSettled(ByteBuffer.wrap(bytes))) ? 1 : 0;
            malformed += isMalformed(() -> Records.readChanged(ByteBuffer.wrap(bytes))) ? 1 : 0;
        }
        assertTrue(malformed > 3000, "only " + malformed + " were malformed");
    }

    private interface Reading {
        Object read() throws MalformedRecordException;
    }

    private static boolean isMalformed(Reading reading) {
        try {
            return reading.read() == null;
        } catch (MalformedRecordException e) {
            return true;
        }
    }
}
