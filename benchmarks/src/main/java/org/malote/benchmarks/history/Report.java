package org.malote.benchmarks.history;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// One page of HTML with what the history holds: what `benchmarks/report` makes. It asks for
/// nothing outside of itself, and needs no JavaScript. The same history makes the same page.
public final class Report {
    /// What the first table shows: of these kinds this metric of this program, and where sizes
    /// differ of this size alone.
    private record Headline(
            String kind, String metric, String program, String octets, String what) {
        private boolean fits(Series series) {
            String size = series.scenario().value("octets");
            return series.kind().equals(kind)
                    && series.metric().name().equals(metric)
                    && (series.program().equals(program)
                            || series.program().startsWith(program + "-"))
                    && (octets.isEmpty() || size.equals(octets));
        }
    }

    private static final List<Headline> HEADLINES =
            List.of(
                    new Headline(
                            "compare", "cpuMicros", "malote", "", "server CPU of a message, µs"),
                    new Headline("compare", "perSecond", "malote", "", "messages a second"),
                    new Headline(
                            "first-table",
                            "microsPerMessage",
                            "malote",
                            "",
                            "server CPU of a message, µs"),
                    new Headline(
                            "postfix-table",
                            "messagesPerCpuSecond",
                            "malote",
                            "",
                            "messages for a second of the server's CPU"),
                    new Headline(
                            "handshakes",
                            "cpuMicros",
                            "native",
                            "",
                            "server CPU of a connection, µs"),
                    new Headline(
                            "server-acks",
                            "perSecond",
                            "segment-commit",
                            "8192",
                            "acknowledgements a second of the server"),
                    new Headline(
                            "acks",
                            "perSecond",
                            "segment",
                            "8192",
                            "acknowledgements a second of the queue"),
                    new Headline(
                            "idle", "bytesEach", "malote", "", "memory of an idle session, bytes"),
                    new Headline(
                            "idle",
                            "residentBytesEach",
                            "malote",
                            "",
                            "resident memory of an idle session, bytes"));

    /// In this order, with what is drawn of them; kinds that are not here follow, with all.
    private static final Map<String, Section> SECTIONS = sections();

    private record Section(String title, List<String> metrics) {}

    private static Map<String, Section> sections() {
        Map<String, Section> sections = new LinkedHashMap<>();
        sections.put(
                "compare",
                new Section(
                        "Side by side with other servers",
                        List.of("cpuMicros", "perSecond", "p50Micros", "p99Micros")));
        sections.put(
                "first-table",
                new Section("CPU of a message over STARTTLS", List.of("microsPerMessage")));
        sections.put(
                "postfix-table",
                new Section("Messages for a second of CPU", List.of("messagesPerCpuSecond")));
        sections.put("handshakes", new Section("Secured connections", List.of("cpuMicros")));
        sections.put(
                "server-acks",
                new Section("Acknowledgements of the server", List.of("perSecond", "p99Micros")));
        sections.put(
                "acks",
                new Section("Acknowledgements of the queue", List.of("perSecond", "p99Micros")));
        sections.put(
                "idle", new Section("Idle sessions", List.of("bytesEach", "residentBytesEach")));
        return sections;
    }

