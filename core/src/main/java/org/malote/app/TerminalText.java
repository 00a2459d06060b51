package org.malote.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.malote.smtp.Printable;

/// Shows the bytes of a message on a terminal, piece by piece: lines and tabs as they are, UTF-8 as
/// text, everything else as [Printable#escapeWhole] writes it. Nothing in a message can move the
/// cursor, or change what the terminal does.
final class TerminalText {
    private final Screen screen;

    /// Bytes of a character that is not whole yet: RFC 3629 §3, at most three of four.
    private final byte[] partial = new byte[4];

    private int partialLength;
    private int partialNeeds;
    private boolean isBehindCr;
    private boolean isInLine;

    TerminalText(Screen screen) {
        this.screen = screen;
    }

    void write(byte[] bytes) throws IOException {
        StringBuilder text = new StringBuilder(bytes.length + 64);
        for (byte each : bytes) {
            on(each, text);
        }
        screen.write(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /// Ends the last line.
    void end() throws IOException {
        StringBuilder text = new StringBuilder();
        flushPartial(text);
        flushCr(text);
        if (isInLine) {
            text.append('\n');
            isInLine = false;
        }
        screen.write(text.toString().getBytes(StandardCharsets.UTF_8));
        screen.flush();
    }

    private void on(byte octet, StringBuilder text) {
        if (partialLength > 0) {
            if ((octet & 0xc0) == 0x80) {
                partial[partialLength++] = octet;
                if (partialLength == partialNeeds) {
                    flushPartial(text);
                }
                return;
            }
            flushPartial(text);
        }
        if (octet == '\n') {
            isBehindCr = false; // CR LF is how a line of mail ends
            text.append('\n');
            isInLine = false;
            return;
        }
        flushCr(text);
        isInLine = true;
        if (octet == '\r') {
            isBehindCr = true;
        } else if (octet == '\t') {
            text.append('\t');
        } else if (octet >= 0) {
            text.append(Printable.escapeWhole(String.valueOf((char) octet)));
        } else {
            partialNeeds = lengthOfCharacter(octet);
            partial[partialLength++] = octet;
            if (partialNeeds == 1) {
                flushPartial(text);
            }
        }
    }

    /// RFC 3629 §3, by the first octet; 1 for one that begins no character.
    private static int lengthOfCharacter(byte first) {
        int octet = first & 0xff;
        if (octet >= 0xf0 && octet < 0xf8) {
            return 4;
        }
        return octet >= 0xe0 && octet < 0xf0 ? 3 : octet >= 0xc0 && octet < 0xe0 ? 2 : 1;
    }

    private void flushPartial(StringBuilder text) {
        if (partialLength == 0) {
            return;
        }
        String character = new String(partial, 0, partialLength, StandardCharsets.UTF_8);
        if (character.indexOf('\ufffd') >= 0) {
            // Not UTF-8, or the replacement character itself.
            for (int i = 0; i < partialLength; i++) {
                text.append(String.format("\\x%02x", partial[i] & 0xff));
            }
        } else {
            text.append(Printable.escapeWhole(character));
        }
        partialLength = 0;
    }

    private void flushCr(StringBuilder text) {
        if (isBehindCr) {
            isBehindCr = false;
            text.append("\\x0d");
        }
    }
}
