package org.malote.smtp.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/// Makes a message's octets fit for the wire, piece by piece: for DATA it doubles the dot at a
/// line's start (RFC 5321 §4.5.2) and ends with the final dot; for both DATA and BDAT it lets no
/// bare CR and no bare LF pass (§2.3.8), since the next host might take one for the end of a line
/// and read what follows as commands. Holds the state of one message.
///
/// For DATA a CR at the end of a piece is held back until the LF behind it has come. For BDAT it is
/// not, since a chunk has exactly the octets that were announced; if the LF does not come, the
/// chunk
/// that lacks it is never sent.
public final class DotStuffer {
    private static final byte CR = '\r';
    private static final byte LF = '\n';
    private static final byte DOT = '.';

    private final boolean stuffs;
    private boolean isLineStart = true;
    private boolean endedInCr;

    private DotStuffer(boolean stuffs) {
        this.stuffs = stuffs;
    }

    /// For DATA.
    public static DotStuffer forData() {
        return new DotStuffer(true);
    }

    /// For BDAT of a message that is not BINARYMIME: nothing is added, bare line ends are found.
    public static DotStuffer forChunks() {
        return new DotStuffer(false);
    }

    /// Consumes a piece of the message.
    ///
    /// @return what goes on the wire, `piece` itself where nothing changes; null when the message
    ///     has a bare CR or LF: then the piece is released and the message must not be completed
    public @Nullable ByteBuf consume(ByteBuf piece, ByteBufAllocator allocator) {
        if (!piece.isReadable()) {
            return piece;
        }
        int start = piece.readerIndex();
        int end = piece.writerIndex();
        ByteBuf out = null;
        int copied = start;
        int at = start;
        if (endedInCr) {
            if (piece.getByte(at) != LF) {
                piece.release();
                return null;
            }
            endedInCr = false;
            isLineStart = true;
            at++;
            if (stuffs) {
                out = allocate(allocator, end - start);
                out.writeByte(CR).writeByte(LF);
                copied = at;
            }
        }
        while (at < end) {
            if (isLineStart && stuffs && piece.getByte(at) == DOT) {
                if (out == null) {
                    out = allocate(allocator, end - start);
                }
                out.writeBytes(piece, copied, at - copied).writeByte(DOT);
                copied = at;
            }
            int lf = piece.indexOf(at, end, LF);
            int lineEnd = lf < 0 ? end : lf;
            int cr = piece.indexOf(at, lineEnd, CR);
            // A line has exactly one CR, right before its LF or at the end of what has come.
            if (cr >= 0 ? cr != lineEnd - 1 : lf >= 0) {
                piece.release();
                if (out != null) {
                    out.release();
                }
                return null;
            }
            if (lf < 0) {
                isLineStart = false;
                endedInCr = cr >= 0;
                end = endedInCr && stuffs ? end - 1 : end;
                break;
            }
            isLineStart = true;
            at = lf + 1;
        }
        if (out == null) {
            return piece.writerIndex(end);
        }
        out.writeBytes(piece, copied, end - copied);
        piece.release();
        return out;
    }

    /// What ends the message: for DATA the final dot, behind a CRLF when the last line has none
    /// (RFC 5321 §4.1.1.4); for BDAT nothing.
    ///
    /// @return null when the message ends in a bare CR
    public @Nullable ByteBuf finish() {
        if (endedInCr) {
            return null;
        }
        if (!stuffs) {
            return Unpooled.EMPTY_BUFFER;
        }
        byte[] octets = isLineStart ? new byte[] {DOT, CR, LF} : new byte[] {CR, LF, DOT, CR, LF};
        return Unpooled.wrappedBuffer(octets);
    }

    /// Room for the piece and some dots; it grows when the message is full of them.
    private static ByteBuf allocate(ByteBufAllocator allocator, int octets) {
        return allocator.buffer(octets + octets / 16 + 16);
    }
}
