package org.malote.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.StringJoiner;
import java.util.function.Predicate;
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

    /// The filter at one moment, with its patterns compiled once for all messages.
    ///
    /// @param nowMillis milliseconds since 1970
    Predicate<QueueEntry> at(long nowMillis) {
        Predicate<String> isSender = like(sender);
        Predicate<QueuedRecipient> isRecipient = recipients();
        return entry -> {
            long ageMillis = nowMillis - entry.acceptedAtMillis();
            return (olderThanMillis == null || ageMillis > olderThanMillis)
                    && (youngerThanMillis == null || ageMillis < youngerThanMillis)
                    && isSender.test(entry.sender())
                    && entry.recipients().stream().anyMatch(isRecipient);
        };
    }

    private Predicate<QueuedRecipient> recipients() {
        Predicate<String> isAddress = like(recipient);
        Predicate<String> isDomain = like(domain);
        Predicate<String> isReply = like(reply == null ? null : "*" + reply + "*");
        return candidate -> {
            String last = candidate.lastReply();
            return (state == null || state == candidate.state())
                    && isAddress.test(candidate.recipient().address())
                    && isDomain.test(candidate.recipient().destination())
                    && isReply.test(last == null ? "" : last);
        };
    }

    private static Predicate<String> like(@Nullable String pattern) {
        if (pattern == null) {
            return _ -> true;
        }
        StringJoiner regex = new StringJoiner(".*");
        for (String part : pattern.split("\\*", -1)) {
            regex.add(Pattern.quote(part));
        }
        return Pattern.compile(regex.toString(), Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE)
                .asMatchPredicate();
    }

    /// As [#parse] reads it.
    void write(ObjectNode json) {
        put(json, "sender", sender);
        put(json, "recipient", recipient);
        put(json, "domain", domain);
        put(json, "state", state == null ? null : QueueJson.word(state));
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
            if (QueueJson.word(state).equals(word)) {
                return state;
            }
        }
        throw new IllegalArgumentException(
                "a state is one of waiting, active, held, failed, delivered, not \"" + word + "\"");
    }
}
