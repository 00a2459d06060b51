package org.malote.smtp.wire;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Cuts command lines out of a connection's octets. Only CRLF ends a line that is a command (RFC
/// 5321 §2.3.8). What ends in a bare LF, or has a bare CR in it, is refused and never a command.
///
/// The input buffer belongs to the caller; the framer reads from its front and remembers how far it
/// has looked, so that a line that comes one octet at a time is looked at once.
public final class CommandFramer {
    /// A longer line ends the session. Ours: 128 of the RFC's command lines.
    public static final int ENDLESS_OCTETS = 64 * 1024;

    private static final Frame INCOMPLETE = new Frame.Incomplete();

    private final int lineOctetsMax;

    private @Nullable CharsetDecoder utf8;

    /// Octets at the front of the input that hold no LF.
    private int scanned;

    /// Octets of an over-long line that were dropped already; 0 when no line is being skipped.
    private int skipped;

    /// @param lineOctetsMax the longest line with its CRLF, at least 512 (RFC 5321 §4.5.3.1.4)
    public CommandFramer(int lineOctetsMax) {
        this.lineOctetsMax = lineOctetsMax;
    }

    /// Takes the next line from the front of `in`. Inspects and consumes `in`, keeps no reference.
    public Frame next(ByteBuf in) {
        int start = in.readerIndex();
        int lf = in.indexOf(start + scanned, in.writerIndex(), (byte) '\n');
        if (lf < 0) {
            return incomplete(in);
        }
        int length = lf + 1 - start;
        scanned = 0;
        if (skipped > 0 || length > lineOctetsMax) {
            in.skipBytes(length);
            skipped = 0;
            return new Frame.Refused(LineFault.TOO_LONG);
        }
        int firstCr = in.indexOf(start, lf, (byte) '\r');
        if (firstCr != lf - 1 || firstCr < 0) {
            in.skipBytes(length);
            return new Frame.Refused(LineFault.BARE_LINE_END);
        }
        String text = decode(in, length - 2);
        in.skipBytes(length);
        return text == null ? new Frame.Refused(LineFault.NOT_TEXT) : new Frame.Line(text);
    }

    /// Whether part of a line was taken and its end has not come.
    public boolean isInsideLine(ByteBuf in) {
        return skipped > 0 || in.isReadable();
    }

    private Frame incomplete(ByteBuf in) {
        scanned = in.readableBytes();
        if (skipped > 0 || scanned > lineOctetsMax) {
            skipped += scanned;
            in.skipBytes(scanned);
            scanned = 0;
            if (skipped > ENDLESS_OCTETS) {
                return new Frame.Refused(LineFault.ENDLESS);
            }
        }
        return INCOMPLETE;
    }

    /// Controls have no place in a command; a tab could pass for a space somewhere.
    private @Nullable String decode(ByteBuf in, int length) {
        int start = in.readerIndex();
        boolean ascii = true;
        for (int i = start; i < start + length; i++) {
            byte octet = in.getByte(i);
            if (octet < 0) {
                ascii = false;
            } else if (octet < 0x20 || octet == 0x7f) {
                return null;
            }
        }
        if (ascii) {
            return in.toString(start, length, StandardCharsets.US_ASCII);
        }
        return decodeUtf8(in.nioBuffer(start, length));
    }

    private @Nullable String decodeUtf8(ByteBuffer octets) {
        CharsetDecoder decoder = utf8;
        if (decoder == null) {
            decoder = StandardCharsets.UTF_8.newDecoder();
            decoder.onMalformedInput(CodingErrorAction.REPORT);
            utf8 = decoder;
        }
        decoder.reset();
        CharBuffer text = CharBuffer.allocate(octets.remaining());
        CoderResult result = decoder.decode(octets, text, true);
        if (result.isError()) {
            return null;
        }
        text.flip();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80 && text.charAt(i) <= 0x9f) {
                return null; // C1 controls
            }
        }
        return text.toString();
    }
}
