package org.malote.admin;

import java.util.ArrayList;
import java.util.List;

/// What came of reading the configuration again.
///
/// @param isTaken whether the new one is in use
/// @param lines a sentence each, for the operator
public record ReloadResult(boolean isTaken, List<String> lines) {

    public ReloadResult {
        lines = List.copyOf(lines);
    }

    /// The new configuration is in use.
    public static ReloadResult taken(List<String> lines) {
        return new ReloadResult(true, lines);
    }

    /// Everything stays as it was.
    public static ReloadResult refused(List<String> problems) {
        List<String> lines = new ArrayList<>(problems);
        lines.add("nothing was changed");
        return new ReloadResult(false, lines);
    }
}
