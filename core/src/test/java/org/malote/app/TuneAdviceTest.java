package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.malote.config.ConfigFile;
import org.malote.config.Settings;
import org.malote.offload.Engine;
import org.malote.smtp.DomainName;

/// From figures to settings.
final class TuneAdviceTest {
    private static final DomainName NAME = new DomainName("mx.example");
    private static final long GIB = 1L << 30;
    private static final TuneJvm USUAL = TuneJvm.usual(4);

    private final List<TuneFigures.Tls> tls =
            new ArrayList<>(
                    List.of(
                            key("boringssl", "native", "P-256", 600),
                            key("boringssl", "native", "RSA-2048", 1500),
                            key("boringssl", "libcrypto", "P-256", 600),
                            key("boringssl", "libcrypto", "RSA-2048", 1490),
                            key("jdk", "native", "P-256", 100),
                            key("jdk", "native", "RSA-2048", 100)));
    private final List<TuneFigures.Commit> commits =
            new ArrayList<>(
                    List.of(
                            commit("segment", 1, 120),
                            commit("segment", 16, 400),
                            commit("segment", 128, 1300),
                            commit("chronicle", 1, 700),
                            commit("chronicle", 16, 1100),
                            commit("chronicle", 128, 4000)));
    private final List<TuneFigures.Trial> trials =
            new ArrayList<>(List.of(trial(USUAL, 300, 1000), trial(USUAL, 320, 1000)));
    private final List<String> notes = new ArrayList<>();
    private long memory = 8 * GIB;
    private long free = 100 * GIB;
    private long descriptors = 65536;
    private double foreign = 0.02;
    private String config = "";

    private static TuneFigures.Tls key(String engine, String provider, String type, long micros) {
        long nanos = micros * 1000;
        return new TuneFigures.Tls(
                engine,
                provider,
                type,
                false,
                nanos / 4,
                provider.equals("native"),
                nanos,
                nanos / 2,
                nanos,
                nanos / 3);
    }

    private static TuneFigures.Commit commit(String journal, int records, long micros) {
        return new TuneFigures.Commit(
                journal, records, records * 1_000_000L / micros, micros * 1000, micros * 2000);
    }

    private static TuneFigures.Trial trial(TuneJvm jvm, long micros, double perSecond) {
        return new TuneFigures.Trial(jvm, perSecond, micros * 1000, 5_000_000, 300 << 20);
    }

    private static Settings parse(String toml) {
        return switch (ConfigFile.parse(toml, "test", Path.of("/etc/malote"), NAME)) {
            case ConfigFile.Result.Valid(Settings settings) -> settings;
            case ConfigFile.Result.Invalid(var problems) ->
                    throw new AssertionError(problems + " in\n" + toml);
        };
    }

    private TuneAdvice advice() {
        return TuneAdvice.of(
                new TuneFigures(
                        new TuneFigures.Host(4, memory, free, "ext4", descriptors, 0.3, "JVM 25"),
                        tls,
                        commits,
                        trials,
                        foreign,
                        notes),
                parse(config));
    }

    /// What is printed, as our own configuration reads it.
    private Settings advised() {
        return parse(advice().toml());
    }

    private List<String> flags() {
        return advice().jvmArguments().lines().filter(line -> !line.startsWith("#")).toList();
    }

    @Test
    void leavesAnOrdinaryHostAsItIs() {
        Settings usual = parse("");
        Settings advised = advised();
        assertEquals(usual.tls(), advised.tls());
        assertEquals(usual.limits(), advised.limits());
        assertEquals(usual.queue(), advised.queue());
        assertEquals(
                List.of(
                        "-Xmx2048m",
                        "-XX:MaxDirectMemorySize=1024m",
                        "-XX:+UseParallelGC",
                        "-XX:+UseCompactObjectHeaders",
                        "-Dio.netty.allocator.type=adaptive"),
                flags());
    }

