package org.malote.queue;

/// Where a recipient stands.
public enum RecipientState {
    /// Due at a time, or due and waiting for its turn.
    WAITING,
    /// Claimed: an attempt is under way.
    ACTIVE,
    /// Not tried until somebody decides; see [HoldCause].
    HELD,
    DELIVERED,
    FAILED
}
