package org.malote.queue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.malote.queue.journal.Frames;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.MalformedRecordException;

/// The payloads of the journal's records, version 1. Numbers are big-endian; counts and lengths are
/// variable-length, seven bits a byte, low bits first; text is UTF-8 behind its length.
///
/// | type | payload |
/// |---|---|
/// | ACCEPTED | head (see [#accepted]), then the body unless it has a file |
/// | CARRIED | head, state of each recipient, then the body: an accepted message that moved to a
/// newer file |
/// | SETTLED | id, count, then each recipient's settlement |
/// | CHANGED | what, when, count, then id and recipient + 1 each (0: all of them) |
final class Records {
    static final byte ACCEPTED = 1;
    static final byte SETTLED = 2;
    static final byte CHANGED = 3;
    static final byte CARRIED = 4;

    /// Of an envelope with its attributes; the rest of [Frames#PAYLOAD_MAX_BYTES] is the body's.
    static final int HEAD_MAX_BYTES = Frames.PAYLOAD_MAX_BYTES - QueueLimits.BODY_INLINE_MAX_BYTES;

    /// Of a remote's reply. RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets; a reply of
    /// several lines is cut.
    static final int REPLY_MAX_CHARS = 1024;

    private static final byte KIND_DELIVERED = 1;
    private static final byte KIND_DEFERRED = 2;
    private static final byte KIND_FAILED = 3;
    private static final byte KIND_HELD = 4;

    private static final byte FLAG_RELEASED = 1;
    private static final byte FLAG_CONDEMNED = 2;

    private Records() {}

    /// The head of an accepted message, ready to be read.
    ///
    /// @throws IllegalArgumentException when the envelope is above [#HEAD_MAX_BYTES]
    static ByteBuffer accepted(
            MessageId id,
            long acceptedAtMillis,
            long bodyBytes,
            int bodyCrc,
            boolean hasBodyFile,
            Envelope envelope) {
        var out = new Out(256);
        out.putLong(id.value());
        out.putLong(acceptedAtMillis);
        out.putLong(bodyBytes);
        out.putInt(bodyCrc);
        out.putByte(hasBodyFile ? 1 : 0);
        out.putText(envelope.sender());
        out.putAttributes(envelope.attributes());
        out.putCount(envelope.recipients().size());
        for (Recipient recipient : envelope.recipients()) {
            out.putText(recipient.address());
            out.putText(recipient.destination());
            out.putAttributes(recipient.attributes());
        }
        ByteBuffer head = out.toBuffer();
        if (head.remaining() > HEAD_MAX_BYTES) {
            throw new IllegalArgumentException(
                    "the envelope takes " + head.remaining() + " bytes, above " + HEAD_MAX_BYTES);
        }
        return head;
    }

    /// Reads a head at the buffer's position, which moves behind it.
    static AcceptedRecord readAccepted(ByteBuffer source) throws MalformedRecordException {
        int start = source.position();
        try {
            long id = source.getLong();
            long acceptedAtMillis = source.getLong();
            long bodyBytes = source.getLong();
            int bodyCrc = source.getInt();
            boolean hasBodyFile = source.get() != 0;
            String sender = getText(source);
            Map<String, String> attributes = getAttributes(source);
            int count = getCount(source);
            var recipients = new ArrayList<Recipient>(Math.min(count, source.remaining()));
            for (int i = 0; i < count; i++) {
                recipients.add(
                        new Recipient(getText(source), getText(source), getAttributes(source)));
            }
            if (bodyBytes < 0) {
                throw new MalformedRecordException("a body of negative size");
            }
            return new AcceptedRecord(
                    new MessageId(id),
                    acceptedAtMillis,
                    bodyBytes,
                    bodyCrc,
                    hasBodyFile,
                    new Envelope(sender, attributes, recipients),
                    source.position() - start);
        } catch (java.nio.BufferUnderflowException | IllegalArgumentException e) {
            throw new MalformedRecordException("an accepted message: " + e.getMessage());
        }
    }

