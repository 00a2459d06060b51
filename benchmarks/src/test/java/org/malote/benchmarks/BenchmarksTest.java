package org.malote.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.queue.RecordEncode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/// Each benchmark does what it measures: once and unmeasured, in this process.
final class BenchmarksTest {
    @TempDir private Path folder;

    @BeforeAll
    static void letBuildsRunBesideEachOther() {
        System.setProperty("jmh.ignoreLock", "true");
    }

    private Collection<RunResult> run(Class<?> benchmark, String... parameters) throws Exception {
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .include(benchmark.getName().replace(".", "\\.") + "\\.")
                        .forks(0)
                        .warmupIterations(0)
                        .measurementIterations(1)
                        .measurementTime(TimeValue.milliseconds(1))
                        .shouldFailOnError(true)
                        .output(folder.resolve("jmh.txt").toString());
        for (String parameter : parameters) {
            int equals = parameter.indexOf('=');
            options =
                    options.param(
                            parameter.substring(0, equals),
                            parameter.substring(equals + 1).split(",", -1));
        }
        return new Runner(options.build()).run();
    }

    @Test
    void commandsAreParsed() throws Exception {
        assertEquals(CommandParsing.Line.values().length, run(CommandParsing.class).size());
    }

    @Test
    void chunksAreScannedAndTakenIn() throws Exception {
        Set<String> counted = new HashSet<>();
        for (RunResult result : run(EndOfData.class)) {
            counted.addAll(result.getSecondaryResults().keySet());
        }
        assertTrue(counted.contains("octets"), counted::toString);
        assertEquals(2 * ChunkText.values().length, run(MessageChunks.class).size());
    }

    @Test
    void codesAreDecided() throws Exception {
        assertEquals(3 * 3, run(PolicyCodes.class).size());
    }

    @Test
    void recordsAreMadeAndCommitted() throws Exception {
        assertEquals(3, run(RecordEncode.class, "recipients=1", "octets=1024").size());
        assertEquals(
                2, run(JournalCommit.class, "records=1", "octets=1024", "durable=true").size());
        assertEquals(1, run(SpoolStart.class, "messages=10", "journal=SEGMENT").size());
    }

    /// A key of JCA signs on another thread.
    @Test
    void handshakesAreMadeInMemory() throws Exception {
        assertEquals(
                3 * 2 * 2,
                run(
                                TlsHandshake.class,
                                "key=P-256",
                                "tls=boringssl/native,boringssl/jca,jdk/native")
                        .size());
    }

    @Test
    void theWholeServerIsConnectedTo() throws Exception {
        assertEquals(
                2,
                run(ServerConnections.class, "key=P-256", "tls=boringssl/native", "version=TLSv1.3")
                        .size());
    }
}
