package org.malote.admin;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;
import org.malote.queue.RecipientState;

/// A queued message and its recipients as JSON objects. Times are RFC 3339, in UTC; what is not
/// known is not there.
///
/// @param nowMillis for the age, in milliseconds since 1970
/// @param suspended destinations that are
record QueueJson(long nowMillis, Set<String> suspended) {

    /// `id`, `sender`, `size` in bytes, `accepted`, `ageSeconds`, `state`, `nextAttempt` and
    /// `lastReply` of the recipient that is due first.
    ObjectNode message(QueueEntry entry) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", entry.id().toString());
        json.put("sender", entry.sender());
        json.put("size", entry.sizeBytes());
        json.put("accepted", Instant.ofEpochMilli(entry.acceptedAtMillis()).toString());
        json.put("ageSeconds", Math.max(0, (nowMillis - entry.acceptedAtMillis()) / 1000));
        json.put("state", state(entry));
        long next = Long.MAX_VALUE;
        String lastReply = null;
        for (QueuedRecipient recipient : entry.recipients()) {
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
        return json;
    }

    /// `address`, `destination`, `state`, `heldBy`, `suspended`, `bouncing`, `attempts`,
    /// `nextAttempt`, `lastReply`.
    ObjectNode recipient(QueuedRecipient recipient) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("address", recipient.recipient().address());
        json.put("destination", recipient.recipient().destination());
        json.put("state", QueueFilter.word(recipient.state()));
        if (recipient.heldBy() != null) {
            json.put("heldBy", recipient.heldBy().name().toLowerCase(Locale.ROOT));
        }
        if (recipient.state() == RecipientState.WAITING
                && suspended.contains(recipient.recipient().destination())) {
            json.put("suspended", true);
        }
        if (recipient.isCondemned()) {
            json.put("bouncing", true);
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

    /// Puts the parameters of an envelope or a recipient under `attributes`, when there are any.
    static void putAttributes(ObjectNode json, Map<String, String> attributes) {
        if (!attributes.isEmpty()) {
            ObjectNode object = json.putObject("attributes");
            attributes.forEach(object::put);
        }
    }

    /// What is going on with the message as a whole: an attempt, else a wait, else a hold.
    private static String state(QueueEntry entry) {
        RecipientState whole = RecipientState.DELIVERED;
        for (QueuedRecipient recipient : entry.recipients()) {
            if (rank(recipient.state()) < rank(whole)) {
                whole = recipient.state();
            }
        }
        return QueueFilter.word(whole);
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
}