    private static final String STYLE =
            """
            :root { color-scheme: light dark; --page: #fcfcfb; --ink: #1d1f21; --faint: #5f6468; --rule: #d9dbdc;
              --own: #2a6fb5; --beside: #8b8f94; --c0: #74797e; --c1: #2a6fb5; --c2: #b4540a; --c3: #1b8060;
              --c4: #8a4fa8; --c5: #a3363f; }
            @media (prefers-color-scheme: dark) { :root { --page: #17191b; --ink: #e8e9ea; --faint: #a2a8ad;
              --rule: #3a3e42; --own: #5b9fe0; --beside: #80868c; --c0: #9aa0a6; --c1: #5b9fe0; --c2: #e08a45;
              --c3: #4bb591; --c4: #bb8bd6; --c5: #e07a82; } }
            body { margin: 0 auto; max-width: 62rem; padding: 1rem 1.25rem 4rem; background: var(--page);
              color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
            h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { font-size: 1.3rem; margin-top: 2.5rem; }
            h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; } p { max-width: 46rem; }
            a { color: var(--own); } .faint { color: var(--faint); }
            table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
            caption { text-align: left; color: var(--faint); padding: .25rem 0; }
            th, td { padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--rule); text-align: right;
              vertical-align: top; }
            th:first-child { text-align: left; font-weight: 500; } thead th { font-weight: 600; }
            .wide { overflow-x: auto; margin: .5rem 0 1rem; }
            .charts { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; } figure { margin: 0; }
            svg { max-width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); }
            svg text.head { font-weight: 600; } .own { fill: var(--own); } .beside { fill: var(--beside); }
            .whisker { stroke: var(--ink); stroke-width: 1.2; fill: none; } .grid { stroke: var(--rule); fill: none; }
            .line { fill: none; stroke: currentColor; stroke-width: 1.8; } .reach { fill: none; stroke: currentColor;
              stroke-width: 1.2; } svg g { fill: currentColor; }
            .c0 { color: var(--c0); } .c0 .line { stroke-dasharray: 5 3; } .c1 { color: var(--c1); }
            .c2 { color: var(--c2); } .c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
            .legend { list-style: none; padding: 0; margin: .25rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem;
              font-size: .875rem; } .spark { vertical-align: middle; } .history td { text-align: left; }
            summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
            """;

    /// A figure and the run that it is of.
    private record Seen(Run run, Figure figure) {}

    private final History history;

    /// The newest figure of each series, in the order of the series.
    private final Map<Series, Seen> newest = new TreeMap<>();

    private final List<String> hosts;
    private final StringBuilder html = new StringBuilder();

    private Report(History history) {
        this.history = history;
        Set<String> all = new LinkedHashSet<>();
        for (Run run : history.runs()) {
            all.add(run.host());
            run.figures().forEach(figure -> newest.put(figure.series(), new Seen(run, figure)));
        }
        hosts = List.copyOf(all);
    }

    /// Arguments: the folder of the history, and the file to write.
    public static void main(String[] arguments) throws IOException {
        History history = History.read(Path.of(arguments[0]));
        history.notes().forEach(note -> System.err.println("report: " + note));
        if (history.runs().isEmpty()) {
            System.err.println(
                    "report: no line of " + arguments[0] + " can be used; measure first");
            System.exit(2);
        }
        try {
            Files.writeString(Path.of(arguments[1]), page(history), StandardCharsets.UTF_8);
        } catch (IOException e) {
            System.err.println("report: " + arguments[1] + " cannot be written: " + e.getMessage());
            System.exit(2);
        }
    }

    static String page(History history) {
        return new Report(history).page();
    }

    private String page() {
        html.append(
                """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <title>What Malote costs</title>
                <style>
                """);
        html.append(STYLE)
                .append("</style>\n</head>\n<body>\n<header>\n<h1>What Malote costs</h1>\n");
        addSummary();
        html.append("</header>\n<main>\n");
        addHeadlines();
        Set<String> kinds = new TreeSet<>();
        newest.keySet().forEach(series -> kinds.add(series.kind()));
        SECTIONS.forEach(
                (kind, section) -> {
                    if (kinds.remove(kind)) {
                        addSection(kind, section);
                    }
                });
        for (String kind : kinds) {
            addSection(kind, new Section(title(kind), List.of()));
        }
        addHistory();
        addNotes();
        return html.append("</main>\n</body>\n</html>\n").toString();
    }

    private static String title(String kind) {
        return kind.startsWith("jmh ") ? "JMH: " + kind.substring(4) : kind;
    }

    private void addSummary() {
        Run last = history.runs().getLast();
        paragraph(
                "faint",
                history.runs().size()
                        + " runs, the last of "
                        + day(last)
                        + " at commit "
                        + last.commit()
                        + ". Figures are medians; what is in brackets, and what whiskers show, is the range of the rounds."
                        + " Bars and lines in grey are other software, and the floor: plain appends to a file, without a queue.");
        html.append("<ol class=\"faint\">");
        for (String host : hosts) {
            html.append("<li>Host: ")
                    .append(Markup.escaped(host.isEmpty() ? "not named" : host))
                    .append("</li>");
        }
        html.append("</ol>\n");
    }

