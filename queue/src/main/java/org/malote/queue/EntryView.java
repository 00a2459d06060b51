package org.malote.queue;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The index's message as an operator sees it. Under the index's lock.
final class EntryView {
    private EntryView() {}

    /// @param envelope null when it could not be read
    static QueueEntry of(LiveMessage message, @Nullable Envelope envelope) {
        var recipients = new QueueEntry.QueuedRecipient[message.states.length];
        for (LiveMessage.Group group : message.groups) {
            for (int i : group.recipients) {
                recipients[i] = recipient(message, group, i, envelope);
            }
        }
        return new QueueEntry(
                message.id,
                envelope == null ? "(unreadable)" : envelope.sender(),
                envelope == null ? Map.of() : envelope.attributes(),
                List.of(recipients),
                message.sizeBytes,
                message.acceptedAtMillis);
    }

    private static QueueEntry.QueuedRecipient recipient(
            LiveMessage message, LiveMessage.Group group, int i, @Nullable Envelope envelope) {
        RecipientState state =
                switch (message.states[i]) {
                    case LiveMessage.DELIVERED -> RecipientState.DELIVERED;
                    case LiveMessage.FAILED -> RecipientState.FAILED;
                    default ->
                            message.active[i]
                                    ? RecipientState.ACTIVE
                                    : message.isHeld(i)
                                            ? RecipientState.HELD
                                            : RecipientState.WAITING;
                };
        HoldCause cause =
                state != RecipientState.HELD
                        ? null
                        : message.states[i] == LiveMessage.HELD_BY_ROUTE
                                ? HoldCause.ROUTE
                                : HoldCause.OPERATOR;
        return new QueueEntry.QueuedRecipient(
                envelope == null
                        ? new Recipient("(unreadable)", group.destination(), Map.of())
                        : envelope.recipients().get(i),
                state,
                cause,
                message.attempts[i],
                state == RecipientState.WAITING ? message.dueMillis[i] : 0,
                message.replies[i]);
    }
}
