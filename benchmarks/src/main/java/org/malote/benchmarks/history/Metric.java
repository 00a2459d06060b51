package org.malote.benchmarks.history;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What a sample counts. A name of the history tells by its end what it is in, and so which way is
/// better.
record Metric(String name, String unit, Better better) {
    enum Better {
        LOWER,
        HIGHER
    }

    /// The first that fits decides.
    private static final List<Metric> ENDS =
            List.of(
                    new Metric("percpusecond", "per CPU second", Better.HIGHER),
                    new Metric("persecond", "per second", Better.HIGHER),
                    new Metric("microspermessage", "µs", Better.LOWER),
                    new Metric("micros", "µs", Better.LOWER),
                    new Metric("nanos", "ns", Better.LOWER),
                    new Metric("millis", "ms", Better.LOWER),
                    new Metric("kib", "KiB", Better.LOWER),
                    new Metric("byteseach", "bytes each", Better.LOWER),
                    new Metric("bytes", "bytes", Better.LOWER));

    /// Null when the name tells no unit: then it is not a metric.
    static @Nullable Metric named(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        for (Metric end : ENDS) {
            if (lower.endsWith(end.name)) {
                return new Metric(name, end.unit, end.better);
            }
        }
        return null;
    }

    /// A score of JMH in JMH's unit, null when that is neither operations a time nor a time an
    /// operation. `part` is empty, or the percentile.
    static @Nullable Metric ofJmh(String part, String unit) {
        String name = part.isEmpty() ? unit : part + " " + unit;
        if (unit.startsWith("ops/")) {
            return new Metric(name, unit, Better.HIGHER);
        }
        return unit.endsWith("/op") ? new Metric(name, unit, Better.LOWER) : null;
    }

    /// Whether what became `ratio` times what it was is worse now.
    boolean isWorse(double ratio) {
        return better == Better.LOWER ? ratio > 1 : ratio < 1;
    }
}
