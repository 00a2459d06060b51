package org.malote.delivery;

import java.util.Locale;

/// Whether mail goes out over TLS.
public enum TlsUse {
    /// Never.
    NONE,
    /// Where a host offers STARTTLS and the handshake succeeds; in the clear elsewhere (RFC 7435).
    OPPORTUNISTIC,
    /// With whoever answers, and never in the clear: who can only listen learns nothing.
    REQUIRED,
    /// Only with a host whose certificate is good for its name, and never in the clear.
    VERIFIED,
    /// As VERIFIED and from the first octet (draft-weinman-amtp-03 §4.2). Hosts of AMTP are spoken
    /// to in no other way, and others never; it is no choice of the configuration.
    AMTP;

    /// As the configuration, the log and the meters spell it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
