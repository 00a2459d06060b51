package org.malote.queue;

/// Told of what an operator must see. Called on the queue's threads: return at once, throw nothing.
@FunctionalInterface
public interface QueueAlarm {
    /// What is wrong.
    enum Kind {
        /// The journal failed: the queue has stopped. Raised once.
        STOPPED,
        /// Recovery found damage and put what it could not read into quarantine.
        QUARANTINED,
        /// A message that was accepted cannot be read from the disk any more; it is held.
        UNREADABLE,
        /// Free space is below the reserve. Raised when it begins.
        SPACE_LOW
    }

    /// @param detail one sentence for the operator
    void raise(Kind kind, String detail);
}
