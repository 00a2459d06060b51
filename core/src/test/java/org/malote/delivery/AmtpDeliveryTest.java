package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.malote.amtp.CodeClass;
import org.malote.amtp.CodeRole;
import org.malote.amtp.MailPolicyCode;
import org.malote.offload.CertificateSettings;
import org.malote.offload.Engine;
import org.malote.offload.HostIdentity;
import org.malote.offload.HostTls;
import org.malote.offload.HostTlsSettings;
import org.malote.offload.HostWay;
import org.malote.offload.SelfSigned;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsSettings;
import org.malote.queue.MessageId;

/// What goes over AMTP, to whom, as whom, and what may go in another way when it cannot.
@Timeout(60)
final class AmtpDeliveryTest {
    private static final String TARGET = "amtp.y.example";
    private static final Map<String, String> CODE = Map.of("mpc", "com/optin");

    @TempDir private Path directory;
    private Engine engine = Engine.BORINGSSL;
    private String certified = TARGET;
    private boolean hasCertificate = true;
    private AmtpSending settings = AmtpSending.STANDARD;

    private CertificateSettings certificate(String name) throws Exception {
        return SelfSigned.ensure(
                directory.resolve(name), name, InstantSource.system(), new SecureRandom());
    }

    /// A domain with a host of AMTP, one of SMTP, and us.
    private final class World implements AutoCloseable {
        final FakeHost amtp = new FakeHost();
        final FakeHost smtp = new FakeHost();
        final Bench bench = new Bench();
        final HostTls tls;
        final DeliveryEngine deliveries;

        World(Via via) throws Exception {
            CertificateSettings own = certificate("out1.x.example");
            CertificateSettings theirs = certificate(certified);
            amtp.isImplicit = true;
            amtp.needsCertificate = hasCertificate;
            amtp.tls =
                    ((JdkSslContext)
                                    SslContextBuilder.forServer(
                                                    theirs.chain().toFile(),
                                                    Path.of(theirs.key()).toFile())
                                            .sslProvider(SslProvider.JDK)
                                            .trustManager(InsecureTrustManagerFactory.INSTANCE)
                                            .build())
                            .context();
            Source source =
                    new Source(
                            "out1",
                            List.of(InetAddress.ofLiteral("127.0.0.2")),
                            "out1.x.example",
                            hasCertificate ? List.of(own) : List.of());
            Terms terms =
                    new Terms(
                            TlsPolicy.OPPORTUNISTIC,
                            null,
                            new Terms(
                                    new TlsPolicy(TlsUse.AMTP, theirs.chain(), List.of()), source));
            List<HostWay> ways =
                    hasCertificate
                            ? List.of(way(terms), way(terms.forAmtp()))
                            : List.of(way(terms));
            tls =
                    HostTls.open(
                            new HostTlsSettings(
                                    TlsSettings.withDefaults(List.of()).withEngine(engine),
                                    ways,
                                    List.of(new HostIdentity("out1", List.of(own)))),
                            new TlsEnvironment(InstantSource.system(), new SecureRandom()));
            bench.zone("_amtp._tcp.y.example", "SRV 0 " + amtp.port() + " " + TARGET);
            bench.zone(TARGET, "127.0.0.1");
            bench.zone("y.example", "MX 0 mx.y.example");
            bench.zone("mx.y.example", "127.0.0.1");
            bench.sites = new SiteTable(List.of(), SiteTable.usual(20, terms));
            deliveries =
                    bench.start(
                            Bench.allVia(via), Bench.settings(smtp.port(), true, settings), tls);
        }

        private static HostWay way(Terms terms) {
            return Objects.requireNonNull(terms.way());
        }

        MessageId send(Map<String, String> attributes) {
            return bench.send("a@x.example", attributes, Bench.TEXT, "b@y.example");
        }

        /// What becomes of a message, as `permanent 5.7.1 reason`; nothing goes over SMTP.
        String failure(Map<String, String> attributes) throws Exception {
            MessageId _ = send(attributes);
            Failure failure = bench.nextFailure();
            assertEquals(0, smtp.connections.get());
            return (failure.isPermanent() ? "permanent " : "temporary ")
                    + failure.status()
                    + " "
                    + failure.detail();
        }

