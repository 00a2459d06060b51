package org.malote.peers;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SplittableRandom;

/// A message that says who it is and whether it is whole: an id, and the digest of its body.
final class IdMail {
    private static final String ID = "X-Id: ";
    private static final String DIGEST = "X-Digest: ";
    private static final int LINE_OCTETS = 72;

    private IdMail() {}

    /// Header and body with CRLF line ends; no line begins with a dot.
    ///
    /// @param id seeds the body too
    /// @param bodyOctets about how long the body is
    static String compose(long id, int bodyOctets) {
        SplittableRandom random = new SplittableRandom(id);
        StringBuilder body = new StringBuilder(bodyOctets + LINE_OCTETS);
        while (body.length() < bodyOctets) {
            for (int i = 0; i < LINE_OCTETS; i++) {
                body.append((char) ('a' + random.nextInt(26)));
            }
            body.append("\r\n");
        }
        return "From: <load@peer.test>\r\nSubject: numbered\r\n"
                + (ID + id + "\r\n")
                + (DIGEST + digest(body.toString()) + "\r\n\r\n")
                + body;
    }

    /// The id of a whole message, as it arrived with CRLF line ends.
    static long check(String message) {
        int blank = message.indexOf("\r\n\r\n");
        if (blank < 0) {
            throw new AssertionError("no body: " + message);
        }
        String header = message.substring(0, blank + 2);
        String digest = digest(message.substring(blank + 4));
        if (!digest.equals(field(header, DIGEST))) {
            throw new AssertionError("the body of message " + field(header, ID) + " changed");
        }
        return Long.parseLong(field(header, ID));
    }

    private static String field(String header, String name) {
        int start = header.indexOf("\r\n" + name);
        if (start < 0) {
            throw new AssertionError("no " + name + "in " + header);
        }
        int value = start + 2 + name.length();
        return header.substring(value, header.indexOf("\r\n", value));
    }

    private static String digest(String body) {
        try {
            byte[] octets = body.getBytes(StandardCharsets.ISO_8859_1);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(octets));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