    @Test
    void eachValueHasItsFigures() {
        String toml = advice().toml();
        for (String line :
                List.of(
                        "# 4 processors, 8.0 GiB of memory, ext4, load 0.3, JVM 25",
                        "# boringssl  native     RSA-2048       375*     1,500          750"
                                + "     1,500          500",
                        "# Full handshakes with P-256 and RSA-2048 keys: boringssl, 4,200 µs, 1.00"
                                + " times boringssl's",
                        "# The same with libcrypto, 4,180 µs, 1.00 times native's",
                        "# segment   a commit of  16 x 8 KiB: p50 400 µs, p99 800 µs, 40,000"
                                + " messages/s",
                        "# certificates: a full handshake of TLS 1.3 with P-256 costs 0.40 times"
                                + " that with RSA-2048.")) {
            assertTrue(toml.lines().anyMatch(line::equals), line + "\nin\n" + toml);
        }
        assertTrue(
                advice().jvmArguments()
                        .contains("# as usual                   2             310       1,000"),
                advice().jvmArguments());
    }

    @Test
    void choosesTheProviderByTheKeysThatAreServed() {
        tls.removeIf(row -> row.provider().equals("libcrypto"));
        tls.add(key("boringssl", "libcrypto", "P-256", 650));
        tls.add(key("boringssl", "libcrypto", "RSA-2048", 700));
        assertEquals("libcrypto", advised().tls().provider());
        tls.add(own("P-256"));
        assertEquals("native", advised().tls().provider(), "RSA is served to nobody");
        tls.add(own("RSA-2048"));
        assertEquals("libcrypto", advised().tls().provider());
    }

    private static TuneFigures.Tls own(String type) {
        return new TuneFigures.Tls("boringssl", "native", type, true, 1, true, 1, 1, 1, 1);
    }

    @Test
    void asksForTheCertificateThatIsMissing() {
        tls.add(own("RSA-2048"));
        assertTrue(advice().toml().contains("# You serve none with P-256: get one"));
        tls.add(own("P-256"));
        assertTrue(advice().toml().contains("# Serve P-256 first"));
    }

    @Test
    void leavesKeysOnATokenWhereTheyAre() {
        config = "[tls]\nprovider = \"pkcs11\"\n";
        assertEquals("pkcs11", advised().tls().provider());
    }

    @Test
    void choosesTheSystemsOpenSslWhereItIsClearlyCheaper() {
        tls.add(key("openssl", "native", "P-256", 580));
        tls.add(key("openssl", "native", "RSA-2048", 1480));
        assertEquals(Engine.BORINGSSL, advised().tls().engine());
        tls.removeIf(row -> row.engine().equals("openssl"));
        tls.add(key("openssl", "native", "P-256", 580));
        tls.add(key("openssl", "native", "RSA-2048", 700));
        assertEquals(Engine.OPENSSL, advised().tls().engine());
        assertEquals("native", advised().tls().provider());
    }

    @Test
    void takesTheJdkOnlyWhereNothingElseServes() {
        assertEquals(Engine.BORINGSSL, advised().tls().engine(), "whatever the JDK's figures are");
        tls.removeIf(row -> row.engine().equals("boringssl"));
        assertEquals(Engine.JDK, advised().tls().engine());
    }

    @Test
    void takesAnotherJvmWhenEachRoundIsBetter() {
        trials.add(trial(USUAL.withCollector("G1"), 200, 1000));
        trials.add(trial(USUAL.withCollector("G1"), 250, 1000));
        trials.add(trial(USUAL.withAllocator("pooled"), 100, 1000));
        trials.add(trial(USUAL.withAllocator("pooled"), 301, 1000));
        assertEquals(
                List.of(
                        "-XX:-UseParallelGC",
                        "-XX:+UseG1GC",
                        "-XX:+UseCompactObjectHeaders",
                        "-Dio.netty.allocator.type=adaptive"),
                flags().subList(2, 6));
    }

    @Test
    void oneRoundHasToBeFarBetter() {
        trials.removeLast();
        trials.add(trial(USUAL.withCompactHeaders(false), 240, 1000));
        assertTrue(flags().contains("-XX:+UseCompactObjectHeaders"));
        trials.removeLast();
        trials.add(trial(USUAL.withCompactHeaders(false), 220, 1000));
        assertTrue(flags().contains("-XX:-UseCompactObjectHeaders"));
    }

