package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.config.ConfigFile;
import org.malote.smtp.DomainName;

final class TuneCommandTest {
    private static final DomainName NAME = new DomainName("mx.example");

    @TempDir Path directory;

    private final TestScreen screen =
            new TestScreen(() -> Instant.EPOCH).with(TestScreen.Terminal.ERR);

    @Test
    void measuresAndLeavesNothingBehind() throws Exception {
        Path spool = Files.createDirectories(directory.resolve("state/spool"));
        Files.writeString(spool.resolve("mail"), "somebody's");
        Path config = write("hostname = \"mx.example\"\nstate = \"state\"\n");
        Path into = Files.createDirectory(directory.resolve("into"));
        List<String> before = files();

        int status =
                screen.run(
                        "tune",
                        "--config",
                        config.toString(),
                        "--seconds",
                        "10",
                        "--json",
                        "--into",
                        into.toString());

        assertEquals(0, status, screen.err());
        JsonNode all = TuneTrial.JSON.readTree(screen.out());
        JsonNode figures = all.get("figures");
        String notes = figures.get("notes").toString();
        // A host that is much too busy has sentences in place of figures.
        for (List<String> part :
                List.of(
                        List.of("tls", "keys and handshakes"),
                        List.of("commits", "spool's disk"),
                        List.of("trials", "server"))) {
            assertTrue(
                    !figures.get(part.get(0)).isEmpty() || notes.contains(part.get(1)),
                    screen.out());
        }
        assertTrue(figures.get("host").get("processors").asInt() > 0, screen.out());
        String toml = all.get("advice").get("toml").textValue();
        assertTrue(
                ConfigFile.parse(toml, "advice", directory, NAME)
                        instanceof ConfigFile.Result.Valid,
                toml);
        assertTrue(screen.err().contains("keys and handshakes"), screen.err());
        assertTrue(screen.err().matches("(?s).*\\[#+\\.*\\] +\\d+ % .*"), screen.err());

        assertEquals(toml, Files.readString(into.resolve("tune.toml")));
        assertEquals(
                all.get("advice").get("jvmArguments").textValue(),
                Files.readString(into.resolve("jvm.args")));
        Files.delete(into.resolve("tune.toml"));
        Files.delete(into.resolve("jvm.args"));
        assertEquals(before, files(), "the scratch directory is gone, and the spool as it was");
    }

    @Test
    void commitsWithEachJournal() throws Exception {
        List<String> lines = trial("commit", directory.toString(), "0.8", "1000000");
        assertEquals(7, lines.size(), String.join("\n", lines));
        for (int i = 0; i < 6; i++) {
            assertTrue(lines.get(i).startsWith("commit\t"), lines.get(i));
            TuneFigures.Commit figure =
                    TuneTrial.JSON.readValue(
                            lines.get(i).substring("commit\t".length()), TuneFigures.Commit.class);
            assertEquals(i < 3 ? "segment" : "chronicle", figure.journal());
            assertTrue(figure.p50Nanos() > 0 && figure.p99Nanos() >= figure.p50Nanos());
            assertTrue(figure.perSecond() > 0);
        }
    }

    @Test
    void timesEachKeyOfEachProvider() throws Exception {
        Path config =
                write(
                        "hostname = \"mx.example\"\n[tls]\ncertificates = [{chain = 'a', key = 'b'}]");
        List<String> lines =
                trial("tls", directory.toString(), "1", "BORINGSSL", "2", config.toString());
        String all = String.join("\n", lines);
        assertTrue(lines.getLast().startsWith("foreign\t"), all);
        for (String provider : List.of("native", "jca")) {
            for (String type : List.of("P-256", "RSA-2048", "RSA-3072")) {
                // Two passes are told, the first is not.
                assertEquals(
                        2,
                        lines.stream()
                                .filter(line -> line.startsWith("tls\t"))
                                .filter(line -> line.contains("\"provider\":\"" + provider + "\""))
                                .filter(line -> line.contains("\"keyType\":\"" + type + "\""))
                                .count(),
                        all);
            }
        }
        assertTrue(all.contains("note\t\"certificate " + directory.resolve("a")), all);
    }

    private static List<String> trial(String... arguments) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TuneTrial.run(arguments, new PrintStream(out, true, StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void triesJvmsWithNothingOfTheirOwnButFlags() {
        for (String shared :
                List.of(
                        "--add-opens=java.base/java.nio=ALL-UNNAMED",
                        "-Dchronicle.analytics.disable=true",
                        "-Djdk.tls.rejectClientInitiatedRenegotiation=true")) {
            assertTrue(TuneCommand.isShared(shared), shared);
        }
        for (String own :
                List.of(
                        "-XX:+UseSerialGC",
                        "-Xmx8g",
                        "-XX:ActiveProcessorCount=1",
                        "-Dio.netty.leakDetection.level=paranoid",
                        "-javaagent:some.jar")) {
            assertFalse(TuneCommand.isShared(own), own);
        }
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        Path config = write("hostname = \"mx.example\"\nstate = \"state\"\n");
        assertEquals(1, screen.run("tune", "--config", config.toString(), "--seconds", "3600"));
        assertEquals("malote: --seconds is from 5 to 270, not 3600\n", screen.err());

        TestScreen second = new TestScreen(() -> Instant.EPOCH);
        Path there = Files.writeString(directory.resolve("jvm.args"), "mine");
        assertEquals(
                1,
                second.run("tune", "--config", config.toString(), "--into", directory.toString()));
        assertEquals(
                "malote: " + there + " is there already; move it, or name another --into\n",
                second.err());
        assertEquals("mine", Files.readString(there));

        TestScreen third = new TestScreen(() -> Instant.EPOCH);
        Path none = directory.resolve("none");
        assertEquals(
                1, third.run("tune", "--config", config.toString(), "--into", none.toString()));
        assertEquals("malote: there is no directory " + none + "; make it first\n", third.err());
    }

    private Path write(String text) throws IOException {
        return Files.writeString(directory.resolve("malote.toml"), text);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.map(Path::toString).sorted().toList();
        }
    }
}
