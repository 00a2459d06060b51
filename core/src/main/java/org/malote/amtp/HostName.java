package org.malote.amtp;

import org.jspecify.annotations.Nullable;
import org.malote.dns.Idna;
import org.malote.smtp.DomainName;

/// Names of hosts in the one form in which they are compared: in lower case and A-labels (RFC 5890
/// §2.3.2.1), without the final dot.
final class HostName {
    private HostName() {}

    /// @return null for what is no name of a host, as one with a wildcard
    static @Nullable String plain(String text) {
        String ascii = Idna.toAscii(text);
        return ascii == null || DomainName.parse(ascii) == null ? null : ascii;
    }

    /// Whether a plain name has more than one label, and its last is none of digits alone: `127.1`
    /// is no name.
    static boolean isQualified(String plain) {
        int dot = plain.lastIndexOf('.');
        return dot > 0 && !plain.substring(dot + 1).matches("[0-9]+");
    }
}
