/// # smtp
///
/// **Purpose.** The vocabulary of SMTP as values: commands, replies, mailboxes, parameters. A value
/// that exists is valid and can be
/// written to a wire, a header or a log line without more checks.
///
/// **Owns.** The grammar's invariants: no value holds CR, LF or NUL; lengths are within RFC 5321
/// §4.5.3.1.
///
/// **Never.** Reads bytes, does I/O, knows a connection, a clock or a configuration.
///
/// **Threads.** Everything is immutable.
///
/// **Standards.** RFC 5321 §4.1, RFC 2034 and 3463 (enhanced codes), 3461 (DSN), 6531 (SMTPUTF8),
/// 6152, 3030, 1870, 9422.
///
/// **Known limits.** Domains are compared as lower-case text: a U-label and its A-label are two
/// different names here.
@NullMarked
package org.malote.smtp;

import org.jspecify.annotations.NullMarked;
