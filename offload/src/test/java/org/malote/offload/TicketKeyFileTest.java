package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// T06: sessions across restarts and between servers. `@` stands for the directory of the files.
final class TicketKeyFileTest {
    private static final Duration INTERVAL = Duration.ofHours(6);
    private static final Duration LIFETIME = Duration.ofHours(4);
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    private final AtomicReference<Instant> now = new AtomicReference<>(TestCertificates.NOW);
    @TempDir private Path directory;
    private TlsSettings settings = Engines.settings(List.of());
    private TlsSettings otherServer = Engines.settings(List.of());
    private TlsSettings peer = Engines.settings(List.of());

    @BeforeEach
    void makeCertificates() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        settings = Engines.settings(List.of(certificates.p256("mx1"))).withTickets(tickets(null));
        otherServer =
                Engines.settings(List.of(certificates.p256("mx2"))).withTickets(tickets(null));
        peer = Engines.settings(List.of());
    }

    private TicketSettings tickets(@Nullable Path secret) {
        return new TicketSettings(INTERVAL, LIFETIME, file(), secret);
    }

    private Path file() {
        return directory.resolve("keys").resolve("tickets");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void sessionsAreResumedAfterARestart(String version) throws Exception {
        try (TlsContexts client = open(peer)) {
            try (TlsContexts server = open(settings)) {
                assertFalse(isResumed(server, client, version));
            }
            pass(Duration.ofHours(1));
            try (TlsContexts server = open(settings)) {
                assertTrue(isResumed(server, client, version));
            }
        }
        assertEquals("rw-------", mode(file()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void serversWithOneFileResumeEachOthersSessions(String version) throws Exception {
        try (TlsContexts one = open(settings);
                TlsContexts other = open(otherServer)) {
            for (int i = 0; i < 5; i++) {
                try (TlsContexts client = open(peer)) {
                    assertFalse(isResumed(one, client, version));
                    assertTrue(isResumed(other, client, version));
                }
                try (TlsContexts client = open(peer)) {
                    assertFalse(isResumed(other, client, version));
                    // It rotates, and the other has not looked since.
                    pass(INTERVAL);
                    one.tick();
                    assertTrue(isResumed(one, client, version));
                }
                try (TlsContexts client = open(peer)) {
                    assertFalse(isResumed(one, client, version)); // sealed with the new key
                    assertTrue(isResumed(other, client, version)); // known for an interval
                }
                other.tick();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void noSessionIsResumedOnceItsKeyHasAgedOut(String version) throws Exception {
        try (TlsContexts client = open(peer)) {
            try (TlsContexts server = open(settings)) {
                assertFalse(isResumed(server, client, version));
            }
            pass(INTERVAL.plus(LIFETIME));
            try (TlsContexts server = open(settings)) {
                assertFalse(isResumed(server, client, version));
            }
        }
    }

    @Test
    void aServerThatMayNotWriteReads() throws Exception {
        open(settings).close();
        String written = Files.readString(file());
        Path copy = Files.createDirectory(directory.resolve("copy")).resolve("tickets");
        Files.writeString(copy, written);
        Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
        TicketKeyFile reader =
                new TicketKeyFile(copy, null, INTERVAL, LIFETIME, new SecureRandom());
        assertEquals(2, reader.keys(TestCertificates.NOW).keys().size());
        assertEquals(written, Files.readString(copy));
    }

    @Test
    void aSecretSealsTheFile() throws Exception {
        Path secret = new TestCertificates(directory).writePrivate("secret", "s".repeat(32));
        TlsSettings sealed = settings.withTickets(tickets(secret));
        try (TlsContexts client = open(peer)) {
            try (TlsContexts server = open(sealed)) {
                assertFalse(isResumed(server, client, "TLSv1.3"));
            }
            String text = Files.readString(file());
            assertTrue(text.startsWith("malote ticket keys 1 sealed\n"), text);
            assertFalse(text.contains("2026"), text);
            try (TlsContexts server = open(sealed)) {
                assertTrue(isResumed(server, client, "TLSv1.3"));
            }
        }
        assertEquals(
                "the ticket key file @/keys/tickets cannot be used (it is sealed, and"
                        + " ticket-key-secret names no secret): delete it, and sessions of before are"
                        + " not resumed",
                problem(settings));
        Files.writeString(secret, "t".repeat(32));
        assertEquals(
                "the ticket key file @/keys/tickets cannot be used (it was sealed with another"
                        + " secret, or changed): delete it, and sessions of before are not resumed",
                problem(sealed));
        Files.writeString(secret, "short");
        assertEquals(
                "the ticket key secret @/secret has 5 bytes: put at least 32 random ones there",
                problem(sealed));
    }

    @Test
    void aDamagedFileIsFoundByCheckAndAtTheStart() throws Exception {
        open(settings).close();
        String good = Files.readString(file());
        String sentence =
                "the ticket key file @/keys/tickets cannot be used (%s): delete it, and sessions of"
                        + " before are not resumed";
        Files.writeString(file(), "");
        assertEquals(sentence.formatted("it holds something else"), problem(settings));
        Files.writeString(file(), "malote ticket keys 1\n");
        assertEquals(sentence.formatted("it holds no key"), problem(settings));
        Files.writeString(file(), good.substring(0, good.length() - 9));
        assertTrue(
                problem(settings).startsWith("the ticket key file @/keys/tickets cannot be used"));
        Files.writeString(file(), good);
        assertEquals("", problem(settings));
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));
        assertEquals(
                "key file @/keys/tickets is open to other users: run chmod 600 @/keys/tickets",
                problem(settings));
    }

    /// TLS does not end because a disk does.
    @Test
    void aRunningServerGoesOnWithoutItsFile() throws Exception {
        try (TlsContexts server = open(settings);
                TlsContexts client = open(peer)) {
            assertFalse(isResumed(server, client, "TLSv1.3"));
            Files.writeString(file(), "garbage");
            pass(Duration.ofMinutes(1));
            server.tick();
            server.tick();
            assertTrue(isResumed(server, client, "TLSv1.3"));
        }
    }

    private String problem(TlsSettings wanted) {
        List<String> problems = TlsContexts.check(wanted, environment());
        if (problems.isEmpty()) {
            return "";
        }
        TlsProblems refused = assertThrows(TlsProblems.class, () -> open(wanted).close());
        assertEquals(problems, refused.problems());
        return problems.getFirst().replace(directory.toString(), "@");
    }

    private static String mode(Path path) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private void pass(Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
    }

    private TlsEnvironment environment() {
        return new TlsEnvironment(now::get, new SecureRandom());
    }

    private TlsContexts open(TlsSettings wanted) throws TlsProblems {
        return TlsContexts.open(wanted, environment());
    }

    static boolean isResumed(TlsContexts server, TlsContexts client, String version) {
        SslHandler handler = client.clientHandler(ALLOCATOR, "mx1.isp.example", 25);
        handler.engine().setEnabledProtocols(new String[] {version});
        try (Wire wire = Wire.converse(server.serverHandler(ALLOCATOR), handler)) {
            assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
            return wire.serverSummary().resumed();
        }
    }
}
