package org.malote.amtp;

/// What becomes of an `MPC:` field in a message that has come without a code, and not over AMTP: a
/// relay has put it there, or anybody.
public enum ForeignHeaders {
    /// The message is refused (draft-weinman-amtp-03 §4.4.4).
    REFUSE,
    /// It stays.
    KEEP,
    /// It is taken out, so that nobody behind us takes it for ours. A signature that covers it (RFC
    /// 6376) breaks.
    REMOVE
}