    // ---- Malote beside others ----

    private void addHeadlines() {
        List<List<String>> rows = new ArrayList<>();
        for (Headline headline : HEADLINES) {
            for (Map.Entry<Series, Seen> each : newest.entrySet()) {
                if (headline.fits(each.getKey())) {
                    addHeadline(headline, each.getValue(), rows);
                }
            }
        }
        html.append("<section>\n<h2>Malote beside others</h2>\n");
        html.append(
                Markup.table(
                        "The newest run of each; ratios are of medians in the same run.",
                        List.of(
                                "what", "Malote", "beside", "ratio", "better", "commit", "date",
                                "host", "load"),
                        rows));
        html.append("</section>\n");
    }

    /// A row for each that it was measured beside, in the same run, in the same variant.
    private void addHeadline(Headline headline, Seen seen, List<List<String>> rows) {
        Series series = seen.figure.series();
        String scenario = series.scenario().text();
        String variant = headline.program.contains("-") ? "" : series.variant();
        String what =
                headline.what
                        + (variant.isEmpty() ? "" : ", " + variant)
                        + (scenario.isEmpty() ? "" : ": " + scenario);
        boolean isAlone = true;
        for (Figure other : seen.run.figures()) {
            Series theirs = other.series();
            if (theirs.isBeside()
                    && theirs.metric().equals(series.metric())
                    && theirs.scenario().equals(series.scenario())
                    && theirs.variant().equals(variant)) {
                isAlone = false;
                rows.add(
                        headlineRow(
                                what,
                                seen,
                                theirs.program() + " " + Numbers.text(other),
                                Numbers.ratio(seen.figure.median() / other.median())));
            }
        }
        if (isAlone) {
            rows.add(headlineRow(what, seen, "–", "–"));
        }
    }

    private List<String> headlineRow(String what, Seen seen, String beside, String ratio) {
        return List.of(
                what,
                Numbers.text(seen.figure),
                beside,
                ratio,
                seen.figure.series().metric().better() == Metric.Better.LOWER ? "less" : "more",
                seen.run.commit(),
                day(seen.run),
                host(seen.run),
                load(seen.run));
    }

    // ---- the newest run of each kind ----

    private void addSection(String kind, Section section) {
        List<Seen> all =
                newest.entrySet().stream()
                        .filter(each -> each.getKey().kind().equals(kind))
                        .map(Map.Entry::getValue)
                        .toList();
        html.append("<section>\n<h2>").append(Markup.escaped(section.title)).append("</h2>\n");
        Set<String> runs = new LinkedHashSet<>();
        all.stream()
                .map(Seen::run)
                .sorted(Comparator.comparing(Run::date))
                .forEach(run -> runs.add(origin(run)));
        paragraph("faint", "Of " + String.join("; ", runs) + ".");
        Map<String, Metric> metrics = new LinkedHashMap<>();
        section.metrics.forEach(
                name ->
                        all.stream()
                                .map(seen -> seen.figure.series().metric())
                                .filter(metric -> metric.name().equals(name))
                                .findFirst()
                                .ifPresent(metric -> metrics.put(name, metric)));
        if (metrics.isEmpty()) {
            for (Seen seen : all) {
                Metric metric = seen.figure.series().metric();
                metrics.put(metric.name(), metric);
            }
        }
        boolean isByClients =
                all.stream()
                        .anyMatch(seen -> seen.figure.series().scenario().number("clients") > 0);
        for (Metric metric : metrics.values()) {
            List<Figure> figures =
                    all.stream()
                            .map(Seen::figure)
                            .filter(figure -> figure.series().metric().equals(metric))
                            .toList();
            html.append("<h3>").append(Markup.escaped(metricTitle(metric))).append("</h3>\n");
            if (isByClients) {
                addCharts(section.title, metric, figures);
            } else {
                html.append("<figure>")
                        .append(
                                Plot.bars(
                                        section.title + ": " + metricTitle(metric),
                                        metric.unit(),
                                        figures))
                        .append("</figure>\n");
            }
            addFigures(metricTitle(metric), figures);
        }
        html.append("</section>\n");
    }

