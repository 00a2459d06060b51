/// # amtp
///
/// **Purpose.** The Mail Policy Code of AMTP: what a message says of itself (who sends it, and how
/// its recipients were chosen), and what sites, domains and recipients take. It needs no
/// authentication, and works on any listener. And what is known of who sends: how it is told to the
/// filters behind us, what was seen of peers, and which policy would have fitted.
///
/// **Owns.** The 37 codes, the declarations that allow and deny them, the masks that these are
/// compiled to, the `MPC:` header; the trust level and the fields that tell it; the counts of
/// peers.
///
/// **Never.** Does I/O, or changes the code of a message (draft-weinman-amtp-03 §4.4.4).
///
/// **Threads.** Everything is immutable, but [org.malote.amtp.Observations], which is for any
/// thread.
///
/// **Standards.** RFC 8601 (results); draft-weinman-amtp-03 §4.4.2 (EHLO), §4.4.3 (MAIL), §4.4.4
/// (propagation), §4.5
/// (codes), §6.4 (notifications). `core/AMTP.md` lists the requirements, and where we deviate.
///
/// **Known limits.** Identity by certificate and reverse DNS is not here. A code is not passed on
/// as a parameter: every next hop gets it as a header.
@NullMarked
package org.malote.amtp;

import org.jspecify.annotations.NullMarked;
