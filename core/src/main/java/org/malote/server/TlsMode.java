package org.malote.server;

/// How a listener speaks TLS.
public enum TlsMode {
    /// Not at all.
    NONE,
    /// When the peer asks (RFC 3207).
    STARTTLS,
    /// From the first octet (RFC 8314 §3).
    IMPLICIT
}
