/// # dns
///
/// **Purpose.** Turns names into answers in which "there is none" and "nobody could say" are two
/// different types, so that no broken name server can bounce mail.
///
/// **Owns.** The exchange with the recursive servers, the cache, the bound on queries in flight.
///
/// **Never.** Recurses itself, validates DNSSEC (it believes the AD bit of a server on this host
/// only), reads `/etc/hosts`, knows what mail is.
///
/// **Threads.** Look-ups may be asked from any thread and never block it. Each query blocks a
/// thread of the executor that was given, so that one should run each task on a virtual thread.
/// Answers come on those threads, or on the asking thread when they are cached.
///
/// **Standards.** RFC 1035, 2181, 2308 (negative answers), 2782 (SRV), 6604 (codes of CNAME
/// chains), 6840 §5.7 (AD), 6891 (EDNS), 7766 (TCP), 3492 and 5891 (names beyond ASCII), 6761 §6.3
/// (localhost).
///
/// **Known limits.** dnsjava is used for messages alone: its own client runs a selector thread in a
/// static field that nobody can own. U-labels are taken as they are in lower case and NFC; the
/// checks of RFC 5892 on them are left to whoever registered the name. `resolv.conf` is read once.
@NullMarked
package org.malote.dns;

import org.jspecify.annotations.NullMarked;
