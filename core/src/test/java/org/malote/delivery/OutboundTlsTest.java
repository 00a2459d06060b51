package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.malote.offload.CertificateSettings;
import org.malote.offload.Engine;
import org.malote.offload.HostIdentity;
import org.malote.offload.HostTls;
import org.malote.offload.HostTlsSettings;
import org.malote.offload.HostWay;
import org.malote.offload.SelfSigned;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsSettings;
import org.malote.queue.schedule.SiteLimits;

/// What goes out over TLS, to whom, and as whom.
@Timeout(60)
final class OutboundTlsTest {
    /// What the route leads to, so that it is the name that is verified.
    private static final String HOST = "localhost";

    @TempDir private Path directory;
    private InstantSource clock = InstantSource.system();
    private Engine engine = Engine.BORINGSSL;

    private CertificateSettings certificate(String name) throws Exception {
        return SelfSigned.ensure(
                directory.resolve(name), name, InstantSource.system(), new SecureRandom());
    }

    /// A host with this certificate, which takes one message a connection.
    private static FakeHost host(CertificateSettings own) throws Exception {
        FakeHost host = new FakeHost();
        host.tls = serverContext(own);
        host.extensions = List.of("PIPELINING", "8BITMIME", "LIMITS MAILMAX=1");
        return host;
    }

    private static SSLContext serverContext(CertificateSettings own) throws Exception {
        return ((JdkSslContext)
                        SslContextBuilder.forServer(
                                        own.chain().toFile(), Path.of(own.key()).toFile())
                                .sslProvider(SslProvider.JDK)
                                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                                .build())
                .context();
    }

    private static Terms tls(TlsUse use) {
        return new Terms(new TlsPolicy(use, null, List.of()), null);
    }

    private static Terms verifiedBy(CertificateSettings authority) {
        return new Terms(new TlsPolicy(TlsUse.VERIFIED, authority.chain(), List.of()), null);
    }

    private static SiteRule rule(String domain, Terms terms) {
        return new SiteRule(new DomainPattern(domain), SiteLimits.window(20), terms);
    }

    /// For these rules, as the server makes it.
    private HostTls contexts(SiteTable sites) throws Exception {
        Set<HostWay> ways = new LinkedHashSet<>();
        List<HostIdentity> identities = new ArrayList<>();
        for (Terms terms : sites.terms()) {
            HostWay way = terms.way();
            if (way != null) {
                ways.add(way);
            }
            Source source = terms.source();
            if (source != null && source.identity() != null) {
                identities.add(new HostIdentity(source.name(), source.certificates()));
            }
        }
        return HostTls.open(
                new HostTlsSettings(
                        TlsSettings.withDefaults(List.of()).withEngine(engine),
                        List.copyOf(ways),
                        identities),
                new TlsEnvironment(clock, new SecureRandom()));
    }

    private static SiteTable all(Terms terms) {
        return new SiteTable(List.of(), SiteTable.usual(20, terms));
    }

    private static void start(Bench bench, SiteTable sites, FakeHost host, HostTls tls) {
        bench.sites = sites;
        bench.start(Bench.allVia(new Via.Smtp(HOST, host.port())), Bench.settings(25), tls);
    }

    /// What the sender would be told of a message that stays.
    private static String deferral(Bench bench) throws InterruptedException {
        Failure failure = bench.nextFailure();
        assertTrue(!failure.isPermanent(), failure.toString());
        return failure.status() + " " + failure.detail();
    }

    private static void assertContains(String part, String text) {
        assertTrue(text.contains(part), text);
    }

    private static void assertFault(String cause, Bench bench) {
        assertContains(
                "malote_handshakes_failed_total{cause=\"" + cause + "\",direction=\"outbound\",",
                bench.meters.scrape());
    }

