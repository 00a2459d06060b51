package org.malote.delivery;

/// Whether mail goes out over TLS.
public enum TlsUse {
    /// Where a host offers STARTTLS and the handshake succeeds; in the clear elsewhere (RFC 7435).
    OPPORTUNISTIC,
    /// Never.
    NONE
}
