package org.malote.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.malote.queue.MessageId;

/// What can be asked over the control socket. Each is one JSON object on one line.
public sealed interface ControlRequest {
    /// Of requests and answers. It changes when an older client or server would misread the other.
    int VERSION = 2;

    /// Messages, oldest first, each with those recipients whom the filter means.
    ///
    /// @param limit messages at most; 0 for all
    /// @param withRows whether to name them; else they are only counted
    record ListSome(QueueFilter filter, long limit, boolean withRows) implements ControlRequest {}

    /// How many recipients wait, by destination and age.
    ///
    /// @param rows destinations at most, the largest; the others are one row
    record Shape(QueueFilter filter, int rows) implements ControlRequest {}

    /// One message with everything that is known of it, and its header section.
    ///
    /// @param withBody the whole message in place of its header section
    record Show(MessageId id, boolean withBody) implements ControlRequest {}

    /// Changes messages.
    record Change(Verb verb, Choice choice, Mode mode) implements ControlRequest {}

    /// Makes no attempts for a domain until it is resumed.
    ///
    /// @param domain a domain or an address literal, in any form
    record Suspend(String domain) implements ControlRequest {}

    /// Ends a suspension.
    ///
    /// @param domain a domain or an address literal, in any form
    record Resume(String domain) implements ControlRequest {}

    /// What is suspended.
    record Suspended() implements ControlRequest {}

    /// Reads the configuration again.
    record Reload() implements ControlRequest {}

    /// Who was seen, with counts.
    record Peers() implements ControlRequest {}

    /// What a change does.
    enum Verb {
        RETRY,
        HOLD,
        RELEASE,
        REMOVE,
        BOUNCE;

        /// As it is typed.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// What is to be changed.
    sealed interface Choice {
        /// Whether single recipients are changed, and not whole messages.
        default boolean isOfRecipients() {
            return this instanceof Matching(QueueFilter filter) && filter.namesRecipients();
        }

        /// These messages, as far as they are in the queue, whole.
        record Ids(Set<MessageId> ids) implements Choice {
            public Ids {
                ids = Set.copyOf(ids);
            }
        }

        /// What the filter means; see [QueueFilter#namesRecipients].
        record Matching(QueueFilter filter) implements Choice {}
    }

    /// How far a change goes.
    enum Mode {
        /// To the end.
        ACT,
        /// Only names what would be changed, as a list does.
        LIST,
        /// Only counts it.
        COUNT
    }

    /// Reads one.
    ///
    /// @throws IllegalArgumentException with a sentence that says what is wrong
    static ControlRequest parse(JsonNode json) {
        return Fields.read(
                json,
                fields -> {
                    long version = fields.has("version") ? fields.count("version") : 0;
                    if (version != VERSION) {
                        throw new IllegalArgumentException(
                                "the server runs another version of malote than this command;"
                                        + " restart it, or use its own malote");
                    }
                    return read(fields.text("do"), fields);
                });
    }

    private static ControlRequest read(String what, Fields fields) {
        return switch (what) {
            case "list" -> new ListSome(filter(fields), fields.count("limit"), fields.flag("rows"));
            case "shape" ->
                    new Shape(
                            filter(fields),
                            (int) Math.min(fields.count("rows"), QueueShape.ROWS_MAX));
            case "show" -> new Show(MessageId.parse(fields.text("id")), fields.flag("body"));
            case "suspend" -> new Suspend(fields.text("domain"));
            case "resume" -> new Resume(fields.text("domain"));
            case "suspended" -> new Suspended();
            case "reload" -> new Reload();
            case "peers" -> new Peers();
            default ->
                    new Change(
                            of(Verb.values(), what),
                            choice(fields),
                            of(Mode.values(), fields.text("mode")));
        };
    }

    private static <E extends Enum<E>> E of(E[] values, String word) {
        for (E value : values) {
            if (value.name().toLowerCase(Locale.ROOT).equals(word)) {
                return value;
            }
        }
        throw new IllegalArgumentException("the server does not know \"" + word + "\"");
    }

    private static QueueFilter filter(Fields fields) {
        return Fields.read(fields.any("filter"), QueueFilter::read);
    }

    private static Choice choice(Fields fields) {
        if (fields.has("filter")) {
            return new Choice.Matching(filter(fields));
        }
        JsonNode ids = fields.any("ids");
        Set<MessageId> chosen = new TreeSet<>();
        if (ids.isArray()) {
            ids.forEach(id -> chosen.add(MessageId.parse(id.asText())));
        }
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("\"ids\" is a list of message ids");
        }
        return new Choice.Ids(chosen);
    }

    /// As [#parse] reads it.
    default ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("version", VERSION);
        switch (this) {
            case ListSome(QueueFilter filter, long limit, boolean withRows) -> {
                json.put("do", "list");
                filter.write(json.putObject("filter"));
                json.put("limit", limit).put("rows", withRows);
            }
            case Shape(QueueFilter filter, int rows) -> {
                json.put("do", "shape");
                filter.write(json.putObject("filter"));
                json.put("rows", rows);
            }
            case Show(MessageId id, boolean withBody) ->
                    json.put("do", "show").put("id", id.toString()).put("body", withBody);
            case Suspend(String domain) -> json.put("do", "suspend").put("domain", domain);
            case Resume(String domain) -> json.put("do", "resume").put("domain", domain);
            case Suspended _ -> json.put("do", "suspended");
            case Reload _ -> json.put("do", "reload");
            case Peers _ -> json.put("do", "peers");
            case Change(Verb verb, Choice choice, Mode mode) -> {
                json.put("do", verb.word());
                switch (choice) {
                    case Choice.Matching(QueueFilter filter) ->
                            filter.write(json.putObject("filter"));
                    case Choice.Ids(Set<MessageId> ids) -> {
                        ArrayNode array = json.putArray("ids");
                        ids.stream().sorted().forEach(id -> array.add(id.toString()));
                    }
                }
                json.put("mode", mode.name().toLowerCase(Locale.ROOT));
            }
        }
        return json;
    }
}
