/// # amtp
///
/// **Purpose.** The Mail Policy Code of AMTP: what a message says of itself (who sends it, and how
/// its recipients were chosen), and what sites, domains and recipients take. It needs no
/// authentication, and works on any listener.
///
/// **Owns.** The 37 codes, the declarations that allow and deny them, the masks that these are
/// compiled to, the `MPC:` header.
///
/// **Never.** Does I/O, reads a clock, or changes the code of a message (draft-weinman-amtp-03
/// §4.4.4).
///
/// **Threads.** Everything is immutable.
///
/// **Standards.** draft-weinman-amtp-03 §4.4.2 (EHLO), §4.4.3 (MAIL), §4.4.4 (propagation), §4.5
/// (codes), §6.4 (notifications). `core/AMTP.md` lists the requirements, and where we deviate.
///
/// **Known limits.** Identity by certificate and reverse DNS is not here.
@NullMarked
package org.malote.amtp;

import org.jspecify.annotations.NullMarked;
