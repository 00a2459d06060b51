package org.malote.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;
import org.malote.queue.RecipientState;

/// Which messages an operator wants to see: those that have one recipient of whom everything said
/// here of recipients is true. What is null is not asked. In addresses and domains the case does
/// not matter, and `*` stands for any characters.
///
/// @param sender the reverse-path; the empty text is the null reverse-path
/// @param recipient the address
/// @param domain of the recipient
/// @param state of the recipient
/// @param olderThanMillis since the message was accepted
/// @param youngerThanMillis since the message was accepted
/// @param reply somewhere in the recipient's last reply
public record QueueFilter(
        @Nullable String sender,
        @Nullable String recipient,
        @Nullable String domain,
        @Nullable RecipientState state,
        @Nullable Long olderThanMillis,
        @Nullable Long youngerThanMillis,
        @Nullable String reply) {

    /// Everything.
    public static final QueueFilter ALL = new QueueFilter(null, null, null, null, null, null, null);

    /// @param nowMillis milliseconds since 1970
    boolean matches(QueueEntry entry, long nowMillis) {
        long ageMillis = nowMillis - entry.acceptedAtMillis();
        return isLike(sender, entry.sender())
                && (olderThanMillis == null || ageMillis > olderThanMillis)
                && (youngerThanMillis == null || ageMillis < youngerThanMillis)
                && entry.recipients().stream().anyMatch(this::matches);
    }

    private boolean matches(QueuedRecipient candidate) {
        String last = candidate.lastReply();
        return isLike(recipient, candidate.recipient().address())
                && isLike(domain, candidate.recipient().destination())
                && (state == null || state == candidate.state())
                && (reply == null
                        || (last != null
                                && last.toLowerCase(Locale.ROOT)
                                        .contains(reply.toLowerCase(Locale.ROOT))));
    }

    private static boolean isLike(@Nullable String pattern, String text) {
        if (pattern == null) {
            return true;
        }
        StringBuilder regex = new StringBuilder();
        for (String part : pattern.split("\\*", -1)) {
            regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(part));
        }
        return Pattern.compile(regex.toString(), Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE)
                .matcher(text)
                .matches();
    }

    /// As [#parse] reads it.
    void write(ObjectNode json) {
        put(json, "sender", sender);
        put(json, "recipient", recipient);
        put(json, "domain", domain);
        put(json, "state", state == null ? null : word(state));
        put(json, "reply", reply);
        if (olderThanMillis != null) {
            json.put("olderThanMillis", olderThanMillis);
        }
        if (youngerThanMillis != null) {
            json.put("youngerThanMillis", youngerThanMillis);
        }
    }

    private static void put(ObjectNode json, String name, @Nullable String value) {
        if (value != null) {
            json.put(name, value);
        }
    }

    /// Reads one; what is not there is not asked.
    ///
    /// @throws IllegalArgumentException with a sentence that says what is wrong
    static QueueFilter parse(JsonNode json) {
        String state = text(json, "state");
        return new QueueFilter(
                text(json, "sender"),
                text(json, "recipient"),
                text(json, "domain"),
                state == null ? null : state(state),
                millis(json, "olderThanMillis"),
                millis(json, "youngerThanMillis"),
                text(json, "reply"));
    }

    private static @Nullable String text(JsonNode json, String name) {
        return json.has(name) ? json.path(name).asText() : null;
    }

    private static @Nullable Long millis(JsonNode json, String name) {
        return json.has(name) ? Long.valueOf(json.path(name).asLong()) : null;
    }

    /// @throws IllegalArgumentException when no recipient can be in such a state
    public static RecipientState state(String word) {
        for (RecipientState state : RecipientState.values()) {
            if (word(state).equals(word)) {
                return state;
            }
        }
        throw new IllegalArgumentException(
                "a state is one of waiting, active, held, failed, delivered, not \"" + word + "\"");
    }

    private static String word(RecipientState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }
}
