package org.malote.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/// The command lines of the load generator and the null server: what they refuse, what they print,
/// how they end.
final class CommandsTest {
    private static final long LIMIT_SECONDS = 60;

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /// What a command said, and how it ended.
    private record Said(int status, String out, String err) {
        /// Its last line.
        JsonNode json() throws Exception {
            return JSON.readTree(out.lines().toList().getLast());
        }

        long number(String name) throws Exception {
            return json().required(name).asLong();
        }
    }

    private static Said run(Callable<Integer> command, Writer out, String... arguments) {
        var err = new StringWriter();
        CommandLine line = BlastCommand.commandLine(command);
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        int status = line.execute(arguments);
        return new Said(status, out.toString(), err.toString());
    }

    private static Said blast(String... arguments) {
        return run(new BlastCommand(), new StringWriter(), arguments);
    }

    private static Said blast(RunningSink sink, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.add(sink.address());
        return blast(arguments.toArray(String[]::new));
    }

    private static Said sink(String... arguments) {
        return run(new SinkCommand(), new StringWriter(), arguments);
    }

    /// A sink that counts until it is told to end.
    private static final class RunningSink {
        private final SinkCommand command = new SinkCommand();
        private final CompletableFuture<String> address = new CompletableFuture<>();
        private final CompletableFuture<Said> said = new CompletableFuture<>();

        RunningSink(String... options) {
            List<String> arguments = new ArrayList<>(List.of(options));
            arguments.add("0");
            var out =
                    new StringWriter() {
                        @Override
                        public void write(String text, int at, int length) {
                            super.write(text, at, length);
                            if (text.startsWith("listening on ")) {
                                address.complete(text.substring("listening on ".length()).strip());
                            }
                        }
                    };
            Thread.ofPlatform()
                    .start(
                            () -> {
                                Said all = run(command, out, arguments.toArray(String[]::new));
                                said.complete(all);
                                address.completeExceptionally(
                                        new IllegalStateException(all.toString()));
                            });
        }

        String address() throws Exception {
            return address.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }

        /// By itself.
        Said awaitEnd() throws Exception {
            return said.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }

        Said end() throws Exception {
            command.stop();
            return awaitEnd();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    127.0.0.1                                          | give HOST:PORT
                    127.0.0.1:99999 --seconds 1                        | give HOST:PORT
                    127.0.0.1:25                                       | say when to end
                    127.0.0.1:25 --seconds 1 --sessions 0              | --sessions must be above 0
                    127.0.0.1:25 --seconds 1 --patience 0              | --patience must be above 0
                    127.0.0.1:25 --seconds 1 --recipients 0            | --recipients must be above 0
                    127.0.0.1:25 --seconds 1 --rate -1                 | --rate must not be below 0
                    127.0.0.1:25 --seconds 1 --per-connection -1       | must not be below 0
                    127.0.0.1:25 --seconds 1 --resumed 2               | a share from 0 to 1
                    127.0.0.1:25 --seconds 1 --recipient box           | --recipient takes an address
                    127.0.0.1:25 --seconds 1 --certificate a.pem       | go together
                    127.0.0.1:25 --seconds 1 --tls-version TLSv1.1     | takes TLSv1.2 or TLSv1.3
                    127.0.0.1:25 --seconds 1 --key-type rsa            | --key-type needs --tls
                    127.0.0.1:25 --seconds 1 --tls none --key-type dsa | dsa
                    127.0.0.1:25 --messages 1 --per-connection 0       | it would never end
                    127.0.0.1:25 --seconds 1 --tls sometimes           | sometimes
                    127.0.0.1:25 --seconds soon                        | soon
                    127.0.0.1:25 --seconds 1 --no-such                 | --no-such
                    127.0.0.1:25 --seconds 1 --tls starttls --certificate /no/such --key /no/such | /no/such
                    """)
    void blastRefusesWhatItCannotDo(String arguments, String complaint) {
        Said said = blast(arguments.split(" ", -1));
        assertEquals(2, said.status(), said::toString);
        assertTrue(said.err().contains(complaint), said::toString);
        assertEquals("", said.out());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    x                                   | give [ADDRESS:]PORT
                    127.0.0.1:99999                     | give [ADDRESS:]PORT
                    0 --refuse 2                        | a share from 0 to 1
                    0 --refuse-with never               | a reply such as
                    0 --key a.key                       | go together
                    0 --loops 0                         | --loops is above 0
                    0 --delay -1                        | --delay not below
                    0 --expect -1                       | --expect and --messages
                    0 --amtp --tls starttls             | --amtp has --tls implicit
                    0 --no-such                         | --no-such
                    0 --tls implicit --certificate /no/such --key /no/such | /no/such
                    """)
    void theSinkRefusesWhatItCannotDo(String arguments, String complaint) {
        Said said = sink(arguments.split(" ", -1));
        assertEquals(2, said.status(), said::toString);
        assertTrue(said.err().contains(complaint), said::toString);
        assertEquals("", said.out());
    }

