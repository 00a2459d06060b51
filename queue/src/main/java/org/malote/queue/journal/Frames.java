package org.malote.queue.journal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// How a record lies in a journal file: a header of [#HEADER_BYTES], then the payload. Big-endian.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | magic |
/// | 4 | 8 | salt of the epoch |
/// | 12 | 1 | version of this format and of the payloads |
/// | 13 | 1 | type of the record, above zero |
/// | 14 | 2 | zero |
/// | 16 | 4 | number of the epoch |
/// | 20 | 4 | length of the payload |
/// | 24 | 8 | sequence of the record in its epoch, from 1, without gaps |
/// | 32 | 4 | CRC32C of the payload |
/// | 36 | 4 | CRC32C of the 36 bytes before |
///
/// The salt is random and leaves the host nowhere: a message body that imitates a frame, which
/// anybody may send, is not taken for one when a scan looks for the next frame behind damage.
public final class Frames {
    public static final int HEADER_BYTES = 40;

    /// Envelope and body: 4 MiB each. Half of what Chronicle Queue allows with blocks of 64 MiB.
    public static final int PAYLOAD_MAX_BYTES = 8 << 20;

    public static final byte VERSION = 1;

    /// "MLTf".
    static final int MAGIC = 0x4D4C5466;

    static final long FIRST_SEQUENCE = 1;

    private static final int CRC_OFFSET = 36;

    private Frames() {}

    /// A header that passed its checksum.
    ///
    /// @param length bytes of the payload
    record Header(byte version, byte type, int length, long sequence, int payloadCrc) {}

    /// Writes the header at the buffer's position, which moves behind it.
    static void encodeHeader(
            ByteBuffer target, long salt, int epoch, long sequence, JournalRecord record) {
        int start = target.position();
        target.putInt(MAGIC)
                .putLong(salt)
                .put(VERSION)
                .put(record.type())
                .putShort((short) 0)
                .putInt(epoch)
                .putInt(record.length())
                .putLong(sequence)
                .putInt(record.payloadCrc());
        target.putInt(crc(target, start, CRC_OFFSET));
    }

    /// Reads the header at an index, or null when there is none that is whole and of this epoch.
    static @Nullable Header decodeHeader(ByteBuffer source, int at, long salt, int epoch) {
        if (source.order() != ByteOrder.BIG_ENDIAN) {
            throw new IllegalArgumentException("frames are big-endian");
        }
        if (source.getInt(at) != MAGIC
                || source.getLong(at + 4) != salt
                || source.getInt(at + CRC_OFFSET) != crc(source, at, CRC_OFFSET)
                || source.getInt(at + 16) != epoch) {
            return null;
        }
        return new Header(
                source.get(at + 12),
                source.get(at + 13),
                source.getInt(at + 20),
                source.getLong(at + 24),
                source.getInt(at + 32));
    }

    /// Whether a frame of this salt seems to begin here, whole or not.
    static boolean beginsAt(ByteBuffer source, int at, long salt) {
        return source.getInt(at) == MAGIC && source.getLong(at + 4) == salt;
    }

    static int crc(ByteBuffer source, int from, int length) {
        var crc = new CRC32C();
        crc.update(source.slice(from, length));
        return (int) crc.getValue();
    }
}
