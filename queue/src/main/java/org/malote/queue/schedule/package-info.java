/// **Purpose.** Which waiting work is due, and whose turn it is.
///
/// **Owns.** Due times, one lane for each destination, and the sites that lanes share, each with
/// its window of concurrent claims.
///
/// **Never.** Reads a clock, a disk or a message.
///
/// **Threads.** None of its own and no locks: the owner guards it.
///
/// **Standards.** RFC 5321 §4.5.4.1: a host that does not answer must not hold up mail for others.
///
/// **Known limits.** A destination is of a site of its own until its hosts are known.
@NullMarked
package org.malote.queue.schedule;

import org.jspecify.annotations.NullMarked;
