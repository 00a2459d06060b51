package org.malote.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.offload.CertificateSettings;
import org.malote.offload.HostTls;
import org.malote.offload.KeyType;
import org.malote.offload.SelfSigned;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;

/// The load generator and the null server, with each other.
final class BlastTest {
    private static final long LIMIT_MILLIS = 60_000;

    private static final String HELO = "peer.test";
    private static final long PATIENCE_SECONDS = 60;

    @TempDir private Path folder;

    private final Arrivals arrivals = new Arrivals(0);
    private EventLoopGroup loops;
    private TlsEnvironment environment;
    private TlsContexts tls;

    @BeforeEach
    void open() throws Exception {
        loops = Transport.loops(1);
        var random = new SecureRandom();
        environment = new TlsEnvironment(InstantSource.system(), random);
        tls =
                TlsContexts.open(
                        TlsSettings.withDefaults(
                                List.of(
                                        SelfSigned.ensure(
                                                folder,
                                                "sink.test",
                                                InstantSource.system(),
                                                random))),
                        environment);
    }

    @AfterEach
    void close() throws InterruptedException {
        tls.close();
        Transport.end(loops);
    }

    private Tally blast(Load.Security security, double refusedShare, Plan plan) throws Exception {
        var manner =
                new Sink.Manner(
                        tls,
                        security == Load.Security.IMPLICIT,
                        false,
                        refusedShare,
                        "450 4.2.0 later",
                        0);
        return blast(manner, plan.load(0, security, HELO, PATIENCE_SECONDS));
    }

    /// Towards a sink.
    private Tally blast(Sink.Manner manner, Load load) throws Exception {
        Channel listening =
                SinkCommand.listen(
                        loops,
                        manner,
                        arrivals,
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        int port = ((InetSocketAddress) listening.localAddress()).getPort();
        try {
            return blast(with(load, "port", port));
        } finally {
            listening.close().sync();
        }
    }

    private Tally blast(Load load) throws Exception {
        try (HostTls hosts = HostTls.open(Blast.tls(load), environment)) {
            var blast = new Blast(load, loops.next(), hosts, 1);
            blast.start();
            assertTrue(blast.await(LIMIT_MILLIS));
            return blast.tally();
        }
    }

    /// What most loads of these tests have in common; [#with] changes one thing.
    private static Load load(int port) {
        return new Load(
                "127.0.0.1",
                port,
                Load.Security.NONE,
                "TLSv1.3",
                "",
                Load.KeyType.ANY,
                0,
                null,
                null,
                HELO,
                "",
                8,
                0,
                0,
                0,
                0,
                1,
                3000,
                1,
                "box@sink.test",
                true,
                false,
                0,
                PATIENCE_SECONDS);
    }

    /// The same but for one component.
    private static Load with(Load load, String name, Object value) throws Exception {
        RecordComponent[] components = Load.class.getRecordComponents();
        Object[] values = new Object[components.length];
        Class<?>[] types = new Class<?>[components.length];
        boolean isFound = false;
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            values[i] = components[i].getAccessor().invoke(load);
            if (components[i].getName().equals(name)) {
                values[i] = value;
                isFound = true;
            }
        }
        assertTrue(isFound, name);
        return Load.class.getDeclaredConstructor(types).newInstance(values);
    }

    /// One number of an object of JSON.
    private static double number(Tally tally, String... path) throws Exception {
        JsonNode node = new ObjectMapper().readTree(tally.json());
        for (String name : path) {
            node = node.required(name);
        }
        return node.asDouble();
    }

    private record Plan(
            double resumedShare,
            double rate,
            long connections,
            long messages,
            int perConnection,
            int recipients,
            boolean isPipelined,
            boolean isChunked) {
        Load load(int port, Load.Security security, String helo, long patienceSeconds) {
            return new Load(
                    "127.0.0.1",
                    port,
                    security,
                    "TLSv1.3",
                    "",
                    Load.KeyType.ANY,
                    resumedShare,
                    null,
                    null,
                    helo,
                    "",
                    8,
                    rate,
                    connections,
                    messages,
                    0,
                    perConnection,
                    3000,
                    recipients,
                    "box@sink.test",
                    isPipelined,
                    isChunked,
                    0,
                    patienceSeconds);
        }
    }

