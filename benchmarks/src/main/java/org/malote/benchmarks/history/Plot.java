package org.malote.benchmarks.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/// Drawings as SVG inside the page. Each has a title and a description for who cannot see it, each
/// mark says its figure when pointed at, and lines differ by marks as well as by colours.
final class Plot {
    private static final int WIDTH = 720;
    private static final int LABEL_WIDTH = 170;
    private static final int FIGURE_WIDTH = 190;
    private static final int ROW_HEIGHT = 22;

    private static final int CHART_WIDTH = 460;
    private static final int CHART_HEIGHT = 280;
    private static final int LEFT = 66;
    private static final int RIGHT = 14;
    private static final int TOP = 12;
    private static final int BOTTOM = 40;

    private static final int SPARK_WIDTH = 180;
    private static final int SPARK_HEIGHT = 36;
    private static final int SPARK_EDGE = 6;

    /// As many as the style sheet has; more lines begin again with other marks.
    static final int COLOURS = 6;

    private static final int MARKS = 5;

    /// Of a chart: the median at `x`, and how far the rounds reach.
    record Point(double x, double low, double median, double high, String title) {}

    /// `colour` 0 is what Malote is measured beside.
    record Graph(String name, int colour, int mark, List<Point> points) {
        Graph {
            points = List.copyOf(points);
        }
    }

    /// Malote first, then what it is beside, for each variant.
    private static final Comparator<Figure> BESIDE_EACH_OTHER =
            Comparator.comparing((Figure figure) -> figure.series().scenario())
                    .thenComparing(figure -> figure.series().variant())
                    .thenComparing(figure -> figure.series().isBeside())
                    .thenComparing(figure -> figure.series().program());

    private Plot() {}

    /// One bar for each figure under the heading of its scenario; the whisker reaches over the
    /// rounds.
    static String bars(String title, String unit, List<Figure> figures) {
        List<Figure> sorted = figures.stream().sorted(BESIDE_EACH_OTHER).toList();
        StringBuilder rows = new StringBuilder();
        double most = figures.stream().mapToDouble(Figure::high).max().orElse(1);
        double scale = (WIDTH - LABEL_WIDTH - FIGURE_WIDTH) / most;
        String heading = "";
        int y = 4;
        for (Figure figure : sorted) {
            String scenario = figure.series().scenario().text();
            if (!scenario.equals(heading)) {
                heading = scenario;
                y += 4;
                rows.append(text(0, y + 15, "start", "head", heading));
                y += ROW_HEIGHT;
            }
            double length = figure.median() * scale;
            String name = figure.series().program();
            rows.append("<g><title>")
                    .append(Markup.escaped(name + ": " + Numbers.text(figure) + " " + unit))
                    .append("</title>");
            rows.append(text(LABEL_WIDTH - 8, y + 15, "end", "", name));
            rows.append(
                    String.format(
                            Locale.ROOT,
                            "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>",
                            figure.series().isBeside() ? "beside" : "own",
                            LABEL_WIDTH,
                            y + 3,
                            length,
                            ROW_HEIGHT - 6));
            double from = LABEL_WIDTH + figure.low() * scale;
            double to = LABEL_WIDTH + figure.high() * scale;
            if (figure.samples().size() > 1) {
                double middle = y + ROW_HEIGHT / 2.0;
                rows.append(
                        String.format(
                                Locale.ROOT,
                                "<path class=\"whisker\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\"/>",
                                from,
                                middle,
                                to,
                                from,
                                middle - 4,
                                to,
                                middle - 4));
            }
            rows.append(
                            text(
                                    (int) Math.max(to, LABEL_WIDTH + length) + 8,
                                    y + 15,
                                    "start",
                                    "",
                                    Numbers.text(figure)))
                    .append("</g>\n");
            y += ROW_HEIGHT;
        }
        return image(
                title,
                "Bars ("
                        + unit
                        + "), medians with the range of the rounds; the table has the figures.",
                WIDTH,
                y + 4,
                "bars",
                rows);
    }

