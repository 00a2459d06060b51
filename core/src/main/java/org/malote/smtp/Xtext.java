package org.malote.smtp;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// xtext of RFC 3461 §4: printable ASCII in which `+`, `=` and everything else stand as `+` and two
/// upper-case hexadecimal digits.
public final class Xtext {
    private Xtext() {}

    /// Encodes text. Non-ASCII characters become the octets of their UTF-8 form.
    public static String encode(String text) {
        StringBuilder encoded = new StringBuilder(text.length() + 8);
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            int value = octet & 0xff;
            if (value >= 0x21 && value <= 0x7e && value != '+' && value != '=') {
                encoded.append((char) value);
            } else {
                encoded.append('+').append(hex(value >> 4)).append(hex(value));
            }
        }
        return encoded.toString();
    }

    /// Decodes xtext to printable text.
    ///
    /// @return the text, or null when it is not xtext or stands for a control (so that no header or
    /// line can be forged with it)
    public static @Nullable String decode(String xtext) {
        byte[] octets = new byte[xtext.length()];
        int length = 0;
        for (int i = 0; i < xtext.length(); i++) {
            char c = xtext.charAt(i);
            if (c == '+') {
                if (i + 2 >= xtext.length()) {
                    return null;
                }
                int high = upperHex(xtext.charAt(i + 1));
                int low = upperHex(xtext.charAt(i + 2));
                if (high < 0 || low < 0) {
                    return null;
                }
                octets[length++] = (byte) (high << 4 | low);
                i += 2;
            } else if (c >= 0x21 && c <= 0x7e && c != '=') {
                octets[length++] = (byte) c;
            } else {
                return null;
            }
        }
        String text = new String(octets, 0, length, StandardCharsets.UTF_8);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Ascii.isControl(c) || c == '\ufffd') {
                return null;
            }
        }
        return text;
    }

    private static int upperHex(char c) {
        return c >= 'a' ? -1 : Ascii.hexDigit(c);
    }

    private static char hex(int value) {
        return Character.toUpperCase(Character.forDigit(value & 0xf, 16));
    }
}
