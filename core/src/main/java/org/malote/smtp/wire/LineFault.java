package org.malote.smtp.wire;

/// Why a line was refused before it was parsed.
public enum LineFault {
    /// Longer than the limit for command lines (RFC 5321 §4.5.3.1.4).
    TOO_LONG,
    /// So long that waiting for its end is not worth it: the connection is to be closed.
    ENDLESS,
    /// Ended by a bare LF, or with a bare CR in it (RFC 5321 §2.3.8).
    BARE_LINE_END,
    /// Not UTF-8 (RFC 6531 §3.3), or a NUL or another control in it.
    NOT_TEXT
}
