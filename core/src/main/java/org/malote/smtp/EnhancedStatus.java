package org.malote.smtp;

import org.jspecify.annotations.Nullable;

/// An enhanced status code `class.subject.detail` (RFC 3463, carried in replies by RFC 2034).
///
/// @param kind 2, 4 or 5
/// @param subject 0 to 999
/// @param detail 0 to 999
public record EnhancedStatus(int kind, int subject, int detail) {

    public EnhancedStatus {
        if ((kind != 2 && kind != 4 && kind != 5)
                || subject < 0
                || subject > 999
                || detail < 0
                || detail > 999) {
            throw new IllegalArgumentException(
                    "no enhanced status: " + kind + "." + subject + "." + detail);
        }
    }

    /// Reads a code at the start of a reply's text, as `2.1.5`.
    ///
    /// @return the code, or null when the text does not start with one followed by a space or the
    /// end
    public static @Nullable EnhancedStatus parsePrefix(String text) {
        int end = text.indexOf(' ');
        String code = end < 0 ? text : text.substring(0, end);
        if (code.length() < 5 || code.length() > 9 || code.charAt(1) != '.') {
            return null;
        }
        int dot = code.indexOf('.', 2);
        int kind = code.charAt(0) - '0';
        int subject = dot < 0 ? -1 : number(code, 2, dot);
        int detail = dot < 0 ? -1 : number(code, dot + 1, code.length());
        return (kind == 2 || kind == 4 || kind == 5) && subject >= 0 && detail >= 0
                ? new EnhancedStatus(kind, subject, detail)
                : null;
    }

    @Override
    public String toString() {
        return kind + "." + subject + "." + detail;
    }

    private static int number(String text, int from, int to) {
        if (to - from < 1 || to - from > 3) {
            return -1;
        }
        int value = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            value = value * 10 + (c - '0');
        }
        return value;
    }
}
