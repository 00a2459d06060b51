package org.malote.smtp;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// A mailbox (RFC 5321 §4.1.2). The local part is kept decoded, without the quotes of a quoted
/// string, and in the case it came in (§2.4).
///
/// @param localPart 1 to 64 octets (RFC 5321 §4.5.3.1.1) without controls
/// @param host the domain or address literal
public record Mailbox(String localPart, MailHost host) {
    /// RFC 5321 §4.5.3.1.1.
    public static final int LOCAL_OCTETS_MAX = 64;

    public Mailbox {
        if (isTooLong(localPart)) {
            throw new IllegalArgumentException(
                    "a local part has at most 64 octets: " + Printable.escape(localPart));
        }
        for (int i = 0; i < localPart.length(); i++) {
            if (Ascii.isControl(localPart.charAt(i))) {
                throw new IllegalArgumentException(
                        "a local part has no controls: " + Printable.escape(localPart));
            }
        }
    }

    /// Whether a local part has more than [#LOCAL_OCTETS_MAX] octets in UTF-8.
    public static boolean isTooLong(String localPart) {
        return localPart.length() > LOCAL_OCTETS_MAX
                || (!Ascii.isAscii(localPart)
                        && localPart.getBytes(StandardCharsets.UTF_8).length > LOCAL_OCTETS_MAX);
    }

    /// The mailbox as it stands between angle brackets, with the local part quoted where it must
    /// be: `"a b"@example`.
    public String text() {
        return (isDotString(localPart) ? localPart : quote(localPart)) + "@" + host.text();
    }

    /// Whether both parts are ASCII, so that the mailbox can go to a host without SMTPUTF8.
    public boolean isAscii() {
        return Ascii.isAscii(localPart) && Ascii.isAscii(host.text());
    }

    /// RFC 5321 §4.5.1: postmaster is compared without regard to case.
    public boolean isPostmaster() {
        return localPart.toLowerCase(Locale.ROOT).equals("postmaster");
    }

    @Override
    public String toString() {
        return text();
    }

    private static boolean isDotString(String local) {
        if (local.isEmpty() || local.charAt(0) == '.' || local.charAt(local.length() - 1) == '.') {
            return false;
        }
        for (int i = 0; i < local.length(); i++) {
            char c = local.charAt(i);
            if (c == '.' ? local.charAt(i - 1) == '.' : !Ascii.isAtext(c)) {
                return false;
            }
        }
        return true;
    }

    private static String quote(String local) {
        StringBuilder quoted = new StringBuilder(local.length() + 4).append('"');
        for (int i = 0; i < local.length(); i++) {
            char c = local.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\');
            }
            quoted.append(c);
        }
        return quoted.append('"').toString();
    }
}
