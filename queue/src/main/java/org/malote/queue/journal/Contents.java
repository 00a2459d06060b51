package org.malote.queue.journal;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a full segment holds, but for the bodies: a file beside it, from which a start knows what
/// there is without reading the segment.
///
/// It holds no promise. Nobody forces it, and one that is missing, torn or of another segment is
/// passed over: the segment is read instead. It is ended only when all of the segment was forced,
/// so it never tells of more than the segment has.
///
/// | bytes | field |
/// |---|---|
/// | 4 | magic |
/// | 4 | version of this format |
/// | 8 | salt of the segment |
/// | 4 | number of the epoch |
/// | 8 | sequence of the first record |
/// | | the records, each: offset (8), type (1), length of the payload (4), length of its head (4),
/// the head |
/// | 8 | offset of the segment's end |
/// | 1 | zero, where a type would be |
/// | 8 | how many records |
/// | 4 | CRC32C of all before |
final class Contents implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Contents.class);

    /// "MLTc".
    private static final int MAGIC = 0x4D4C5463;

    private static final int VERSION = 1;

    private static final int START_BYTES = 28;
    private static final int ENTRY_BYTES = 17;

    /// With the checksum.
    private static final int END_BYTES = 21;

    /// Where the salt lies in the file.
    private static final int SALT_OFFSET = 8;

    private static final int EPOCH_OFFSET = 16;
    private static final int FIRST_OFFSET = 20;

    /// Writes that of the segment that grows. The committer's own.
    static final class Writer {
        /// Written at once: some hundred records.
        private static final int PIECE_BYTES = 64 << 10;

        private final Disk disk;
        private final Path path;
        private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
        private final CRC32C crc = new CRC32C();
        private @Nullable DiskFile file;
        private long written;
        private long records;
        private boolean isGivenUp;

        /// @param segment its path
        /// @param first the sequence of its first record
        Writer(Disk disk, Path segment, long salt, int epoch, long first) {
            this.disk = disk;
            this.path = FileNames.contents(segment);
            piece.putInt(MAGIC).putInt(VERSION).putLong(salt).putInt(epoch).putLong(first);
        }

        /// Notes a record that was appended.
        void add(long offset, JournalRecord record) {
            if (isGivenUp) {
                return;
            }
            ByteBuffer head = record.head().duplicate();
            makeRoom(ENTRY_BYTES);
            piece.putLong(offset)
                    .put(record.type())
                    .putInt(record.length())
                    .putInt(head.remaining());
            while (head.hasRemaining()) {
                makeRoom(1);
                int count = Math.min(head.remaining(), piece.remaining());
                piece.put(piece.position(), head, head.position(), count);
                piece.position(piece.position() + count);
                head.position(head.position() + count);
            }
            records++;
        }

        /// Ends it, when all of the segment is on stable storage and nothing more will be.
        ///
        /// @param end the offset behind the last record
        void end(long end) {
            makeRoom(END_BYTES);
            piece.putLong(end).put((byte) 0).putLong(records);
            crc.update(piece.duplicate().flip());
            piece.putInt((int) crc.getValue());
            write();
            close();
        }

        private void makeRoom(int bytes) {
            if (piece.remaining() < bytes) {
                crc.update(piece.duplicate().flip());
                write();
            }
        }

        private void write() {
            if (isGivenUp) {
                piece.clear();
                return;
            }
            try {
                if (file == null) {
                    disk.delete(path);
                    file = disk.open(path, Disk.Access.CREATE);
                }
                int length = piece.position();
                file.write(piece.flip(), written);
                written += length;
            } catch (IOException e) {
                log.debug("{} is not written: {}", path, e.toString());
                giveUp();
            }
            piece.clear();
        }

        /// Leaves the segment without one.
        void giveUp() {
            isGivenUp = true;
            close();
            try {
                disk.delete(path);
            } catch (IOException e) {
                log.debug("{} stays, and is not whole: {}", path, e.toString());
            }
        }

        private void close() {
            try {
                if (file != null) {
                    file.close();
                }
            } catch (IOException e) {
                log.debug("closing {}: {}", path, e.toString());
            }
            file = null;
        }
    }

    /// Told of the records, in order.
    interface Sink {
        /// @param header but for the checksum
        /// @param head the first part of its payload
        void onRecord(long offset, Frames.Header header, ByteBuffer head);
    }

    private final Arena arena;
    private final ByteBuffer bytes;
    private final long first;
    private final long records;

    private Contents(Arena arena, ByteBuffer bytes) {
        this.arena = arena;
        this.bytes = bytes;
        this.first = bytes.getLong(FIRST_OFFSET);
        this.records = bytes.getLong(bytes.limit() - Integer.BYTES - Long.BYTES);
    }

    /// Opens that of a segment.
    ///
    /// @param io reads ahead
    /// @return null when there is none that is whole, and the segment must be read
    static @Nullable Contents open(Disk disk, JournalFile segment, Executor io) {
        Path path = FileNames.contents(segment.path());
        if (FileNames.fileNumber(segment.path()) == 0 || disk.kind(path) != Disk.Kind.FILE) {
            return null;
        }
        Arena arena = Arena.ofConfined();
        Contents whole = null;
        try (DiskFile file = new ReadAhead(disk, path, io)) {
            ByteBuffer bytes = arena.allocate(Math.max(1, file.size())).asByteBuffer();
            while (bytes.hasRemaining() && file.read(bytes, bytes.position()) > 0) {}
            if (isWhole(bytes, segment)) {
                var contents = new Contents(arena, bytes);
                if (contents.fits(disk, segment)) {
                    whole = contents;
                }
            }
        } catch (IOException | UnsupportedOperationException e) {
            // The latter: of more than 2 GiB.
            log.debug("{}: {}", path, e.toString());
        }
        // Rows C16 and F9 of queue/DESIGN.md.
        if (whole == null) {
            arena.close();
            log.info("{} is not whole, and its segment is read", path);
        }
        return whole;
    }

    private static boolean isWhole(ByteBuffer bytes, JournalFile segment) {
        int sumAt = bytes.limit() - Integer.BYTES;
        return !bytes.hasRemaining()
                && bytes.limit() >= START_BYTES + END_BYTES
                && bytes.getInt(0) == MAGIC
                && bytes.getInt(Integer.BYTES) == VERSION
                && bytes.getLong(SALT_OFFSET) == segment.salt()
                && bytes.getInt(EPOCH_OFFSET) == segment.epoch()
                && bytes.getInt(sumAt) == Frames.crc(bytes, 0, sumAt);
    }

    /// Whether the segment is still what this was written for, at both of its ends.
    private boolean fits(Disk disk, JournalFile segment) throws IOException {
        if (records == 0) {
            return true;
        }
        int endAt = bytes.limit() - END_BYTES;
        long last = lastOffset(endAt);
        return disk.size(segment.path()) >= bytes.getLong(endAt)
                && segment.info(bytes.getLong(START_BYTES)) != null
                && segment.info(last) != null;
    }

    private long lastOffset(int endAt) {
        int at = START_BYTES;
        while (true) {
            int next = at + ENTRY_BYTES + bytes.getInt(at + ENTRY_BYTES - Integer.BYTES);
            if (next >= endAt) {
                return bytes.getLong(at);
            }
            at = next;
        }
    }

    /// The sequence of the first record.
    long first() {
        return first;
    }

    long records() {
        return records;
    }

    void tell(Sink sink) {
        bytes.clear().position(START_BYTES);
        for (long i = 0; i < records; i++) {
            long offset = bytes.getLong();
            byte type = bytes.get();
            int length = bytes.getInt();
            int headLength = bytes.getInt();
            ByteBuffer head = bytes.slice(bytes.position(), headLength);
            bytes.position(bytes.position() + headLength);
            sink.onRecord(
                    offset, new Frames.Header(Frames.VERSION, type, length, first + i, 0), head);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
