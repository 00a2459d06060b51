package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Keys that live elsewhere: the seam itself, with signers that the module does not know.
final class OffloadedKeyTest {
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    @TempDir private static Path directory;
    private static CertificateSettings p256;
    private static CertificateSettings rsa;

    record Cell(List<CertificateSettings> certificates, String version, String key) {
        @Override
        public String toString() {
            return certificates.size() + " certificate, " + version + ", " + key;
        }
    }

    @BeforeAll
    static void makeCertificates() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        p256 = certificates.p256("p256");
        rsa = certificates.rsa("rsa");
    }

    static List<Cell> matrix() {
        List<Cell> cells = new ArrayList<>();
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            cells.add(new Cell(List.of(p256), version, "EC"));
            cells.add(new Cell(List.of(rsa), version, "RSA"));
            cells.add(new Cell(List.of(rsa, p256), version, "EC"));
        }
        return cells;
    }

    /// Over sockets, since the signature comes back from another thread.
    @ParameterizedTest
    @MethodSource("matrix")
    void aProviderFromTheClassPathServesFullAndResumedHandshakes(Cell cell) throws Exception {
        TlsSettings settings = settings(Engine.BORINGSSL, "test-jca", cell.certificates());
        try (TlsContexts server = TlsContexts.open(settings, TestCertificates.environment());
                TlsContexts client = client();
                Loopback loopback = new Loopback(server)) {
            Loopback.Outcome full = loopback.converse(client, cell.version());
            assertEquals(cell.key(), full.servedKey());
            assertEquals(cell.version(), full.summary().version());
            assertFalse(full.summary().resumed());
            for (int i = 0; i < 20; i++) {
                assertTrue(loopback.converse(client, cell.version()).summary().resumed());
            }
        }
    }

    @Test
    void signaturesFromManyThreadsAtOnceLoseNoHandshake() throws Exception {
        TlsSettings settings = settings(Engine.BORINGSSL, "test-jca", List.of(p256));
        try (TlsContexts server = TlsContexts.open(settings, TestCertificates.environment());
                Loopback loopback = new Loopback(server)) {
            for (int i = 0; i < 2; i++) {
                try (TlsContexts client = client()) {
                    loopback.converseTogether(client, 50);
                }
            }
        }
    }

    @Test
    void theHandshakeWaitsForTheSignature() throws Exception {
        HeldSigner signer = new HeldSigner();
        try (TlsContexts server = open(signer);
                TlsContexts client = client()) {
            signer.isHolding = true;
            try (Wire wire = connect(server, client)) {
                assertFalse(wire.isUp());
                assertEquals(1, signer.held.size());
                signer.letGo();
                wire.carry();
                assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
                assertEquals("helo", wire.say("helo"));
            }
        }
    }

    @Test
    void aSignatureThatComesAfterTheConnectionIsGoneHarmsNothing() throws Exception {
        HeldSigner signer = new HeldSigner();
        try (TlsContexts server = open(signer);
                TlsContexts client = client()) {
            signer.isHolding = true;
            connect(server, client).close();
            signer.letGo();
            signer.isHolding = false;
            try (Wire wire = connect(server, client)) {
                assertTrue(wire.isUp());
            }
        }
    }

    @Test
    void aFailedSignatureEndsItsHandshakeOnly() throws Exception {
        HeldSigner signer = new HeldSigner();
        try (TlsContexts server = open(signer);
                TlsContexts client = client()) {
            signer.isFailing = true;
            try (Wire wire = connect(server, client)) {
                assertFalse(wire.isUp());
                assertFalse(wire.isServerOpen());
                assertEquals(
                        new FailedHandshake("key", "TLSv1.3", "P-256", "held"),
                        wire.serverFailure());
            }
            signer.isFailing = false;
            try (Wire wire = connect(server, client)) {
                assertTrue(wire.isUp());
            }
        }
    }

    @Test
    void aResumedHandshakeNeedsNoKey() throws Exception {
        HeldSigner signer = new HeldSigner();
        try (TlsContexts server = open(signer);
                TlsContexts client = client()) {
            try (Wire wire = Wire.converse(serverHandler(server), clientHandler(client))) {
                assertTrue(wire.isUp());
            }
            signer.isFailing = true;
            try (Wire wire = Wire.converse(serverHandler(server), clientHandler(client))) {
                assertTrue(wire.isUp());
                assertTrue(wire.serverSummary().resumed());
            }
        }
    }

    @Test
    void keysAreClosedOnceAndAfterTheLastHandshake() throws Exception {
        HeldSigner signer = new HeldSigner();
        TlsContexts server = open(signer);
        try (TlsContexts client = client()) {
            signer.isHolding = true;
            try (Wire wire = connect(server, client)) {
                server.close();
                assertEquals(0, signer.closed);
                signer.letGo();
                wire.carry();
                assertTrue(wire.isUp());
                assertEquals(1, signer.closed);
            }
            server.close();
            assertEquals(1, signer.closed);
        }
    }

    @Test
    void aKeyThatCannotSignOrIsAnothersIsFoundAtTheStart() {
        HeldSigner signer = new HeldSigner();
        signer.isFailing = true;
        assertEquals(
                "key "
                        + p256.key()
                        + " cannot sign (the card is gone): see to the key or choose another",
                assertThrows(TlsProblems.class, () -> open(signer).close()).getMessage());
        assertEquals(1, signer.closed);
        HeldSigner other = new HeldSigner();
        TlsSettings mixed =
                settings(
                        Engine.BORINGSSL,
                        "held",
                        List.of(new CertificateSettings(rsa.chain(), p256.key())));
        assertThrows(
                TlsProblems.class,
                () ->
                        TlsContexts.open(mixed, TestCertificates.environment(List.of(other)))
                                .close());
        assertEquals(1, other.closed);
    }

    /// A card that is dead when the server starts, or reads its settings again.
    @Test
    void aDeadKeyWithAFallbackIsServedByThatUntilItSigns() throws Exception {
        HeldSigner signer = new HeldSigner();
        signer.isFailing = true;
        Signatures signatures = new Signatures();
        try (TlsContexts server = open(signer, withFallback(p256), signatures)) {
            assertEquals("fallback", signer(server, "P-256"));
            assertEquals(new PrivateKeyOps.Health.Well(), server.health());
            connectAnew(server);
            assertEquals(List.of("fallback P-256"), signatures.signed);

            signer.isFailing = false;
            assertEquals(new PrivateKeyOps.Health.Well(), server.health()); // it is tried
            assertEquals("held", signer(server, "P-256"));
            signatures.signed.clear();
            connectAnew(server);
            assertEquals(List.of("held P-256"), signatures.signed);
        }
        assertEquals(1, signer.closed);
    }

    /// What comes back may be another card.
    @Test
    void aDeadKeyThatComesBackAsAnothersIsNeverUsed() throws Exception {
        HeldSigner signer = new HeldSigner();
        signer.isFailing = true;
        Signatures signatures = new Signatures();
        CertificateSettings others = new TestCertificates(directory).p256("others");
        CertificateSettings mixed = new CertificateSettings(p256.chain(), others.key(), p256.key());
        try (TlsContexts server = open(signer, mixed, signatures)) {
            signer.isFailing = false;
            for (int i = 0; i < 3; i++) {
                signatures.signed.clear();
                connectAnew(server);
                assertEquals("fallback P-256", signatures.signed.getLast());
            }
        }
    }

    @Test
    void aFallbackThatIsAnothersIsFoundAtTheStartThoughTheKeyIsDead() {
        HeldSigner signer = new HeldSigner();
        signer.isFailing = true;
        TlsProblems problems =
                assertThrows(
                        TlsProblems.class,
                        () ->
                                open(
                                                signer,
                                                new CertificateSettings(
                                                        p256.chain(), p256.key(), rsa.key()),
                                                new Signatures())
                                        .close());
        assertEquals(
                "key "
                        + rsa.key()
                        + " does not belong to certificate "
                        + p256.chain()
                        + ": name the key that the certificate was made for",
                problems.getMessage());
        assertEquals(1, signer.closed);
    }

    @Test
    void aCheckSaysThatAKeyIsDeadThoughItHasAFallback() {
        HeldSigner signer = new HeldSigner();
        signer.isFailing = true;
        assertEquals(
                List.of(
                        "certificate "
                                + p256.chain()
                                + " is served with its fallback-key until its own key signs: key "
                                + p256.key()
                                + " cannot sign (the card is gone): see to the key or choose another"),
                TlsContexts.check(
                        settings(Engine.BORINGSSL, "held", List.of(withFallback(p256))),
                        TestCertificates.environment(List.of(signer))));
    }

    /// With a client that knows no session.
    private static void connectAnew(TlsContexts server) throws TlsProblems {
        try (TlsContexts client = client();
                Wire wire = connect(server, client)) {
            assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
        }
    }

    private static CertificateSettings withFallback(CertificateSettings certificate) {
        return new CertificateSettings(certificate.chain(), certificate.key(), certificate.key());
    }

    /// Provider and kind of key of each that was made.
    private static final class Signatures implements SignatureWatch {
        private final List<String> signed = new CopyOnWriteArrayList<>();

        @Override
        public void asked(String provider) {}

        @Override
        public void answered(String provider, String keyType, long nanos, boolean isSigned) {
            if (isSigned) {
                signed.add(provider + " " + keyType);
            }
        }
    }

    private static TlsContexts open(
            HeldSigner signer, CertificateSettings certificate, SignatureWatch watch)
            throws TlsProblems {
        TlsEnvironment usual = TestCertificates.environment(List.of(signer));
        return TlsContexts.open(
                settings(Engine.BORINGSSL, "held", List.of(certificate)),
                new TlsEnvironment(
                        usual.clock(),
                        usual.random(),
                        usual.providers(),
                        usual.protocols(),
                        watch));
    }

    @Test
    void theJdksEngineSaysThatItCannotUseSuchKeys() {
        HeldSigner signer = new HeldSigner();
        TlsSettings settings = settings(Engine.JDK, "held", List.of(p256));
        TlsProblems problems =
                assertThrows(
                        TlsProblems.class,
                        () ->
                                TlsContexts.open(
                                                settings,
                                                TestCertificates.environment(List.of(signer)))
                                        .close());
        assertEquals(
                "engine \"jdk\" cannot use the key of certificate "
                        + p256.chain()
                        + " outside of the JDK: choose engine \"boringssl\" or provider \"native\"",
                problems.getMessage());
        assertEquals(1, signer.closed);
    }

    private static Wire connect(TlsContexts server, TlsContexts client) {
        return Wire.connect(serverHandler(server), clientHandler(client));
    }

    private static SslHandler serverHandler(TlsContexts server) {
        return server.serverHandler(ALLOCATOR);
    }

    private static SslHandler clientHandler(TlsContexts client) {
        return client.clientHandler(ALLOCATOR, "mx1.isp.example", 25);
    }

    private static TlsContexts open(HeldSigner signer) throws TlsProblems {
        return TlsContexts.open(
                settings(Engine.BORINGSSL, "held", List.of(p256)),
                TestCertificates.environment(List.of(signer)));
    }

    private static TlsContexts client() throws TlsProblems {
        return TlsContexts.open(
                TlsSettings.withDefaults(List.of()), TestCertificates.environment());
    }

    private static TlsSettings settings(
            Engine engine, String provider, List<CertificateSettings> certificates) {
        return TlsSettings.withDefaults(certificates).withEngine(engine).withProvider(provider);
    }

    private static @Nullable String signer(TlsContexts server, String keyType) {
        return TlsContexts.signer(server.certificateSet(0), keyType);
    }
}