    @Test
    void whatIsSentComesOnceAndWhole() throws Exception {
        for (boolean isPipelined : new boolean[] {true, false}) {
            for (boolean isChunked : new boolean[] {true, false}) {
                Tally tally =
                        blast(
                                Load.Security.NONE,
                                0,
                                new Plan(0, 0, 0, 200, 7, 3, isPipelined, isChunked));
                assertEquals(200, tally.messages());
                assertEquals(0, tally.failures(), tally::json);
                assertEquals(0, tally.refusals());
            }
        }
        // The runs have one number: what came four times is told.
        assertTrue(arrivals.json().contains("\"messages\":800"), arrivals.json());
        assertTrue(arrivals.json().contains("\"missing\":0,\"duplicates\":600,\"broken\":0"));
        assertFalse(arrivals.isSound());
    }

    @Test
    void sessionsAreSecuredAndResumed() throws Exception {
        for (Load.Security security : List.of(Load.Security.STARTTLS, Load.Security.IMPLICIT)) {
            Tally tally = blast(security, 0, new Plan(0.5, 0, 100, 0, 0, 1, true, false));
            assertEquals(100, tally.connections());
            assertEquals(0, tally.failures(), tally::json);
            String resumed = tally.json().replaceAll(".*\"resumed\":([0-9]+).*", "$1");
            // All of the share but those that began before there was a session.
            assertTrue(Integer.parseInt(resumed) >= 50 - 8, resumed);
            assertTrue(Integer.parseInt(resumed) <= 50, resumed);
        }
    }

    @Test
    void aServerThatSaysNothingIsGivenUp() throws Exception {
        try (var silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            var plan = new Plan(0, 0, 3, 0, 0, 1, true, false);
            Tally tally = blast(plan.load(silent.getLocalPort(), Load.Security.NONE, HELO, 1));
            assertEquals(0, tally.connections());
            assertEquals(3, tally.failures());
            assertTrue(tally.json().contains("GREETING awaited for 1 s"), tally::json);
        }
    }

    @Test
    void aSessionMayBeBare() throws Exception {
        try (var server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            var asked = new CompletableFuture<String>();
            Thread.ofVirtual()
                    .start(
                            () -> {
                                try (Socket peer = server.accept()) {
                                    peer.getOutputStream().write("220 bare\r\n".getBytes(US_ASCII));
                                    byte[] command = peer.getInputStream().readNBytes(6);
                                    peer.getOutputStream().write("221 bye\r\n".getBytes(US_ASCII));
                                    asked.complete(new String(command, US_ASCII));
                                } catch (IOException e) {
                                    asked.completeExceptionally(e);
                                }
                            });
            var plan = new Plan(0, 0, 1, 0, 0, 1, true, false);
            Tally tally =
                    blast(
                            plan.load(
                                    server.getLocalPort(),
                                    Load.Security.NONE,
                                    "",
                                    PATIENCE_SECONDS));
            assertEquals("QUIT\r\n", asked.join());
            assertEquals(1, tally.connections());
            assertEquals(0, tally.failures(), tally::json);
        }
    }

    @Test
    void refusalsAreCountedAndNotTakenForMail() throws Exception {
        Tally tally = blast(Load.Security.NONE, 0.25, new Plan(0, 0, 0, 100, 5, 1, true, false));
        assertEquals(75, tally.messages());
        assertEquals(25, tally.refusals());
        assertEquals(0, tally.failures(), tally::json);
        assertTrue(tally.json().contains("\"refusals\":{\"450\":25}"), tally.json());
        assertTrue(arrivals.json().contains("\"messages\":75"), arrivals.json());
    }

    @Test
    void aRateBringsAllThatIsDue() throws Exception {
        Tally tally = blast(Load.Security.NONE, 0, new Plan(0, 2000, 400, 0, 1, 1, true, false));
        assertEquals(400, tally.connections());
        assertEquals(400, tally.messages());
        assertEquals(0, tally.failures(), tally::json);
        assertTrue(arrivals.isSound(), arrivals.json());
    }

    /// It answers 20 connections, and the 8 sessions then wait until patience is over.
    @Test
    void whatAStalledServerKeepsFromBeginningIsTimedAndCounted() throws Exception {
        try (var server =
                new ScriptedServer(
                        (connection, command) ->
                                connection >= 20 ? null : command.isEmpty() ? "220 hi" : "221 x")) {
            Load load = with(load(server.port()), "rate", 200.0);
            load = with(with(load, "seconds", 1L), "perConnection", 0);
            Tally tally = blast(with(with(load, "helo", ""), "patienceSeconds", 1L));
            assertEquals(20, tally.connections());
            long unbegun = tally.unbegunConnections();
            assertEquals(200, tally.connections() + tally.failures() + unbegun, tally::json);
            assertTrue(unbegun > 100, tally::json);
            assertTrue(tally.lateConnections() >= unbegun, tally::json);
            // The middle one was due 0.4 s before the end of the load, or earlier.
            assertTrue(number(tally, "p50Micros") > 300_000, tally::json);
            assertEquals(200, number(tally, "askedPerSecond"));
            assertEquals((double) (200 - unbegun), number(tally, "begunPerSecond"), 1, tally::json);
            assertTrue(tally.text().contains("never begun"), tally::text);
        }
    }

