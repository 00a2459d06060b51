package org.malote.queue.journal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Finds the whole frames of one epoch in its files, in order, whatever lies between them. It
/// trusts nothing but checksums: a file may be empty, torn, overwritten or unreadable in part.
///
/// The sequence numbers tell damage apart: a gap between two whole frames means that records which
/// were once written are gone. Behind the last whole frame of the epoch, a broken one is the torn
/// tail.
final class FrameScanner {
    /// Told what is where.
    interface Sink {
        /// @param payload borrowed for this call
        void onFrame(long offset, Frames.Header header, ByteBuffer payload);

        /// Records are lost.
        ///
        /// @param file where the piece is
        /// @param from the first byte that may belong to them
        /// @param to the first byte that does not; equal to `from` when nothing is left of them
        /// @param lost how many records
        void onGap(int file, long from, long to, long lost);

        /// The last thing in the epoch is a broken frame.
        void onTornTail(int file, long from, long to);
    }

    private record Broken(int file, long from, long to) {}

    private final int epoch;
    private final Sink sink;

    /// Negative until the first frame when the first files of the epoch may have been deleted with
    /// all that they held.
    private long nextSequence;

    /// A broken frame with no whole one behind it yet.
    private @Nullable Broken broken;

    /// @param fromFirst whether the first file to be scanned is the first that the epoch had
    FrameScanner(int epoch, boolean fromFirst, Sink sink) {
        this.epoch = epoch;
        this.nextSequence = fromFirst ? Frames.FIRST_SEQUENCE : -1;
        this.sink = sink;
    }

    /// Scans the next file of the epoch.
    ///
    /// @param file its number, for the sink
    /// @param salt of its frames
    /// @return whether the disk could read all of it
    boolean scan(int file, DiskFile source, long salt) throws IOException {
        var window = new Window(source);
        long size = source.size();
        long at = 0;
        long wholeTo = 0;
        while (true) {
            at = window.find(at, size);
            if (at < 0) {
                break;
            }
            int index = window.load(at, Frames.HEADER_BYTES);
            var header = Frames.decodeHeader(window.bytes(), index, salt, epoch);
            boolean fits =
                    header != null
                            && header.length() >= 0
                            && header.length() <= Frames.PAYLOAD_MAX_BYTES
                            && at + Frames.HEADER_BYTES + header.length() <= size;
            if (header == null || !fits) {
                // Of another epoch or by chance: not ours. With our salt: ours, and broken.
                if (Frames.beginsAt(window.bytes(), index, salt)) {
                    noteBroken(file, at, size);
                }
                at++;
                continue;
            }
            index = window.load(at, Frames.HEADER_BYTES + header.length());
            ByteBuffer bytes = window.bytes();
            int payloadAt = index + Frames.HEADER_BYTES;
            if (Frames.crc(bytes, payloadAt, header.length()) != header.payloadCrc()) {
                noteBroken(file, at, at + Frames.HEADER_BYTES + header.length());
                at++;
                continue;
            }
            arriveAt(file, header.sequence(), wholeTo, at);
            nextSequence = header.sequence() + 1;
            sink.onFrame(at, header, bytes.slice(payloadAt, header.length()));
            at += Frames.HEADER_BYTES + header.length();
            wholeTo = at;
        }
        return !window.isUnreadable();
    }

    /// Goes on behind the records of the next file of the epoch, which are known without a scan.
    ///
    /// @param first the sequence of the first
    void pass(int file, long first, long records) {
        if (records > 0) {
            arriveAt(file, first, 0, 0);
            nextSequence = first + records;
        }
    }

    /// Tells of what is missing before a whole frame.
    private void arriveAt(int file, long sequence, long wholeTo, long at) {
        if (nextSequence >= 0 && sequence != nextSequence) {
            Broken piece = broken == null ? new Broken(file, wholeTo, at) : broken;
            long lost = Math.max(1, sequence - nextSequence);
            sink.onGap(piece.file, piece.from, piece.file == file ? at : piece.to, lost);
        } else if (broken != null && nextSequence < 0) {
            sink.onGap(broken.file, broken.from, broken.file == file ? at : broken.to, 1);
        }
        broken = null;
    }

