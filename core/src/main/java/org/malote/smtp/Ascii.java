package org.malote.smtp;

/// Character classes of the RFC 5321 grammar.
public final class Ascii {
    private Ascii() {}

    /// Whether every character is below 0x80.
    public static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    /// `atext` of RFC 5322 §3.2.3, and any non-ASCII character (RFC 6531 §3.3).
    public static boolean isAtext(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c > 0x9f // 0x80-0x9f are the C1 controls
                || "!#$%&'*+-/=?^_`{|}~".indexOf(c) >= 0;
    }

    /// Whether the character is a C0 or C1 control, DEL included.
    public static boolean isControl(char c) {
        return c < 0x20 || (c >= 0x7f && c <= 0x9f);
    }

    /// The value of a hexadecimal digit of either case, or -1.
    public static int hexDigit(char c) {
        if (c >= '0' && c <= '9') {
            return c - '0';
        }
        if (c >= 'A' && c <= 'F') {
            return c - 'A' + 10;
        }
        if (c >= 'a' && c <= 'f') {
            return c - 'a' + 10;
        }
        return -1;
    }
}
