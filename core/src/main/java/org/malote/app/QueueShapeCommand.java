package org.malote.app;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.malote.admin.ControlRequest;
import org.malote.admin.JsonLines;
import org.malote.admin.QueueFilter;
import org.malote.admin.QueueShape;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "shape",
        description = {
            "Counts recipients by destination and age.",
            "",
            "Those that wait, are attempted or are held, by the age of their message: T is all of"
                    + " them, then those younger than so many minutes. The largest destinations come"
                    + " first.",
            "With filters: those recipients alone of whom everything is true that they say; see"
                    + " malote queue list --help."
        },
        footer = {
            "",
            "Examples:",
            "  malote queue shape",
            "  malote queue shape --state held --rows 10"
        },
        mixinStandardHelpOptions = true)
final class QueueShapeCommand extends QueueAsking {
    @Mixin private final FilterOptions filters = new FilterOptions();

    @Option(
            names = "--rows",
            paramLabel = "N",
            defaultValue = "20",
            description =
                    "How many destinations to name; the others are one row. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int rows;

    @Option(names = "--json", description = "One JSON object a line for each row.")
    private boolean isJson;

    /// A row of the table, as text.
    private record Row(List<String> figures, String name) {}

    @Override
    int run(Screen screen) throws IOException, CommandFailure {
        if (rows < 1 || rows > QueueShape.ROWS_MAX) {
            throw wrong("--rows takes a number from 1 to " + QueueShape.ROWS_MAX);
        }
        QueueFilter filter;
        try {
            filter = filters.filter();
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
        List<JsonNode> lines = new ArrayList<>();
        try (Progress progress = Progress.on(screen)) {
            ask(
                    new ControlRequest.Shape(filter, rows),
                    (kind, value) -> {
                        if (kind.equals("shape")) {
                            lines.add(value);
                        } else {
                            show(kind, value, "read", progress);
                        }
                    });
        }
        if (isJson) {
            for (JsonNode line : lines) {
                screen.line(JsonLines.write(line));
            }
        } else {
            for (String line : table(lines)) {
                screen.line(line);
            }
        }
        return 0;
    }

    private static List<String> table(List<JsonNode> lines) {
        List<Integer> minutes = QueueShape.bucketMinutes();
        List<Row> rows = new ArrayList<>();
        List<String> header = new ArrayList<>(List.of("T"));
        minutes.forEach(each -> header.add(String.valueOf(each)));
        header.add(minutes.getLast() + "+");
        rows.add(new Row(header, ""));
        long[] sums = new long[header.size()];
        List<Row> each = new ArrayList<>();
        for (JsonNode line : lines) {
            List<String> figures = new ArrayList<>();
            for (int i = 0; i < sums.length; i++) {
                long figure =
                        i == 0
                                ? line.path("total").asLong()
                                : line.path("ages").path(i - 1).asLong();
                sums[i] += figure;
                figures.add(figure == 0 ? "-" : String.valueOf(figure));
            }
            each.add(new Row(figures, name(line)));
        }
        List<String> total = new ArrayList<>();
        for (long sum : sums) {
            total.add(String.valueOf(sum));
        }
        rows.add(new Row(total, "TOTAL"));
        rows.addAll(each);
        return aligned(rows);
    }

    private static String name(JsonNode line) {
        if (line.has("others")) {
            long others = line.path("others").asLong();
            return others == 1 ? "1 other" : others + " others";
        }
        return Printable.escape(line.path("destination").asText())
                + (line.path("suspended").asBoolean() ? " (suspended)" : "");
    }

    /// Each column as wide as it must be: a terminal is narrow.
    private static List<String> aligned(List<Row> rows) {
        int[] widths = new int[rows.getFirst().figures().size()];
        for (Row row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.figures().get(i).length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (Row row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String figure = row.figures().get(i);
                line.append(" ".repeat(widths[i] - figure.length())).append(figure).append(' ');
            }
            lines.add(line.append(' ').append(row.name()).toString().stripTrailing());
        }
        return lines;
    }
}
