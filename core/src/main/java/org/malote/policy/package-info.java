/// # policy
///
/// **Purpose.** Answers the session's questions: who may send, and to whom.
///
/// **Owns.** The relay rules: mail for routed domains from anyone, mail for other domains from
/// users
/// and from the relay networks only, and of AMTP what stays inside. Users send under their own
/// names. The names of addresses. No sender whose domain has a null MX. Which Mail Policy Codes are
/// refused,
/// and to whom.
///
/// **Never.** Writes to a connection, or blocks: an answer that takes time comes later.
///
/// **Threads.** [Policy#decide] is called on event loops and answers on any thread.
///
/// **Standards.** RFC 5321 §3.6.2, §7.1 (relaying), §4.5.1 (postmaster); RFC 7505 §4.2 (null MX);
/// RFC 6409 §4.3, §6.1 (users); draft-weinman-amtp-03 §4.4.3 (codes), §5.1 (no relay between public
/// networks); RFC 8601 §3 (the names of addresses).
///
/// **Known limits.** Recipients of a routed domain are not looked up: the next hop refuses them.
@NullMarked
package org.malote.policy;

import org.jspecify.annotations.NullMarked;
