/// **Purpose.** Which waiting work is due, and whose turn it is.
///
/// **Owns.** Due times, and one lane for each destination with its window of concurrent claims.
///
/// **Never.** Reads a clock, a disk or a message.
///
/// **Threads.** None of its own and no locks: the owner guards it.
///
/// **Standards.** RFC 5321 §4.5.4.1: a host that does not answer must not hold up mail for others.
///
/// **Known limits.** A lane's window does not yet follow how its host fares.
@NullMarked
package org.malote.queue.schedule;

import org.jspecify.annotations.NullMarked;
