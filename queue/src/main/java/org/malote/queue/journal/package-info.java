/// **Purpose.** The log that the queue writes: records with a checksum each, appended by one
/// thread, forced in groups, and read back after a crash.
///
/// **Owns.** The files below the spool's `epochs`, `spares` and `quarantine` directories; [Disk],
/// through which all of the spool goes to the disk; the contents beside full segments; the last 34
/// MiB of segments in memory.
///
/// **Never.** Knows what a record means; answers a mail client; writes to a file of an earlier
/// start.
///
/// **Threads.** One committer appends and forces. Any thread reads.
///
/// **Standards.** RFC 3720 §12.1 (CRC32C); the formats are in [Frames] and [Contents].
///
/// **Known limits.** A record holds at most [Frames#PAYLOAD_MAX_BYTES]. Damage that wipes out the
/// last records of an epoch without a trace cannot be told from their never having been written.
/// What rots in a full segment is found when it is read, not at the start, which reads [Contents].
@NullMarked
package org.malote.queue.journal;

import org.jspecify.annotations.NullMarked;
