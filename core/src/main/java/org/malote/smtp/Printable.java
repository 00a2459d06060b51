package org.malote.smtp;

/// Makes bytes from strangers fit for a log line, a reply or a header.
public final class Printable {
    /// Longer text is cut: a log line or a reply is for people. Ours: a reply line has 512 octets
    /// (RFC 5321 §4.5.3.1.5).
    public static final int CHARACTERS_MAX = 256;

    private Printable() {}

    /// Controls, backslashes, line separators and direction overrides become `\xNN` or `\\uNNNN`;
    /// the rest stays. Cut at [#CHARACTERS_MAX].
    public static String escape(String text) {
        return escape(text, CHARACTERS_MAX);
    }

    /// As [#escape], but nothing is cut.
    public static String escapeWhole(String text) {
        return escape(text, text.length());
    }

    private static String escape(String text, int charactersMax) {
        int plain = 0;
        int limit = Math.min(text.length(), charactersMax);
        while (plain < limit && isPlain(text.charAt(plain))) {
            plain++;
        }
        if (plain == text.length()) {
            return text;
        }
        StringBuilder escaped = new StringBuilder(limit + 16).append(text, 0, plain);
        for (int i = plain; i < limit; i++) {
            char c = text.charAt(i);
            if (isPlain(c)) {
                escaped.append(c);
            } else if (c < 0x100) {
                escaped.append("\\x").append(hex(c >> 4)).append(hex(c));
            } else {
                appendUnicode(escaped, c);
            }
        }
        if (limit < text.length()) {
            escaped.append("...");
        }
        return escaped.toString();
    }

    /// As [#escape], and every character beyond ASCII becomes `\\uNNNN` too.
    public static String toAscii(String text) {
        String escaped = escape(text);
        if (Ascii.isAscii(escaped)) {
            return escaped;
        }
        StringBuilder ascii = new StringBuilder(escaped.length() + 32);
        for (int i = 0; i < escaped.length(); i++) {
            char c = escaped.charAt(i);
            if (c < 0x80) {
                ascii.append(c);
            } else {
                appendUnicode(ascii, c);
            }
        }
        return ascii.toString();
    }

    private static void appendUnicode(StringBuilder out, char c) {
        out.append("\\u")
                .append(hex(c >> 12))
                .append(hex(c >> 8))
                .append(hex(c >> 4))
                .append(hex(c));
    }

    private static boolean isPlain(char c) {
        if (c < 0x80) {
            return c >= 0x20 && c != 0x7f && c != '\\';
        }
        return Character.isLetterOrDigit(c)
                || (Character.isDefined(c)
                        && switch (Character.getType(c)) {
                            case Character.CONTROL,
                                    Character.FORMAT,
                                    Character.LINE_SEPARATOR,
                                    Character.PARAGRAPH_SEPARATOR,
                                    Character.SURROGATE,
                                    Character.PRIVATE_USE ->
                                    false;
                            default -> true;
                        });
    }

    private static char hex(int value) {
        return Character.forDigit(value & 0xf, 16);
    }
}
