package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.Checksum;
import org.malote.queue.journal.MalformedRecordException;
import org.malote.queue.journal.RecordInfo;
import org.malote.queue.journal.SpoolJournal;

/// Reads back what the journal keeps of a message. Any thread; blocks on the disk.
final class RecordReader {
    /// Read at once: what most envelopes take. Longer ones are read again, eight times as much.
    private static final int FIRST_BYTES = 1024;

    private static final int GROWTH = 8;

    private final SpoolJournal journal;

    RecordReader(SpoolJournal journal) {
        this.journal = journal;
    }

    /// A message's record without its body.
    ///
    /// @param statuses of the recipients; empty when the record is the first one
    /// @param bodyOffset where in the payload the body begins, when it is in the journal
    record Stored(AcceptedRecord head, List<RecipientStatus> statuses, int bodyOffset) {}

    /// The disk gave something else than the record that was written.
    static final class WrongRecordException extends IOException {
        private static final long serialVersionUID = 1L;

        WrongRecordException(String message) {
            super(message);
        }
    }

    private interface Parser<T> {
        T parse(ByteBuffer source) throws MalformedRecordException;
    }

    /// The record of a message.
    Stored message(MessageId id, long position) throws IOException {
        RecordInfo info = info(position);
        boolean isCarried = info.type() == Records.CARRIED;
        if (!isCarried && info.type() != Records.ACCEPTED) {
            throw new WrongRecordException("another record is in its place on the disk");
        }
        Stored stored = parse(position, info, source -> stored(source, isCarried, info));
        if (!stored.head().id().equals(id)) {
            throw new WrongRecordException("another message is in its place on the disk");
        }
        return stored;
    }

    private static Stored stored(ByteBuffer source, boolean isCarried, RecordInfo info)
            throws MalformedRecordException {
        AcceptedRecord head = Records.readAccepted(source);
        List<RecipientStatus> statuses =
                isCarried
                        ? Records.readStates(source, head.envelope().recipients().size())
                        : List.of();
        int crc = Checksum.of(source.duplicate().flip());
        if (!head.hasBodyFile()) {
            crc = Checksum.combine(crc, head.bodyCrc(), head.bodyBytes());
        }
        check(crc, info);
        return new Stored(head, statuses, source.position());
    }

    /// What was last said of a recipient.
    ///
    /// @param position of the record that has it, or [LiveMessage#NO_DETAIL]
    @Nullable String reply(MessageId id, int recipient, long position) throws IOException {
        if (position == LiveMessage.NO_DETAIL) {
            return null;
        }
        RecordInfo info = info(position);
        if (info.type() == Records.CARRIED) {
            return message(id, position).statuses().get(recipient).reply();
        }
        if (info.type() != Records.SETTLED) {
            throw new WrongRecordException("another record is in the place of its last reply");
        }
        Records.SettledRecord record = parse(position, info, source -> settled(source, info));
        for (Settlement settlement : record.settlements()) {
            if (record.id().equals(id) && settlement.recipient() == recipient) {
                return settlement.reply();
            }
        }
        throw new WrongRecordException("another settlement is in the place of its last reply");
    }

    private static Records.SettledRecord settled(ByteBuffer source, RecordInfo info)
            throws MalformedRecordException {
        Records.SettledRecord record = Records.readSettled(source);
        check(Checksum.of(source.duplicate().flip()), info);
        return record;
    }

    /// Row F8 of queue/DESIGN.md.
    private static void check(int crc, RecordInfo info) throws MalformedRecordException {
        if (crc != info.payloadCrc()) {
            throw new MalformedRecordException("its checksum is wrong");
        }
    }

    private RecordInfo info(long position) throws IOException {
        RecordInfo info = journal.info(position);
        if (info == null) {
            throw new WrongRecordException("its record on the disk is damaged");
        }
        return info;
    }

    private <T> T parse(long position, RecordInfo info, Parser<T> parser) throws IOException {
        int size = Math.min(FIRST_BYTES, info.length());
        while (true) {
            var source = ByteBuffer.allocate(size);
            journal.read(position, 0, source);
            try {
                return parser.parse(source.flip());
            } catch (MalformedRecordException e) {
                if (size == info.length()) {
                    throw new WrongRecordException(
                            "its record on the disk is damaged: " + e.getMessage());
                }
            }
            size = (int) Math.min((long) size * GROWTH, info.length());
        }
    }

    /// Reads a part of the body that is in the journal.
    void body(long position, int bodyOffset, long offset, ByteBuffer destination)
            throws IOException {
        journal.read(position, Math.toIntExact(bodyOffset + offset), destination);
    }
}
