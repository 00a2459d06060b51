package org.malote.benchmarks;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/// Looks at one message as it comes, for the number and the checksum of [NumberedMail].
final class MailCheck {
    /// Of a header line, what is looked at. Ours: the field is far shorter.
    private static final int LINE_OCTETS_MAX = 128;

    private final CRC32C sum = new CRC32C();
    private final byte[] line = new byte[LINE_OCTETS_MAX];
    private int lineOctets;
    private boolean isInBody;
    private long octets;
    private String field = "";

    /// Octets of the message, without stuffing.
    void inspect(ByteBuf text, int index, int length) {
        octets += length;
        int at = index;
        int end = index + length;
        while (at < end && !isInBody) {
            byte octet = text.getByte(at++);
            if (octet == '\n') {
                endLine();
            } else if (lineOctets < LINE_OCTETS_MAX) {
                line[lineOctets++] = octet;
            }
        }
        if (at < end) {
            sum.update(text.nioBuffer(at, end - at));
        }
    }

    private void endLine() {
        String text = new String(line, 0, lineOctets, StandardCharsets.ISO_8859_1).stripTrailing();
        lineOctets = 0;
        if (text.isEmpty()) {
            isInBody = true;
        } else if (text.startsWith(NumberedMail.FIELD)) {
            field = text.substring(NumberedMail.FIELD.length());
        }
    }

    /// The message is at its end.
    void end(Arrivals arrivals) {
        String[] parts = field.split(" ", -1);
        try {
            if (parts.length == 3) {
                arrivals.numbered(
                        Long.parseUnsignedLong(parts[0], 16),
                        Integer.parseInt(parts[1]),
                        Long.parseLong(parts[2], 16) == sum.getValue(),
                        octets);
                return;
            }
        } catch (NumberFormatException | IndexOutOfBoundsException _) {
            // somebody else's field
        }
        arrivals.other(octets);
    }
}
