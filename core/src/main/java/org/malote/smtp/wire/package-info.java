/// # smtp.wire
///
/// **Purpose.** Bytes to SMTP values and back: lines, commands, addresses, the end of data,
/// chunks, replies.
///
/// **Owns.** Every decision about octets: strict CRLF, length bounds, dot-stuffing, what text is.
///
/// **Never.** Knows what a command means for a session, does I/O, keeps a message.
///
/// **Threads.** Parsers are pure. Framers and scanners hold the state of one connection and belong
/// to its event loop.
///
/// **Standards.** RFC 5321 §2.3.8 (lines end with CRLF and nothing else), §4.1.2 (grammar), §4.5.2
/// (transparency), §4.5.3.1 (sizes); RFC 3030; RFC 3461 §4; RFC 6531 §3.3.
///
/// **Known limits.** Obsolete forms of RFC 822 addresses (comments, white space around dots) are
/// refused. Text lines of a message are not bounded by the 1000 octets of §4.5.3.1.6: the size
/// limit of the message bounds them, and longer lines are passed on as they came.
@NullMarked
package org.malote.smtp.wire;

import org.jspecify.annotations.NullMarked;