    @Test
    void whatIsInTimeIsNotLate() throws Exception {
        Tally tally = blast(Load.Security.NONE, 0, new Plan(0, 100, 20, 0, 1, 1, true, false));
        assertEquals(20, tally.connections());
        assertEquals(0, tally.unbegunConnections());
        assertEquals(100, number(tally, "askedPerSecond"));
        assertTrue(number(tally, "begunPerSecond") <= 100.001, tally::json);
    }

    @Test
    void sessionsAreHeldThoughTheyAreFewerThanAllowed() throws Exception {
        try (var server =
                new ScriptedServer((_, command) -> command.equals("QUIT") ? "221 x" : "250 x")) {
            Load held = with(with(load(server.port()), "holdSeconds", 1L), "perConnection", 0);
            Tally few = blast(with(held, "connections", 3L));
            assertEquals(3, few.connections());
            assertEquals(0, few.failures(), few::json);
            Tally all = blast(with(held, "connections", 8L));
            assertEquals(8, all.connections());
            assertEquals(0, all.failures(), all::json);
            Tally slow = blast(with(with(held, "rate", 4.0), "seconds", 1L));
            assertEquals(4, slow.connections());
            assertEquals(0, slow.failures(), slow::json);
        }
    }

    /// The first is sent away, and the others come up only then.
    @Test
    void sessionsAreLetGoWhenNotAllCanBeHeld() throws Exception {
        var isSent = new CountDownLatch(1);
        try (var server =
                new ScriptedServer(
                        (connection, command) -> {
                            if (connection == 0 && command.isEmpty()) {
                                isSent.countDown();
                                return "421 full";
                            }
                            isSent.await();
                            return command.equals("QUIT") ? "221 x" : "250 x";
                        })) {
            Load held = with(with(load(server.port()), "holdSeconds", 600L), "perConnection", 0);
            Tally tally = blast(with(held, "connections", 8L));
            assertEquals(7, tally.connections());
            assertEquals(1, tally.refusals());
            assertEquals(0, tally.failures(), tally::json);
        }
    }

    /// By either command, in a group or not: the next message is not taken for a part of it.
    @Test
    void aTransactionThatIsRefusedIsReset() throws Exception {
        for (boolean isPipelined : new boolean[] {true, false}) {
            for (boolean isChunked : new boolean[] {true, false}) {
                Tally tally =
                        blast(
                                Load.Security.NONE,
                                0.25,
                                new Plan(0, 0, 0, 100, 5, 1, isPipelined, isChunked));
                assertEquals(75, tally.messages(), tally::json);
                assertEquals(25, number(tally, "refusals", "450"), tally::json);
                assertEquals(25, tally.refusals(), tally::json);
            }
        }
    }

    @Test
    void refusedMessagesAreNotMissed() throws Exception {
        var plan = new Plan(0, 0, 0, 100, 5, 1, true, false);
        Tally tally = blast(Load.Security.NONE, 0.25, plan);
        assertEquals(75, tally.messages(), tally::json);
        assertTrue(arrivals.json().contains("\"missing\":0,"), arrivals.json());
        assertTrue(arrivals.isSound());
    }

    @Test
    void aTransactionWhoseTextIsRefusedIsReset() throws Exception {
        for (boolean isPipelined : new boolean[] {true, false}) {
            for (String refused : List.of("DATA", "BDAT")) {
                try (var server =
                        new ScriptedServer(
                                (_, command) -> {
                                    if (command.startsWith(refused)) {
                                        return "451 no";
                                    }
                                    return command.equals("QUIT") ? "221 x" : "250 x";
                                })) {
                    Load load = with(load(server.port()), "messages", 2L);
                    load = with(with(load, "perConnection", 2), "sessions", 1);
                    load = with(load, "isChunked", refused.equals("BDAT"));
                    Tally tally = blast(with(load, "isPipelined", isPipelined));
                    assertEquals(2, number(tally, "refusals", "451"), tally::json);
                    List<String> verbs =
                            server.commands().stream()
                                    .map(c -> c.replaceAll("[ :].*", ""))
                                    .toList();
                    List<String> one = List.of("MAIL", "RCPT", refused, "RSET");
                    assertEquals(one, verbs.subList(1, 5), verbs::toString);
                    assertEquals(one, verbs.subList(5, 9), verbs::toString);
                }
            }
        }
    }

