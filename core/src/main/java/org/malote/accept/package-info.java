/// # accept
///
/// **Purpose.** From a transaction to a promise kept: opens a message in the queue, writes its
/// trace
/// header, watches what streams past, seals it, and turns the queue's receipt into the outcome that
/// becomes the 250.
///
/// **Owns.** The Received header; what filters behind us are told of a peer, and that nobody else
/// tells it; the envelope as it is queued; the octet and hop counts of a
/// message.
///
/// **Never.** Holds a message on the heap, talks to a peer, promises without a receipt.
///
/// **Threads.** A [MessageIntake] belongs to its session's event loop. The outcome comes on the
/// queue's committer.
///
/// **Standards.** RFC 5321 §4.4 (trace), §6.1 (responsibility), §6.3 (loops); RFC 3848, RFC 6531
/// §4.3 (protocol names); draft-weinman-amtp-03 §4.4.4 (no second `MPC:` header); RFC 8601 §5
/// (forged
/// results).
///
/// **Known limits.** A header is not checked for RFC 5322 syntax. A user's message without Date or
/// Message-ID gets none (RFC 6409 §8): where its header ends is known when that has gone on.
@NullMarked
package org.malote.accept;

import org.jspecify.annotations.NullMarked;
