package org.malote.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.Locale;
import org.malote.queue.QueueEntry;
import org.malote.queue.RecipientState;

/// A queued message as one JSON object: `id`, `sender`, `size` in bytes, `accepted`, `ageSeconds`,
/// `state`, `nextAttempt` and `lastReply` of the recipient that is due first, and `recipients`.
/// Times are RFC 3339, in UTC; what is not known is not there.
final class QueueJson {
    private QueueJson() {}

    /// @param nowMillis for the age
    static ObjectNode of(QueueEntry entry, long nowMillis) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", entry.id().toString());
        json.put("sender", entry.sender());
        json.put("size", entry.sizeBytes());
        json.put("accepted", Instant.ofEpochMilli(entry.acceptedAtMillis()).toString());
        json.put("ageSeconds", Math.max(0, (nowMillis - entry.acceptedAtMillis()) / 1000));
        json.put("state", state(entry));
        long next = Long.MAX_VALUE;
        String lastReply = null;
        for (QueueEntry.QueuedRecipient recipient : entry.recipients()) {
            if (recipient.state() == RecipientState.WAITING
                    && recipient.nextAttemptMillis() < next) {
                next = recipient.nextAttemptMillis();
                lastReply = recipient.lastReply();
            } else if (lastReply == null) {
                lastReply = recipient.lastReply();
            }
        }
        if (next != Long.MAX_VALUE) {
            json.put("nextAttempt", Instant.ofEpochMilli(next).toString());
        }
        if (lastReply != null) {
            json.put("lastReply", lastReply);
        }
        ArrayNode recipients = json.putArray("recipients");
        for (QueueEntry.QueuedRecipient recipient : entry.recipients()) {
            recipients.add(of(recipient));
        }
        return json;
    }

    /// As [#of], with what the envelope says of where the message came from.
    static ObjectNode withAttributes(QueueEntry entry, long nowMillis) {
        ObjectNode json = of(entry, nowMillis);
        ObjectNode attributes = json.putObject("attributes");
        entry.attributes().forEach(attributes::put);
        return json;
    }

    private static ObjectNode of(QueueEntry.QueuedRecipient recipient) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("address", recipient.recipient().address());
        json.put("destination", recipient.recipient().destination());
        json.put("state", word(recipient.state()));
        if (recipient.heldBy() != null) {
            json.put("heldBy", recipient.heldBy().name().toLowerCase(Locale.ROOT));
        }
        json.put("attempts", recipient.attempts());
        if (recipient.state() == RecipientState.WAITING) {
            json.put("nextAttempt", Instant.ofEpochMilli(recipient.nextAttemptMillis()).toString());
        }
        if (recipient.lastReply() != null) {
            json.put("lastReply", recipient.lastReply());
        }
        return json;
    }

    /// What is going on with the message as a whole: an attempt, else a wait, else a hold.
    private static String state(QueueEntry entry) {
        RecipientState whole = RecipientState.DELIVERED;
        for (QueueEntry.QueuedRecipient recipient : entry.recipients()) {
            if (rank(recipient.state()) < rank(whole)) {
                whole = recipient.state();
            }
        }
        return word(whole);
    }

    private static int rank(RecipientState state) {
        return switch (state) {
            case ACTIVE -> 0;
            case WAITING -> 1;
            case HELD -> 2;
            case FAILED -> 3;
            case DELIVERED -> 4;
        };
    }

    /// As an operator reads and types it.
    static String word(RecipientState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }
}
