package org.malote.benchmarks.history;

import java.util.Collections;
import java.util.List;

/// The samples of one series in one run: one a round, each above 0.
record Figure(Series series, List<Double> samples) {
    Figure {
        samples = List.copyOf(samples);
        if (samples.isEmpty()) {
            throw new IllegalArgumentException("no samples of " + series);
        }
    }

    double median() {
        return median(samples);
    }

    double low() {
        return Collections.min(samples);
    }

    double high() {
        return Collections.max(samples);
    }

    /// Between the two in the middle where their number is even.
    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(middle)
                : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