    /// A chart for each scenario apart from the number of clients; of JMH, with a line for each
    /// size.
    private void addCharts(String title, Metric metric, List<Figure> figures) {
        boolean isOneProgram =
                figures.stream().map(figure -> figure.series().program()).distinct().count() == 1;
        Map<Scenario, Map<String, List<Figure>>> charts = new TreeMap<>();
        for (Figure figure : figures) {
            Scenario rest = figure.series().scenario().without("clients");
            String line =
                    isOneProgram ? rest.value("octets") + " octets" : figure.series().program();
            charts.computeIfAbsent(
                            isOneProgram ? rest.without("octets") : rest,
                            _ -> new LinkedHashMap<>())
                    .computeIfAbsent(line, _ -> new ArrayList<>())
                    .add(figure);
        }
        Map<String, Integer> colours = new LinkedHashMap<>();
        for (Headline headline : HEADLINES) {
            if (headline.kind.equals(figures.getFirst().series().kind())) {
                colours.put(headline.program, 1);
            }
        }
        for (Map<String, List<Figure>> lines : charts.values()) {
            lines.forEach(
                    (name, points) -> {
                        if (!points.getFirst().series().isBeside()) {
                            colours.putIfAbsent(name, 1 + colours.size() % (Plot.COLOURS - 1));
                        }
                    });
        }
        html.append("<div class=\"charts\">\n");
        charts.forEach(
                (scenario, lines) -> {
                    List<Plot.Graph> graphs = new ArrayList<>();
                    lines.forEach(
                            (name, points) ->
                                    graphs.add(graph(name, colours.getOrDefault(name, 0), points)));
                    html.append("<figure><figcaption>")
                            .append(Markup.escaped(scenario.text()))
                            .append("</figcaption>")
                            .append(
                                    Plot.chart(
                                            title
                                                    + ": "
                                                    + metricTitle(metric)
                                                    + ", "
                                                    + scenario.text(),
                                            "clients",
                                            metric.unit(),
                                            graphs))
                            .append(Plot.legend(graphs))
                            .append("</figure>\n");
                });
        html.append("</div>\n");
    }

    private static Plot.Graph graph(String name, int colour, List<Figure> figures) {
        List<Plot.Point> points = new ArrayList<>();
        for (Figure figure : figures) {
            long clients = figure.series().scenario().number("clients");
            points.add(
                    new Plot.Point(
                            clients,
                            figure.low(),
                            figure.median(),
                            figure.high(),
                            name + ", " + clients + " clients: " + Numbers.text(figure)));
        }
        points.sort(Comparator.comparingDouble(Plot.Point::x));
        return new Plot.Graph(name, colour, colour, points);
    }

    /// Scenarios down, programs across.
    private void addFigures(String caption, List<Figure> figures) {
        Set<String> programs = new TreeSet<>();
        Map<Scenario, Map<String, Figure>> rows = new TreeMap<>();
        for (Figure figure : figures) {
            programs.add(figure.series().program());
            rows.computeIfAbsent(figure.series().scenario(), _ -> new TreeMap<>())
                    .put(figure.series().program(), figure);
        }
        List<String> head = new ArrayList<>(List.of("scenario"));
        head.addAll(programs);
        List<List<String>> cells = new ArrayList<>();
        rows.forEach(
                (scenario, ofPrograms) -> {
                    List<String> row = new ArrayList<>(List.of(scenario.text()));
                    for (String program : programs) {
                        Figure figure = ofPrograms.get(program);
                        row.add(figure == null ? "" : Numbers.text(figure));
                    }
                    cells.add(row);
                });
        html.append(Markup.table(caption, head, cells));
    }

    // ---- over commits ----

    private record Place(Series series, Run.Setting setting) {}

