package org.malote.benchmarks.history;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// One line of the history. `where` is its file and line; `load` is the host's load average when
/// it began, null in lines that do not say; `host`, `jvm` and `flags` are empty in lines that do
/// not say. `beside` has what else it says in words: versions of the others.
record Run(
        String where,
        String kind,
        Instant date,
        String commit,
        String host,
        @Nullable Double load,
        String jvm,
        String flags,
        Map<String, String> beside,
        List<Figure> figures) {
    /// What chooses how often, and which figures there are; a figure is the same without.
    private static final Pattern CHOICE =
            Pattern.compile(
                    "\\s*--(rounds [0-9]+|more|only \\S+|servers [a-z0-9 ]+|clients [0-9, ]*)(?= |$)");

    /// What must be the same for two runs to be comparable.
    record Setting(String host, String flags) {}

    Run {
        beside = Map.copyOf(beside);
        figures = List.copyOf(figures);
    }

    /// More rounds make a figure surer, not another one; nor do others beside it.
    Setting setting() {
        return new Setting(host, CHOICE.matcher(flags).replaceAll("").strip());
    }
}
