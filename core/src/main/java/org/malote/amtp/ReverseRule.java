package org.malote.amtp;

/// What is asked of the names of a peer's address.
public enum ReverseRule {
    /// Nothing, as on a private network (draft-weinman-amtp-03 §7).
    UNASKED,
    /// The address has the name that EHLO gave.
    PTR,
    /// That, and the name has the address.
    FCRDNS
}
