package org.malote.benchmarks.history;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads a line of the history, leniently: lines are never rewritten, so what an early one lacks is
/// a shortcoming, not an error. `benchmarks/history/README.md` has the form.
final class LineReader {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{7,40}");
    private static final Pattern JMH_CLIENTS = Pattern.compile("clients([0-9]+)");

    private static final String OURS = "malote";

    /// Numbers that say nothing of what was measured.
    private static final Set<String> NOT_OF_A_SCENARIO = Set.of("load", "rounds");

    /// A member, in the order of the line. A name can come twice: lines of 2026-11-24 have a store
    /// named `commit`.
    private record Member(String name, JsonNode value) {}

    private final String where;
    private final List<Member> members;
    private final List<Figure> figures = new ArrayList<>();
    private final List<String> shortcomings = new ArrayList<>();

    private LineReader(String where, List<Member> members) {
        this.where = where;
        this.members = members;
    }

    /// `where` is the line's file and number, for messages.
    static Line read(String where, String text) {
        List<Member> members = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return new Line.Unusable(where, "is not a JSON object");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                members.add(new Member(name, JSON.readTree(parser)));
            }
            if (parser.nextToken() != null) {
                return new Line.Unusable(where, "has something after its object");
            }
        } catch (JacksonException e) {
            return new Line.Unusable(where, "is not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a text in memory
        }
        return new LineReader(where, members).line();
    }

    private Line line() {
        String kind = kind();
        String commit = text("commit");
        @Nullable Instant date = date();
        if (kind.isEmpty() || date == null || !COMMIT.matcher(commit).matches()) {
            String lacking =
                    kind.isEmpty()
                            ? "benchmark"
                            : date == null ? "date in UTC as of ISO 8601" : "commit";
            return new Line.Unusable(where, "has no " + lacking);
        }
        @Nullable Double load = load();
        for (String name : List.of("host", "jvm", "flags")) {
            if (text(name).isEmpty()) {
                shortcomings.add("has no " + name);
            }
        }
        if (load == null) {
            shortcomings.add("has no load");
        }
        readFigures(kind);
        if (figures.isEmpty()) {
            return new Line.Unusable(where, "has no samples");
        }
        return new Line.Usable(
                new Run(
                        where,
                        kind,
                        date,
                        commit,
                        text("host"),
                        load,
                        text("jvm"),
                        text("flags"),
                        beside(),
                        figures),
                shortcomings);
    }

    /// The tables name themselves by what they are the first, or beside.
    private String kind() {
        String table = text("table");
        return table.isEmpty() ? text("benchmark") : table + "-table";
    }

    private @Nullable Instant date() {
        try {
            return Instant.parse(text("date"));
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private @Nullable Double load() {
        for (Member member : members) {
            if (member.name.equals("load") && member.value.isNumber()) {
                return member.value.doubleValue();
            }
        }
        return null;
    }

    private String text(String name) {
        for (Member member : members) {
            if (member.name.equals(name) && member.value.isTextual()) {
                return member.value.textValue();
            }
        }
        return "";
    }

    private Map<String, String> beside() {
        Map<String, String> beside = new TreeMap<>();
        for (Member member : members) {
            if (member.value.isTextual()) {
                beside.put(member.name, member.value.textValue());
            }
        }
        List.of("benchmark", "table", "date", "commit", "host", "jvm", "flags")
                .forEach(beside.keySet()::remove);
        return beside;
    }

    private void readFigures(String kind) {
        Scenario scenario = new Scenario(List.of());
        for (Member member : members) {
            if (member.value.isIntegralNumber()
                    && !NOT_OF_A_SCENARIO.contains(member.name)
                    && Metric.named(member.name) == null) {
                scenario = scenario.with(member.name, member.value.asText());
            }
        }
        boolean isTable = !text("table").isEmpty();
        for (Member member : members) {
            JsonNode value = member.value;
            @Nullable Metric metric = Metric.named(member.name);
            if (value.isNumber() && metric != null) {
                add(new Series(kind, scenario, OURS, metric), value);
            } else if (member.name.equals("scenarios") && value.isObject()) {
                for (Map.Entry<String, JsonNode> each : value.properties()) {
                    addPrograms(kind, scenario.with(Scenario.CASE, each.getKey()), each.getValue());
                }
            } else if (member.name.equals("results") && value.isArray()) {
                value.forEach(result -> addJmh(kind, result));
            } else if (value.isObject() && isTable) {
                int dash = member.name.indexOf('-');
                String program = dash < 0 ? member.name : member.name.substring(0, dash);
                addMetrics(
                        kind,
                        dash < 0
                                ? scenario
                                : scenario.with(Scenario.CASE, member.name.substring(dash + 1)),
                        program,
                        value);
            } else if (value.isObject()) {
                addProgram(kind, scenario, member.name, value);
            }
        }
    }

    private void addPrograms(String kind, Scenario scenario, JsonNode programs) {
        for (Map.Entry<String, JsonNode> program : programs.properties()) {
            addMetrics(kind, scenario, program.getKey(), program.getValue());
        }
    }

    /// Its metrics, or each of its cases with metrics.
    private void addProgram(String kind, Scenario scenario, String program, JsonNode value) {
        addMetrics(kind, scenario, program, value);
        for (Map.Entry<String, JsonNode> each : value.properties()) {
            if (each.getValue().isObject()) {
                addMetrics(
                        kind,
                        scenario.with(Scenario.CASE, each.getKey()),
                        program,
                        each.getValue());
            }
        }
    }

    private void addMetrics(String kind, Scenario scenario, String program, JsonNode metrics) {
        for (Map.Entry<String, JsonNode> each : metrics.properties()) {
            @Nullable Metric metric = Metric.named(each.getKey());
            if (metric != null) {
                add(new Series(kind, scenario, program, metric), each.getValue());
            } else if (each.getValue().isArray()) {
                shortcomings.add("has samples in no unit that is known: " + each.getKey());
            }
        }
    }

    /// One result of JMH: its parameters are the scenario, its `score` or `scores` the samples.
    private void addJmh(String kind, JsonNode result) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> each : result.properties()) {
            if (each.getValue().isTextual()) {
                parameters.put(each.getKey(), each.getValue().textValue());
            }
        }
        @Nullable String unit = parameters.remove("unit");
        @Nullable String name = parameters.remove("benchmark");
        if (unit == null || name == null || Metric.ofJmh("", unit) == null) {
            shortcomings.add("has a result of JMH without a benchmark or a unit that is known");
            return;
        }
        Matcher clients = JMH_CLIENTS.matcher(name);
        Scenario scenario =
                clients.matches()
                        ? new Scenario(List.of()).with("clients", clients.group(1))
                        : Scenario.of(name);
        for (Map.Entry<String, String> parameter : parameters.entrySet()) {
            scenario = scenario.with(parameter.getKey(), parameter.getValue());
        }
        JsonNode scores = result.has("scores") ? result.path("scores") : result.path("score");
        addJmhPart(kind, scenario, "", unit, scores);
        for (String part : List.of("p50", "p99")) {
            if (result.has(part)) {
                addJmhPart(kind, scenario, part, unit, result.path(part));
            }
        }
        for (Map.Entry<String, JsonNode> each : result.properties()) {
            @Nullable Metric metric = Metric.named(each.getKey());
            if (metric != null && !each.getValue().isTextual()) {
                add(new Series(kind, scenario, OURS, metric), each.getValue());
            }
        }
    }

    private void addJmhPart(
            String kind, Scenario scenario, String part, String unit, JsonNode samples) {
        @Nullable Metric metric = Metric.ofJmh(part, unit);
        if (metric != null) {
            add(new Series(kind, scenario, OURS, metric), samples);
        }
    }

    /// `value` is an array of samples, or the only one.
    private void add(Series series, JsonNode value) {
        List<Double> samples = new ArrayList<>();
        for (JsonNode sample : value.isArray() ? value : List.of(value)) {
            if (!sample.isNumber() || !(sample.doubleValue() > 0)) {
                samples.clear();
                break;
            }
            samples.add(sample.doubleValue());
        }
        if (samples.isEmpty()) {
            shortcomings.add(
                    "has something else than samples above 0 as "
                            + series.metric().name()
                            + " of "
                            + series.program());
        } else {
            figures.add(new Figure(series, samples));
        }
    }
}
