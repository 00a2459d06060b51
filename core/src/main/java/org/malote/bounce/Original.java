package org.malote.bounce;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.malote.queue.MessageBody;

/// What must be known of a message before it, or its header section, is put into another one.
///
/// @param headerOctets its header section up to the limit, whole lines, without the empty line
/// @param isHeaderEightBit whether the header section has octets above 127
/// @param isHeaderSound whether the header section is lines of at most 998 octets without NUL,
///     each ended by CR LF
/// @param isEightBit the same of the whole message
/// @param isSound the same of the whole message
/// @param holdsBoundary whether a line begins as the delimiter of the notification's parts
record Original(
        int headerOctets,
        boolean isHeaderEightBit,
        boolean isHeaderSound,
        boolean isEightBit,
        boolean isSound,
        boolean holdsBoundary) {
    /// RFC 5322 §2.1.1, without CR LF.
    private static final int LINE_OCTETS_MAX = 998;

    private static final int PIECE_OCTETS = 16 * 1024;

    /// Reads a message.
    ///
    /// @param octetsMax where to stop; what lies behind is not known to be sound
    /// @param headerOctetsMax where the header section is cut, before the line that goes beyond
    static Original inspect(MessageBody body, String boundary, int octetsMax, int headerOctetsMax)
            throws IOException {
        Inspection inspection = new Inspection(boundary, headerOctetsMax);
        ByteBuffer piece = ByteBuffer.allocate(PIECE_OCTETS);
        long read = 0;
        boolean isWhole = body.size() <= octetsMax;
        while (isWhole || (!inspection.headerEnded && read <= headerOctetsMax)) {
            if (body.read(piece.clear()) < 0) {
                break;
            }
            piece.flip();
            read += piece.remaining();
            while (piece.hasRemaining()) {
                inspection.on(piece.get());
            }
        }
        return inspection.result(isWhole && read == body.size());
    }

    private static final class Inspection {
        private final byte[] delimiter;
        private final int headerOctetsMax;

        /// How many octets of the delimiter the line has so far; the line's start counts as one.
        private int matched = 1;

        private boolean holdsBoundary;
        private boolean isEightBit;
        private boolean isSound = true;
        private boolean headerEnded;
        private boolean isHeaderEightBit;
        private boolean isHeaderSound = true;
        private int headerOctets;
        private long position;
        private long lineStart;
        private byte last;

        Inspection(String boundary, int headerOctetsMax) {
            this.delimiter = ("\n--" + boundary).getBytes(StandardCharsets.US_ASCII);
            this.headerOctetsMax = headerOctetsMax;
        }

        void on(byte octet) {
            position++;
            if (octet == delimiter[matched]) {
                if (++matched == delimiter.length) {
                    holdsBoundary = true;
                    matched = 0;
                }
            } else {
                matched = octet == '\n' ? 1 : 0;
            }
            isEightBit |= octet < 0;
            boolean isEnd = octet == '\n' && last == '\r';
            if (octet == 0
                    || (octet == '\n') != (last == '\r')
                    || (!isEnd && octet != '\r' && position - lineStart > LINE_OCTETS_MAX)) {
                isSound = false;
            }
            last = octet;
            if (isEnd) {
                onLineEnd();
            }
        }

        private void onLineEnd() {
            if (!headerEnded) {
                if (position - lineStart == 2 || position > headerOctetsMax) {
                    headerEnded = true;
                } else {
                    keepHeader();
                }
            }
            lineStart = position;
        }

        private void keepHeader() {
            headerOctets = (int) position;
            isHeaderEightBit = isEightBit;
            isHeaderSound = isSound;
        }

        Original result(boolean isWhole) {
            return new Original(
                    headerOctets,
                    isHeaderEightBit,
                    isHeaderSound,
                    isEightBit,
                    isWhole && isSound && last != '\r',
                    holdsBoundary);
        }
    }
}
