package org.malote.queue;

/// What became of one claimed recipient.
public sealed interface Settlement {
    /// The index that [ClaimedRecipient] gave.
    int recipient();

    /// What the remote said, or what happened, for the operator.
    String reply();

    /// The next host has taken responsibility. Final.
    record Delivered(int recipient, String reply) implements Settlement {}

    /// Not now: due again at `untilMillis`, milliseconds since 1970.
    record Deferred(int recipient, long untilMillis, String reply) implements Settlement {}

    /// Never. Final; whoever settles has seen to it that the sender is told.
    record Failed(int recipient, String reply) implements Settlement {}

    /// No attempt while its route says so: [MailQueue#reconsiderHeld] or an operator makes it due
    /// again.
    record Held(int recipient, String reply) implements Settlement {}
}
