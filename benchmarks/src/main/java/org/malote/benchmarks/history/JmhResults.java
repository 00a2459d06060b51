package org.malote.benchmarks.history;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Turns what JMH has written (`-rf json`) into what a line of the history has of it: what
/// `benchmarks/jmh` runs.
public final class JmhResults {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final MathContext DIGITS = new MathContext(5);

    /// `-prof gc`: octets of an operation.
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    private static final Map<String, Double> UNITS_OF_A_SECOND =
            Map.of("s", 1.0, "ms", 1e3, "us", 1e6, "ns", 1e9);

    /// Results that were measured in the same way, by the class of the benchmark.
    record Group(String benchmark, String flags) {}

    private JmhResults() {}

    /// Arguments: JMH's file. Prints a line for each class and way of measuring: the class, the
    /// flags and the results, with a tab between.
    public static void main(String[] arguments) throws IOException {
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        groups(JSON.readTree(Path.of(arguments[0]).toFile()))
                .forEach(
                        (group, results) ->
                                out.println(
                                        String.join(
                                                "\t",
                                                group.benchmark,
                                                group.flags,
                                                results.toString())));
    }

    static Map<Group, ArrayNode> groups(JsonNode runs) {
        Map<Group, ArrayNode> groups = new LinkedHashMap<>();
        for (JsonNode run : runs) {
            String[] names = run.path("benchmark").asText().split("\\.", -1);
            groups.computeIfAbsent(
                            new Group(names[names.length - 2], flags(run)),
                            _ -> JSON.createArrayNode())
                    .add(result(names[names.length - 1], run));
        }
        return groups;
    }

    /// What was measured is in the results; this is how.
    private static String flags(JsonNode run) {
        StringBuilder flags = new StringBuilder("-f " + run.path("forks").asInt());
        boolean isSingleShot = run.path("mode").asText().equals("ss");
        for (List<String> phase :
                List.of(List.of("warmup", "-wi", "-w"), List.of("measurement", "-i", "-r"))) {
            int iterations = run.path(phase.get(0) + "Iterations").asInt();
            flags.append(' ').append(phase.get(1)).append(' ').append(iterations);
            if (iterations > 0 && !isSingleShot) {
                String time = run.path(phase.get(0) + "Time").asText().replace(" ", "");
                flags.append(' ').append(phase.get(2)).append(' ').append(time);
            }
        }
        return flags.toString();
    }

    private static ObjectNode result(String method, JsonNode run) {
        ObjectNode result = JSON.createObjectNode();
        result.put("benchmark", method);
        result.put("mode", run.path("mode").asText());
        run.path("params")
                .properties()
                .forEach(parameter -> result.set(parameter.getKey(), parameter.getValue()));
        JsonNode primary = run.path("primaryMetric");
        List<Double> scores = samples(primary);
        if (scores.isEmpty()) {
            result.put("score", rounded(primary.path("score").asDouble()));
        } else {
            scores.forEach(result.withArray("scores")::add);
        }
        result.put("unit", primary.path("scoreUnit").asText());
        if (run.path("mode").asText().equals("sample")) {
            for (String percentile : List.of("50", "99")) {
                double value = primary.path("scorePercentiles").path(percentile + ".0").asDouble();
                result.put("p" + percentile, rounded(value));
            }
        }
        run.path("secondaryMetrics")
                .properties()
                .forEach(metric -> addSecondary(result, metric.getKey(), metric.getValue()));
        return result;
    }

    /// What the benchmark counts beside its operations, and what it allocates.
    private static void addSecondary(ObjectNode result, String name, JsonNode metric) {
        String unit = metric.path("scoreUnit").asText();
        @Nullable Double ofASecond =
                unit.startsWith("ops/") ? UNITS_OF_A_SECOND.get(unit.substring(4)) : null;
        if (ofASecond != null) {
            for (double sample : samples(metric)) {
                result.withArray(name + "PerSecond").add(rounded(sample * ofASecond));
            }
        } else if (name.endsWith(ALLOCATED)) {
            // JMH itself allocates less than an octet an operation. None is 1, since samples are
            // above 0.
            for (double sample : samples(metric)) {
                result.withArray("allocatedBytes").add(Math.max(1, Math.round(sample)));
            }
        }
    }

    /// One an iteration, of all forks; none where JMH has kept a histogram.
    private static List<Double> samples(JsonNode metric) {
        List<Double> samples = new ArrayList<>();
        for (JsonNode fork : metric.path("rawData")) {
            for (JsonNode sample : fork) {
                samples.add(rounded(sample.asDouble()));
            }
        }
        return samples;
    }

    private static double rounded(double value) {
        return new BigDecimal(value).round(DIGITS).doubleValue();
    }
}
