package org.malote.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import org.malote.queue.MessageId;
import org.malote.queue.Selection;

/// What can be asked over the control socket. Each is one JSON object on one line.
public sealed interface ControlRequest {
    /// Messages, oldest first.
    record ListSome(QueueFilter filter) implements ControlRequest {}

    /// How many recipients wait, by destination and age.
    record Shape() implements ControlRequest {}

    /// One message with everything that is known of it.
    ///
    /// @param withBody its bytes too, as text
    record Show(MessageId id, boolean withBody) implements ControlRequest {}

    /// Changes messages.
    record Change(Verb verb, Selection selection) implements ControlRequest {}

    /// Reads the configuration again.
    record Reload() implements ControlRequest {}

    /// What a change does.
    enum Verb {
        RETRY,
        HOLD,
        RELEASE,
        REMOVE;

        /// As it is typed.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Reads one.
    ///
    /// @throws IllegalArgumentException with a sentence that says what is wrong
    static ControlRequest parse(JsonNode json) {
        String what = json.path("do").asText();
        return switch (what) {
            case "list" -> new ListSome(QueueFilter.parse(json.path("filter")));
            case "shape" -> new Shape();
            case "show" ->
                    new Show(
                            MessageId.parse(json.path("id").asText()),
                            json.path("body").asBoolean());
            case "reload" -> new Reload();
            default -> {
                for (Verb verb : Verb.values()) {
                    if (verb.word().equals(what)) {
                        yield new Change(verb, selection(json));
                    }
                }
                throw new IllegalArgumentException(
                        "the server does not know this request; is it another version of malote?");
            }
        };
    }

    /// As [#parse] reads it.
    default ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        switch (this) {
            case ListSome(QueueFilter filter) -> {
                json.put("do", "list");
                filter.write(json.putObject("filter"));
            }
            case Shape _ -> json.put("do", "shape");
            case Show(MessageId id, boolean withBody) ->
                    json.put("do", "show").put("id", id.toString()).put("body", withBody);
            case Reload _ -> json.put("do", "reload");
            case Change(Verb verb, Selection selection) -> {
                json.put("do", verb.word());
                switch (selection) {
                    case Selection.All _ -> json.put("all", true);
                    case Selection.Ids(Set<MessageId> ids) -> {
                        ArrayNode array = json.putArray("ids");
                        ids.stream().sorted().forEach(id -> array.add(id.toString()));
                    }
                    case Selection.Recipients _ ->
                            throw new IllegalArgumentException("recipients are not sent yet");
                }
            }
        }
        return json;
    }

    private static Selection selection(JsonNode json) {
        if (json.path("all").asBoolean()) {
            return Selection.all();
        }
        Set<MessageId> ids = new LinkedHashSet<>();
        for (JsonNode id : json.path("ids")) {
            ids.add(MessageId.parse(id.asText()));
        }
        if (ids.isEmpty()) {
            throw new IllegalArgumentException("name messages by their ids, or all with --all");
        }
        return new Selection.Ids(ids);
    }
}