    @Test
    void nobodyWaitsTwiceAsLongForIt() {
        for (int i = 0; i < 2; i++) {
            trials.add(
                    new TuneFigures.Trial(
                            USUAL.withCollector("Serial"), 1000, 100_000, 10_000_001, 1));
        }
        assertTrue(flags().contains("-XX:+UseParallelGC"));
    }

    @Test
    void choosesEventLoopsByWhatIsDone() {
        trials.add(trial(USUAL.withProcessors(2), 100, 1000));
        trials.add(trial(USUAL.withProcessors(2), 100, 1000));
        assertFalse(advice().jvmArguments().contains("-XX:ActiveProcessorCount"));
        trials.add(trial(USUAL.withProcessors(8), 400, 1200));
        trials.add(trial(USUAL.withProcessors(8), 400, 1300));
        assertEquals("-XX:ActiveProcessorCount=8", flags().getLast());
    }

    @Test
    void changesNothingOnABusyHost() {
        foreign = 0.3;
        trials.add(trial(USUAL.withCollector("G1"), 20, 1000));
        trials.add(trial(USUAL.withCollector("G1"), 20, 1000));
        tls.add(key("openssl", "native", "P-256", 5));
        tls.add(key("openssl", "native", "RSA-2048", 7));
        assertEquals(Engine.BORINGSSL, advised().tls().engine());
        assertTrue(flags().contains("-XX:+UseParallelGC"));
        assertTrue(advice().toml().contains("30 % of the processors meanwhile: too much"));
        config = "[tls]\nprovider = \"libcrypto\"\n";
        assertEquals("libcrypto", advised().tls().provider());
        foreign = Double.NaN;
        assertTrue(flags().contains("-XX:+UseParallelGC"));
        assertTrue(advice().toml().contains("nobody knows how much of the processors meanwhile"));
    }

    @Test
    void keepsAPromiseWhateverItCosts() {
        commits.clear();
        commits.add(commit("segment", 1, 30_000));
        assertTrue(advice().toml().contains("durability    = \"commit\""));
        assertTrue(advice().toml().contains("# Slow: put the spool on a solid-state disk."));
        commits.clear();
        commits.add(commit("segment", 1, 4));
        assertTrue(advice().toml().contains("does this one keep what it says?"));
    }

    @Test
    void fitsASmallHost() {
        memory = GIB / 2;
        free = 3 * GIB;
        descriptors = 4096;
        Settings advised = advised();
        assertEquals(256 << 20, advised.queue().sparesBytes(), "an eighth of what is free");
        assertEquals(32 << 20, advised.queue().limits().intakeBytesMax());
        assertEquals(2048, advised.limits().sessionsMax(), "by descriptors");
        assertEquals(List.of("-Xmx128m", "-XX:MaxDirectMemorySize=128m"), flags().subList(0, 2));
        free = GIB / 4;
        descriptors = 100;
        assertEquals(0, advised().queue().sparesBytes());
        assertEquals(10, advised().limits().sessionsMax());
        descriptors = 1 << 20;
        assertEquals(4488, advised().limits().sessionsMax(), "by memory");
    }

    @Test
    void staysWithinReasonOnALargeHost() {
        memory = 1024 * GIB;
        config = "[limits]\nsessions-max = 50000\n[queue]\nspares = \"4GiB\"\n";
        assertEquals(4 * GIB, advised().queue().sparesBytes());
        assertEquals(50000, advised().limits().sessionsMax());
        assertEquals(List.of("-Xmx8192m", "-XX:MaxDirectMemorySize=4096m"), flags().subList(0, 2));
    }

    @Test
    void advisesWithoutFigures() {
        tls.clear();
        commits.clear();
        trials.clear();
        notes.add("nothing could be measured\n[queue]\ndurability = \"relaxed\"");
        assertEquals(parse("").queue(), advised().queue());
        assertTrue(flags().contains("-XX:+UseParallelGC"));
    }
}
