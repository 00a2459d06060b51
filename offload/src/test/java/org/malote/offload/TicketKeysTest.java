package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TicketKeysTest {
    private static final Duration INTERVAL = Duration.ofHours(6);
    private static final Duration LIFETIME = Duration.ofHours(6);
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    private final AtomicReference<Instant> now = new AtomicReference<>(TestCertificates.NOW);
    @TempDir private Path directory;
    private TlsSettings settings = Engines.settings(List.of());

    @BeforeEach
    void makeCertificate() throws Exception {
        settings =
                Engines.settings(List.of(new TestCertificates(directory).p256("p256")))
                        .withTickets(new TicketSettings(INTERVAL, LIFETIME, null, null));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aTicketOfThePreviousKeyStillResumes(String version) throws Exception {
        try (TlsContexts server = open();
                TlsContexts client = open()) {
            assertFalse(isResumed(server, client, version));
            passes(server, INTERVAL);
            assertTrue(isResumed(server, client, version));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aTicketOfADroppedKeyDoesNot(String version) throws Exception {
        try (TlsContexts server = open();
                TlsContexts client = open()) {
            assertFalse(isResumed(server, client, version));
            passes(server, INTERVAL);
            passes(server, LIFETIME);
            assertFalse(isResumed(server, client, version));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void everySecondConnectionResumesAcrossManyRotations(String version) throws Exception {
        try (TlsContexts server = open()) {
            for (int i = 0; i < 10; i++) {
                // A client of its own each time: an old one may offer a ticket older than the last.
                try (TlsContexts client = open()) {
                    assertFalse(isResumed(server, client, version));
                    passes(server, INTERVAL);
                    assertTrue(isResumed(server, client, version), "rotation " + i);
                }
            }
        }
    }

    @Test
    void aServerWithOtherKeysDoesNotResume() throws Exception {
        try (TlsContexts one = open();
                TlsContexts other = open();
                TlsContexts client = open()) {
            assertFalse(isResumed(one, client, "TLSv1.3"));
            assertFalse(isResumed(other, client, "TLSv1.3"));
        }
    }

    @Test
    void keysAreKeptForTheLifetimeOfTheirLastSession() {
        Duration interval = Duration.ofHours(6);
        Duration lifetime = Duration.ofHours(15);
        SecureRandom random = new SecureRandom();
        TicketKeys keys = TicketKeys.first(interval, random, TestCertificates.NOW);
        assertEquals(2, keys.keys().size());
        assertEquals(
                keys,
                keys.at(
                        TestCertificates.NOW.plus(Duration.ofMinutes(359)),
                        interval,
                        lifetime,
                        random));
        int most = 0;
        for (int hour = 6; hour < 200; hour++) {
            keys =
                    keys.at(
                            TestCertificates.NOW.plus(Duration.ofHours(hour)),
                            interval,
                            lifetime,
                            random);
            most = Math.max(most, keys.keys().size());
        }
        // The next, one that seals, and those that did 0 to 6, 6 to 12, 12 to 15 h ago.
        assertEquals(5, most);
        assertEquals(most, TicketKeys.keysKept(interval, lifetime));
    }

    @Test
    void theNextKeyIsKnownBeforeItSeals() {
        SecureRandom random = new SecureRandom();
        TicketKeys keys = TicketKeys.first(INTERVAL, random, TestCertificates.NOW);
        TicketKey next = keys.keys().getFirst();
        Instant before = TestCertificates.NOW.plus(INTERVAL).minusSeconds(1);
        assertFalse(keys.forEngine(before).getFirst().isSame(next));
        Instant then = TestCertificates.NOW.plus(INTERVAL);
        assertTrue(keys.forEngine(then).getFirst().isSame(next));
        // Nobody looked for days: a new one seals at once, and the old have nothing left to open.
        Instant late = TestCertificates.NOW.plus(Duration.ofDays(9));
        TicketKeys renewed = keys.at(late, INTERVAL, LIFETIME, random);
        assertEquals(late, renewed.forEngine(late).getFirst().sealsFrom());
        assertTrue(
                renewed.forEngine(late).stream()
                        .noneMatch(key -> key.isSame(keys.keys().getLast())));
    }

    private void passes(TlsContexts server, Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
        server.tick();
    }

    private TlsContexts open() throws TlsProblems {
        return TlsContexts.open(settings, new TlsEnvironment(now::get, new SecureRandom()));
    }

    private static boolean isResumed(TlsContexts server, TlsContexts client, String version) {
        SslHandler handler = client.clientHandler(ALLOCATOR, "mx1.isp.example", 25);
        handler.engine().setEnabledProtocols(new String[] {version});
        try (Wire wire = Wire.converse(server.serverHandler(ALLOCATOR), handler)) {
            assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
            return wire.serverSummary().resumed();
        }
    }
}