    /// Ends the epoch.
    void finish() {
        if (broken != null) {
            sink.onTornTail(broken.file, broken.from, broken.to);
            broken = null;
        }
    }

    private void noteBroken(int file, long from, long to) {
        if (broken == null) {
            broken = new Broken(file, from, to);
        }
    }

    /// A part of the file in memory. What the disk cannot read is zeros: the checksums then say
    /// what is missing.
    private static final class Window {
        /// The unit in which an unreadable place is skipped.
        private static final int PAGE_BYTES = 4096;

        /// Room for the largest frame and for reading in large pieces.
        private static final int CAPACITY_BYTES = 2 * (Frames.PAYLOAD_MAX_BYTES + PAGE_BYTES);

        /// Zeros are looked past in such pieces.
        private static final int ZEROS_BYTES = 64 << 10;

        private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[ZEROS_BYTES]);

        /// The first piece is small: most epochs are.
        private static final int FIRST_BYTES = 1 << 20;

        private final DiskFile source;
        private ByteBuffer bytes = ByteBuffer.allocateDirect(FIRST_BYTES).limit(0);
        private MemorySegment all = MemorySegment.ofBuffer(bytes.duplicate().clear());
        private long base;
        private boolean unreadable;

        Window(DiskFile source) {
            this.source = source;
        }

        ByteBuffer bytes() {
            return bytes;
        }

        /// Whether zeros stand for something that the disk could not read.
        boolean isUnreadable() {
            return unreadable;
        }

        /// Sees to it that these bytes of the file are in memory.
        ///
        /// @return the index of the first
        int load(long at, int length) {
            if (at < base || at + length > base + bytes.limit()) {
                if (length > bytes.capacity()) {
                    bytes = ByteBuffer.allocateDirect(CAPACITY_BYTES);
                    all = MemorySegment.ofBuffer(bytes.duplicate());
                }
                base = at;
                bytes.clear();
                while (bytes.hasRemaining() && readOn()) {}
                // Behind the end of the file: as if it were zeros.
                if (bytes.position() < length) {
                    while (bytes.position() < length) {
                        bytes.put((byte) 0);
                    }
                }
                bytes.flip();
            }
            return (int) (at - base);
        }

        private boolean readOn() {
            long at = base + bytes.position();
            try {
                return source.read(bytes, at) > 0;
            } catch (IOException e) {
                int limit = bytes.limit();
                int page = (int) (PAGE_BYTES - at % PAGE_BYTES);
                int end = Math.min(limit, bytes.position() + page);
                bytes.limit(end);
                try {
                    // One page alone: the damage may lie behind it.
                    return source.read(bytes, at) > 0;
                } catch (IOException again) {
                    unreadable = true;
                    while (bytes.hasRemaining()) {
                        bytes.put((byte) 0);
                    }
                    return true;
                } finally {
                    bytes.limit(limit);
                }
            }
        }

        /// The next place at or behind `at` where a frame seems to begin, or -1.
        long find(long at, long size) {
            long last = size - Frames.HEADER_BYTES;
            while (at <= last) {
                int index = load(at, Frames.HEADER_BYTES);
                int end = (int) Math.min(bytes.limit() - Frames.HEADER_BYTES, last - base);
                while (index <= end) {
                    if (bytes.getInt(index) == Frames.MAGIC) {
                        return base + index;
                    }
                    // Most of what is not a frame is zeros; the magic number has none.
                    index = bytes.getLong(index) == 0 ? behindZeros(index, end) : index + 1;
                }
                at = base + index;
            }
            return -1;
        }

        /// The first place behind these zeros where a frame may begin.
        private int behindZeros(int from, int end) {
            int index = from + Long.BYTES;
            while (index <= end) {
                int length = Math.min(ZEROS_BYTES, bytes.limit() - index);
                int zeros =
                        (int)
                                MemorySegment.mismatch(
                                        all, index, index + length, NOTHING, 0, length);
                if (zeros >= 0) {
                    return index + zeros;
                }
                index += length;
            }
            return index;
        }
    }
}
