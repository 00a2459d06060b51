package org.malote.app;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.malote.admin.Ages;
import org.malote.admin.ControlRequest;
import org.malote.admin.Counts;
import org.malote.admin.JsonLines;
import org.malote.admin.ObservedJson;
import org.malote.amtp.Observations.Row;
import org.malote.amtp.Observations.Tally;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "peers",
        description = {
            "Shows which peers were seen, and what became of their messages.",
            "",
            "By listener, operator (or, where there is none, the network of the client) and verdict:"
                    + " messages that were taken, those of them that a watched rule about codes would"
                    + " have refused, what was refused for good, and how many were taken of each"
                    + " code.",
            "Peers are counted at listeners whose `amtp` or `mpc` is not off. Those that were not"
                    + " seen for long are added up as \"(others)\"."
        },
        footer = {"", "Examples:", "  malote amtp peers", "  malote amtp peers --json"},
        mixinStandardHelpOptions = true)
final class AmtpPeersCommand extends QueueAsking {
    /// Codes that a line names; the others are added up. Ours: a terminal is narrow.
    private static final int CODES_SHOWN = 3;

    private static final List<String> HEADER =
            List.of(
                    "LISTENER",
                    "NETWORK",
                    "PEER",
                    "VERDICT",
                    "TAKEN",
                    "WATCHED",
                    "REFUSED",
                    "LAST");

    /// The first column of figures.
    private static final int FIGURES = 4;

    @Option(names = "--json", description = "One JSON object a line for each peer.")
    private boolean isJson;

    @Override
    int run(Screen screen) throws IOException, CommandFailure {
        List<List<String>> table = new ArrayList<>();
        List<String> codes = new ArrayList<>();
        Counts _ =
                ask(
                        new ControlRequest.Peers(),
                        (kind, value) -> {
                            if (!kind.equals("peer")) {
                                return;
                            }
                            if (isJson) {
                                screen.line(JsonLines.write(value));
                            } else {
                                Row row = ObservedJson.read(value);
                                table.add(cells(row, screen.clock().instant()));
                                codes.add(codes(row));
                            }
                        });
        if (isJson) {
            return 0;
        }
        if (table.isEmpty()) {
            screen.line(
                    "nobody was seen yet; amtp = \"observe\" or mpc = \"observe\" at a listener"
                            + " begins it");
            return 0;
        }
        table.addFirst(HEADER);
        codes.addFirst("CODES");
        int[] widths = new int[HEADER.size()];
        for (List<String> row : table) {
            Arrays.setAll(widths, i -> Math.max(widths[i], row.get(i).length()));
        }
        for (int i = 0; i < table.size(); i++) {
            screen.line(line(table.get(i), widths) + codes.get(i));
        }
        return 0;
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String cell = row.get(i);
            String blanks = " ".repeat(widths[i] - cell.length());
            line.append(i < FIGURES ? cell + blanks : blanks + cell).append("  ");
        }
        return line.toString();
    }

    private static List<String> cells(Row row, Instant now) {
        Tally total = row.total();
        return List.of(
                Printable.escape(row.subject().listener()),
                row.subject().network().word(),
                Printable.escape(row.subject().peer()),
                row.subject().verdict(),
                figure(total.taken()),
                figure(total.watched()),
                figure(total.refused()),
                Ages.format(Math.max(0, now.toEpochMilli() - row.lastMillis())));
    }

    private static String figure(long count) {
        return count == 0 ? "-" : String.valueOf(count);
    }

    private static String codes(Row row) {
        List<Map.Entry<String, Tally>> taken =
                row.codes().entrySet().stream()
                        .filter(each -> each.getValue().taken() > 0)
                        .sorted(
                                Comparator.comparingLong(
                                                (Map.Entry<String, Tally> each) ->
                                                        each.getValue().taken())
                                        .reversed()
                                        .thenComparing(Map.Entry::getKey))
                        .toList();
        List<String> shown = new ArrayList<>();
        long others = 0;
        for (Map.Entry<String, Tally> each : taken) {
            if (shown.size() < CODES_SHOWN) {
                shown.add(Printable.escape(each.getKey()) + " " + each.getValue().taken());
            } else {
                others += each.getValue().taken();
            }
        }
        if (others > 0) {
            shown.add("others " + others);
        }
        return String.join(", ", shown);
    }
}
