package org.malote.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.Printable;

/// One table of the file while it is read. Each question names a key, its default and what it may
/// be; a wrong value is noted as a problem and answered with the default, so that reading goes on
/// and finds the other problems too.
final class Section {
    /// Where the problems of one file gather.
    static final class Notes {
        private final String file;
        private final Map<String, Integer> lines;
        private final List<Problem> problems = new ArrayList<>();
        private final Set<String> unsaid = new LinkedHashSet<>();

        Notes(String file, Map<String, Integer> lines) {
            this.file = file;
            this.lines = lines;
        }

        void add(String path, String sentence) {
            problems.add(new Problem(file, line(path), sentence));
        }

        List<Problem> problems() {
            return problems;
        }

        /// The keys whose default was taken, since the file does not have them.
        Set<String> unsaid() {
            return unsaid;
        }

        /// The line of the path, or of the nearest thing around it.
        private int line(String path) {
            String around = path;
            while (!around.isEmpty()) {
                Integer line = lines.get(around);
                if (line != null) {
                    return line;
                }
                int cut = Math.max(around.lastIndexOf('.'), around.lastIndexOf('['));
                around = cut < 0 ? "" : around.substring(0, cut);
            }
            return 1;
        }
    }

    /// Longer than any key of ours, to bound the comparison with what a file holds.
    private static final int KEY_LENGTH_MAX = 64;

    private static final JsonNode EMPTY = JsonNodeFactory.instance.objectNode();

    private final String path;
    private final Map<String, JsonNode> values = new LinkedHashMap<>();
    private final Set<String> known = new LinkedHashSet<>();
    private final Notes notes;

    private Section(String path, JsonNode table, Notes notes) {
        this.path = path;
        this.notes = notes;
        table.properties().forEach(entry -> values.put(entry.getKey(), entry.getValue()));
    }

    static Section root(JsonNode table, Notes notes) {
        return new Section("", table, notes);
    }

    /// The keys of a table whose keys are the operator's to name.
    List<String> keys() {
        return List.copyOf(values.keySet());
    }

    /// A table inside this one; empty when it is not there.
    Section section(String key) {
        JsonNode node = take(key);
        if (node == null || node.isObject()) {
            return new Section(at(key), node == null ? EMPTY : node, notes);
        }
        problem(key, "\"" + key + "\" is a table; write [" + at(key) + "] on a line of its own");
        return new Section(at(key), EMPTY, notes);
    }

    /// The tables of an array, in order.
    List<Section> sections(String key, String example) {
        JsonNode node = take(key);
        List<Section> sections = new ArrayList<>();
        if (node == null) {
            return sections;
        }
        if (!node.isArray()) {
            problem(key, "\"" + key + "\" can be there more than once; write " + example);
            return sections;
        }
        for (int i = 0; i < node.size(); i++) {
            String element = at(key) + "[" + i + "]";
            if (node.get(i).isObject()) {
                sections.add(new Section(element, node.get(i), notes));
            } else {
                notes.add(element, "\"" + key + "\" holds tables; write " + example);
            }
        }
        return sections;
    }

    /// A text, read by `parse`, which answers null to what it does not know.
    <T> T text(String key, T otherwise, String example, Function<String, @Nullable T> parse) {
        T value = optionalText(key, example, parse);
        return value == null ? otherwise : value;
    }

    /// As [#text], without a default.
    <T> @Nullable T optionalText(String key, String example, Function<String, @Nullable T> parse) {
        JsonNode node = take(key);
        if (node == null) {
            return null;
        }
        if (!node.isTextual()) {
            problem(key, wants(key, example, node));
            return null;
        }
        T value = parse.apply(node.textValue());
        if (value == null) {
            problem(key, wants(key, example, node));
        }
        return value;
    }

    /// A text that must be there.
    <T> @Nullable T requiredText(String key, String example, Function<String, @Nullable T> parse) {
        if (!values.containsKey(key)) {
            take(key);
            notes.add(path, "\"" + key + "\" is missing; write " + key + " = \"" + example + "\"");
            return null;
        }
        return optionalText(key, example, parse);
    }

    /// One of a few words.
    <T> T word(String key, T otherwise, Map<String, T> words) {
        JsonNode node = take(key);
        if (node == null) {
            return otherwise;
        }
        T value = node.isTextual() ? words.get(node.textValue()) : null;
        if (value != null) {
            return value;
        }
        problem(
                key,
                "\""
                        + key
                        + "\" is one of "
                        + String.join(", ", words.keySet())
                        + ", not "
                        + shown(node)
                        + (node.isTextual() ? didYouMean(node.textValue(), words.keySet()) : ""));
        return otherwise;
    }