    @Test
    void bothSayWhatTheyAre() {
        for (Said said : List.of(blast("--help"), sink("--help"))) {
            assertEquals(0, said.status());
            assertTrue(said.out().contains("Examples:"), said::toString);
        }
        for (Said said : List.of(blast("--version"), sink("--version"))) {
            assertEquals(0, said.status());
            assertTrue(said.out().startsWith("Malote "), said::toString);
        }
    }

    @Test
    void mailThatComesIsSound() throws Exception {
        var sink = new RunningSink("--messages", "30", "--expect", "30", "--tls", "starttls");
        Said said =
                blast(
                        sink,
                        "--messages",
                        "30",
                        "--tls",
                        "STARTTLS",
                        "--key-type",
                        "ecdsa",
                        "--json");
        assertEquals(0, said.status(), said::toString);
        assertEquals(30, said.number("messages"));
        assertEquals(0, said.number("failed"));
        Said taken = sink.awaitEnd();
        assertEquals(0, taken.status(), taken::toString);
        assertEquals(30, taken.number("messages"));
        assertEquals(0, taken.number("missing"));
        assertEquals(30, taken.number("expected"));
    }

    @Test
    void aTailThatIsMissingEndsTheSinkWithOne() throws Exception {
        var sink = new RunningSink("--expect", "12");
        assertEquals(0, blast(sink, "--messages", "10").status());
        Said taken = sink.end();
        assertEquals(1, taken.status(), taken::toString);
        assertEquals(2, taken.number("missing"));
    }

    @Test
    void amtpIsTakenWithACertificateOnly() throws Exception {
        var sink = new RunningSink("--amtp");
        Said said = blast(sink, "--messages", "3", "--tls", "implicit", "--code", "per/individual");
        assertEquals(1, said.status(), said::toString);
        assertEquals(0, sink.end().number("messages"));
    }

    @Test
    void refusalsEndBlastWithOneUnlessTheyAreAllowed() throws Exception {
        var sink = new RunningSink("--refuse", "0.5", "--refuse-with", "550 5.1.1 no");
        Said strict = blast(sink, "--messages", "10", "--json");
        assertEquals(1, strict.status(), strict::toString);
        assertEquals(5, strict.json().required("refusals").required("550").asLong());
        Said lenient = blast(sink, "--messages", "10", "--refusals", "0.5");
        assertEquals(0, lenient.status(), lenient::toString);
        assertTrue(lenient.out().contains("refused with 550: 5"), lenient::toString);
        Said taken = sink.end();
        assertEquals(0, taken.status(), taken::toString);
        assertEquals(10, taken.number("messages"));
    }

    @Test
    void aServerThatIsNotThereIsAFailure() throws Exception {
        int port;
        try (var gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = gone.getLocalPort();
        }
        Said said = blast("127.0.0.1:" + port, "--connections", "3", "--json");
        assertEquals(1, said.status(), said::toString);
        assertEquals(3, said.number("failed"));
        assertFalse(said.json().required("failures").isEmpty());
    }

    @Test
    void aRateIsReported() throws Exception {
        var sink = new RunningSink();
        Said said = blast(sink, "--rate", "50", "--connections", "10", "--json");
        assertEquals(0, said.status(), said::toString);
        assertEquals(50, said.json().required("askedPerSecond").asDouble());
        for (String name : List.of("begunPerSecond", "late", "unbegun")) {
            assertTrue(said.json().required(name).isNumber(), name);
        }
        Said text = blast(sink, "--rate", "50", "--connections", "10");
        assertTrue(text.out().contains("50.0 connections a second asked for"), text::toString);
        sink.end();
    }

    @Test
    void aHoldSaysWhenAllAreUp() throws Exception {
        var sink = new RunningSink();
        Said said = blast(sink, "--hold", "1", "--connections", "3", "--json");
        assertEquals(0, said.status(), said::toString);
        assertEquals("{\"held\":3}", said.out().lines().findFirst().orElseThrow());
        assertEquals(3, said.number("connections"));
        sink.end();
    }
}