    static JournalRecord settled(MessageId id, List<? extends Settlement> settlements) {
        var out = new Out(64 + 64 * settlements.size());
        out.putLong(id.value());
        out.putCount(settlements.size());
        for (Settlement settlement : settlements) {
            switch (settlement) {
                case Settlement.Delivered _ -> out.putByte(KIND_DELIVERED);
                case Settlement.Deferred deferred -> {
                    out.putByte(KIND_DEFERRED);
                    out.putLong(deferred.untilMillis());
                }
                case Settlement.Failed _ -> out.putByte(KIND_FAILED);
                case Settlement.Held _ -> out.putByte(KIND_HELD);
            }
            out.putCount(settlement.recipient());
            out.putText(cut(settlement.reply()));
        }
        return new JournalRecord(SETTLED, out.toBuffer(), List.of());
    }

    static String cut(String reply) {
        return reply.length() <= REPLY_MAX_CHARS ? reply : reply.substring(0, REPLY_MAX_CHARS);
    }

    /// A settled record.
    record SettledRecord(MessageId id, List<Settlement> settlements) {}

    static SettledRecord readSettled(ByteBuffer source) throws MalformedRecordException {
        try {
            var id = new MessageId(source.getLong());
            int count = getCount(source);
            var settlements = new ArrayList<Settlement>(Math.min(count, source.remaining()));
            for (int i = 0; i < count; i++) {
                byte kind = source.get();
                long until = kind == KIND_DEFERRED ? source.getLong() : 0;
                int recipient = getCount(source);
                String reply = getText(source);
                settlements.add(
                        switch (kind) {
                            case KIND_DELIVERED -> new Settlement.Delivered(recipient, reply);
                            case KIND_DEFERRED -> new Settlement.Deferred(recipient, until, reply);
                            case KIND_FAILED -> new Settlement.Failed(recipient, reply);
                            case KIND_HELD -> new Settlement.Held(recipient, reply);
                            default ->
                                    throw new MalformedRecordException(
                                            "a settlement of kind " + kind);
                        });
            }
            return new SettledRecord(id, settlements);
        } catch (java.nio.BufferUnderflowException | IllegalArgumentException e) {
            throw new MalformedRecordException("a settlement: " + e.getMessage());
        }
    }

    /// Who is changed.
    ///
    /// @param recipient its index, or [#ALL]
    record Target(MessageId id, int recipient) {
        static final int ALL = -1;
    }

    static JournalRecord changed(Change change, long atMillis, List<Target> targets) {
        var out = new Out(32 + 10 * targets.size());
        out.putByte(change.code);
        out.putLong(atMillis);
        out.putCount(targets.size());
        for (Target target : targets) {
            out.putLong(target.id().value());
            out.putCount(target.recipient() + 1);
        }
        return new JournalRecord(CHANGED, out.toBuffer(), List.of());
    }

    /// A changed record.
    record ChangedRecord(Change change, long atMillis, List<Target> targets) {}

    static ChangedRecord readChanged(ByteBuffer source) throws MalformedRecordException {
        try {
            byte code = source.get();
            Change change = null;
            for (Change known : Change.values()) {
                if (known.code == code) {
                    change = known;
                }
            }
            if (change == null) {
                throw new MalformedRecordException("a change of kind " + code);
            }
            long atMillis = source.getLong();
            int count = getCount(source);
            var targets = new ArrayList<Target>(Math.min(count, source.remaining()));
            for (int i = 0; i < count; i++) {
                targets.add(new Target(new MessageId(source.getLong()), getCount(source) - 1));
            }
            return new ChangedRecord(change, atMillis, targets);
        } catch (java.nio.BufferUnderflowException | IllegalArgumentException e) {
            throw new MalformedRecordException("a change: " + e.getMessage());
        }
    }

