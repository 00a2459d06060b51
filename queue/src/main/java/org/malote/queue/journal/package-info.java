/// **Purpose.** The log that the queue writes: records with a checksum each, appended by one
/// thread, forced in groups, and read back after a crash.
///
/// **Owns.** The files below the spool's `epochs`, `spares` and `quarantine` directories; [Disk],
/// through which all of the spool goes to the disk; the last 34 MiB of segments in memory.
///
/// **Never.** Knows what a record means; answers a mail client; writes to a file of an earlier
/// start.
///
/// **Threads.** One committer appends and forces. Any thread reads.
///
/// **Standards.** None; the format is in [Frames].
///
/// **Known limits.** A record holds at most [Frames#PAYLOAD_MAX_BYTES]. Damage that wipes out the
/// last records of an epoch without a trace cannot be told from their never having been written.
@NullMarked
package org.malote.queue.journal;

import org.jspecify.annotations.NullMarked;
