package org.malote.queue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The index's message as an operator sees it: taken under the index's lock, then completed from
/// the disk without it.
final class EntryView {
    private static final Logger log = LoggerFactory.getLogger(EntryView.class);

    private record Standing(
            RecipientState state,
            @Nullable HoldCause heldBy,
            int attempts,
            long nextAttemptMillis,
            boolean isCondemned,
            long detail) {}

    private final MessageId id;
    private final long position;
    private final long sizeBytes;
    private final Standing[] standings;
    private final String[] destinations;

    /// Under the index's lock.
    EntryView(LiveMessage message, Index index) {
        this.id = message.id();
        this.position = message.position();
        this.sizeBytes = message.sizeBytes();
        this.standings = new Standing[message.recipientCount()];
        this.destinations = new String[standings.length];
        for (int group = 0; group < message.groupCount(); group++) {
            for (int i : message.members(group)) {
                standings[i] = standing(message, i);
                destinations[i] = index.destination(message, group);
            }
        }
    }

    private static Standing standing(LiveMessage message, int i) {
        RecipientState state =
                switch (message.state(i)) {
                    case LiveMessage.DELIVERED -> RecipientState.DELIVERED;
                    case LiveMessage.FAILED -> RecipientState.FAILED;
                    default ->
                            message.isActive(i)
                                    ? RecipientState.ACTIVE
                                    : message.isHeld(i)
                                            ? RecipientState.HELD
                                            : RecipientState.WAITING;
                };
        HoldCause cause =
                state != RecipientState.HELD
                        ? null
                        : message.state(i) == LiveMessage.HELD_BY_ROUTE
                                ? HoldCause.ROUTE
                                : HoldCause.OPERATOR;
        return new Standing(
                state,
                cause,
                message.attempts(i),
                state == RecipientState.WAITING ? message.dueMillis(i) : 0,
                message.isCondemned(i),
                message.detail(i));
    }

    /// Where its record is, or was.
    long position() {
        return position;
    }

    /// Reads the disk.
    QueueEntry read(RecordReader reader) throws IOException {
        RecordReader.Stored stored = reader.message(id, position);
        List<Recipient> recipients = stored.head().envelope().recipients();
        if (recipients.size() != standings.length) {
            throw new RecordReader.WrongRecordException("another record is in its place");
        }
        var queued = new ArrayList<QueueEntry.QueuedRecipient>(standings.length);
        for (int i = 0; i < standings.length; i++) {
            queued.add(
                    of(
                            recipients.get(i),
                            standings[i],
                            reader.reply(id, i, standings[i].detail())));
        }
        return new QueueEntry(
                id,
                stored.head().envelope().sender(),
                stored.head().envelope().attributes(),
                queued,
                stored.head().bodyBytes(),
                stored.head().acceptedAtMillis());
    }

    /// What is known of it without the disk.
    QueueEntry unreadable(IOException cause) {
        log.warn("the record of message {} cannot be read: {}", id, cause.getMessage());
        var queued = new ArrayList<QueueEntry.QueuedRecipient>(standings.length);
        for (int i = 0; i < standings.length; i++) {
            var recipient = new Recipient("(unreadable)", destinations[i], Map.of());
            queued.add(of(recipient, standings[i], null));
        }
        return new QueueEntry(id, "(unreadable)", Map.of(), queued, sizeBytes, 0);
    }

    private static QueueEntry.QueuedRecipient of(
            Recipient recipient, Standing standing, @Nullable String reply) {
        return new QueueEntry.QueuedRecipient(
                recipient,
                standing.state(),
                standing.heldBy(),
                standing.attempts(),
                standing.nextAttemptMillis(),
                standing.isCondemned(),
                reply);
    }
}