        @Override
        public void close() throws IOException {
            bench.close();
            tls.close();
            amtp.close();
            smtp.close();
        }
    }

    private static int closedPort() throws IOException {
        try (ServerSocket once = new ServerSocket(0)) {
            return once.getLocalPort();
        }
    }

    private static void assertStarts(String wanted, String text) {
        assertTrue(text.startsWith(wanted), text);
    }

    /// Twice, since the second session is resumed, and its certificate looked at all the same.
    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void theHostOfTheSrvRecordIsToldWhoWeAreAndTheCode(Engine chosen) throws Exception {
        engine = chosen;
        try (World world = new World(new Via.Amtp())) {
            world.amtp.extensions = List.of("PIPELINING", "8BITMIME", "LIMITS MAILMAX=1");
            for (int i = 1; i <= 2; i++) {
                world.bench.awaitGone(world.send(CODE));
                assertEquals(i, world.amtp.connections.get());
            }
            assertEquals(List.of(Bench.TEXT, Bench.TEXT), world.amtp.messages);
            assertTrue(
                    world.amtp.commands.contains(
                                    "MAIL FROM:<a@x.example> BODY=8BITMIME MPC=com/optin")
                            || world.amtp.commands.contains(
                                    "MAIL FROM:<a@x.example> MPC=com/optin"),
                    world.amtp.commands.toString());
            assertEquals(
                    List.of("127.0.0.2 out1.x.example", "127.0.0.2 out1.x.example"),
                    world.amtp.greeted);
            assertEquals(List.of("CN=out1.x.example", "CN=out1.x.example"), world.amtp.identities);
            assertEquals(0, world.amtp.count("STARTTLS"));
            assertEquals(0, world.smtp.connections.get());
            assertTrue(
                    world.bench
                            .meters
                            .scrape()
                            .contains(
                                    "malote_outbound_handshakes_total{policy=\"amtp\","
                                            + "resumed=\"true\""));
        }
    }

