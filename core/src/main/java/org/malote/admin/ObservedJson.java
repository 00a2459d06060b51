package org.malote.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.HopNetwork;
import org.malote.amtp.Observations.Row;
import org.malote.amtp.Observations.Subject;
import org.malote.amtp.Observations.Tally;
import org.malote.amtp.Shortcoming;

/// A row of what was observed, as a JSON object: `listener`, `network`, `peer`, `verdict` (a word:
/// `verified`, or the shortcoming's), `first` and `last` (RFC 3339, in UTC), and `codes`, which has
/// `accepted`, `watched` and `refused` for each code.
public final class ObservedJson {
    private static final String VERIFIED = "verified";

    private ObservedJson() {}

    static ObjectNode write(Row row) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("listener", row.subject().listener());
        json.put("network", word(row.subject().network()));
        json.put("peer", row.subject().peer());
        Shortcoming shortcoming = row.subject().shortcoming();
        json.put("verdict", shortcoming == null ? VERIFIED : word(shortcoming));
        json.put("first", Instant.ofEpochMilli(row.firstMillis()).toString());
        json.put("last", Instant.ofEpochMilli(row.lastMillis()).toString());
        ObjectNode codes = json.putObject("codes");
        row.codes().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(
                        each ->
                                codes.putObject(each.getKey())
                                        .put("accepted", each.getValue().accepted())
                                        .put("watched", each.getValue().watched())
                                        .put("refused", each.getValue().refused()));
        return json;
    }

    /// Reads one.
    ///
    /// @throws IllegalArgumentException when it is none, with a sentence
    public static Row read(JsonNode json) {
        return Fields.read(
                json,
                fields -> {
                    Map<String, Tally> codes = new LinkedHashMap<>();
                    for (Map.Entry<String, JsonNode> each : fields.any("codes").properties()) {
                        codes.put(
                                each.getKey(),
                                Fields.read(
                                        each.getValue(),
                                        counts ->
                                                new Tally(
                                                        counts.count("accepted"),
                                                        counts.count("watched"),
                                                        counts.count("refused"))));
                    }
                    return new Row(
                            new Subject(
                                    fields.text("listener"),
                                    network(fields.text("network")),
                                    fields.text("peer"),
                                    shortcoming(fields.text("verdict"))),
                            millis(fields.text("first")),
                            millis(fields.text("last")),
                            codes);
                });
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static HopNetwork network(String word) {
        for (HopNetwork network : HopNetwork.values()) {
            if (word(network).equals(word)) {
                return network;
            }
        }
        throw new IllegalArgumentException("there is no network \"" + word + "\"");
    }

    private static @Nullable Shortcoming shortcoming(String word) {
        if (word.equals(VERIFIED)) {
            return null;
        }
        for (Shortcoming shortcoming : Shortcoming.values()) {
            if (word(shortcoming).equals(word)) {
                return shortcoming;
            }
        }
        throw new IllegalArgumentException("there is no verdict \"" + word + "\"");
    }

    private static long millis(String time) {
        try {
            return Instant.parse(time).toEpochMilli();
        } catch (DateTimeException | ArithmeticException e) {
            throw new IllegalArgumentException("\"" + time + "\" is no time", e);
        }
    }
}
