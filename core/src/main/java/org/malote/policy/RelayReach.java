package org.malote.policy;

/// How far mail may go that came in at a listener.
public enum RelayReach {
    /// From the relay networks to anywhere, from others to what is routed here.
    USUAL,
    /// From anyone to what stays here or goes on by a private connection, and nowhere else
    /// (draft-weinman-amtp-03 §5.1).
    ///
    /// Deviation: an operator can let it go as [#USUAL].
    INWARD,
    /// As usual, and from who is verified on a private network to anywhere.
    OF_MEMBERS
}