    /// A list of texts.
    <T> List<T> texts(
            String key, List<T> otherwise, String example, Function<String, @Nullable T> parse) {
        JsonNode node = take(key);
        if (node == null) {
            return otherwise;
        }
        if (!node.isArray()) {
            problem(key, "\"" + key + "\" is a list; write " + key + " = [\"" + example + "\"]");
            return otherwise;
        }
        List<T> list = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            JsonNode element = node.get(i);
            T value = element.isTextual() ? parse.apply(element.textValue()) : null;
            if (value == null) {
                notes.add(at(key) + "[" + i + "]", wants(key, example, element));
            } else {
                list.add(value);
            }
        }
        return list;
    }

    /// A whole number.
    int count(String key, int otherwise, int min, int max) {
        JsonNode node = take(key);
        if (node == null) {
            return otherwise;
        }
        if (node.isIntegralNumber()
                && node.canConvertToInt()
                && node.intValue() >= min
                && node.intValue() <= max) {
            return node.intValue();
        }
        problem(
                key,
                "\"" + key + "\" is a number from " + min + " to " + max + ", not " + shown(node));
        return otherwise;
    }

    /// A number with a fraction.
    double share(String key, double otherwise, double min, double max) {
        JsonNode node = take(key);
        if (node == null) {
            return otherwise;
        }
        if (node.isNumber() && node.doubleValue() >= min && node.doubleValue() <= max) {
            return node.doubleValue();
        }
        problem(
                key,
                "\""
                        + key
                        + "\" is a number from "
                        + BigDecimal.valueOf(min).toPlainString()
                        + " to "
                        + BigDecimal.valueOf(max).toPlainString()
                        + ", not "
                        + shown(node));
        return otherwise;
    }

    boolean yesOrNo(String key, boolean otherwise) {
        JsonNode node = take(key);
        if (node == null) {
            return otherwise;
        }
        if (!node.isBoolean()) {
            problem(key, "\"" + key + "\" is true or false, without quotes, not " + shown(node));
        }
        return node.isBoolean() ? node.booleanValue() : otherwise;
    }

    Duration duration(String key, Duration otherwise, Duration min, Duration max) {
        JsonNode node = take(key);
        if (node == null) {
            return otherwise;
        }
        Duration value = node.isTextual() ? Units.parseDuration(node.textValue()) : null;
        if (value != null && value.compareTo(min) >= 0 && value.compareTo(max) <= 0) {
            return value;
        }
        problem(
                key,
                "\""
                        + key
                        + "\" is a duration such as \""
                        + Units.format(otherwise)
                        + "\", from "
                        + Units.format(min)
                        + " to "
                        + Units.format(max)
                        + ", not "
                        + shown(node));
        return otherwise;
    }

    /// Bytes: `"50MiB"`, or a number.
    long size(String key, long otherwise, long min, long max) {
        JsonNode node = take(key);
        if (node == null) {
            return otherwise;
        }
        long value = -1;
        if (node.isTextual()) {
            value = Units.parseSize(node.textValue());
        } else if (node.isIntegralNumber() && node.canConvertToLong()) {
            value = node.longValue();
        }
        if (value >= min && value <= max) {
            return value;
        }
        problem(
                key,
                "\""
                        + key
                        + "\" is a size such as \""
                        + Units.formatSize(otherwise)
                        + "\", from "
                        + Units.formatSize(min)
                        + " to "
                        + Units.formatSize(max)
                        + ", not "
                        + shown(node));
        return otherwise;
    }

    @Nullable InetSocketAddress address(String key, String example) {
        return optionalText(key, example, text -> Units.parseAddress(text, -1));
    }

    /// Notes a problem with a key of this table.
    void problem(String key, String sentence) {
        notes.add(at(key), sentence);
    }

    /// Notes a problem with the table itself.
    void problem(String sentence) {
        notes.add(path, sentence);
    }

    /// Notes every key that nobody asked for.
    void end() {
        for (String key : values.keySet()) {
            if (!known.contains(key)) {
                String where = path.isEmpty() ? "" : " in [" + header() + "]";
                problem(
                        key,
                        "unknown key \""
                                + Printable.escape(key)
                                + "\""
                                + where
                                + didYouMean(key, known));
            }
        }
    }

    /// `; did you mean "hostname"?` when something is near, nothing otherwise.
    static String didYouMean(String given, Iterable<String> choices) {
        String best = "";
        int bestDistance = Math.max(2, given.length() / 3) + 1;
        for (String choice : choices) {
            int distance = distance(given, choice);
            if (distance < bestDistance
                    || (distance == bestDistance && choice.compareTo(best) < 0)) {
                bestDistance = distance;
                best = choice;
            }
        }
        return best.isEmpty() ? "" : "; did you mean \"" + best + "\"?";
    }

    /// How many letters must be changed, added, dropped or swapped with their neighbour.
    private static int distance(String a, String b) {
        if (a.length() > KEY_LENGTH_MAX || b.length() > KEY_LENGTH_MAX) {
            return Integer.MAX_VALUE;
        }
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                boolean same = a.charAt(i - 1) == b.charAt(j - 1);
                int least =
                        Math.min(
                                Math.min(cost[i - 1][j], cost[i][j - 1]) + 1,
                                cost[i - 1][j - 1] + (same ? 0 : 1));
                if (i > 1
                        && j > 1
                        && a.charAt(i - 1) == b.charAt(j - 2)
                        && a.charAt(i - 2) == b.charAt(j - 1)) {
                    least = Math.min(least, cost[i - 2][j - 2] + 1);
                }
                cost[i][j] = least;
            }
        }
        return cost[a.length()][b.length()];
    }

    private @Nullable JsonNode take(String key) {
        known.add(key);
        JsonNode node = values.get(key);
        if (node == null) {
            notes.unsaid.add(at(key));
        }
        return node;
    }

    private String at(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private String header() {
        return path.replaceAll("\\[[0-9]+]", "");
    }

    private static String wants(String key, String example, JsonNode node) {
        return "\"" + key + "\" is written as \"" + example + "\", not " + shown(node);
    }

    private static String shown(JsonNode node) {
        return node.isTextual()
                ? "\"" + Printable.escape(node.textValue()) + "\""
                : Printable.escape(node.toString());
    }
}