    /// Both axes by powers.
    static String chart(String title, String xName, String unit, List<Graph> graphs) {
        List<Point> points = new ArrayList<>();
        graphs.forEach(graph -> points.addAll(graph.points));
        Axis x =
                new Axis(
                        points.stream().mapToDouble(Point::x).min().orElse(1),
                        points.stream().mapToDouble(Point::x).max().orElse(1),
                        LEFT + 10,
                        CHART_WIDTH - RIGHT - 10);
        Axis y =
                new Axis(
                        points.stream().mapToDouble(Point::low).min().orElse(1),
                        points.stream().mapToDouble(Point::high).max().orElse(1),
                        CHART_HEIGHT - BOTTOM - 6,
                        TOP + 6);
        StringBuilder marks = new StringBuilder();
        for (double tick : y.ticks()) {
            double at = y.at(tick);
            marks.append(
                    String.format(
                            Locale.ROOT,
                            "<path class=\"grid\" d=\"M%d %.1fH%d\"/>",
                            LEFT,
                            at,
                            CHART_WIDTH - RIGHT));
            marks.append(text(LEFT - 6, (int) at + 4, "end", "", shortened(tick)));
        }
        TreeSet<Double> xs = new TreeSet<>();
        points.forEach(point -> xs.add(point.x));
        for (double each : xs) {
            marks.append(
                    text(
                            (int) x.at(each),
                            CHART_HEIGHT - BOTTOM + 16,
                            "middle",
                            "",
                            shortened(each)));
        }
        marks.append(text((LEFT + CHART_WIDTH) / 2, CHART_HEIGHT - 6, "middle", "", xName));
        for (Graph graph : graphs) {
            marks.append("<g class=\"c").append(graph.colour).append("\">");
            marks.append(path(graph.points, x, y));
            for (Point point : graph.points) {
                marks.append(
                        String.format(
                                Locale.ROOT,
                                "<g><title>%s</title><path class=\"reach\" d=\"M%.1f %.1fV%.1f\"/>%s</g>",
                                Markup.escaped(point.title),
                                x.at(point.x),
                                y.at(point.low),
                                y.at(point.high),
                                mark(graph.mark, x.at(point.x), y.at(point.median))));
            }
            marks.append("</g>\n");
        }
        return image(
                title,
                "Lines ("
                        + unit
                        + ") by "
                        + xName
                        + ", both axes logarithmic; the table has the figures.",
                CHART_WIDTH,
                CHART_HEIGHT,
                "chart",
                marks);
    }

