package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/// Contexts exchanged while connections come and go.
final class LiveTlsTest {
    private static final int EXCHANGES = 6;

    @TempDir private Path directory;
    private TestCertificates certificates = new TestCertificates(Path.of("."));
    private TlsSettings inFiles = TlsSettings.withDefaults(List.of());

    @BeforeEach
    void makeCertificates() throws Exception {
        certificates = new TestCertificates(directory);
        inFiles =
                TlsSettings.withDefaults(
                        List.of(certificates.p256("p256"), certificates.rsa("rsa")));
    }

    @Test
    void providersAreExchangedUnderLoadWithNoConnectionAndNoSessionLost() throws Exception {
        CertificateSettings p256 = inFiles.certificates().getFirst();
        TlsSettings elsewhere =
                TlsSettings.withDefaults(
                        List.of(
                                new CertificateSettings(
                                        p256.chain(), "jca:SunEC?key=" + p256.key())));
        exchangeUnderLoad(
                List.of(inFiles.withProvider("libcrypto"), elsewhere, inFiles),
                TestCertificates.environment());
    }

    @Test
    @Tag("peers")
    void fromFilesToATokenAndBack() throws Exception {
        exchangeUnderLoad(
                List.of(
                        TlsSettings.withDefaults(
                                List.of(
                                        SharedTokens.onTokenAlone(SharedTokens.P256),
                                        SharedTokens.onTokenAlone(SharedTokens.RSA))),
                        inFiles),
                SharedTokens.environment());
    }

    private void exchangeUnderLoad(List<TlsSettings> others, TlsEnvironment environment)
            throws Exception {
        try (LiveTls server = LiveTls.open(inFiles, environment);
                TlsContexts client =
                        TlsContexts.open(TlsSettings.withDefaults(List.of()), environment);
                Loopback loopback = new Loopback(server::contexts)) {
            assertFalse(loopback.converse(client, "TLSv1.3").summary().resumed());
            try (Load load = new Load(loopback, client)) {
                load.awaitFull(10);
                for (int i = 0; i < EXCHANGES; i++) {
                    server.reload(others.get(i % others.size()));
                    // A session that began before the exchange.
                    assertTrue(loopback.converse(client, "TLSv1.3").summary().resumed());
                    load.awaitFull(10);
                    load.awaitResumed(10);
                }
                assertEquals(0, load.failed());
            }
        }
    }

    /// The handshakes with ourselves, of TLS 1.2 too, and at a reload.
    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void aKeyOfP384Serves(Engine engine) throws Exception {
        TlsEnvironment environment = TestCertificates.environment();
        TlsSettings settings =
                TlsSettings.withDefaults(List.of(certificates.p384("p384"))).withEngine(engine);
        assertEquals(List.of(), TlsContexts.check(settings, environment));
        try (LiveTls server = LiveTls.open(settings, environment)) {
            server.reload(settings);
            converse(server, environment);
        }
    }

    /// Whoever demands a certificate has to show one to itself.
    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void aServerThatDemandsCertificatesStartsAndReloads(Engine engine) throws Exception {
        TlsEnvironment environment = TestCertificates.environment();
        TlsSettings demanding =
                inFiles.withEngine(engine)
                        .withClientCertificates(
                                new ClientCertificates(
                                        ClientCertificates.Demand.REQUIRE, null, false));
        assertEquals(List.of(), TlsContexts.check(demanding, environment));
        assertFalse(TlsMeasurement.of(demanding, environment, 2).isEmpty());
        try (LiveTls server = LiveTls.open(demanding, environment)) {
            TlsContexts before = server.contexts();
            server.reload(demanding);
            assertNotSame(before, server.contexts());
        }
    }

    /// Neither is preferred by a peer that verifies both kinds, or has the first set's name.
    @Test
    void everyCertificateOfEverySetShakesHandsBeforeItServes() throws Exception {
        CertificateSettings mx = certificates.named("mx", "EC", 256, "mx.example");
        CertificateSettings rsa = certificates.named("mx-rsa", "RSA", 2048, "mx.example");
        CertificateSettings other = certificates.named("other", "EC", 256, "mx.other.example");
        for (CertificateSettings one : List.of(mx, rsa, other)) {
            BreakableProvider provider = new BreakableProvider(one.key());
            TlsEnvironment environment =
                    TestCertificates.environment(List.of(new NativeProvider(), provider));
            TlsSettings settings =
                    TlsSettings.withDefaults(List.of(mx, rsa, other)).withProvider(provider.name());
            provider.signaturesLeft(1);
            TlsProblems refusal =
                    assertThrows(TlsProblems.class, () -> LiveTls.open(settings, environment));
            assertEquals(1, refusal.problems().size());
            assertTrue(
                    refusal.problems().getFirst().contains("a handshake of our own"),
                    refusal::toString);
            provider.signaturesLeft(1);
            List<String> found = TlsContexts.check(settings, environment);
            assertEquals(1, found.size(), found.toString());
            assertTrue(found.getFirst().contains("a handshake of our own"), found.toString());
        }
    }