    private TlsContexts open(boolean isAmtp, List<CertificateSettings> certificates)
            throws TlsProblems {
        return TlsContexts.open(SinkCommand.settings(certificates, isAmtp), environment);
    }

    private CertificateSettings certificate(KeyType type) throws IOException {
        return SelfSigned.toMeasure(folder, type, environment.clock(), environment.random());
    }

    @Test
    void theServerUsesTheKeyThatIsAskedFor() throws Exception {
        CertificateSettings ec = certificate(KeyType.P256);
        CertificateSettings rsa = certificate(KeyType.RSA2048);
        for (String version : List.of("TLSv1.3", "TLSv1.2")) {
            Load any = with(with(load(0), "version", version), "security", Load.Security.IMPLICIT);
            any = with(with(any, "connections", 20L), "perConnection", 0);
            Load ecdsa = with(any, "keyType", Load.KeyType.ECDSA);
            Load rsaOnly = with(any, "keyType", Load.KeyType.RSA);
            try (TlsContexts both = open(false, List.of(ec, rsa))) {
                var manner = new Sink.Manner(both, true, false, 0, "450 later", 0);
                for (Load load : List.of(any, ecdsa, rsaOnly)) {
                    Tally tally = blast(manner, with(load, "resumedShare", 0.5));
                    assertEquals(20, tally.connections(), load + " " + tally.json());
                    assertTrue(tally.resumedSessions() > 0, load + " " + tally.json());
                }
            }
            try (TlsContexts one = open(false, List.of(ec))) {
                var manner = new Sink.Manner(one, true, false, 0, "450 later", 0);
                assertEquals(20, blast(manner, ecdsa).connections());
                // In TLS 1.2 the groups say as well on which curve the key may be.
                for (String group :
                        version.equals("TLSv1.3") ? List.of("X25519", "P-256") : List.of("P-256")) {
                    Tally grouped = blast(manner, with(ecdsa, "group", group));
                    assertEquals(20, grouped.connections(), group + grouped.json());
                }
                Tally refused = blast(manner, rsaOnly);
                assertEquals(0, refused.connections(), refused::json);
                assertEquals(20, refused.failures(), refused::json);
            }
        }
    }

    @Test
    void amtpIsLoadedWithCertificateAndCode() throws Exception {
        CertificateSettings own = certificate(KeyType.P256);
        try (TlsContexts amtp = open(true, List.of(own))) {
            var manner = new Sink.Manner(amtp, true, true, 0, "450 later", 0);
            Load bare = with(with(load(0), "security", Load.Security.IMPLICIT), "messages", 40L);
            Load shown = with(with(bare, "chain", own.chain()), "key", Path.of(own.key()));
            Tally sound = blast(manner, with(shown, "code", "MPC=per/individual"));
            assertEquals(40, sound.messages(), sound::json);
            assertEquals(0, sound.failures(), sound::json);
            for (String code : List.of("", "MPC=none/such", "XMPC=per/individual")) {
                Tally coded = blast(manner, with(shown, "code", code));
                assertEquals(40, number(coded, "refusals", "501"), code + coded.json());
            }
            Tally uncertified = blast(manner, with(bare, "code", "MPC=per/individual"));
            assertEquals(0, uncertified.messages(), uncertified::json);
            assertTrue(uncertified.failures() > 0, uncertified::json);
        }
    }

    @Test
    void tls12AndOneGroupAreOfferedWhereAsked() throws Exception {
        var manner = new Sink.Manner(tls, true, false, 0, "450 later", 0);
        Load load = with(with(load(0), "security", Load.Security.IMPLICIT), "connections", 20L);
        Tally old = blast(manner, with(load, "version", "TLSv1.2"));
        assertEquals(20, old.connections(), old::json);
        Tally grouped = blast(manner, with(load, "group", "X25519"));
        assertEquals(20, grouped.connections(), grouped::json);
        Tally impossible = blast(manner, with(load, "group", "P-521"));
        assertEquals(0, impossible.connections(), impossible::json);
        assertEquals(20, impossible.failures(), impossible::json);
    }

    @Test
    void aReplyCanBeDelayed() throws Exception {
        var manner = new Sink.Manner(null, false, false, 0, "450 later", 50);
        for (boolean isChunked : new boolean[] {true, false}) {
            Load load = with(with(load(0), "messages", 20L), "perConnection", 3);
            Tally tally = blast(manner, with(load, "isChunked", isChunked));
            assertEquals(20, tally.messages(), tally::json);
            assertTrue(number(tally, "messageMicros", "p50") >= 50_000, tally::json);
            assertTrue(number(tally, "connectionMicros", "p50") >= 50_000, tally::json);
        }
    }
}
