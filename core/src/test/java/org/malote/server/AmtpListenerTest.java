package org.malote.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.malote.amtp.CommonNames;
import org.malote.amtp.DenyList;
import org.malote.amtp.Hops;
import org.malote.amtp.ReverseFinding;
import org.malote.amtp.ReverseFinding.Forward;
import org.malote.amtp.TestIssuer;
import org.malote.amtp.TestIssuer.Leaf;
import org.malote.amtp.TrustBase;
import org.malote.amtp.TrustBase.Standing;
import org.malote.offload.Engine;
import org.malote.offload.OffloadProviders;
import org.malote.offload.PeerTrust;
import org.malote.offload.PeerTrustSettings;
import org.malote.offload.TlsSettings;
import org.malote.server.RunningServer.Client;
import org.malote.session.SessionLimits;

/// Certificates of clients on real sockets: who is greeted at a listener for AMTP, and who is not.
final class AmtpListenerTest {
    private static final String NAME = "out1.peer.example";
    private static final String GREETED = "250 LIMITS MAILMAX=1000 RCPTMAX=1000";
    private static final String FAILED = "504 Authentication failed: ";

    /// The engines that can be tried in one process.
    enum Tried {
        BORINGSSL(Engine.BORINGSSL),
        JDK(Engine.JDK);

        private final Engine engine;

        Tried(Engine engine) {
            this.engine = engine;
        }
    }

    @TempDir private Path folder;
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
    private final AtomicReference<TrustBase> base = new AtomicReference<>(TrustBase.NONE);
    private final AtomicReference<ReverseFinding> names =
            new AtomicReference<>(names(NAME, Forward.CONFIRMED));
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<RunningServer> running = new ArrayList<>();
    private @Nullable TestIssuer federation;
    private @Nullable TestIssuer isp;

    @BeforeEach
    void makeAuthorities() throws Exception {
        federation = new TestIssuer(folder, "federation", null, now.get());
        isp = new TestIssuer(folder, "isp", null, now.get());
        believe("", List.of());
    }

