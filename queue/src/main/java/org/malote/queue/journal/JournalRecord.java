package org.malote.queue.journal;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32C;

/// A record ready to be appended: its type and its payload, in pieces. The pieces are borrowed
/// until the record is appended and are read between position and limit, without being moved. The
/// checksum is computed here, on the thread that makes the record, so that the committer only
/// copies.
public final class JournalRecord {
    private final byte type;
    private final ByteBuffer head;
    private final List<ByteBuffer> body;
    private final int length;
    private final int payloadCrc;

    /// @param type what the payload is; opaque to the journal, above zero
    /// @param head the first bytes of the payload: all that a start must know of the record
    /// @param body the rest of them
    /// @throws IllegalArgumentException when the payload is above [Frames#PAYLOAD_MAX_BYTES]
    public JournalRecord(byte type, ByteBuffer head, List<ByteBuffer> body) {
        this.type = type;
        this.head = head;
        this.body = body;
        long total = head.remaining();
        var crc = new CRC32C();
        update(crc, head);
        for (ByteBuffer piece : body) {
            total += piece.remaining();
            update(crc, piece);
        }
        if (total > Frames.PAYLOAD_MAX_BYTES) {
            throw new IllegalArgumentException(
                    "a journal record of " + total + " bytes is above " + Frames.PAYLOAD_MAX_BYTES);
        }
        this.length = (int) total;
        this.payloadCrc = (int) crc.getValue();
    }

    private static void update(CRC32C crc, ByteBuffer piece) {
        int position = piece.position();
        crc.update(piece);
        piece.position(position);
    }

    public byte type() {
        return type;
    }

    /// Bytes of the payload.
    public int length() {
        return length;
    }

    ByteBuffer head() {
        return head;
    }

    List<ByteBuffer> body() {
        return body;
    }

    int payloadCrc() {
        return payloadCrc;
    }

    /// Copies the payload; for a journal that keeps its records otherwise than in files.
    public void copyTo(ByteBuffer destination) {
        destination.put(head.duplicate());
        for (ByteBuffer piece : body) {
            destination.put(piece.duplicate());
        }
    }
}
