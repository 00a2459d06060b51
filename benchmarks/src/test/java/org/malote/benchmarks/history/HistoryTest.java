package org.malote.benchmarks.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Holds each line that is recorded to `history/README.md`.
final class HistoryTest {
    private static final Path RECORDED = Path.of("history");

    /// Lines from then on must have everything.
    private static final Instant ALL_IS_ASKED_FROM = Instant.parse("2026-11-26T13:30:00Z");

    private static final Set<String> FORGIVEN_BEFORE = Set.of("has no load", "has no flags");

    @Test
    void everyRecordedLineCanBeReadAndSaysWhatItMust() throws IOException {
        int lines = 0;
        for (List<Line> file : History.lines(RECORDED).values()) {
            for (Line line : file) {
                lines++;
                switch (line) {
                    case Line.Unusable(String where, String why) ->
                            fail(where + ": this line " + why);
                    case Line.Usable(Run run, List<String> shortcomings) -> {
                        boolean isEarly = run.date().isBefore(ALL_IS_ASKED_FROM);
                        for (String shortcoming : shortcomings) {
                            assertTrue(
                                    isEarly && FORGIVEN_BEFORE.contains(shortcoming),
                                    run.where() + ": this line " + shortcoming);
                        }
                    }
                }
            }
        }
        assertTrue(lines > 40, lines + " lines");
    }

    @Test
    void everyFileIsOfKindsThatAreNotInAnother() throws IOException {
        History history = History.read(RECORDED);
        assertFalse(history.runs().isEmpty());
        for (Run run : history.runs()) {
            String file = run.where().substring(0, run.where().indexOf(".jsonl"));
            assertTrue((run.kind() + " ").startsWith(file + " "), run.where());
        }
    }

    @Test
    void figuresAreWhatTheLinesSay() throws IOException {
        History history = History.read(RECORDED);
        assertEquals(
                List.of(896.0, 814.0, 728.0),
                samples(history, "first-table", "accepted", "malote", "microsPerMessage"));
        assertEquals(
                List.of(740.0, 815.0, 860.0),
                samples(history, "handshakes", "TLSv1.3-full", "native-p256", "cpuMicros"));
        // Of a line in which a store is named as the commit is.
        assertEquals(
                List.of(1784.0, 1497.0),
                samples(history, "acks", "1 client, 8192 octets", "commit", "perSecond"));
        assertEquals(
                List.of(17821.0),
                samples(history, "idle", "10000 sessions", "malote", "bytesEach"));
    }

    /// The first figure of the newest of runs up to the commits that the test was written at.
    private static List<Double> samples(
            History history, String kind, String scenario, String program, String metric) {
        Instant until = Instant.parse("2026-11-26T00:00:00Z");
        List<Double> samples = List.of();
        for (Run run : history.runs()) {
            for (Figure figure : run.figures()) {
                Series series = figure.series();
                if (run.date().isBefore(until)
                        && series.kind().equals(kind)
                        && series.scenario().text().equals(scenario)
                        && series.program().equals(program)
                        && series.metric().name().equals(metric)) {
                    samples = figure.samples();
                }
            }
        }
        return samples;
    }
}
