/// # admin
///
/// **Purpose.** What an operator asks of a running server: its health, its meters, its queue,
/// and which peers it has seen.
///
/// **Owns.** The loopback HTTP face (`/livez`, `/readyz`, `/metrics`, the status page, all read
/// only) and the control socket, over which the queue is changed; the file in which
/// the counts of peers outlive the process.
///
/// **Never.** Changes anything over HTTP: every local user can reach a loopback port. The control
/// socket can be opened by its owner alone. Keeps messages while it goes through the queue: a list
/// of a million takes their ids, 8 MB, and no more.
///
/// **Threads.** Requests run on the given executor and may wait for the disk.
///
/// **Standards.** HTTP/1.1; RFC 8259 (JSON), one object a line.
///
/// **Known limits.** The path of a unix-domain socket has about 100 bytes. A filter reads every
/// message's envelope, one after the other. A client that stops reading keeps one of eight places.
@NullMarked
package org.malote.admin;

import org.jspecify.annotations.NullMarked;
