package org.malote.smtp.wire;

import org.jspecify.annotations.Nullable;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.Ascii;
import org.malote.smtp.DomainName;
import org.malote.smtp.MailHost;
import org.malote.smtp.Mailbox;

/// Reads the addresses of RFC 5321 §4.1.2. Every method is total: bad text gives null.
public final class AddressParser {
    /// RFC 5321 §4.5.3.1.3, with its punctuation.
    static final int PATH_OCTETS_MAX = 256;

    private final String text;
    private int position;

    private AddressParser(String text, int position) {
        this.text = text;
        this.position = position;
    }

    /// A path in angle brackets at the front of a MAIL or RCPT argument.
    ///
    /// @param inner what stands between the brackets, a source route taken off
    /// @param mailbox the address, or null when `inner` is not one (`<>` and `<Postmaster>` are
    ///     for the caller to know)
    /// @param end the index behind the closing bracket
    record Path(String inner, @Nullable Mailbox mailbox, int end) {}

    /// Reads `local@domain` or `local@[literal]`, and nothing before or behind it.
    ///
    /// @return the mailbox, or null
    public static @Nullable Mailbox parseMailbox(String text) {
        AddressParser parser = new AddressParser(text, 0);
        Mailbox mailbox = parser.mailbox();
        return mailbox != null && parser.position == text.length() ? mailbox : null;
    }

    /// Reads a domain name or an address literal.
    ///
    /// @return the host, or null
    public static @Nullable MailHost parseHost(String text) {
        return text.startsWith("[") ? AddressLiteral.parse(text) : DomainName.parse(text);
    }

    /// Reads `<...>` at `from`. A quoted local part may hold `>` and `<`.
    ///
    /// @return the path, or null when there are no two brackets or too much between them
    static @Nullable Path parsePath(String text, int from) {
        if (from >= text.length() || text.charAt(from) != '<') {
            return null;
        }
        int end = closingBracket(text, from + 1);
        if (end < 0 || end + 1 - from > PATH_OCTETS_MAX) {
            return null;
        }
        String inner = withoutSourceRoute(text.substring(from + 1, end));
        return inner == null ? null : new Path(inner, parseMailbox(inner), end + 1);
    }

    private static int closingBracket(String text, int from) {
        boolean quoted = false;
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quoted) {
                if (c == '\\') {
                    i++;
                } else if (c == '"') {
                    quoted = false;
                }
            } else if (c == '"') {
                quoted = true;
            } else if (c == '>') {
                return i;
            } else if (c == '<') {
                return -1;
            }
        }
        return -1;
    }

    /// RFC 5321 §4.1.1.3, appendix C: `@a,@b:` is read and ignored. Returns null when it is broken.
    private static @Nullable String withoutSourceRoute(String inner) {
        if (!inner.startsWith("@")) {
            return inner;
        }
        int colon = inner.indexOf(':');
        if (colon < 0) {
            return null;
        }
        for (String hop : inner.substring(0, colon).split(",", -1)) {
            if (!hop.startsWith("@") || DomainName.parse(hop.substring(1)) == null) {
                return null;
            }
        }
        return inner.substring(colon + 1);
    }

    private @Nullable Mailbox mailbox() {
        String local = peek() == '"' ? quotedString() : dotString();
        if (local == null || peek() != '@') {
            return null;
        }
        position++;
        MailHost host = parseHost(text.substring(position));
        if (host == null || Mailbox.isTooLong(local)) {
            return null;
        }
        position = text.length();
        return new Mailbox(local, host);
    }

    private @Nullable String dotString() {
        int start = position;
        while (position < text.length()) {
            char c = text.charAt(position);
            if (c == '.'
                    ? position == start || text.charAt(position - 1) == '.'
                    : !Ascii.isAtext(c)) {
                break;
            }
            position++;
        }
        if (position == start || text.charAt(position - 1) == '.') {
            return null;
        }
        return text.substring(start, position);
    }

    private @Nullable String quotedString() {
        StringBuilder local = new StringBuilder();
        position++;
        while (position < text.length()) {
            char c = text.charAt(position++);
            if (c == '"') {
                return local.toString();
            }
            if (c == '\\') {
                if (position == text.length()) {
                    return null;
                }
                c = text.charAt(position++);
            }
            if (Ascii.isControl(c)) {
                return null;
            }
            local.append(c);
        }
        return null;
    }

    private char peek() {
        return position < text.length() ? text.charAt(position) : 0;
    }
}
