/// Proof against real mail software and against clients that mean harm.
///
/// **Purpose.** Runs the server as an operator runs it, in a process of its own, between Postfix,
/// Dovecot, swaks, msmtp and Python's smtplib, under load, kills and hostile octets.
///
/// **Owns.** The processes that a test starts, and their folders under `/tmp`. The log of each is
/// kept in `target/peers`.
///
/// **Never.** Uses a fixed port, a configuration of the host, or a network but loopback; leaves a
/// process behind.
///
/// **Threads.** A test may make virtual threads for its peers; it waits with a time limit.
///
/// **Standards.** RFC 5321, 3030, 3207, 6531, 3461, 3464, 7505.
///
/// **Known limits.** Needs root, for Postfix. Runs with `mvn -Ppeers`, which `./verify` does after
/// it has installed the programs; not in the ordinary build.
@NullMarked
package org.malote.peers;

import org.jspecify.annotations.NullMarked;
