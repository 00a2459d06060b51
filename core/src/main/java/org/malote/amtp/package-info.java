/// # amtp
///
/// **Purpose.** Who the peer of a hop is: its certificate, the name that EHLO gave and the name of
/// its address, compared; how that is told to the filters behind us, what was seen of peers, and
/// which policy would have fitted. And the Mail Policy Code of AMTP: what a message says of itself
/// (who sends it, and how its recipients were chosen), and what sites, domains and recipients take,
/// which needs no authentication and works on any listener.
///
/// **Owns.** The verdict on a peer ([org.malote.amtp.HopIdentity]), whom each listener believes,
/// the deny list; the trust level and the fields that tell it; the counts of peers. The 37 codes,
/// the declarations that allow and deny them, the masks that these are compiled to, the `MPC:`
/// header.
///
/// **Never.** Opens a file, looks a name up, refuses a peer (the session does, by the verdict), or
/// changes the code of a message (draft-weinman-amtp-03 §4.4.4).
///
/// **Threads.** Everything is immutable but [org.malote.amtp.HopCheck], which belongs to the event
/// loop of its connection, and [org.malote.amtp.Observations], which is for any thread. What
/// reverse DNS finds comes to the former from any thread.
///
/// **Standards.** draft-weinman-amtp-03 §1.2, §4.2, §4.3, §7 (identity), RFC 8601 (reverse DNS, and
/// results); draft-weinman-amtp-03 §4.4.2 (EHLO), §4.4.3 (MAIL), §4.4.4 (propagation), §4.5
/// (codes), §6.4 (notifications). `core/AMTP.md` lists the requirements, and where we deviate.
///
/// **Known limits.** Clients cannot be asked for stapled OCSP answers: no TLS engine has that
/// request.
@NullMarked
package org.malote.amtp;

import org.jspecify.annotations.NullMarked;
