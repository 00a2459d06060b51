package org.malote.amtp;

/// Whose word a peer's certificate rests on (draft-weinman-amtp-03 §1.2). Decided by the issuer of
/// the client's certificate, never by port or address.
public enum HopNetwork {
    /// Nobody's: no certificate came, or one whose chain does not hold.
    NONE,
    /// An authority that many recognise.
    PUBLIC,
    /// An authority of the operator's own, which a closed set of hosts recognises.
    PRIVATE
}
