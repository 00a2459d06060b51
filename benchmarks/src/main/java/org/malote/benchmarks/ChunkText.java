package org.malote.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// What the lines of a message are like. A chunk is a piece of it as TLS brings them.
public enum ChunkText {
    /// Of text, as long as is usual.
    LINES(78, 'x', false),
    /// As long as they may be, of octets above 127.
    LONG_8BIT(998, 0xc3, false),
    /// Of usual length, each with a dot in front of its own dot.
    DOTS(78, 'x', true);

    /// Octets of a chunk: one record (RFC 8446 §5.1).
    static final int OCTETS = 16 << 10;

    private static final byte[] CRLF = "\r\n".getBytes(StandardCharsets.US_ASCII);

    private final int lineOctets;
    private final byte octet;
    private final boolean isDotted;

    /// @param lineOctets without CRLF (RFC 5322 §2.1.1)
    ChunkText(int lineOctets, int octet, boolean isDotted) {
        this.lineOctets = lineOctets;
        this.octet = (byte) octet;
        this.isDotted = isDotted;
    }

    /// A chunk of whole lines, of which the last may be of another length.
    byte[] chunk() {
        byte[] chunk = new byte[OCTETS];
        Arrays.fill(chunk, octet);
        for (int start = 0; start < OCTETS; start += lineOctets + CRLF.length) {
            int end = Math.min(start + lineOctets, OCTETS - CRLF.length);
            if (isDotted) {
                Arrays.fill(chunk, start, Math.min(start + 2, end), (byte) '.');
            }
            System.arraycopy(CRLF, 0, chunk, end, CRLF.length);
        }
        return chunk;
    }
}