    private void addHistory() {
        Map<String, Map<Place, List<Seen>>> kinds = new TreeMap<>();
        for (Run run : history.runs()) {
            for (Figure figure : run.figures()) {
                kinds.computeIfAbsent(
                                run.kind(),
                                _ ->
                                        new TreeMap<>(
                                                Comparator.comparing(Place::series)
                                                        .thenComparing(
                                                                place -> place.setting.host())
                                                        .thenComparing(
                                                                place -> place.setting.flags())))
                        .computeIfAbsent(
                                new Place(figure.series(), run.setting()), _ -> new ArrayList<>())
                        .add(new Seen(run, figure));
            }
        }
        html.append("<section>\n<h2>History</h2>\n");
        paragraph(
                "",
                "Each metric over the runs, oldest first, one row for each host and set of flags. Only figures of a row are"
                        + " comparable; benchmarks/moved says which differences are outside the noise.");
        kinds.forEach(this::addHistory);
        html.append("</section>\n");
    }

    private void addHistory(String kind, Map<Place, List<Seen>> places) {
        html.append("<details><summary>")
                .append(Markup.escaped(title(kind)))
                .append(" (")
                .append(places.size())
                .append(")</summary>\n<div class=\"wide\"><table class=\"history\">\n<thead><tr>");
        for (String head :
                List.of("scenario", "program", "metric", "host", "figures by commit", "plot")) {
            html.append("<th scope=\"col\">").append(head).append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        places.forEach(
                (place, seen) -> {
                    Series series = place.series;
                    String scenario = series.scenario().text();
                    List<String> figures = new ArrayList<>();
                    List<Plot.Point> points = new ArrayList<>();
                    for (Seen each : seen) {
                        String text = each.run.commit() + " " + Numbers.text(each.figure);
                        figures.add(text);
                        points.add(
                                new Plot.Point(
                                        1,
                                        each.figure.low(),
                                        each.figure.median(),
                                        each.figure.high(),
                                        day(each.run) + ", " + text));
                    }
                    html.append("<tr><th scope=\"row\">")
                            .append(Markup.escaped(scenario.isEmpty() ? "–" : scenario))
                            .append("</th>");
                    for (String cell :
                            List.of(
                                    series.program(),
                                    series.metric().name(),
                                    host(seen.getFirst().run),
                                    String.join("; ", figures))) {
                        html.append("<td>").append(Markup.escaped(cell)).append("</td>");
                    }
                    html.append("<td>");
                    if (points.size() > 1) {
                        html.append(
                                Plot.spark(
                                        series.program()
                                                + ", "
                                                + series.metric().name()
                                                + ", "
                                                + scenario
                                                + ", by run",
                                        points));
                    }
                    html.append("</td></tr>\n");
                });
        html.append("</tbody></table></div></details>\n");
    }

    private void addNotes() {
        html.append("<section>\n<h2>Lines that lack something</h2>\n");
        if (history.notes().isEmpty()) {
            paragraph("", "None.");
        } else {
            html.append("<ul>\n");
            history.notes()
                    .forEach(
                            note ->
                                    html.append("<li>")
                                            .append(Markup.escaped(note))
                                            .append("</li>\n"));
            html.append("</ul>\n");
        }
        html.append("</section>\n");
    }

    private void paragraph(String style, String text) {
        html.append(style.isEmpty() ? "<p>" : "<p class=\"" + style + "\">")
                .append(Markup.escaped(text))
                .append("</p>\n");
    }

    private static String metricTitle(Metric metric) {
        boolean isSaid = metric.unit().startsWith("per ") || metric.name().endsWith(metric.unit());
        return isSaid ? metric.name() : metric.name() + ", " + metric.unit();
    }

    private String origin(Run run) {
        List<String> parts = new ArrayList<>(List.of(run.commit(), day(run), "host " + host(run)));
        if (run.load() != null) {
            parts.add("load " + load(run));
        }
        if (!run.flags().isEmpty()) {
            parts.add(run.flags());
        }
        new TreeMap<>(run.beside()).forEach((name, value) -> parts.add(name + " " + value));
        return String.join(", ", parts);
    }

    private String host(Run run) {
        return Integer.toString(hosts.indexOf(run.host()) + 1);
    }

    private static String load(Run run) {
        return run.load() == null
                ? "–"
                : String.format(Locale.ROOT, "%.1f", Objects.requireNonNull(run.load()));
    }

    private static String day(Run run) {
        return run.date().toString().substring(0, 10);
    }
}
