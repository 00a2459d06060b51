package org.malote.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.zip.CRC32C;

/// Messages that say which they are and whether they are whole: `X-Blast: RUN NUMBER CHECKSUM`, in
/// hexadecimal but for the number. The checksum is the CRC-32C of the body, all of which have the
/// same. No line begins with a dot.
final class NumberedMail {
    static final String FIELD = "X-Blast: ";

    private static final int LINE_OCTETS = 74;
    private static final String HEADER = "From: <load@peer.test>\r\nSubject: load\r\n";

    private final long run;
    private final byte[] body;
    private final String checksum;

    /// @param run tells this run's messages from those of others
    /// @param octets about how long a message is, header and body
    NumberedMail(long run, int octets) {
        this.run = run;
        this.body = body(octets - HEADER.length() - 50);
        this.checksum = Long.toHexString(checksum(body));
    }

    private static byte[] body(int octets) {
        var text = new StringBuilder(Math.max(octets, 0) + LINE_OCTETS);
        var random = new Random(1);
        do {
            int length = Math.clamp(octets - text.length() - 2, 1, LINE_OCTETS - 2);
            for (int i = 0; i < length; i++) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            text.append("\r\n");
        } while (text.length() < octets);
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    static long checksum(byte[] octets) {
        var sum = new CRC32C();
        sum.update(octets);
        return sum.getValue();
    }

    /// The header of a message, with the empty line.
    byte[] header(long number) {
        return (HEADER + FIELD + Long.toHexString(run) + ' ' + number + ' ' + checksum + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    byte[] body() {
        return body;
    }
}
