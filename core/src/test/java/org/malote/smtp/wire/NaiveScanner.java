package org.malote.smtp.wire;

import java.nio.charset.StandardCharsets;

/// The slow obvious twin of [EndOfDataScanner]: the whole input as text, with no state and no
/// search.
final class NaiveScanner {
    private static final String END = "\r\n.\r\n";

    /// What a scanner is to find in an input.
    ///
    /// @param text the message without stuffing, up to its end
    /// @param end the index behind the final dot's line, or -1
    /// @param hasBareLineEnd whether a CR or LF before the end is not part of a CRLF
    record Found(String text, int end, boolean hasBareLineEnd) {}

    private NaiveScanner() {}

    static Found scan(byte[] input) {
        // The DATA command line's CRLF stands before the message (RFC 5321 §4.1.1.4).
        String all = "\r\n" + new String(input, StandardCharsets.ISO_8859_1);
        int end = all.indexOf(END);
        String lines = end < 0 ? all : all.substring(0, end + 2);
        String withoutPairs = lines.replace("\r\n", "");
        boolean bare = withoutPairs.indexOf('\r') >= 0 || withoutPairs.indexOf('\n') >= 0;
        String text = lines.replace("\r\n.", "\r\n").substring(2);
        return new Found(text, end < 0 ? -1 : end + END.length() - 2, bare);
    }
}