    /// A line for a table: `points` in the order of time, at equal distances.
    static String spark(String title, List<Point> points) {
        Axis y =
                new Axis(
                        points.stream().mapToDouble(Point::low).min().orElse(1),
                        points.stream().mapToDouble(Point::high).max().orElse(1),
                        SPARK_HEIGHT - SPARK_EDGE,
                        SPARK_EDGE);
        Axis x = new Axis(1, Math.exp(1), SPARK_EDGE, SPARK_WIDTH - SPARK_EDGE);
        List<Point> spread = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            Point point = points.get(i);
            spread.add(
                    new Point(
                            Math.exp((double) i / Math.max(1, points.size() - 1)),
                            point.low,
                            point.median,
                            point.high,
                            point.title));
        }
        StringBuilder marks = new StringBuilder("<g class=\"c1\">").append(path(spread, x, y));
        for (Point point : spread) {
            marks.append(
                    String.format(
                            Locale.ROOT,
                            "<g><title>%s</title><path class=\"reach\" d=\"M%.1f %.1fV%.1f\"/>%s</g>",
                            Markup.escaped(point.title),
                            x.at(point.x),
                            y.at(point.low),
                            y.at(point.high),
                            mark(0, x.at(point.x), y.at(point.median))));
        }
        return image(title, "", SPARK_WIDTH, SPARK_HEIGHT, "spark", marks.append("</g>"));
    }

    /// What the lines of a chart mean.
    static String legend(List<Graph> graphs) {
        StringBuilder html = new StringBuilder("<ul class=\"legend\">");
        for (Graph graph : graphs) {
            html.append(
                    String.format(
                            Locale.ROOT,
                            "<li><svg aria-hidden=\"true\" width=\"28\" height=\"12\" viewBox=\"0 0 28 12\">"
                                    + "<g class=\"c%d\"><path class=\"line\" d=\"M0 6H28\"/>%s</g></svg> %s</li>",
                            graph.colour,
                            mark(graph.mark, 14, 6),
                            Markup.escaped(graph.name)));
        }
        return html.append("</ul>\n").toString();
    }

    /// A place on an axis by the logarithm.
    private record Axis(double low, double high, double from, double to) {
        private double at(double value) {
            if (high <= low) {
                return (from + to) / 2;
            }
            return from + (to - from) * Math.log(value / low) / Math.log(high / low);
        }

        /// Powers of ten, and 2 and 5 times them when those alone are few.
        private List<Double> ticks() {
            List<Double> ticks = new ArrayList<>();
            for (List<Integer> steps : List.of(List.of(1), List.of(1, 2, 5))) {
                ticks.clear();
                int last = (int) Math.ceil(Math.log10(high));
                for (int power = (int) Math.floor(Math.log10(low)); power <= last; power++) {
                    for (int step : steps) {
                        double tick = step * Math.pow(10, power);
                        if (tick >= low && tick <= high) {
                            ticks.add(tick);
                        }
                    }
                }
                if (ticks.size() >= 3) {
                    break;
                }
            }
            return ticks;
        }
    }

    private static String path(List<Point> points, Axis x, Axis y) {
        StringBuilder path = new StringBuilder();
        for (Point point : points) {
            path.append(
                    String.format(
                            Locale.ROOT,
                            "%s%.1f %.1f",
                            path.isEmpty() ? "M" : "L",
                            x.at(point.x),
                            y.at(point.median)));
        }
        return "<path class=\"line\" d=\"" + path + "\"/>";
    }

    private static String mark(int kind, double x, double y) {
        return switch (kind % MARKS) {
            case 0 ->
                    String.format(Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", x, y);
            case 1 ->
                    String.format(
                            Locale.ROOT, "<path d=\"M%.1f %.1fh7v7h-7z\"/>", x - 3.5, y - 3.5);
            case 2 -> String.format(Locale.ROOT, "<path d=\"M%.1f %.1fl4.5 8h-9z\"/>", x, y - 5);
            case 3 ->
                    String.format(
                            Locale.ROOT, "<path d=\"M%.1f %.1fl5 5l-5 5l-5 -5z\"/>", x, y - 5);
            default -> String.format(Locale.ROOT, "<path d=\"M%.1f %.1fl4.5 -8h-9z\"/>", x, y + 5);
        };
    }

    /// `123,000` as `123k`: axes have little place.
    private static String shortened(double value) {
        if (value >= 1e6) {
            return trimmed(value / 1e6) + "M";
        }
        return value >= 1e4 ? trimmed(value / 1e3) + "k" : trimmed(value);
    }

    private static String trimmed(double value) {
        return value == Math.rint(value)
                ? String.format(Locale.ROOT, "%.0f", value)
                : Double.toString(value);
    }

    private static String text(int x, int y, String anchor, String style, String text) {
        return String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\"%s>%s</text>",
                x,
                y,
                anchor,
                style.isEmpty() ? "" : " class=\"" + style + "\"",
                Markup.escaped(text));
    }

    private static String image(
            String title,
            String description,
            int width,
            int height,
            String style,
            CharSequence content) {
        return String.format(
                Locale.ROOT,
                "<svg class=\"%s\" role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">"
                        + "<title>%s</title>%s\n%s</svg>\n",
                style,
                Markup.escaped(title),
                width,
                height,
                width,
                height,
                Markup.escaped(title),
                description.isEmpty() ? "" : "<desc>" + Markup.escaped(description) + "</desc>",
                content);
    }
}
