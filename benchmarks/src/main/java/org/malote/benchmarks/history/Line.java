package org.malote.benchmarks.history;

import java.util.List;

/// What a line of the history turned out to be.
sealed interface Line {
    /// It has figures. `shortcomings` says what it lacks, each as the end of "this line …".
    record Usable(Run run, List<String> shortcomings) implements Line {
        public Usable {
            shortcomings = List.copyOf(shortcomings);
        }
    }

    /// Nothing can be done with it; `why` is the end of "this line …".
    record Unusable(String where, String why) implements Line {}
}
