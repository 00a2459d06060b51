package org.malote.benchmarks.history;

import java.util.Locale;

/// Figures for readers: three digits that count, thousands apart.
final class Numbers {
    private Numbers() {}

    static String text(double value) {
        double size = Math.abs(value);
        String form = size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f";
        return String.format(Locale.ROOT, form, value);
    }

    /// The median, and the range when there is one.
    static String text(Figure figure) {
        String median = text(figure.median());
        return figure.samples().size() == 1
                ? median
                : median + " (" + text(figure.low()) + "–" + text(figure.high()) + ")";
    }

    static String ratio(double ratio) {
        return String.format(Locale.ROOT, ratio >= 100 ? "%.0f" : "%.2f", ratio);
    }
}
