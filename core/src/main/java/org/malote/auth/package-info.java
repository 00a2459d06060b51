/// # auth
///
/// **Purpose.** Who a user is, and how it proves that: AUTH of SMTP by PLAIN, SCRAM-SHA-256 and
/// EXTERNAL.
///
/// **Owns.** The file of users, password hashes and verifiers, the exchanges of the mechanisms, how
/// often somebody may be wrong.
///
/// **Never.** Logs or prints a password, a response or a proof; tells whether a name is there; runs
/// a hash on an event loop.
///
/// **Threads.** Exchanges, users and rules are immutable. The [Authenticator] is for all threads
/// and answers on any.
///
/// **Standards.** RFC 4954, RFC 4422, RFC 4616 (PLAIN), RFC 5802 and RFC 7677 (SCRAM-SHA-256), RFC
/// 9106 (Argon2id), RFC 8265 (names and passwords); draft-weinman-amtp-03 §7 (certificate and
/// user).
///
/// **Known limits.** No binding of SCRAM to the TLS channel. Of RFC 8265 the direction rule and the
/// contextual rules are left out. SCRAM asks for SASLprep (RFC 4013), which RFC 8265 has replaced:
/// a client that still applies it makes another password of one with compatibility characters,
/// such as ª. After a restart the salts that are told for names that are not there differ, and so
/// who asks before and after learns which those are. Nobody acts as another (no authorization
/// identity but one's own).
@NullMarked
package org.malote.auth;

import org.jspecify.annotations.NullMarked;
