package org.malote.benchmarks.history;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Says what moved between two commits outside the noise: what `benchmarks/moved` runs.
public final class Moved {
    /// What the command ends with.
    static final int NOTHING_WORSE = 0;

    static final int WORSE = 1;
    static final int NOT_COMPARED = 2;

    private static final List<String> HEAD =
            List.of(
                    "scenario",
                    "program",
                    "metric",
                    "before",
                    "after",
                    "ratio",
                    "noise",
                    "chance",
                    "");

    /// From this column on numbers are on the right.
    private static final int FIRST_NUMBER = 3;

    private Moved() {}

    /// Arguments: the folder of the history; two files with the commits' lineages, one hash a line,
    /// the commit itself first.
    public static void main(String[] arguments) throws IOException {
        int status =
                run(
                        Path.of(arguments[0]),
                        new Lineage(Files.readAllLines(Path.of(arguments[1]))),
                        new Lineage(Files.readAllLines(Path.of(arguments[2]))),
                        new PrintStream(System.out, true, StandardCharsets.UTF_8),
                        new PrintStream(System.err, true, StandardCharsets.UTF_8));
        System.exit(status);
    }

    static int run(Path folder, Lineage before, Lineage after, PrintStream out, PrintStream errors)
            throws IOException {
        History history = History.read(folder);
        history.notes().stream().filter(note -> note.contains("left out")).forEach(errors::println);
        Comparison comparison = Comparison.of(history.runs(), before, after);
        print(comparison, out);
        comparison.remarks().forEach(remark -> out.println("Not compared: " + remark + "."));
        if (comparison.moves().isEmpty()) {
            errors.println(
                    "moved: no figure was measured on one host with the same flags at "
                            + before.name()
                            + " and at "
                            + after.name()
                            + ", or before them; run the benchmark at both");
            return NOT_COMPARED;
        }
        return comparison.isWorse() ? WORSE : NOTHING_WORSE;
    }

    private static void print(Comparison comparison, PrintStream out) {
        Map<String, List<List<String>>> tables = new TreeMap<>();
        for (Comparison.Move move : comparison.moves()) {
            String title =
                    String.format(
                            Locale.ROOT,
                            "%s, %s to %s, on %s, %s",
                            move.series().kind(),
                            move.before().commit(),
                            move.after().commit(),
                            move.setting().host(),
                            move.setting().flags().isEmpty() ? "no flags" : move.setting().flags());
            tables.computeIfAbsent(title, _ -> new ArrayList<>(List.of(HEAD))).add(row(move));
        }
        tables.forEach(
                (title, rows) -> {
                    out.println(title);
                    print(rows, out);
                    out.println();
                });
        if (!comparison.moves().isEmpty()) {
            out.printf(
                    Locale.ROOT,
                    "%d worse, %d better, %d within the noise, %d of one figure without a known noise, %d beside%n",
                    comparison.count(Comparison.Verdict.WORSE),
                    comparison.count(Comparison.Verdict.BETTER),
                    comparison.count(Comparison.Verdict.WITHIN),
                    comparison.count(Comparison.Verdict.UNTOLD),
                    comparison.count(Comparison.Verdict.BESIDE));
        }
    }

    private static List<String> row(Comparison.Move move) {
        boolean isTold = !Double.isNaN(move.chance());
        return List.of(
                move.series().scenario().text(),
                move.series().program(),
                move.series().metric().name(),
                Numbers.text(move.before().median()),
                Numbers.text(move.after().median()),
                Numbers.ratio(move.ratio()),
                isTold ? "×/÷ " + Numbers.ratio(move.reach()) : "",
                isTold ? String.format(Locale.ROOT, "%.4f", move.chance()) : "",
                switch (move.verdict()) {
                    case WORSE -> "WORSE";
                    case BETTER -> "better";
                    case WITHIN -> "";
                    case UNTOLD -> "noise unknown";
                    case BESIDE -> "beside";
                });
    }

    private static void print(List<List<String>> rows, PrintStream out) {
        int[] widths = new int[HEAD.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String gap = " ".repeat(widths[i] - row.get(i).length());
                boolean isNumber = i >= FIRST_NUMBER && i < widths.length - 1;
                line.append("  ").append(isNumber ? gap + row.get(i) : row.get(i) + gap);
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
