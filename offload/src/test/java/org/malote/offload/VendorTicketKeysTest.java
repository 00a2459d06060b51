package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Ticket keys from a vendor's jar: a vault, whose keys somebody else makes.
final class VendorTicketKeysTest {
    private static final String NAME = "com.vendor.vault.Vault";

    private static final String SOURCE =
            """
            package com.vendor.vault;

            import java.io.IOException;
            import java.nio.file.Files;
            import java.nio.file.Path;
            import java.security.SecureRandom;
            import java.time.Instant;
            import java.util.ArrayList;
            import java.util.List;
            import org.malote.offload.*;

            public final class Vault implements TicketKeyProvider {
                public String name() { return "vault"; }

                public TicketKeySource open(
                        String location, TicketSettings settings, SecureRandom random)
                        throws TlsProblems {
                    Path store = Path.of(location.substring("vault:".length()));
                    if (!store.isAbsolute()) {
                        throw new TlsProblems(List.of("the vault wants an absolute path"));
                    }
                    return now -> {
                        List<TicketKey> keys = new ArrayList<>();
                        for (String line : Files.readAllLines(store)) {
                            byte[] secret = new byte[TicketKey.BYTES];
                            java.util.Arrays.fill(secret, (byte) line.charAt(0));
                            keys.add(new TicketKey(Instant.parse(line.substring(1)), secret));
                        }
                        if (keys.isEmpty()) {
                            throw new IOException("the vault is sealed");
                        }
                        return new TicketKeys(keys);
                    };
                }
            }
            """;

    @TempDir private Path directory;
    private Path vault = Path.of("");
    private TlsSettings first = Engines.settings(List.of());
    private TlsSettings second = Engines.settings(List.of());

    @BeforeEach
    void fill() throws Exception {
        vault = directory.resolve("vault");
        Files.writeString(vault, "a" + TestCertificates.NOW.minus(Duration.ofHours(1)));
        TestCertificates certificates = new TestCertificates(directory);
        TicketSettings tickets = TicketSettings.DEFAULT.withSource("vault:" + vault);
        first = Engines.settings(List.of(certificates.p256("mx1"))).withTickets(tickets);
        second = Engines.settings(List.of(certificates.p256("mx2"))).withTickets(tickets);
    }

    private URLClassLoader jar() throws Exception {
        return VendorJar.path(VendorJar.make(directory, TicketKeyProvider.class, NAME, SOURCE));
    }

    private static TlsEnvironment environment(URLClassLoader path) {
        return TestCertificates.environment(
                OffloadProviders.installed(TestCertificates.keyEnvironment(), path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void serversWithOneVaultResumeEachOthersSessions(String version) throws Exception {
        try (URLClassLoader path = jar()) {
            TlsEnvironment environment = environment(path);
            assertEquals(List.of(), TlsContexts.check(first, environment));
            try (TlsContexts mx1 = TlsContexts.open(first, environment);
                    TlsContexts mx2 = TlsContexts.open(second, environment);
                    TlsContexts client =
                            TlsContexts.open(Engines.settings(List.of()), environment)) {
                assertFalse(TicketKeyFileTest.isResumed(mx1, client, version));
                assertTrue(TicketKeyFileTest.isResumed(mx2, client, version));
                // The vault has another key, and none of the first.
                Files.writeString(vault, "b" + TestCertificates.NOW);
                mx2.tick();
                assertEquals(List.of(TestCertificates.NOW), mx2.ticketKeys());
                assertFalse(TicketKeyFileTest.isResumed(mx2, client, version));
            }
        }
    }

    @Test
    void aVaultThatIsSealedLeavesTheKeysOfBefore() throws Exception {
        try (URLClassLoader path = jar()) {
            TlsEnvironment environment = environment(path);
            try (TlsContexts server = TlsContexts.open(first, environment)) {
                List<Instant> before = server.ticketKeys();
                Files.writeString(vault, "");
                server.tick();
                assertEquals(before, server.ticketKeys());
            }
            assertEquals(
                    List.of(
                            "the ticket keys of vault:"
                                    + vault
                                    + " cannot be had (IOException: the vault is sealed): see to what"
                                    + " keeps them"),
                    assertThrows(
                                    TlsProblems.class,
                                    () -> TlsContexts.open(first, environment).close())
                            .problems());
        }
    }

    /// Whoever leaves a vault may do so because it is down.
    @Test
    void fromAVaultThatIsSealedToMemoryWithNoSessionLost() throws Exception {
        try (URLClassLoader path = jar()) {
            TlsEnvironment environment = environment(path);
            try (LiveTls server = LiveTls.open(first, environment);
                    TlsContexts client =
                            TlsContexts.open(Engines.settings(List.of()), environment)) {
                assertFalse(TicketKeyFileTest.isResumed(server.contexts(), client, "TLSv1.3"));
                Files.writeString(vault, "");
                server.reload(first.withTickets(TicketSettings.DEFAULT));
                assertTrue(TicketKeyFileTest.isResumed(server.contexts(), client, "TLSv1.3"));
            }
        }
    }

    @Test
    void whatTheVaultRefusesIsAProblemOfCheck() throws Exception {
        try (URLClassLoader path = jar()) {
            TlsSettings wrong =
                    first.withTickets(TicketSettings.DEFAULT.withSource("vault:mail/tickets"));
            assertEquals(
                    List.of("the vault wants an absolute path"),
                    TlsContexts.check(wrong, environment(path)));
            TlsSettings unknown =
                    first.withTickets(TicketSettings.DEFAULT.withSource("safe:tickets"));
            assertEquals(
                    List.of(
                            "no provider has the ticket keys of \"safe:tickets\": put its jar on the"
                                    + " class path; there are vault"),
                    TlsContexts.check(unknown, environment(path)));
            assertEquals(
                    List.of(
                            "no provider has the ticket keys of \"safe:tickets\": put its jar on the"
                                    + " class path"),
                    TlsContexts.check(unknown, TestCertificates.environment()));
        }
    }

    @Test
    void aJarThatLacksItsClassIsAProblemOfCheck() throws Exception {
        try (URLClassLoader path =
                VendorJar.path(VendorJar.make(directory, TicketKeyProvider.class, NAME, ""))) {
            List<String> problems =
                    TlsContexts.check(first.withTickets(TicketSettings.DEFAULT), environment(path));
            assertEquals(1, problems.size());
            assertTrue(
                    problems.getFirst().startsWith("a provider on the class path cannot be loaded"),
                    problems::toString);
        }
    }
}