    /// The states of a message's recipients, behind the head of a carried record.
    static ByteBuffer states(List<RecipientStatus> statuses) {
        var out = new Out(32 * statuses.size());
        for (RecipientStatus status : statuses) {
            out.putByte(status.state());
            out.putByte(
                    (status.isReleased() ? FLAG_RELEASED : 0)
                            | (status.isCondemned() ? FLAG_CONDEMNED : 0));
            out.putCount(status.attempts());
            out.putLong(status.dueMillis());
            String reply = status.reply();
            out.putByte(reply == null ? 0 : 1);
            out.putText(reply == null ? "" : reply);
        }
        return out.toBuffer();
    }

    /// Reads what [#states] wrote at the buffer's position, which moves behind it.
    ///
    /// @param count of the recipients of the head before it
    static List<RecipientStatus> readStates(ByteBuffer source, int count)
            throws MalformedRecordException {
        try {
            var statuses = new ArrayList<RecipientStatus>(count);
            for (int i = 0; i < count; i++) {
                byte state = source.get();
                if (state < LiveMessage.WAITING || state > LiveMessage.FAILED) {
                    throw new MalformedRecordException("a recipient in state " + state);
                }
                byte flags = source.get();
                int attempts = getCount(source);
                long dueMillis = source.getLong();
                boolean hasReply = source.get() != 0;
                String reply = getText(source);
                statuses.add(
                        new RecipientStatus(
                                state,
                                (flags & FLAG_RELEASED) != 0,
                                (flags & FLAG_CONDEMNED) != 0,
                                attempts,
                                dueMillis,
                                hasReply ? reply : null));
            }
            return statuses;
        } catch (java.nio.BufferUnderflowException | IllegalArgumentException e) {
            throw new MalformedRecordException("a carried message: " + e.getMessage());
        }
    }

    private static int getCount(ByteBuffer source) throws MalformedRecordException {
        int value = 0;
        for (int shift = 0; shift < Integer.SIZE - 1; shift += 7) {
            byte next = source.get();
            value |= (next & 0x7F) << shift;
            if (next >= 0) {
                if (value < 0) {
                    break;
                }
                return value;
            }
        }
        throw new MalformedRecordException("a count out of range");
    }

    private static String getText(ByteBuffer source) throws MalformedRecordException {
        int length = getCount(source);
        if (length > source.remaining()) {
            throw new MalformedRecordException("text beyond the end of the record");
        }
        byte[] bytes = new byte[length];
        source.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static Map<String, String> getAttributes(ByteBuffer source)
            throws MalformedRecordException {
        int count = getCount(source);
        if (count == 0) {
            return Map.of();
        }
        var attributes = new LinkedHashMap<String, String>();
        for (int i = 0; i < count; i++) {
            attributes.put(getText(source), getText(source));
        }
        return attributes;
    }

    /// A growing array.
    private static final class Out {
        private byte[] bytes;
        private int size;

        Out(int capacity) {
            bytes = new byte[capacity];
        }

        private int grow(int count) {
            if (size + count > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + count));
            }
            int at = size;
            size += count;
            return at;
        }

        void putByte(int value) {
            // grow() may replace the array.
            int at = grow(1);
            bytes[at] = (byte) value;
        }

        void putInt(int value) {
            int at = grow(Integer.BYTES);
            for (int i = 0; i < Integer.BYTES; i++) {
                bytes[at + i] = (byte) (value >>> (Integer.SIZE - Byte.SIZE * (i + 1)));
            }
        }

        void putLong(long value) {
            putInt((int) (value >>> Integer.SIZE));
            putInt((int) value);
        }

        void putCount(int value) {
            int rest = value;
            while ((rest & ~0x7F) != 0) {
                putByte((rest & 0x7F) | 0x80);
                rest >>>= 7;
            }
            putByte(rest);
        }

        void putText(String text) {
            byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
            putCount(encoded.length);
            int at = grow(encoded.length);
            System.arraycopy(encoded, 0, bytes, at, encoded.length);
        }

        void putAttributes(Map<String, String> attributes) {
            putCount(attributes.size());
            attributes.forEach(
                    (name, value) -> {
                        putText(name);
                        putText(value);
                    });
        }

        ByteBuffer toBuffer() {
            return ByteBuffer.wrap(bytes, 0, size);
        }
    }
}
