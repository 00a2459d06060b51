package org.malote.smtp.wire;

import io.netty.buffer.ByteBuf;

/// Finds the end of data and takes out the stuffed dots (RFC 5321 §4.5.2, §4.1.1.4). Only
/// CRLF.CRLF ends a message; a bare CR or LF never starts a line here and is remembered, because a
/// message that holds one can look like two to somebody else (SMTP smuggling).
///
/// One scanner reads one message. It allocates nothing.
public final class EndOfDataScanner {
    /// After CRLF, or at the very start: the DATA command line ended with one (§4.1.1.4).
    private static final int LINE_START = 0;

    private static final int DOT = 1;
    private static final int DOT_CR = 2;
    private static final int TEXT = 3;
    private static final int CR = 4;

    private int state = LINE_START;
    private boolean bareLineEnd;

    /// Takes the message's octets, in order, without stuffing and without the final dot.
    @FunctionalInterface
    public interface Sink {
        /// Borrows `length` octets from `index`; `text` is not kept.
        void inspect(ByteBuf text, int index, int length);
    }

    /// Consumes octets from the front of `in` up to the end of data or of the input.
    ///
    /// @return true when the end of data was consumed; what is left in `in` is the next command
    public boolean scan(ByteBuf in, Sink sink) {
        int end = in.writerIndex();
        int from = in.readerIndex(); // the first octet not yet given to the sink
        int i = from;
        while (i < end) {
            switch (state) {
                case LINE_START -> {
                    if (in.getByte(i) == '.') {
                        give(in, from, i, sink);
                        i++;
                        from = i;
                        state = DOT;
                    } else {
                        state = TEXT;
                    }
                }
                case DOT -> {
                    byte octet = in.getByte(i);
                    if (octet == '\r') {
                        // Held back: with LF it is the end, alone it is part of the text.
                        i++;
                        state = DOT_CR;
                    } else {
                        state = TEXT; // the dot was stuffing and is gone
                    }
                }
                case DOT_CR -> {
                    if (in.getByte(i) == '\n') {
                        in.readerIndex(i + 1);
                        return true;
                    }
                    bareLineEnd = true;
                    state = TEXT;
                }
                case TEXT -> {
                    int cr = in.indexOf(i, end, (byte) '\r');
                    int stop = cr < 0 ? end : cr;
                    if (!bareLineEnd && in.indexOf(i, stop, (byte) '\n') >= 0) {
                        bareLineEnd = true;
                    }
                    i = stop;
                    if (cr >= 0) {
                        i++;
                        state = CR;
                    }
                }
                case CR -> {
                    byte octet = in.getByte(i);
                    if (octet == '\n') {
                        i++;
                        state = LINE_START;
                    } else {
                        bareLineEnd = true;
                        state = TEXT;
                    }
                }
                default -> throw new IllegalStateException("no such scanner state: " + state);
            }
        }
        // A CR after a dot at the line start is not given until the next octet says what it is.
        // When it turns out to be bare the message is refused, so its loss does not matter.
        give(in, from, state == DOT_CR ? Math.max(from, end - 1) : end, sink);
        in.readerIndex(end);
        return false;
    }

    /// Whether a bare CR or LF was seen: the message is to be refused.
    public boolean hasBareLineEnd() {
        return bareLineEnd;
    }

    private static void give(ByteBuf in, int from, int to, Sink sink) {
        if (to > from) {
            sink.inspect(in, from, to - from);
        }
    }
}
