package org.malote.benchmarks.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MovedTest {
    private static final Path FIXTURE = Path.of("src/test/resources/org/malote/benchmarks/history");

    private static final Lineage A = lineage("a");
    private static final Lineage B = lineage("b", "a");
    private static final Lineage C = lineage("c", "b", "a");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    @TempDir private Path folder;

    @Test
    void saysWhatGotWorseOutsideTheNoise() throws IOException {
        assertEquals(Moved.WORSE, moved(FIXTURE, A, B));
        assertEquals(
                """
                handshakes, aaaaaaa to bbbbbbb, on 2 CPUs (Sample), Linux 6.18, ext4, --connections 2000
                  scenario         program      metric     before  after  ratio     noise  chance
                  TLSv1.3-full     native-p256  cpuMicros     800  1,200   1.50  ×/÷ 1.03  0.0000  WORSE
                  TLSv1.3-full     native-p256  perSecond     505    340   0.67  ×/÷ 1.02  0.0000  WORSE
                  TLSv1.3-full     nginx-p256   cpuMicros     605    610   1.01  ×/÷ 1.03  0.5774  beside
                  TLSv1.3-full     nginx-p256   perSecond     661    655   0.99  ×/÷ 1.02  0.3634  beside
                  TLSv1.3-resumed  native-p256  cpuMicros     670    675   1.01  ×/÷ 1.03  0.6144
                  TLSv1.3-resumed  native-p256  perSecond     605    601   0.99  ×/÷ 1.02  0.5059
                  TLSv1.3-resumed  nginx-p256   cpuMicros     580    580   1.00  ×/÷ 1.03  1.0000  beside
                  TLSv1.3-resumed  nginx-p256   perSecond     701    700   1.00  ×/÷ 1.02  0.8854  beside

                2 worse, 0 better, 2 within the noise, 0 of one figure without a known noise, 4 beside
                Not compared: compare: not measured between the two, only at aaaaaaa.
                Not compared: first-table: not measured between the two, only at aaaaaaa.
                Not compared: idle: not measured between the two, only at aaaaaaa.
                Not compared: jmh QueueAcks: not measured between the two, only at aaaaaaa.
                Not compared: server-acks: not measured between the two, only at aaaaaaa.
                """,
                said());
        assertEquals(2, errors.toString(StandardCharsets.UTF_8).lines().count());
    }

    @Test
    void whatGotBetterIsNoFailure() throws IOException {
        assertEquals(Moved.NOTHING_WORSE, moved(FIXTURE, B, A));
        assertTrue(said().contains("2 better"), said());
    }

    @Test
    void comparesWithTheNewestRunBeforeACommitThatWasNotMeasured() throws IOException {
        assertEquals(Moved.WORSE, moved(FIXTURE, A, C));
        assertTrue(said().startsWith("handshakes, aaaaaaa to bbbbbbb"));
    }

    @Test
    void readsTheShapeOfManyServers() throws IOException {
        String form =
                "\"scenarios\":{\"plain\":{\"malote\":{\"cpuMicros\":[%d,%d,%d]},\"exim\":{\"cpuMicros\":[900,905,910]}}}";
        write(
                line("a", 1, "h", String.format(form, 100, 101, 102)),
                line("b", 2, "h", String.format(form, 140, 141, 142)));
        assertEquals(Moved.WORSE, moved(folder, A, B));
        assertTrue(said().contains("1 worse, 0 better, 0 within"));
    }

    /// Between two runs of one commit the figure strays by a third, whatever the rounds say.
    @Test
    void runsOfOneCommitThatDisagreeMakeNoise() throws IOException {
        write(
                line("a", 1, "h", "\"malote\":{\"cpuMicros\":[100,101,102]}"),
                line("a", 2, "h", "\"malote\":{\"cpuMicros\":[133,134,135]}"),
                line("b", 3, "h", "\"malote\":{\"cpuMicros\":[150,151,152]}"));
        assertEquals(Moved.NOTHING_WORSE, moved(folder, A, B));
        assertTrue(said().contains("1 within the noise"));
    }

    @Test
    void oneFigureEachTellsNothing() throws IOException {
        write(line("a", 1, "h", "\"bytesEach\":1000"), line("b", 2, "h", "\"bytesEach\":9000"));
        assertEquals(Moved.NOTHING_WORSE, moved(folder, A, B));
        assertTrue(said().contains("noise unknown"));
    }

    @Test
    void doesNotCompareHosts() throws IOException {
        write(
                line("a", 1, "this host", "\"malote\":{\"cpuMicros\":[100,101]}"),
                line("b", 2, "that host", "\"malote\":{\"cpuMicros\":[200,201]}"));
        assertEquals(Moved.NOT_COMPARED, moved(folder, A, B));
        assertEquals(
                "Not compared: x: aaaaaaa and bbbbbbb were measured on different hosts, which are not compared:"
                        + " this host and that host.\n",
                said());
        assertEquals(
                "moved: no figure was measured on one host with the same flags at aaaaaaa and at bbbbbbb, or"
                        + " before them; run the benchmark at both\n",
                errors.toString(StandardCharsets.UTF_8));
    }

    @Test
    void comparesTheSameFlagsAlone() throws IOException {
        String figures = "\"malote\":{\"cpuMicros\":[100,101]}";
        write(
                line("a", 1, "h", figures),
                line("b", 2, "h", figures).replace("--rounds 3", "--rounds 3 --warm-up 5"));
        assertEquals(Moved.NOT_COMPARED, moved(folder, A, B));
        assertTrue(said().contains("different flags"));
        write(
                line("a", 1, "h", figures),
                line("b", 2, "h", figures).replace("--rounds 3", "--rounds 9"));
        assertEquals(Moved.NOTHING_WORSE, moved(folder, A, B));
    }

    /// Which others took part, and which scenarios, makes no other figure of one that both have.
    @Test
    void comparesRunsThatDifferInWhatTheyLeftOut() throws IOException {
        String figures = "\"malote\":{\"cpuMicros\":[100,101]}";
        String some = "--scale 0.7 --only ^bare --clients  --servers floor malote";
        String all = "--scale 0.7 --only . --clients 10 1000 --servers all --more";
        write(
                line("a", 1, "h", figures).replace("--rounds 3", some),
                line("b", 2, "h", figures).replace("--rounds 3", all));
        assertEquals(Moved.NOTHING_WORSE, moved(folder, A, B));
    }

    @Test
    void saysThatACommitHasNoRun() throws IOException {
        write(line("b", 2, "h", "\"malote\":{\"cpuMicros\":[100,101]}"));
        assertEquals(Moved.NOT_COMPARED, moved(folder, A, B));
        assertEquals("Not compared: x: not measured at aaaaaaa or before it.\n", said());
    }

    /// Fifty figures that stray by chance alone, forty times: at most one comparison in
    /// twenty may call something moved, and of these half are worse.
    @Test
    void manyFiguresThatOnlyStrayAreSeldomCalledMoved() throws IOException {
        Random random = new Random(7);
        int alarms = 0;
        for (int i = 0; i < 40; i++) {
            List<Run> runs = new ArrayList<>();
            for (String commit : List.of("aaaaaaa", "bbbbbbb")) {
                List<Figure> figures = new ArrayList<>();
                for (int j = 0; j < 50; j++) {
                    List<Double> samples = new ArrayList<>();
                    for (int round = 0; round < 3; round++) {
                        samples.add(500 * Math.exp(0.05 * random.nextGaussian()));
                    }
                    Metric metric = new Metric("cpuMicros", "µs", Metric.Better.LOWER);
                    figures.add(
                            new Figure(
                                    new Series("x", Scenario.of("s" + j), "malote", metric),
                                    samples));
                }
                runs.add(
                        new Run(
                                "x.jsonl:1",
                                "x",
                                Instant.EPOCH,
                                commit,
                                "h",
                                null,
                                "j",
                                "f",
                                Map.of(),
                                figures));
            }
            if (Comparison.of(runs, A, B).isWorse()) {
                alarms++;
            }
        }
        assertTrue(alarms <= 3, alarms + " false alarms of 40");
    }

    private int moved(Path history, Lineage before, Lineage after) throws IOException {
        out.reset();
        errors.reset();
        return Moved.run(
                history,
                before,
                after,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private void write(String... lines) throws IOException {
        Files.write(folder.resolve("x.jsonl"), List.of(lines));
    }

    private static String line(String commit, int day, String host, String figures) {
        return "{\"benchmark\":\"x\",\"date\":\"2026-12-0"
                + day
                + "T10:00:00Z\",\"commit\":\""
                + commit.repeat(7)
                + "\",\"host\":\""
                + host
                + "\",\"load\":1,\"jvm\":\"j\",\"flags\":\"--rounds 3\","
                + figures
                + "}";
    }

    private static Lineage lineage(String... digits) {
        List<String> hashes = new ArrayList<>();
        for (String digit : digits) {
            hashes.add(digit.repeat(40));
        }
        return new Lineage(hashes);
    }
}
