package org.malote.benchmarks.history;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// All lines of a folder of history. `runs` are by date; `notes` say what was left out, or lacking.
record History(List<Run> runs, List<String> notes) {
    History {
        runs = List.copyOf(runs);
        notes = List.copyOf(notes);
    }

    static History read(Path folder) throws IOException {
        List<Run> runs = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (Map.Entry<Path, List<Line>> file : lines(folder).entrySet()) {
            Map<String, Integer> shortcomings = new TreeMap<>();
            for (Line line : file.getValue()) {
                switch (line) {
                    case Line.Usable(Run run, List<String> lacking) -> {
                        runs.add(run);
                        lacking.forEach(each -> shortcomings.merge(each, 1, Integer::sum));
                    }
                    case Line.Unusable(String where, String why) ->
                            notes.add(where + " was left out: it " + why);
                }
            }
            shortcomings.forEach(
                    (what, count) ->
                            notes.add(
                                    file.getKey().getFileName()
                                            + ": "
                                            + (count == 1 ? "a line " : count + " lines: ")
                                            + what));
        }
        runs.sort(Comparator.comparing(Run::date));
        return new History(runs, notes);
    }

    /// The lines of each file, in the order of the files' names. Empty lines are none.
    static Map<Path, List<Line>> lines(Path folder) throws IOException {
        Map<Path, List<Line>> lines = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".jsonl")).toList()) {
                List<Line> ofFile = new ArrayList<>();
                int number = 0;
                String whole = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
                for (String text : whole.lines().toList()) {
                    number++;
                    if (!text.isBlank()) {
                        ofFile.add(LineReader.read(file.getFileName() + ":" + number, text));
                    }
                }
                lines.put(file, ofFile);
            }
        }
        return lines;
    }
}
