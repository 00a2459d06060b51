package org.malote.amtp;

/// What an `MPC:` field in the header section of a message means for its reception.
public enum HeaderRule {
    /// Nothing.
    IGNORE,
    /// It is taken out.
    REMOVE,
    /// The message is kept, and its code forgotten: it must not have two.
    WATCH,
    /// The message is refused.
    REFUSE
}
