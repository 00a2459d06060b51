package org.malote.queue;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A message in the queue, as an operator sees it: a snapshot.
///
/// @param attributes of the envelope
/// @param sizeBytes of the message, without the envelope
/// @param acceptedAtMillis milliseconds since 1970
public record QueueEntry(
        MessageId id,
        String sender,
        Map<String, String> attributes,
        List<QueuedRecipient> recipients,
        long sizeBytes,
        long acceptedAtMillis) {

    /// A recipient and where it stands.
    ///
    /// @param heldBy who holds it; null unless the state is HELD
    /// @param nextAttemptMillis when it is due, in milliseconds since 1970; 0 unless the state is
    ///     WAITING
    /// @param isCondemned it is on its way back to the sender, by an operator's word
    /// @param lastReply of the last settlement; null before the first
    public record QueuedRecipient(
            Recipient recipient,
            RecipientState state,
            @Nullable HoldCause heldBy,
            int attempts,
            long nextAttemptMillis,
            boolean isCondemned,
            @Nullable String lastReply) {}

    public QueueEntry {
        recipients = List.copyOf(recipients);
    }
}
