/// # delivery
///
/// **Purpose.** Passes accepted mail on: to a Maildir, over LMTP, to a fixed SMTP host, to the
/// recipient domain's MX hosts, or over AMTP to the hosts of its SRV records.
///
/// **Owns.** The connections to hosts, the terms that they are on (`Terms`: TLS and our own
/// address), the outbound dialogue, the routes, the rules for sites, and
/// the judgement of what a failure means (`Trouble`) and of what an attempt says of its site
/// (`SiteFeedback`).
///
/// **Never.** Decides when to try again (the queue's schedule does), composes a notification
/// (`bounce` does), waits for a name server or a host.
///
/// **Threads.** `DeliveryEngine`, `ConnectionPool` and `Attempt` live on the one agent thread.
/// `OutboundHandler` lives on its channel's event loop, `ClientSession` is pure. Messages are
/// read, and Maildirs written, on the io executor; the envelope of a claim is read on the agent,
/// mostly from the page cache. Results come back to the agent as tasks.
///
/// **Standards.** RFC 5321 (the client's side), RFC 2033 (LMTP), 2920 (PIPELINING), 3030 (BDAT),
/// 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 3461 (DSN), 3207 (STARTTLS), 9422 (LIMITS), 7504
/// (521), 2782 (SRV), draft-weinman-amtp-03 (§4.2 TLS, §4.3.1 SRV, §4.4.2 and §4.4.3 codes, §5.1).
///
/// **Known limits.** No DANE and no MTA-STS: who is verified, and by what name, the operator says.
/// An
/// attempt
/// tries a bounded number of addresses, two of each host before the others.
@NullMarked
package org.malote.delivery;

import org.jspecify.annotations.NullMarked;
