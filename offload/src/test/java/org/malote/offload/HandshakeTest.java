package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Handshakes of every kind that is served: engine × certificates × version × full and resumed.
final class HandshakeTest {
    private static final String HOST = "mx1.isp.example";
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    @TempDir private static Path directory;
    private static CertificateSettings p256;
    private static CertificateSettings p384;
    private static CertificateSettings rsa;

    record Cell(Engine engine, List<CertificateSettings> certificates, String version, String key) {
        @Override
        public String toString() {
            return engine + " " + certificates.size() + " certificate, " + version + ", " + key;
        }
    }

    @BeforeAll
    static void makeCertificates() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        p256 = certificates.p256("p256");
        p384 = certificates.p384("p384");
        rsa = certificates.rsa("rsa");
    }

    static List<Cell> matrix() {
        List<Cell> cells = new ArrayList<>();
        for (Engine engine : Engines.tried()) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                cells.add(new Cell(engine, List.of(p256), version, "P-256"));
                cells.add(new Cell(engine, List.of(p384), version, "P-384"));
                cells.add(new Cell(engine, List.of(rsa), version, "RSA-2048"));
                cells.add(new Cell(engine, List.of(rsa, p256), version, "P-256"));
                cells.add(new Cell(engine, List.of(rsa, p384), version, "P-384"));
            }
        }
        return cells;
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void servesFullAndResumedHandshakes(Cell cell) throws Exception {
        try (TlsContexts contexts = open(cell.engine(), cell.certificates())) {
            try (Wire first = converse(contexts, cell.version())) {
                assertTrue(first.isUp(), () -> String.valueOf(first.serverFailures()));
                assertEquals(cell.version(), first.serverSummary().version());
                assertEquals(first.serverSummary(contexts), first.clientSummary());
                assertFalse(first.serverSummary().resumed());
                assertEquals(cell.key(), first.serverSummary(contexts).keyType());
                // The JDK does not tell, and TLS 1.2 has no post-quantum group.
                String best = cell.version().equals("TLSv1.3") ? "X25519MLKEM768" : "X25519";
                assertEquals(
                        cell.engine() == Engine.JDK ? null : best, first.serverSummary().group());
                assertEquals(cell.key().startsWith("P-") ? "EC" : "RSA", first.servedKey());
                assertEquals("helo", first.say("helo"));
            }
            try (Wire second = converse(contexts, cell.version())) {
                assertTrue(second.isUp(), () -> String.valueOf(second.serverFailures()));
                assertTrue(second.serverSummary().resumed());
                assertTrue(second.clientSummary().resumed());
                assertEquals(cell.version(), second.serverSummary().version());
                assertEquals("helo", second.say("helo"));
            }
        }
    }

    /// A vendor that hands over the key itself serves with every engine.
    @ParameterizedTest
    @MethodSource("matrix")
    void aVendorsKeyInThisProcessServes(Cell cell) throws Exception {
        TlsEnvironment environment = TestCertificates.environment(List.of(new Vendor()));
        TlsSettings settings =
                Engines.settings(cell.certificates())
                        .withEngine(cell.engine())
                        .withProvider("vendor");
        try (TlsContexts contexts = TlsContexts.open(settings, environment)) {
            for (boolean isResumed : new boolean[] {false, true}) {
                try (Wire wire = converse(contexts, cell.version())) {
                    assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
                    assertEquals(isResumed, wire.serverSummary().resumed());
                }
            }
        }
    }

    /// A peer that does not believe the certificate, and one that does not come so far.
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aFailedHandshakeTellsHowFarItCame(String version) throws Exception {
        SslContext strict =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.JDK)
                        .protocols(version)
                        .build();
        SslContext foreign =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.JDK)
                        .protocols("TLSv1.2")
                        .ciphers(List.of("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"))
                        .build();
        try (TlsContexts one = open(Engines.inProcess(), List.of(p256));
                TlsContexts both = open(Engines.inProcess(), List.of(p256, rsa))) {
            assertEquals(
                    new FailedHandshake("alert", version, "P-256", "native"), failure(one, strict));
            assertEquals(new FailedHandshake("alert", version, null, null), failure(both, strict));
            assertEquals(
                    new FailedHandshake("protocol", "TLSv1.2", null, null), failure(both, foreign));
        }
        assertEquals(
                new FailedHandshake("closed", null, null, null),
                FailedHandshake.of(null, new ClosedChannelException()));
    }

    private static FailedHandshake failure(TlsContexts server, SslContext client) {
        try (Wire wire =
                Wire.connect(
                        server.serverHandler(UnpooledByteBufAllocator.DEFAULT),
                        client.newHandler(UnpooledByteBufAllocator.DEFAULT))) {
            assertFalse(wire.isUp());
            return wire.serverFailure();
        }
    }

    private static final class Vendor implements OffloadProvider {
        @Override
        public String name() {
            return "vendor";
        }

        @Override
        public String describe() {
            return "keys of a vendor, for this process";
        }

        @Override
        public OpenedKey open(KeyReference reference, KeyEnvironment environment)
                throws TlsProblems {
            return NativeProvider.openFile(reference);
        }
    }

    /// For a network whose senders break at tickets: no ticket goes out, and one from before is not
    /// taken.
    @Test
    void whoGetsNoTicketsIsNotResumed() throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), List.of(p256));
                Loopback with = new Loopback(contexts);
                Loopback without = Loopback.withoutTickets(contexts)) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                // One that offers a session of the other version would not be resumed.
                try (TlsContexts client = open(Engines.inProcess(), List.of())) {
                    for (int i = 0; i < 3; i++) {
                        assertFalse(without.converse(client, version).summary().resumed());
                    }
                    assertFalse(with.converse(client, version).summary().resumed());
                    assertTrue(with.converse(client, version).summary().resumed(), version);
                }
            }
        }
    }

    static List<Engine> engines() {
        return Engines.tried();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void aPeerThatVerifiesOnlyRsaGetsRsa(Engine engine) throws Exception {
        try (TlsContexts contexts = open(engine, List.of(p256, rsa))) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                SslHandler peer = strangerWith(version);
                SSLParameters parameters = peer.engine().getSSLParameters();
                parameters.setSignatureSchemes(
                        new String[] {"rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"});
                peer.engine().setSSLParameters(parameters);
                try (Wire wire = Wire.converse(contexts.serverHandler(ALLOCATOR), peer)) {
                    assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
                    assertEquals("RSA-2048", wire.serverSummary(contexts).keyType());
                    assertEquals("RSA", wire.servedKey());
                }
            }
        }
    }

    /// RFC 8422 §5.1.1: in TLS 1.2 the groups of a peer are also the curves of the keys that it
    /// takes. In TLS 1.3 its schemes say that.
    @ParameterizedTest
    @MethodSource("engines")
    void aPeerThatKnowsNotTheCurveOfAKeyGetsRsa(Engine engine) throws Exception {
        try (TlsContexts contexts = open(engine, List.of(p384, rsa))) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                SslHandler peer = strangerWith(version);
                SSLParameters parameters = peer.engine().getSSLParameters();
                parameters.setNamedGroups(new String[] {"x25519", "secp256r1"});
                parameters.setSignatureSchemes(
                        new String[] {
                            "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"
                        });
                peer.engine().setSSLParameters(parameters);
                try (Wire wire = Wire.converse(contexts.serverHandler(ALLOCATOR), peer)) {
                    assertTrue(wire.isUp(), () -> version + wire.serverFailures());
                    assertEquals("RSA", wire.servedKey());
                    assertEquals("RSA-2048", wire.serverSummary(contexts).keyType());
                }
            }
        }
    }

    /// The guard has read in the ClientHello what the peer verifies.
    @ParameterizedTest
    @MethodSource("engines")
    void theGuardTellsWhichKeyWasServed(Engine engine) throws Exception {
        try (TlsContexts contexts = open(engine, List.of(p256, rsa))) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                for (boolean isOld : new boolean[] {false, true}) {
                    SslHandler peer = strangerWith(version);
                    SSLParameters parameters = peer.engine().getSSLParameters();
                    parameters.setSignatureSchemes(
                            isOld
                                    ? new String[] {"rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"}
                                    : new String[] {
                                        "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"
                                    });
                    peer.engine().setSSLParameters(parameters);
                    SslHandler server = contexts.serverHandler(ALLOCATOR);
                    try (Wire wire = Wire.converse(server, peer, true)) {
                        assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
                        if (engine != Engine.JDK) {
                            var noted =
                                    (Set<?>)
                                            server.engine()
                                                    .getSession()
                                                    .getValue(ServerKeys.VERIFIED);
                            assertNotNull(noted);
                            assertEquals(
                                    !isOld, noted.contains(SignatureScheme.ECDSA_SECP256R1_SHA256));
                        }
                        assertEquals(
                                isOld ? "RSA-2048" : "P-256",
                                wire.serverSummary(contexts).keyType());
                        assertEquals(isOld ? "RSA" : "EC", wire.servedKey());
                    }
                }
            }
        }
    }

    /// Such a peer verifies ECDSA (it lists the schemes), and yet cannot take an ECDSA certificate.
    @ParameterizedTest
    @MethodSource("engines")
    void aPeerThatOffersOnlyRsaSuitesGetsRsa(Engine engine) throws Exception {
        try (TlsContexts contexts = open(engine, List.of(p256, rsa))) {
            SslHandler peer = strangerWith("TLSv1.2");
            peer.engine()
                    .setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"});
            try (Wire wire = Wire.converse(contexts.serverHandler(ALLOCATOR), peer)) {
                assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
                assertEquals("RSA", wire.servedKey());
                TlsSummary summary = wire.serverSummary(contexts);
                assertEquals("TLSv1.2", summary.version());
                assertEquals("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", summary.cipher());
                assertEquals(256, summary.cipherBits());
                assertEquals("RSA-2048", summary.keyType());
                assertFalse(summary.resumed());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void refusesVersionsBeforeTls12AndSuitesWithoutForwardSecrecy(Engine engine) throws Exception {
        try (TlsContexts contexts = open(engine, List.of(rsa))) {
            SslHandler peer = strangerWith("TLSv1.2");
            peer.engine().setEnabledCipherSuites(new String[] {"TLS_RSA_WITH_AES_128_GCM_SHA256"});
            try (Wire wire = Wire.connect(contexts.serverHandler(ALLOCATOR), peer)) {
                assertFalse(wire.isUp());
            }
            SslContext old =
                    SslContextBuilder.forClient()
                            .sslProvider(SslProvider.OPENSSL)
                            .trustManager(new AnyCertificate(_ -> {}))
                            .endpointIdentificationAlgorithm(null)
                            .protocols("TLSv1.1")
                            .build();
            try (Wire wire =
                    Wire.connect(contexts.serverHandler(ALLOCATOR), old.newHandler(ALLOCATOR))) {
                assertFalse(wire.isUp());
            }
        }
    }

    @Test
    void theClientSendsTheHostsNameButNoAddress() throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), List.of(p256))) {
            SslHandler named = contexts.serverHandler(ALLOCATOR);
            try (Wire wire = Wire.converse(named, contexts.clientHandler(ALLOCATOR, HOST, 25))) {
                assertTrue(wire.isUp());
                assertEquals(List.of(new SNIHostName(HOST)), requestedNames(named));
            }
            SslHandler addressed = contexts.serverHandler(ALLOCATOR);
            try (Wire wire =
                    Wire.converse(addressed, contexts.clientHandler(ALLOCATOR, "192.0.2.25", 25))) {
                assertTrue(wire.isUp());
                assertEquals(List.of(), requestedNames(addressed));
            }
        }
    }

    private static List<?> requestedNames(SslHandler handler) {
        return ((ExtendedSSLSession) handler.engine().getSession()).getRequestedServerNames();
    }

    @Test
    void theClientResumesOnlyWithTheSameHostAndPort() throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), List.of(p256))) {
            try (Wire wire = to(contexts, HOST, 25)) {
                assertFalse(wire.clientSummary().resumed());
            }
            try (Wire wire = to(contexts, HOST, 465)) {
                assertFalse(wire.clientSummary().resumed());
            }
            try (Wire wire = to(contexts, "mx2.isp.example", 25)) {
                assertFalse(wire.clientSummary().resumed());
            }
            try (Wire wire = to(contexts, HOST, 25)) {
                assertTrue(wire.clientSummary().resumed());
            }
        }
    }

    private static Wire to(TlsContexts contexts, String host, int port) {
        return Wire.converse(
                contexts.serverHandler(ALLOCATOR), contexts.clientHandler(ALLOCATOR, host, port));
    }

    @Test
    void bytesThatAreNoTlsEndTheConnectionAndNothingElse() throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), List.of(p256))) {
            SslHandler handler = contexts.serverHandler(ALLOCATOR);
            var channel = new EmbeddedChannel(handler);
            assertThrows(
                    DecoderException.class,
                    () ->
                            channel.writeInbound(
                                    ByteBufUtil.writeAscii(ALLOCATOR, "EHLO a.example\r\n")));
            assertNotNull(handler.handshakeFuture().cause());
            channel.finishAndReleaseAll();
            try (Wire wire = to(contexts, HOST, 25)) {
                assertTrue(wire.isUp());
            }
        }
    }

    @Test
    void aConnectionOutlivesItsContexts() throws Exception {
        TlsContexts contexts = open(Engines.inProcess(), List.of(p256));
        try (Wire wire = converse(contexts, "TLSv1.3")) {
            contexts.close();
            contexts.close();
            contexts.tick();
            assertEquals("still here", wire.say("still here"));
            assertThrows(IllegalStateException.class, () -> contexts.serverHandler(ALLOCATOR));
            assertThrows(
                    IllegalStateException.class, () -> contexts.clientHandler(ALLOCATOR, HOST, 25));
        }
    }

    @Test
    void withoutACertificateThereIsOnlyAClient() throws Exception {
        try (TlsContexts server = open(Engines.inProcess(), List.of(p256));
                TlsContexts client = open(Engines.inProcess(), List.of())) {
            assertTrue(server.hasServer());
            assertFalse(client.hasServer());
            try (Wire wire =
                    Wire.converse(
                            server.serverHandler(ALLOCATOR),
                            client.clientHandler(ALLOCATOR, HOST, 25))) {
                assertTrue(wire.isUp());
            }
        }
    }

    @Test
    void theHandshakeTimeoutIsThatOfTheSettings() throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), List.of(p256))) {
            SslHandler server = contexts.serverHandler(ALLOCATOR);
            SslHandler client = contexts.clientHandler(ALLOCATOR, HOST, 25);
            assertEquals(7_000, server.getHandshakeTimeoutMillis());
            assertEquals(7_000, client.getHandshakeTimeoutMillis());
            Wire.converse(server, client).close();
        }
    }

    private static Wire converse(TlsContexts contexts, String version) {
        SslHandler client = contexts.clientHandler(ALLOCATOR, HOST, 25);
        client.engine().setEnabledProtocols(new String[] {version});
        return Wire.converse(contexts.serverHandler(ALLOCATOR), client);
    }

    /// A client of other make.
    private static SslHandler strangerWith(String version) throws Exception {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .trustManager(new AnyCertificate(_ -> {}))
                .endpointIdentificationAlgorithm(null)
                .protocols(version)
                .build()
                .newHandler(ALLOCATOR, HOST, 25);
    }

    private static TlsContexts open(Engine engine, List<CertificateSettings> certificates)
            throws TlsProblems {
        return TlsContexts.open(
                Engines.settings(certificates)
                        .withEngine(engine)
                        .withHandshakeTimeout(Duration.ofSeconds(7)),
                TestCertificates.environment());
    }
}
