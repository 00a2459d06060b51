/// # session
///
/// **Purpose.** The inbound dialogue as a pure machine: from a state and an event to a step.
///
/// **Owns.** The order of commands, what each state knows, which reply follows, when a session has
/// used up its patience.
///
/// **Never.** Does I/O, starts a thread, reads a clock, sees an octet of a message, or decides who
/// may send where, who a user is, or finds out who the peer is: it asks ([Question],
/// [org.malote.auth.Claim], [Step.Identify]) and is told ([Verdict], [org.malote.auth.Answer],
/// [org.malote.amtp.HopIdentity]).
///
/// **Threads.** Everything is immutable; the caller keeps the current state.
///
/// **Standards.** RFC 5321 §3, §4.1.4, §4.2.5, §4.5.3; RFC 3207 §4.2; RFC 3030; RFC 9422; RFC 4954;
/// draft-weinman-amtp-03 §4.4.1, §4.4.2, §4.4.3.
///
/// **Known limits.** A transaction's recipients are copied at each RCPT: at most
/// [SessionLimits#recipientsMax] of them.
@NullMarked
package org.malote.session;

import org.jspecify.annotations.NullMarked;
