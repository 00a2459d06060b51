package org.malote.config;

import java.util.Comparator;

/// One thing that is wrong with a configuration file.
///
/// @param file as the operator named it
/// @param line from 1
/// @param sentence what is wrong and what to do
public record Problem(String file, int line, String sentence) implements Comparable<Problem> {
    private static final Comparator<Problem> ORDER =
            Comparator.comparingInt(Problem::line).thenComparing(Problem::sentence);

    @Override
    public int compareTo(Problem other) {
        return ORDER.compare(this, other);
    }

    /// `malote.toml:12: unknown key "hostnme"; did you mean "hostname"?`
    @Override
    public String toString() {
        return file + ":" + line + ": " + sentence;
    }
}
