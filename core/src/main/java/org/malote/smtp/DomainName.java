package org.malote.smtp;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A domain name in lower case, without a trailing dot. Labels are letters, digits and inner
/// hyphens (RFC 5321 §4.1.2), or U-labels where SMTPUTF8
/// is in force (RFC 6531 §3.3).
///
/// @param text the name, at most 255 octets (RFC 5321 §4.5.3.1.2) in labels of at most 63
public record DomainName(String text) implements MailHost {
    /// RFC 5321 §4.5.3.1.2.
    public static final int OCTETS_MAX = 255;

    private static final int LABEL_OCTETS_MAX = 63; // RFC 1035 §2.3.4

    public DomainName {
        if (!isValid(text)) {
            throw new IllegalArgumentException(
                    "not a domain name in lower case: " + Printable.escape(text));
        }
    }

    /// Reads a name in any case.
    ///
    /// @return the name, or null when the text is not a domain name
    public static @Nullable DomainName parse(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        return isValid(lower) ? new DomainName(lower) : null;
    }

    /// Whether the name has only ASCII labels, so that it can go to a host without SMTPUTF8.
    public boolean isAscii() {
        return Ascii.isAscii(text);
    }

    @Override
    public String toString() {
        return text;
    }

    private static boolean isValid(String text) {
        if (text.isEmpty() || octets(text) > OCTETS_MAX) {
            return false;
        }
        int labelStart = 0;
        for (int i = 0; i <= text.length(); i++) {
            if (i == text.length() || text.charAt(i) == '.') {
                if (!isLabel(text, labelStart, i)) {
                    return false;
                }
                labelStart = i + 1;
            }
        }
        return true;
    }

    private static boolean isLabel(String text, int from, int to) {
        if (from == to || text.charAt(from) == '-' || text.charAt(to - 1) == '-') {
            return false;
        }
        boolean ascii = true;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c >= 0x80) {
                // RFC 5890 §2.3.2.1: a U-label; letters, digits and marks of any script. Controls
                // and spaces never.
                if (!Character.isSurrogate(c) && !Character.isLetterOrDigit(c) && !isMark(c)) {
                    return false;
                }
                ascii = false;
            } else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
                // Deviation from the letters, digits and hyphens of RFC 5321 §4.1.2: an underscore
                // is taken, since real hosts have it and it can do no harm.
                return false;
            }
        }
        return (ascii ? to - from : octets(text.substring(from, to))) <= LABEL_OCTETS_MAX;
    }

    private static boolean isMark(char c) {
        int type = Character.getType(c);
        return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
    }

    private static int octets(String text) {
        return Ascii.isAscii(text) ? text.length() : text.getBytes(StandardCharsets.UTF_8).length;
    }
}