    @ParameterizedTest
    @EnumSource(names = {"REQUIRED", "VERIFIED"})
    void nothingGoesInTheClearWhereTlsIsRequired(TlsUse use) throws Exception {
        CertificateSettings own = certificate(HOST);
        Terms terms = use == TlsUse.VERIFIED ? verifiedBy(own) : tls(use);
        try (FakeHost host = host(own);
                HostTls contexts = contexts(all(terms));
                Bench bench = new Bench()) {
            start(bench, all(terms), host, contexts);
            host.says = c -> c.equals("STARTTLS") ? "454 4.7.0 no key today" : "";
            bench.send("b@refuses.example");
            assertContains("454 4.7.0 no key today", deferral(bench));
            List<String> usual = host.extensions;
            host.says = _ -> "";
            host.tls = null;
            host.extensions = List.of("STARTTLS");
            bench.send("b@lies.example");
            assertContains("failed: the connection was closed", deferral(bench));
            assertFault("closed", bench);
            host.extensions = usual;
            bench.send("b@plain.example");
            assertContains("4.7.4 TLS is required for localhost", deferral(bench));
            host.says =
                    c -> c.startsWith("EHLO") ? "502 what" : c.startsWith("HELO") ? "250 hi" : "";
            bench.send("b@old.example");
            assertContains("4.7.4 TLS is required for localhost", deferral(bench));
            assertEquals(0, host.count("MAIL"));
            host.says = _ -> "";
            host.tls = serverContext(own);
            bench.advance(Duration.ofHours(4));
            Bench.await("all of them", () -> host.messages.size() == 4);
            assertEquals(4, host.count("STARTTLS") - 2);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void aHostThatIsNotWhoItMustBeGetsNothing(Engine chosen) throws Exception {
        engine = chosen;
        CertificateSettings own = certificate(HOST);
        assertRefused(
                own, verifiedBy(certificate("other.example")), "untrusted", "signed by itself");
        TlsPolicy named = new TlsPolicy(TlsUse.VERIFIED, own.chain(), List.of("mx.bank.example"));
        assertRefused(own, new Terms(named, null), "name", "not for mx.bank.example but for");
        clock = () -> InstantSource.system().instant().plus(Duration.ofDays(36_500));
        assertRefused(own, verifiedBy(own), "expired", "expired at");
        clock = () -> InstantSource.system().instant().minus(Duration.ofDays(365));
        assertRefused(own, verifiedBy(own), "not-yet-valid", "not valid before");
    }

    private void assertRefused(
            CertificateSettings shown, Terms terms, String cause, String sentence)
            throws Exception {
        SiteTable sites = all(terms);
        try (FakeHost host = host(shown);
                HostTls contexts = contexts(sites);
                Bench bench = new Bench()) {
            start(bench, sites, host, contexts);
            bench.send("b@y.example");
            String deferral = deferral(bench);
            assertContains("4.7.5 TLS handshake with localhost", deferral);
            assertContains(sentence, deferral);
            assertFault(cause, bench);
            assertEquals(0, host.count("MAIL"));
        }
    }

    /// One connection is warm, and must not serve the other.
    @Test
    void aConnectionOnOtherTermsIsAnotherConnection() throws Exception {
        CertificateSettings own = certificate(HOST);
        SiteTable sites =
                new SiteTable(
                        List.of(
                                rule("bank.example", verifiedBy(own)),
                                rule("old.example", tls(TlsUse.NONE))),
                        SiteTable.usual(20, Terms.USUAL));
        try (FakeHost host = host(own);
                HostTls contexts = contexts(sites);
                Bench bench = new Bench()) {
            host.extensions = List.of("PIPELINING", "8BITMIME");
            start(bench, sites, host, contexts);
            for (int i = 0; i < 2; i++) {
                bench.awaitGone(bench.send("b@bank.example"));
                bench.awaitGone(bench.send("b@old.example"));
                bench.awaitGone(bench.send("b@any.example"));
            }
            assertEquals(6, host.messages.size());
            assertEquals(3, host.connections.get());
            assertEquals(2, host.count("STARTTLS"));
            String meters = bench.meters.scrape();
            assertContains("malote_outbound_handshakes_total{policy=\"verified\"", meters);
            assertContains("malote_outbound_handshakes_total{policy=\"opportunistic\"", meters);
        }
    }

    /// Its failures are those of another site.
    @Test
    void aHostThatIsNotBelievedForOneDestinationServesTheOthers() throws Exception {
        SiteTable sites =
                new SiteTable(
                        List.of(rule("bank.example", verifiedBy(certificate("other.example")))),
                        SiteTable.usual(20, Terms.USUAL));
        try (FakeHost host = host(certificate(HOST));
                HostTls contexts = contexts(sites);
                Bench bench = new Bench()) {
            start(bench, sites, host, contexts);
            for (int i = 0; i < 10; i++) {
                bench.send("b" + i + "@bank.example");
            }
            // After some of them, the site of the bank is left alone for a while.
            for (int i = 0; i < 3; i++) {
                assertContains("not believed", deferral(bench));
            }
            bench.awaitGone(bench.send("b@any.example"));
            assertEquals(1, host.messages.size());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void eachSourceHasItsAddressItsNameAndItsCertificate(Engine chosen) throws Exception {
        engine = chosen;
        SiteTable sites =
                new SiteTable(
                        List.of(rule("one.example", from("out1", "127.0.0.1"))),
                        SiteTable.usual(20, from("out2", "127.0.0.2")));
        try (FakeHost host = host(certificate(HOST));
                HostTls contexts = contexts(sites);
                Bench bench = new Bench()) {
            host.needsCertificate = true;
            start(bench, sites, host, contexts);
            for (int i = 0; i < 2; i++) {
                bench.awaitGone(bench.send("b@one.example"));
                bench.awaitGone(bench.send("b@two.example"));
            }
            List<String> expected =
                    List.of(
                            "127.0.0.1 out1.isp.example",
                            "127.0.0.1 out1.isp.example", // again inside TLS
                            "127.0.0.2 out2.isp.example",
                            "127.0.0.2 out2.isp.example");
            assertEquals(expected, host.greeted.subList(0, 4));
            assertEquals(
                    List.of(
                            "CN=out1.isp.example",
                            "CN=out2.isp.example",
                            "CN=out1.isp.example",
                            "CN=out2.isp.example"),
                    host.identities);
            assertContains(
                    "malote_outbound_handshakes_total{policy=\"opportunistic\",resumed=\"true\","
                            + "source=\"out2\"} 1.0",
                    bench.meters.scrape());
        }
    }

    private Terms from(String name, String address) throws Exception {
        String heloName = name + ".isp.example";
        return new Terms(
                TlsPolicy.OPPORTUNISTIC,
                new Source(
                        name,
                        List.of(InetAddress.ofLiteral(address)),
                        heloName,
                        List.of(certificate(heloName))));
    }

    /// In TLS 1.3 the host says no when the handshake is over for us.
    @Test
    void aHostThatWantsACertificateWeDoNotHaveIsSpokenToInTheClear() throws Exception {
        try (FakeHost host = host(certificate(HOST));
                HostTls contexts = contexts(all(Terms.USUAL));
                Bench bench = new Bench()) {
            host.needsCertificate = true;
            start(bench, all(Terms.USUAL), host, contexts);
            bench.awaitGone(bench.send("b@y.example"));
            assertEquals(1, host.messages.size());
            assertEquals(2, host.connections.get());
            assertFault("alert", bench);
        }
    }

    @Test
    void aSourceWithoutAnAddressOfTheHostsFamilyKeepsTheMail() throws Exception {
        Source six =
                new Source(
                        "six", List.of(InetAddress.ofLiteral("::1")), "six.isp.example", List.of());
        SiteTable sites = all(new Terms(TlsPolicy.OPPORTUNISTIC, six));
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.sites = sites;
            bench.start(
                    Bench.allVia(new Via.Smtp("127.0.0.1", host.port())), Bench.settings(25), null);
            bench.send("b@y.example");
            assertContains("4.4.4 the source six has no address", deferral(bench));
            assertEquals(0, host.connections.get());
        }
    }

    @Test
    void anAddressThatIsNotOursKeepsTheMailAndIsNamed() throws Exception {
        Source elsewhere =
                new Source(
                        "gone",
                        List.of(InetAddress.ofLiteral("192.0.2.1")),
                        "gone.isp.example",
                        List.of());
        SiteTable sites = all(new Terms(TlsPolicy.OPPORTUNISTIC, elsewhere));
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.sites = sites;
            bench.start(
                    Bench.allVia(new Via.Smtp("127.0.0.1", host.port())), Bench.settings(25), null);
            bench.send("b@y.example");
            String deferral = deferral(bench);
            assertContains("4.4.1 connect to 127.0.0.1", deferral);
            assertContains("(from 192.0.2.1)", deferral);
        }
    }

    /// A store of our own knows us without that.
    @Test
    void lmtpNeedsNoSource() throws Exception {
        SiteTable sites = all(from("out1", "127.0.0.2"));
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.isLmtp = true;
            bench.sites = sites;
            bench.start(
                    Bench.allVia(new Via.Lmtp("127.0.0.1", host.port())), Bench.settings(25), null);
            bench.awaitGone(bench.send("b@y.example"));
            assertEquals(List.of("127.0.0.1 out.example"), host.greeted);
        }
    }
}
