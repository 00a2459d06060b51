package org.malote.queue;

/// One recipient of a [Claim].
///
/// @param index its place in the envelope: what a [Settlement] names it by
/// @param attempts attempts that were made before this one
/// @param wasReleased it was released from a hold, and nothing has held it since
/// @param isCondemned an operator has decided that it fails: it is not to be attempted, and its
///     sender is to be told
public record ClaimedRecipient(
        int index, Recipient recipient, int attempts, boolean wasReleased, boolean isCondemned) {}
