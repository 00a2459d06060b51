package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.malote.config.ConfigFile;
import org.malote.smtp.DomainName;

/// `tuning/` of the checkout: one table, the files that are made from it, and the script that
/// compares a host with it.
final class TuningTest {
    private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();
    private static final Path TUNING = CHECKOUT.resolve("tuning");
    private static final List<String> SIZES = List.of("small", "mx", "large");

    /// A script, or a JVM that only starts, on a busy host.
    private static final int SECONDS_MAX = 120;

    private static final Pattern RUN =
            Pattern.compile("(benchmarks/history/[a-z-]+\\.jsonl) (\\S+Z): \\S.*");

    @TempDir Path directory;

    private record Row(
            String kind,
            String key,
            String how,
            List<String> values,
            String why,
            String effect,
            String undo) {}

    private static List<Row> rows() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(TUNING.resolve("settings.tsv"))) {
            if (!line.startsWith("#")) {
                List<String> fields = List.of(line.split("\t", -1));
                assertEquals(9, fields.size(), line);
                assertTrue(fields.stream().noneMatch(String::isBlank), line);
                rows.add(
                        new Row(
                                fields.get(0),
                                fields.get(1),
                                fields.get(2),
                                fields.subList(3, 6),
                                fields.get(6),
                                fields.get(7),
                                fields.get(8)));
            }
        }
        return rows;
    }

    private record Ran(int status, String output) {}

    private Ran run(String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(directory, "out", "");
        Process process =
                new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("not done: " + List.of(command));
        }
        return new Ran(process.exitValue(), Files.readString(out));
    }

    @Test
    void everySettingHasAReasonAnUndoAndAnEffectThatWasSeen() throws IOException {
        Set<String> keys = new HashSet<>();
        for (Row row : rows()) {
            assertTrue(row.why().length() > 10 && row.undo().length() > 2, row.toString());
            assertTrue(keys.add(row.kind() + row.key() + row.values()), row + " is there twice");
            if (!row.effect().equals("unmeasured")) {
                Matcher run = RUN.matcher(row.effect());
                assertTrue(run.matches(), row.effect());
                assertTrue(
                        Files.readString(CHECKOUT.resolve(run.group(1)))
                                .contains("\"date\":\"" + run.group(2) + "\""),
                        row.effect() + " is not in the history");
            }
        }
    }

    @Test
    void theFilesAreMadeFromTheTable() throws Exception {
        Ran made = run(TUNING.resolve("make").toString(), directory.toString());
        assertEquals(0, made.status(), made.output());
        List<Path> files;
        try (Stream<Path> all = Files.walk(TUNING)) {
            files = all.filter(Files::isRegularFile).map(TUNING::relativize).toList();
        }
        int compared = 0;
        for (Path file : files) {
            if (Set.of("make", "check", "settings.tsv").contains(file.toString())) {
                continue;
            }
            assertEquals(
                    Files.readString(directory.resolve(file)),
                    Files.readString(TUNING.resolve(file)),
                    file + ": run tuning/make");
            compared++;
        }
        assertEquals(1 + SIZES.size() * 5, compared, "README.md and the files of each size");
    }

    @Test
    void theConfigurationsAreTaken() throws IOException {
        for (String size : SIZES) {
            Path file = TUNING.resolve(size).resolve("malote.toml");
            ConfigFile.Result result = ConfigFile.read(file, new DomainName("mx.example"));
            assertTrue(result instanceof ConfigFile.Result.Valid, result.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"small", "mx", "large"})
    void theJvmTakesItsArguments(String size) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // As the launcher has them, the last word being the file's.
        command.addAll(launcherFlags());
        command.add("@" + TUNING.resolve(size).resolve("jvm.args"));
        command.add("-version");
        Ran ran = run(command.toArray(String[]::new));
        assertEquals(0, ran.status(), ran.output());
        assertFalse(ran.output().contains("warning"), ran.output());
    }

    private static List<String> launcherFlags() throws IOException {
        List<String> flags = new ArrayList<>();
        for (String line : Files.readAllLines(CHECKOUT.resolve("malote"))) {
            String flag = line.strip();
            if (flag.matches("-(XX:|Dio\\.)\\S+")) {
                flags.add(flag);
            }
        }
        return flags;
    }

    @Test
    void theLauncherGivesWhatTheTableSaysAndTuneComparesWith() throws IOException {
        List<String> flags = launcherFlags();
        for (Row row : rows()) {
            if (row.kind().equals("launcher")) {
                for (String value : row.values()) {
                    String flag = row.key() + (value.equals("on") ? "" : value);
                    assertTrue(flags.contains(flag), flag + " in " + flags);
                }
            }
        }
        TuneJvm usual = TuneJvm.usual(1);
        assertTrue(flags.contains("-XX:+Use" + usual.collector() + "GC"), flags.toString());
        assertEquals(usual.compactHeaders(), flags.contains("-XX:+UseCompactObjectHeaders"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"small", "mx", "large"})
    void checkPrintsWantedAndActualOfEverySetting(String size) throws Exception {
        Path config = directory.resolve("malote.toml");
        Files.writeString(
                config,
                "state = \"state\"\n"
                        + Files.readString(TUNING.resolve(size).resolve("malote.toml")));
        Path unit = TUNING.resolve(size).resolve("malote.service");
        Ran ran = check(size, config, unit);
        List<String> lines = ran.output().lines().toList();
        List<Row> rows = rows();
        assertEquals(rows.size() + 3, lines.size(), ran.output());
        int differing = 0;
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            String line = lines.get(i + 2);
            assertTrue(
                    line.matches("(ok|DIFFERS|unknown|any) +\\Q" + row.key() + "\\E +\\S.* +\\S.*"),
                    line);
            boolean isLeft = row.values().get(SIZES.indexOf(size)).equals("-");
            assertEquals(isLeft, line.startsWith("any "), line);
            differing += line.startsWith("DIFFERS") ? 1 : 0;
            if (!isLeft && Set.of("malote", "unit").contains(row.kind())) {
                assertTrue(line.startsWith("ok "), line);
            }
        }
        assertEquals(differing == 0 ? 0 : 1, ran.status());
        assertTrue(lines.getLast().contains(differing + " differ,"), lines.getLast());
    }

    private Ran check(String size, Path config, Path unit, String... more) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                TUNING.resolve("check").toString(),
                                size,
                                "--config",
                                config.toString(),
                                "--unit",
                                unit.toString(),
                                // ours, so that no other server of the host is looked at
                                "--pid",
                                Long.toString(ProcessHandle.current().pid())));
        command.addAll(List.of(more));
        return run(command.toArray(String[]::new));
    }

    @Test
    void checkSeesWhatDiffers() throws Exception {
        Path config =
                Files.writeString(
                        directory.resolve("malote.toml"),
                        """
                        [limits]
                        sessions-max = 9_999   # fewer
                        [queue]
                        durability = "relaxed" # oh
                        spares     = "1048576KiB"
                        """);
        Path unit =
                Files.writeString(directory.resolve("malote.service"), "User=root\nUMask=0077\n");
        Files.createDirectory(directory.resolve("malote.service.d"));
        Files.writeString(directory.resolve("malote.service.d/size.conf"), "TimeoutStopSec=40\n");
        String output = check("mx", config, unit).output();
        for (String line :
                List.of(
                        "DIFFERS  limits.sessions-max +10000 +9999",
                        "DIFFERS  queue.durability +\"commit\" +\"relaxed\"",
                        "ok +queue.spares +\"1GiB\" +\"1048576KiB\"",
                        "ok +queue.messages-max +1000000 +1000000",
                        "DIFFERS  User +malote +root",
                        "ok +UMask +0077 +0077",
                        "DIFFERS  TimeoutStopSec +at least 90 +40",
                        "DIFFERS  NoNewPrivileges +yes +not set",
                        "DIFFERS  -Dio.netty.leakDetection.level= +disabled +paranoid")) {
            assertTrue(output.lines().anyMatch(one -> one.matches(line)), line + "\n" + output);
        }
    }

    /// As systemd does: systemd.syntax(7), systemd.time(7).
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    TimeoutStopSec=90s                               | ok +TimeoutStopSec +at least 90 +90
                    TimeoutStopSec=2min                              | ok +TimeoutStopSec +at least 90 +120
                    TimeoutStopSec = 1min 30s                        | ok +TimeoutStopSec +at least 90 +90
                    TimeoutStopSec=1h500ms                           | ok +TimeoutStopSec +at least 90 +3600
                    TimeoutStopSec=infinity                          | ok +TimeoutStopSec +at least 90 +infinity
                    TimeoutStopSec=1min 29s                          | DIFFERS +TimeoutStopSec +at least 90 +89
                    TimeoutStopSec=90000ms                           | ok +TimeoutStopSec +at least 90 +90
                    TimeoutStopSec=89999ms                           | DIFFERS +TimeoutStopSec +at least 90 +89
                    TimeoutStopSec=soon                              | DIFFERS +TimeoutStopSec +at least 90 +soon
                    Environment="MALOTE_BUILD=never" 'A=b'           | ok +Environment +MALOTE_BUILD=never +MALOTE_BUILD=never A=b
                    Environment=MALOTE_BUILD=never & Environment=A=b | ok +Environment +MALOTE_BUILD=never +MALOTE_BUILD=never A=b
                    Environment=MALOTE_BUILD=never & Environment=    | DIFFERS +Environment +MALOTE_BUILD=never +not set
                    UMask=077                                        | ok +UMask +0077 +0077
                    NoNewPrivileges=true                             | ok +NoNewPrivileges +yes +true
                    NoNewPrivileges=no                               | DIFFERS +NoNewPrivileges +yes +no
                    # User=malote                                    | DIFFERS +User +malote +not set
                    """)
    void checkReadsAUnitAsSystemdDoes(String lines, String wanted) throws Exception {
        Path config = Files.writeString(directory.resolve("malote.toml"), "");
        Path unit =
                Files.writeString(
                        directory.resolve("malote.service"),
                        "[Service]\n" + lines.replace(" & ", "\n") + "\n");
        String output = check("mx", config, unit).output();
        assertTrue(output.lines().anyMatch(one -> one.matches(wanted)), wanted + "\n" + output);
    }

    @Test
    void checkReadsArgumentFilesOfTheServer() throws Exception {
        Path file = Files.writeString(directory.resolve("a.args"), "# mine\n-Xmx1g -Xss1m\n");
        Path source =
                Files.writeString(
                        directory.resolve("Sleep.java"),
                        "void main() throws Exception { System.in.read(); }");
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx512m",
                                "@" + file,
                                "-XX:+UseParallelGC",
                                "-XX:-UseParallelGC",
                                source.toString())
                        .start();
        try {
            Ran ran =
                    run(
                            TUNING.resolve("check").toString(),
                            "mx",
                            "--pid",
                            Long.toString(process.pid()));
            assertTrue(
                    ran.output().lines().anyMatch(line -> line.matches("ok +-Xmx +1g +1g")),
                    ran.output());
            assertTrue(
                    ran.output()
                            .lines()
                            .anyMatch(
                                    line -> line.matches("DIFFERS +-XX:\\+UseParallelGC +on +off")),
                    ran.output());
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void checkSaysWhatIsWrong() throws Exception {
        String check = TUNING.resolve("check").toString();
        assertEquals(
                new Ran(2, "tuning/check: unknown argument huge; see tuning/check --help\n"),
                run(check, "huge"));
        assertEquals(
                new Ran(2, "tuning/check: --pid is a number, not x\n"), run(check, "--pid", "x"));
        assertEquals(
                new Ran(2, "tuning/check: --config wants a value; see tuning/check --help\n"),
                run(check, "--config"));
        assertTrue(run(check, "--help").output().contains("Exit status: 0 nothing differs"));
    }
}
