package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What only the engine `openssl` has, and has not. Run by [OpenSslFolder] where there is one: its
/// name keeps it from the ordinary tests.
final class OpenSslEngineChecks {
    private static final int EXCHANGES = 10;

    @TempDir private static Path directory;
    private static CertificateSettings p256;
    private static CertificateSettings rsa;

    @BeforeAll
    static void makeCertificates() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        p256 = certificates.p256("p256");
        rsa = certificates.rsa("rsa");
    }

    @Test
    void itIsTheSystemsLibrary() throws Exception {
        SystemOpenSsl system = SystemOpenSsl.load();
        assertTrue(system.version().startsWith("OpenSSL 3.5."), system.version());
        try (TlsContexts contexts = open(Engines.settings(List.of(p256)))) {
            assertEquals(Engine.OPENSSL, contexts.engine());
            assertEquals(system.version(), contexts.library());
            assertEquals(List.of("X25519MLKEM768", "X25519", "P-256", "P-384"), contexts.groups());
        }
    }

    /// The configuration of the process that runs this names the provider `legacy` beside the
    /// default one: where it is not read, there is the default one alone.
    @Test
    void theProvidersOfItsConfigurationAreThere() throws Exception {
        SystemOpenSsl system = SystemOpenSsl.load();
        assertTrue(system.hasProvider("default"));
        assertTrue(system.hasProvider("legacy"));
        assertFalse(system.hasProvider("fips"));
    }

    /// A provider that signs by itself needs a call that OpenSSL under netty-tcnative has not.
    @ParameterizedTest
    @ValueSource(strings = {"libcrypto", "pkcs11", "jca", "test-jca"})
    void keysElsewhereAreRefusedByCheckAndStart(String provider) throws Exception {
        TlsEnvironment environment = SharedTokens.environment();
        for (boolean isEc : List.of(true, false)) {
            CertificateSettings inFile = isEc ? p256 : rsa;
            CertificateSettings certificate =
                    switch (provider) {
                        case "pkcs11" ->
                                SharedTokens.onTokenAlone(
                                        isEc ? SharedTokens.P256 : SharedTokens.RSA);
                        case "jca" ->
                                new CertificateSettings(
                                        inFile.chain(),
                                        "jca:"
                                                + (isEc ? "SunEC" : "SunRsaSign")
                                                + "?key="
                                                + inFile.key());
                        default -> inFile;
                    };
            TlsSettings settings =
                    Engines.settings(List.of(certificate))
                            .withProvider(
                                    List.of("pkcs11", "jca").contains(provider)
                                            ? "native"
                                            : provider);
            List<String> expected =
                    List.of(
                            "engine \"openssl\" cannot use the key of certificate "
                                    + certificate.chain()
                                    + " with provider \""
                                    + provider
                                    + "\", it signs by itself: choose engine \"boringssl\" or"
                                    + " provider \"native\"");
            assertEquals(expected, TlsContexts.check(settings, environment));
            assertEquals(
                    expected,
                    assertThrows(
                                    TlsProblems.class,
                                    () -> TlsContexts.open(settings, environment).close())
                            .problems());
        }
    }

    @Test
    void aReloadCannotExchangeTheLibraryOfTheProcess() throws Exception {
        TlsSettings ours = Engines.settings(List.of(p256));
        try (LiveTls server = LiveTls.open(ours, TestCertificates.environment())) {
            TlsContexts before = server.contexts();
            assertEquals(
                    List.of(
                            "engine \"boringssl\" cannot be had in this process, which began with"
                                    + " another: restart the server"),
                    assertThrows(
                                    TlsProblems.class,
                                    () -> server.reload(ours.withEngine(Engine.BORINGSSL)))
                            .problems());
            assertEquals(before, server.contexts());
        }
    }

    /// New ticket keys make new contexts, in the middle of handshakes: none fails, and a session
    /// from before resumes.
    @Test
    void ticketKeysAreExchangedUnderLoad() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(TestCertificates.NOW);
        TlsEnvironment environment =
                new TlsEnvironment(
                        now::get,
                        new SecureRandom(),
                        OffloadProviders.installed(TestCertificates.keyEnvironment()),
                        List.of("smtp"),
                        SignatureWatch.NONE);
        // No key is forgotten on the way: a client's sessions are offered in no order.
        Duration interval = Duration.ofHours(12);
        TlsSettings settings =
                Engines.settings(List.of(p256, rsa))
                        .withTickets(new TicketSettings(interval, Duration.ofDays(6), null, null));
        try (TlsContexts server = TlsContexts.open(settings, environment);
                // OpenSSL's client seldom resumes more than once.
                TlsContexts client = open(Engines.settings(List.of()).withEngine(Engine.JDK));
                Loopback loopback = new Loopback(server)) {
            assertFalse(loopback.converse(client, "TLSv1.3").summary().resumed());
            Set<Instant> sealing = new HashSet<>();
            try (Load load = new Load(loopback, client)) {
                for (int i = 0; i < EXCHANGES; i++) {
                    now.updateAndGet(time -> time.plus(interval));
                    server.tick();
                    sealing.add(server.ticketKeys().getFirst());
                    load.awaitFull(10);
                    load.awaitResumed(10);
                }
                assertEquals(0, load.failed());
            }
            assertEquals(EXCHANGES, sealing.size());
        }
    }

    private static TlsContexts open(TlsSettings settings) throws TlsProblems {
        return TlsContexts.open(settings, TestCertificates.environment());
    }
}