    @AfterEach
    void stop() throws Exception {
        for (RunningServer one : running) {
            one.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoIsWhoItSaysIsGreeted(Tried tried) throws Exception {
        RunningServer server = start(tried);
        Leaf leaf = federation().issue(NAME);
        assertEquals(GREETED, ehlo(server, "amtp", leaf, NAME));
        assertEquals(
                GREETED,
                ehlo(server, "members", isp().issue("host7.isp.example"), "host7.isp.example"));
        assertTrue(
                server.meters
                        .scrape()
                        .contains(
                                "malote_amtp_identities_total{listener=\"amtp\",network=\"public\",verdict=\"verified\"}"
                                        + " 1.0"));
        // Reverse DNS is not asked on the private network.
        assertEquals(List.of("127.0.0.1"), asked);
    }

    @ParameterizedTest
    @EnumSource
    void whoIsNotIsRefusedWithTheReason(Tried tried) throws Exception {
        RunningServer server = start(tried);
        Leaf leaf = federation().issue(NAME);
        assertEquals(FAILED + "no certificate", ehlo(server, "amtp", context(null), NAME));
        assertEquals(
                FAILED + "the name of EHLO is not in the certificate",
                ehlo(server, "amtp", leaf, "out2.peer.example"));
        assertEquals(
                FAILED + "the certificate does not hold",
                ehlo(
                        server,
                        "amtp",
                        federation().issue(NAME, now.get().minus(Duration.ofHours(1))),
                        NAME));
        assertEquals(
                FAILED + "the certificate does not hold",
                ehlo(server, "amtp", isp().issue(NAME), NAME));
        assertEquals(FAILED + "the certificate does not hold", ehlo(server, "members", leaf, NAME));
        assertEquals(
                FAILED + "the certificate does not hold",
                ehlo(
                        server,
                        "amtp",
                        new TestIssuer(folder, "stranger", null, now.get()).issue(NAME),
                        NAME));
        names.set(names("host.isp.example", Forward.CONFIRMED));
        assertEquals(
                FAILED + "the name of the address is another", ehlo(server, "amtp", leaf, NAME));
        names.set(names(NAME, Forward.ELSEWHERE));
        assertEquals(FAILED + "the name has another address", ehlo(server, "amtp", leaf, NAME));
        Client client = connect(server, "amtp", context(leaf));
        assertEquals("504 HELO is not spoken here; send EHLO", client.ask("HELO " + NAME));
        assertEquals("503 5.5.1 send EHLO first", client.ask("MAIL FROM:<a@peer.example>"));
        assertEquals("221 2.0.0 bye", client.ask("QUIT"));
    }

    @ParameterizedTest
    @EnumSource
    void whoIsDeniedOrTakenBackIsRefused(Tried tried) throws Exception {
        RunningServer server = start(tried);
        Leaf leaf = federation().issue(NAME);
        for (String line :
                List.of(
                        "certificate " + leaf.digest(),
                        "key " + leaf.keyDigest(),
                        "name " + NAME,
                        "name *.peer.example")) {
            believe(line, List.of());
            assertEquals(
                    FAILED + "the certificate is denied", ehlo(server, "amtp", leaf, NAME), line);
        }
        believe("", List.of(federation().takeBack("list.pem", true, leaf)));
        assertEquals(FAILED + "the certificate is denied", ehlo(server, "amtp", leaf, NAME));
        believe("", List.of(federation().takeBack("list.der", false, leaf)));
        assertEquals(FAILED + "the certificate is denied", ehlo(server, "amtp", leaf, NAME));
        Leaf other = federation().issue(NAME);
        assertEquals(GREETED, ehlo(server, "amtp", other, NAME));
        // A list of another issuer says nothing of this one's.
        believe("", List.of(isp().takeBack("other.pem", true, leaf)));
        assertEquals(GREETED, ehlo(server, "amtp", leaf, NAME));
    }

    /// A resumed session has its certificate, and is tested by what holds now.
    @ParameterizedTest
    @EnumSource
    void aResumedSessionIsTestedAgain(Tried tried) throws Exception {
        RunningServer server = start(tried);
        Leaf leaf = federation().issue(NAME);
        SSLContext context = context(leaf);
        assertEquals(GREETED, ehlo(server, "amtp", context, NAME));
        assertEquals(GREETED, ehlo(server, "amtp", context, NAME));
        assertEquals(1, resumed(server));
        assertEquals(
                FAILED + "the name of EHLO is not in the certificate",
                ehlo(server, "amtp", context, "out2.peer.example"));
        believe("key " + leaf.keyDigest(), List.of());
        assertEquals(FAILED + "the certificate is denied", ehlo(server, "amtp", context, NAME));
        believe("", List.of());
        names.set(names("host.isp.example", Forward.CONFIRMED));
        assertEquals(
                FAILED + "the name of the address is another", ehlo(server, "amtp", context, NAME));
        names.set(names(NAME, Forward.CONFIRMED));
        assertEquals(GREETED, ehlo(server, "amtp", context, NAME));
        now.updateAndGet(then -> then.plus(Duration.ofDays(31)));
        assertEquals(FAILED + "the certificate does not hold", ehlo(server, "amtp", context, NAME));
        assertEquals(6, resumed(server));
    }

    /// Port 25 asks for a certificate, and takes who has none.
    @ParameterizedTest
    @EnumSource
    void port25OnlyWatches(Tried tried) throws Exception {
        RunningServer server = start(tried);
        for (Leaf leaf : new @Nullable Leaf[] {null, federation().issue(NAME)}) {
            Client client = server.connect("watching");
            assertEquals("220 mx.example ESMTP Malote", client.reply());
            assertEquals(GREETED, client.ask("EHLO " + NAME));
            assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
            client.startTls(context(leaf));
            assertEquals(GREETED, client.ask("EHLO " + NAME));
            assertEquals("250 2.1.0 sender OK", client.ask("MAIL FROM:<a@peer.example>"));
            assertEquals("221 2.0.0 bye", client.ask("QUIT"));
        }
        String scraped = server.meters.scrape();
        for (Map.Entry<String, String> verdict :
                List.of(
                        Map.entry("none", "no-tls"),
                        Map.entry("none", "no-certificate"),
                        Map.entry("public", "verified"))) {
            assertTrue(
                    scraped.contains(
                            "malote_amtp_identities_total{listener=\"watching\",network=\""
                                    + verdict.getKey()
                                    + "\",verdict=\""
                                    + verdict.getValue()
                                    + "\"}"),
                    scraped);
        }
    }

    /// Behind a proxy the peer is whom the proxy tells.
    @ParameterizedTest
    @EnumSource
    void theAddressThatAProxyTellsIsLookedUp(Tried tried) throws Exception {
        RunningServer server = start(tried);
        Client client = server.connect("proxied-amtp");
        client.send("PROXY TCP4 198.51.100.7 192.0.2.25 40000 24\r\n");
        client.startTls(context(federation().issue(NAME)));
        assertEquals("220 mx.example ESMTP Malote", client.reply());
        assertEquals(GREETED, client.ask("EHLO " + NAME));
        assertEquals(List.of("198.51.100.7"), asked);
    }

    private RunningServer start(Tried tried) throws Exception {
        RunningServer server =
                new RunningServer(
                        folder,
                        SessionLimits.defaults(),
                        OffloadProviders.inProcess(),
                        own -> TlsSettings.withDefaults(List.of(own)).withEngine(tried.engine));
        running.add(server);
        server.hops = Hops.of(base::get, this::find, now::get);
        return server;
    }

    private void find(InetAddress address, Consumer<ReverseFinding> found) {
        asked.add(address.getHostAddress());
        found.accept(names.get());
    }

    private void believe(String denied, List<Path> revocationLists) throws Exception {
        DenyList list = ((DenyList.Parsed.Valid) DenyList.parse(denied)).list();
        PeerTrust outside = trust(federation(), revocationLists);
        base.set(
                TrustBase.of(
                        List.of(
                                new TrustBase.Believing("amtp", Standing.PUBLIC, outside),
                                new TrustBase.Believing("proxied-amtp", Standing.PUBLIC, outside),
                                new TrustBase.Believing("watching", Standing.EITHER, outside),
                                new TrustBase.Believing(
                                        "members", Standing.PRIVATE, trust(isp(), List.of()))),
                        list,
                        CommonNames.PRIVATE));
    }

    private static PeerTrust trust(TestIssuer issuer, List<Path> revocationLists) throws Exception {
        return PeerTrust.read(
                new PeerTrustSettings(List.of(issuer.file()), false, true, revocationLists));
    }

    private static ReverseFinding names(String name, Forward forward) {
        return ReverseFinding.of(List.of(name), Map.of(name, forward));
    }

    private TestIssuer federation() {
        return Objects.requireNonNull(federation);
    }

    private TestIssuer isp() {
        return Objects.requireNonNull(isp);
    }

    private static SSLContext context(@Nullable Leaf leaf) throws Exception {
        return Client.context(leaf == null ? null : leaf.keyManagers());
    }

    private static String ehlo(
            RunningServer server, String listener, @Nullable Leaf leaf, String name)
            throws Exception {
        return ehlo(server, listener, context(leaf), name);
    }

    private static String ehlo(
            RunningServer server, String listener, SSLContext context, String name)
            throws Exception {
        try (Client client = connect(server, listener, context)) {
            String reply = client.ask("EHLO " + name);
            assertEquals("221 2.0.0 bye", client.ask("QUIT"));
            return reply;
        }
    }

    private static Client connect(RunningServer server, String listener, SSLContext context)
            throws Exception {
        Client client = server.connect(listener);
        client.startTls(context);
        assertEquals("220 mx.example ESMTP Malote", client.reply());
        return client;
    }

    private static int resumed(RunningServer server) {
        return server.meters
                .scrape()
                .lines()
                .filter(
                        line ->
                                line.startsWith("malote_handshake_seconds_count")
                                        && line.contains("direction=\"inbound\"")
                                        && line.contains("resumed=\"true\""))
                .mapToInt(line -> Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }
}
