/// **Purpose.** TLS for a server that does not want to know about it: certificates and private keys
/// in, Netty handlers out.
///
/// **Owns.** The TLS contexts, the opened private keys, the session-ticket keys, the sessions of
/// hosts that we send to. [org.malote.offload.OffloadProvider] is the seam where keys leave the
/// process, [org.malote.offload.TicketKeyProvider] the one where ticket keys come in;
/// [org.malote.offload.LiveTls] exchanges all of it while connections come and go, and
/// [org.malote.offload.HostTls] does for hosts that we connect to. [org.malote.offload.PeerTrust]
/// judges who connects to us.
///
/// **Never.** Knows a mail protocol, makes a thread but by the factory that it is given, reads the
/// system's clock, refuses a peer for its certificate (a verdict is told, RFC 7435; a host is
/// refused for its own where the policy for it says so), waits for a key on an event loop, or
/// prints a stack trace for what a peer did.
///
/// **Threads.** Everything public may be called from any thread; a handler belongs to its channel's
/// event loop. Offloaded signatures complete wherever the provider likes and are brought back to
/// that loop.
///
/// **Standards.** RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 5077 (tickets), RFC 9325
/// (recommendations), RFC 8996 (no 1.0 and 1.1), RFC 7435 (opportunistic security), RFC 5280
/// (certificates), RFC 9525 (names in them), RFC 7301 (ALPN), RFC 7512 (`pkcs11:` URIs), RFC 5958,
/// 8017 and 5915 (key files), RFC 6960 and 7633 (what an issuer says of a host's certificate).
///
/// **Known limits.** One certificate for each kind of key. A TLS 1.2 peer that verifies ECDSA but
/// offers only RSA cipher suites is served with keys in process, not with others when both
/// kinds are. The JDK's engine uses ticket keys of its own, and neither it nor OpenSSL signs
/// with keys elsewhere. A process has BoringSSL or OpenSSL
/// ([org.malote.offload.EngineLibrary]).
@NullMarked
package org.malote.offload;

import org.jspecify.annotations.NullMarked;
