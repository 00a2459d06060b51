/// # server
///
/// **Purpose.** The inbound side on Netty: listens, drives one [org.malote.session.Session] per
/// connection, and lets message octets stream past it into the queue.
///
/// **Owns.** Connections, their input buffers and reply order, their deadlines, the TLS handler,
/// the
/// PROXY header, the count of sessions, which networks get session tickets, and draining.
///
/// **Never.** Decides what a command means or who may send; blocks; prints a stack trace for what a
/// peer can cause.
///
/// **Threads.** Each connection lives on one event loop. Answers of the policy and of the queue hop
/// there.
///
/// **Standards.** RFC 5321 §3.8, §4.5.3.2; RFC 2920; RFC 3207; RFC 4954 §4
/// (lengths); RFC 8314 §3; the PROXY protocol of
/// HAProxy, versions 1 and 2.
///
/// **Known limits.** While a message waits for its commit its connection is not read, so a peer
/// that goes away then is noticed only when the reply is written.
@NullMarked
package org.malote.server;

import org.jspecify.annotations.NullMarked;
