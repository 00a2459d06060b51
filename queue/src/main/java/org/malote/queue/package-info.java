/// **Purpose.** Mail that was accepted and is not yet delivered: it is kept on stable storage,
/// handed out when it is due, and its fate is recorded for each recipient.
///
/// **Owns.** The spool directory, the index of what it holds, the memory of messages on their way
/// in, and the committer thread.
///
/// **Never.** Reads a message or an address, opens a connection, looks up a name, or decides what a
/// reply means.
///
/// **Threads.** [MailQueue] may be used by any thread. One committer thread writes the journal;
/// body files are written on the executor that the owner gives. A [MessageWriter] and a [Claim]
/// have one owner at a time.
///
/// **Standards.** RFC 5321 §4.2.5 and §6.1 (what a 250 promises), §4.5.4.1 (retry times); RFC 1047
/// (a short time from the final dot to the reply); RFC 1870 (announced sizes).
///
/// **Known limits.** The index keeps 61 bytes for a message with one recipient, outside of the heap
/// but for 9 of them; a few hundred bytes of heap for one with several.
@NullMarked
package org.malote.queue;

import org.jspecify.annotations.NullMarked;