    @Test
    void whatIsWrongLeavesTheOldInPlace() throws Exception {
        TlsEnvironment environment = TestCertificates.environment();
        try (LiveTls server = LiveTls.open(inFiles, environment)) {
            TlsContexts before = server.contexts();
            TlsSettings wrong =
                    inFiles.withCertificates(
                            List.of(
                                    new CertificateSettings(
                                            inFiles.certificates().getFirst().chain(),
                                            inFiles.certificates().getLast().key())));
            assertThrows(TlsProblems.class, () -> server.reload(wrong));
            assertSame(before, server.contexts());
            converse(server, environment);
            server.reload(inFiles);
            assertNotSame(before, server.contexts());
            assertThrows(
                    IllegalStateException.class,
                    () -> before.serverHandler(UnpooledByteBufAllocator.DEFAULT));
            converse(server, environment);
        }
    }

    @Test
    void aReloadThatIsRefusedLeavesTicketKeysWhereTheyAre() throws Exception {
        BreakableProvider provider = new BreakableProvider(inFiles.certificates().getFirst().key());
        TlsEnvironment environment =
                TestCertificates.environment(List.of(new NativeProvider(), provider));
        Path keys = directory.resolve("ticket-keys");
        TlsSettings inAFile =
                inFiles.withTickets(
                        new TicketSettings(
                                TicketSettings.DEFAULT_KEY_INTERVAL,
                                TicketSettings.DEFAULT_SESSION_LIFETIME,
                                keys,
                                null));
        try (LiveTls server = LiveTls.open(inFiles, environment)) {
            provider.signaturesLeft(1);
            assertThrows(
                    TlsProblems.class, () -> server.reload(inAFile.withProvider(provider.name())));
            assertFalse(Files.exists(keys));
            server.reload(inAFile);
            assertTrue(Files.exists(keys));
        }
    }

    @Test
    void aRenewedCertificateIsTakenOverByItself() throws Exception {
        TlsEnvironment environment = TestCertificates.environment();
        CertificateSettings p256 = certificates.p256("renewed");
        TlsSettings settings = TlsSettings.withDefaults(List.of(p256));
        try (LiveTls server = LiveTls.open(settings, environment)) {
            TlsContexts before = server.contexts();
            server.tick();
            assertSame(before, server.contexts());
            String oldKey = Files.readString(Path.of(p256.key()));
            certificates.p256("renewed");
            String newKey = Files.readString(Path.of(p256.key()));
            // The chain is new, and the key not yet.
            rewrite(Path.of(p256.key()), oldKey, 1);
            touch(p256.chain(), 1);
            server.tick();
            server.tick();
            assertSame(before, server.contexts());
            rewrite(Path.of(p256.key()), newKey, 2);
            server.tick();
            assertNotSame(before, server.contexts());
            converse(server, environment);
        }
    }

    @Test
    void aCertificateThatEndsSoonIsAWarningADay() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(TestCertificates.NOW);
        TlsEnvironment environment =
                new TlsEnvironment(
                        now::get,
                        new SecureRandom(),
                        OffloadProviders.installed(TestCertificates.keyEnvironment()),
                        List.of(),
                        SignatureWatch.NONE);
        ListAppender<ILoggingEvent> events = new ListAppender<>();
        events.start();
        Logger logger = (Logger) LoggerFactory.getLogger(ExpiryWarning.class);
        logger.addAppender(events);
        try (LiveTls server = LiveTls.open(inFiles, environment)) {
            assertEquals(Duration.ofDays(90), server.validity());
            server.tick();
            assertEquals(List.of(), messages(events));
            now.updateAndGet(then -> then.plus(Duration.ofDays(77)));
            server.tick();
            server.tick();
            assertEquals(2, messages(events).size());
            assertEquals(
                    "certificate @/p256.pem expires at 2027-01-30T12:00:00Z: renew it",
                    messages(events).getFirst().replace(directory.toString(), "@"));
            now.updateAndGet(then -> then.plus(Duration.ofDays(14)));
            server.tick();
            assertEquals(
                    "certificate @/rsa.pem expired at 2027-01-30T12:00:00Z: renew it",
                    messages(events).getLast().replace(directory.toString(), "@"));
            assertEquals(Duration.ofDays(-1), server.validity());
        } finally {
            logger.detachAppender(events);
        }
    }

    private static List<String> messages(ListAppender<ILoggingEvent> events) {
        return events.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    private static void rewrite(Path file, String text, int minute) throws Exception {
        Files.writeString(file, text);
        touch(file, minute);
    }

    private static void touch(Path file, int minute) throws Exception {
        Files.setLastModifiedTime(
                file, FileTime.from(TestCertificates.NOW.plusSeconds(60L * minute)));
    }

    private static void converse(LiveTls server, TlsEnvironment environment) throws Exception {
        try (TlsContexts client =
                        TlsContexts.open(TlsSettings.withDefaults(List.of()), environment);
                Loopback loopback = new Loopback(server::contexts)) {
            assertFalse(loopback.converse(client, "TLSv1.3").summary().resumed());
        }
    }
}
