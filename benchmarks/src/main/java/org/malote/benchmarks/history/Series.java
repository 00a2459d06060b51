package org.malote.benchmarks.history;

import java.util.Comparator;
import java.util.Set;

/// What was measured, apart from when and where: one metric of one program in one scenario of one
/// kind of benchmark.
record Series(String kind, Scenario scenario, String program, Metric metric)
        implements Comparable<Series> {
    /// What Malote is measured beside. These do not change with its commits.
    private static final Set<String> OTHERS =
            Set.of("floor", "postfix", "exim", "haraka", "chasquid", "opensmtpd", "nginx");

    private static final Comparator<Series> ORDER =
            Comparator.comparing(Series::kind)
                    .thenComparing(Series::scenario)
                    .thenComparing(Series::program)
                    .thenComparing(series -> series.metric().name());

    /// Whether it is of other software, or of the floor.
    boolean isBeside() {
        int dash = program.indexOf('-');
        return OTHERS.contains(dash < 0 ? program : program.substring(0, dash));
    }

    /// What tells variants of a program apart: `p256` of `native-p256`, and empty when nothing
    /// does.
    String variant() {
        int dash = program.indexOf('-');
        return dash < 0 ? "" : program.substring(dash + 1);
    }

    @Override
    public int compareTo(Series other) {
        return ORDER.compare(this, other);
    }
}