    @Test
    void aCertificateForTheDomainOfTheRecipientIsGoodToo() throws Exception {
        certified = "y.example";
        try (World world = new World(new Via.Amtp())) {
            world.bench.awaitGone(world.send(CODE));
            world.bench.awaitGone(world.send(CODE));
            assertEquals(1, world.amtp.connections.get());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void aHostWithACertificateForAnotherNameGetsNothing(Engine chosen) throws Exception {
        engine = chosen;
        certified = "other.example";
        try (World world = new World(new Via.Amtp())) {
            String failure = world.failure(CODE);
            assertStarts("temporary 4.7.5", failure);
            assertTrue(
                    failure.contains("is not for amtp.y.example or y.example but for other"),
                    failure);
            assertEquals(0, world.amtp.count("EHLO"));
        }
    }

    @Test
    void aFixedHostOfAPrivateNetworkIsNotLookedUpBySrv() throws Exception {
        certified = "localhost";
        Map<String, String> attributes = Map.of("mpc", "com/optin", "amtp.over", "public");
        try (World world = new World(new Via.Hold())) {
            world.bench.silent.add("_amtp._tcp.y.example");
            world.bench.reroute(Bench.allVia(new Via.AmtpHost("localhost", world.amtp.port())));
            world.bench.awaitGone(world.send(attributes));
            assertEquals(1, world.amtp.messages.size());
        }
    }

    @Test
    void withoutSrvRecordsAmtpWaitsAndHybridGoesToTheMxHosts() throws Exception {
        try (World world = new World(new Via.Amtp())) {
            MessageId _ = world.bench.send("a@x.example", CODE, Bench.TEXT, "b@z.example");
            Failure failure = world.bench.nextFailure();
            assertFalse(failure.isPermanent());
            assertStarts("z.example has no SRV record _amtp._tcp.z.example", failure.detail());
        }
        try (World world = new World(new Via.Hybrid())) {
            world.bench.zone("z.example", "MX 0 mx.y.example");
            world.bench.awaitGone(world.bench.send("a@x.example", CODE, Bench.TEXT, "b@z.example"));
            assertEquals(List.of("MPC: com/optin\r\n" + Bench.TEXT), world.smtp.messages);
            assertEquals(0, world.amtp.connections.get());
        }
    }

    @Test
    void aHostThatCannotBeReachedIsFollowedByTheMxHostsAtOnce() throws Exception {
        try (World world = new World(new Via.Hybrid())) {
            world.bench.zone("_amtp._tcp.z.example", "SRV 0 " + closedPort() + " " + TARGET);
            world.bench.zone("z.example", "MX 0 mx.y.example");
            world.bench.awaitGone(world.bench.send("a@x.example", CODE, Bench.TEXT, "b@z.example"));
            assertEquals(1, world.smtp.messages.size());
        }
        certified = "other.example";
        try (World world = new World(new Via.Hybrid())) {
            world.bench.awaitGone(world.send(CODE));
            assertEquals(1, world.amtp.connections.get());
            assertEquals(1, world.smtp.messages.size());
        }
    }

    /// A name server that is silenced must not make mail leave in the clear; and RFC 7505 §3.
    @Test
    void whatTheDnsDoesNotSayIsNoReasonToFallBack() throws Exception {
        try (World world = new World(new Via.Hybrid())) {
            world.bench.silent.add("_amtp._tcp.y.example");
            assertStarts("temporary 4.4.3 name service for y.example", world.failure(CODE));
            world.bench.zone("_amtp._tcp.z.example", "SRV 0 " + closedPort() + " " + TARGET);
            world.bench.zone("z.example", "MX 0 .");
            MessageId _ = world.bench.send("a@x.example", CODE, Bench.TEXT, "b@z.example");
            Failure failure = world.bench.nextFailure();
            assertEquals("4.4.1", failure.status().toString());
        }
    }

    @Test
    void whatAHostOfAmtpSaysIsNotGotRoundBySmtp() throws Exception {
        try (World world = new World(new Via.Hybrid())) {
            world.amtp.extensions = List.of("LIMITS MAILMAX=1", "MPC DENY=com/optin");
            assertStarts("permanent 5.7.1 amtp.y.example[127.0.0.1]", world.failure(CODE));
            world.amtp.extensions = List.of("LIMITS MAILMAX=1");
            world.amtp.says = c -> c.startsWith("MAIL") ? "550 5.7.1 MPC policy violation" : "";
            assertStarts("permanent 5.7.1 host amtp.y.example", world.failure(CODE));
            world.amtp.says = c -> c.startsWith("MAIL") ? FakeHost.CLOSE : "";
            assertStarts("temporary 4.4.2 lost connection", world.failure(CODE));
            world.amtp.says = c -> c.startsWith("EHLO") ? "504 Authentication failed" : "";
            assertStarts("temporary 4.7.0 amtp.y.example", world.failure(CODE));
        }
    }

    @Test
    void aMessageWithoutACodeIsGivenNoneBehindItsSendersBack() throws Exception {
        try (World world = new World(new Via.Amtp())) {
            assertStarts("permanent 5.7.1 the destination takes", world.failure(Map.of()));
            world.bench.awaitGone(world.bench.sendText("", Bench.TEXT, "b@y.example"));
            assertEquals(
                    1,
                    world.amtp.count("MAIL FROM:<> BODY=8BITMIME MPC=net/autoresponse")
                            + world.amtp.count("MAIL FROM:<> MPC=net/autoresponse"));
        }
        try (World world = new World(new Via.Hybrid())) {
            world.bench.awaitGone(world.send(Map.of()));
            assertEquals(List.of(Bench.TEXT), world.smtp.messages);
            assertEquals(0, world.amtp.connections.get());
        }
        settings =
                new AmtpSending(
                        false, new MailPolicyCode(CodeRole.PER, CodeClass.INDIVIDUAL), true);
        try (World world = new World(new Via.Amtp())) {
            world.bench.awaitGone(world.send(Map.of()));
            assertTrue(
                    world.amtp.commands.stream().anyMatch(c -> c.endsWith(" MPC=per/individual")));
        }
    }

    /// The session refuses such recipients; these are for routes that changed since.
    @Test
    void whatCameOverAPublicConnectionLeavesByPrivateOnesAlone() throws Exception {
        Map<String, String> attributes = Map.of("mpc", "com/optin", "amtp.over", "public");
        for (Via via : List.of(new Via.Mx(), new Via.Amtp(), new Via.Hybrid())) {
            try (World world = new World(via)) {
                assertStarts("permanent 5.7.1 the message came", world.failure(attributes));
                assertEquals(0, world.amtp.connections.get());
            }
        }
        settings = new AmtpSending(false, null, false);
        try (World world = new World(new Via.Amtp())) {
            assertStarts("permanent 5.7.1 the message came", world.failure(attributes));
        }
        for (Via via : List.of(new Via.Mx(), new Via.Hybrid())) {
            try (World world = new World(via)) {
                world.bench.awaitGone(world.send(attributes));
                assertEquals(1, world.smtp.messages.size());
                assertStarts(
                        "X-AMTP-Left: smtp\r\nMPC: com/optin\r\n", world.smtp.messages.getFirst());
                assertEquals(0, world.amtp.connections.get());
            }
        }
    }

    /// Without a restart, and without what is held of the rules of before.
    @Test
    void otherRulesForAmtpHoldFromTheNextAttemptOn() throws Exception {
        Map<String, String> relayed = Map.of("mpc", "com/optin", "amtp.over", "public");
        try (World world = new World(new Via.Hybrid())) {
            assertStarts("permanent 5.7.1 the message came", world.failure(relayed));
            world.deliveries.useAmtp(new AmtpSending(false, MailPolicyCode.NOTIFICATION, false));
            world.bench.awaitGone(world.send(relayed));
            assertEquals(1, world.smtp.messages.size());
            world.bench.awaitGone(world.send(Map.of()));
            assertTrue(
                    world.amtp.commands.stream()
                            .anyMatch(one -> one.contains(" MPC=net/autoresponse")),
                    world.amtp.commands.toString());
        }
    }

    /// What came otherwise, or goes to the operator's own hosts, has not left AMTP.
    @Test
    void onlyWhatLeavesAmtpIsMarked() throws Exception {
        settings = new AmtpSending(false, null, false);
        try (World world = new World(new Via.Mx())) {
            world.bench.awaitGone(world.send(Map.of("mpc", "com/optin", "amtp.over", "private")));
            assertStarts("MPC: com/optin\r\n", world.smtp.messages.getFirst());
        }
    }

    @Test
    void withoutACertificateOfOursTheMailWaits() throws Exception {
        hasCertificate = false;
        try (World world = new World(new Via.Hybrid())) {
            assertStarts(
                    "temporary 4.7.0 AMTP needs a source with a certificate, and \"out1\"",
                    world.failure(CODE));
            assertEquals(0, world.amtp.connections.get());
        }
    }

    /// The key of a site: one host can be down for one protocol and up for the other.
    @Test
    void amtpAndSmtpAreSitesOfTheirOwn() {
        SiteTable table = SiteTable.usual(1);
        Hop amtp = hop(24, Protocol.AMTP, "y.example");
        Hop smtp = hop(25, Protocol.SMTP, null);
        assertEquals("h.example:25", key(table, smtp));
        assertEquals("h.example:24 amtp", key(table, amtp));
        assertEquals("h.example,h.example:24 hybrid", key(table, amtp, smtp));
    }

    private static String key(SiteTable table, Hop... hops) {
        Targets.Hops found = new Targets.Hops(List.of(hops));
        return table.key(found.hosts(), found.protocols(), Terms.USUAL);
    }

    private static Hop hop(int port, Protocol protocol, @Nullable String domain) {
        return new Hop(
                new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), port),
                "h.example",
                protocol,
                domain);
    }
}
