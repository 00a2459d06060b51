package org.malote.queue;

/// How a sealed message ended: kept, or not.
public sealed interface CommitResult {
    /// The message is kept; the queue is responsible for it.
    record Committed(Receipt receipt) implements CommitResult {}

    /// Nothing of the message is kept.
    record Refused(Refusal refusal) implements CommitResult {}
}
