package org.malote.smtp.wire;

/// What [CommandFramer] found at the front of its input.
public sealed interface Frame {

    /// A whole line, without its CRLF. Decoded as UTF-8; NUL and other controls are still in it.
    record Line(String text) implements Frame {}

    /// A line that can be no command; the next one starts after it.
    record Refused(LineFault fault) implements Frame {}

    /// More octets are needed.
    record Incomplete() implements Frame {}
}
