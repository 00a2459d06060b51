package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// TLS with hosts: who is believed, who we are, which session is continued. What resumed is proven
/// by the host's end.
final class HostTlsTest {
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;
    private static final String HOST = "mx1.isp.example";
    private static final Instant END = TestCertificates.NOW.plus(Duration.ofDays(30));

    @TempDir private Path directory;
    private @Nullable TestAuthority authority;
    private final AtomicReference<Instant> now = new AtomicReference<>(TestCertificates.NOW);

    @BeforeEach
    void makeAuthority() throws Exception {
        authority = new TestAuthority(directory, "known");
    }

    private TestAuthority known() {
        return Objects.requireNonNull(authority);
    }

    private TlsEnvironment environment() {
        TlsEnvironment usual = TestCertificates.environment();
        return new TlsEnvironment(
                now::get, usual.random(), usual.providers(), List.of(), SignatureWatch.NONE);
    }

    record Cell(Engine engine, String version) {}

    static List<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        for (Engine engine : List.of(Engine.BORINGSSL, Engine.JDK)) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                cells.add(new Cell(engine, version));
            }
        }
        return cells;
    }

    private HostPolicy verified(String... names) {
        return HostPolicy.verified(known().file(), List.of(names));
    }

    private static HostWay to(HostPolicy policy) {
        return new HostWay(policy, null);
    }

    private HostTls open(Engine engine, List<HostIdentity> identities, HostWay... ways)
            throws TlsProblems {
        return HostTls.open(settings(engine, identities, ways), environment());
    }

    private static HostTlsSettings settings(
            Engine engine, List<HostIdentity> identities, HostWay... ways) {
        return new HostTlsSettings(
                TlsSettings.withDefaults(List.of()).withEngine(engine), List.of(ways), identities);
    }

    private TlsContexts host(CertificateSettings certificate) throws TlsProblems {
        return TlsContexts.open(
                TlsSettings.withDefaults(List.of(certificate))
                        .withClientCertificates(
                                new ClientCertificates(
                                        ClientCertificates.Demand.REQUEST, known().file(), true)),
                environment());
    }

    private static Wire converse(TlsContexts host, HostTls tls, HostWay way, String version) {
        return converse(host, tls, way, version, HOST);
    }

    private static Wire converse(
            TlsContexts host, HostTls tls, HostWay way, String version, String name) {
        SslHandler handler = tls.handler(ALLOCATOR, way, name, 25);
        handler.engine().setEnabledProtocols(new String[] {version});
        return Wire.converse(host.serverHandler(ALLOCATOR), handler);
    }

    private static boolean isResumed(TlsContexts host, HostTls tls, HostWay way, String version) {
        try (Wire wire = converse(host, tls, way, version)) {
            assertTrue(wire.isUp());
            assertEquals(wire.serverSummary().resumed(), wire.clientSummary().resumed());
            return wire.serverSummary().resumed();
        }
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aHostThatIsVerifiedResumes(Cell cell) throws Exception {
        HostWay way = to(verified());
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = open(cell.engine(), List.of(), way)) {
            assertFalse(isResumed(host, tls, way, cell.version()));
            for (int i = 0; i < 3; i++) {
                assertTrue(isResumed(host, tls, way, cell.version()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aHostThatIsNotBelievedIsRefusedWithTheReason(Cell cell) throws Exception {
        TestAuthority stranger = new TestAuthority(directory, "stranger");
        Instant past = TestCertificates.NOW.minusSeconds(1);
        Instant future = TestCertificates.NOW.plus(Duration.ofDays(91));
        KeyPurposeId server = KeyPurposeId.id_kp_serverAuth;
        assertRefused(cell, "untrusted", "signed by itself", own());
        assertRefused(cell, "untrusted", "issued by CN=stranger", stranger.issue("s", HOST));
        assertRefused(cell, "expired", "expired at", known().issue("e", past, server, HOST));
        assertRefused(cell, "not-yet-valid", "not valid", known().issue("f", future, server, HOST));
        assertRefused(
                cell,
                "expired",
                "CN=old expired at",
                known().middle("old", past).issue("u", END, server, HOST));
        assertRefused(
                cell,
                "name",
                "not for mx1.isp.example but for mx.example, 192.0.2.1",
                known().issue("n", "mx.example", "192.0.2.1"));
        assertRefused(cell, "name", "but for no host", known().issue("o"));
        assertRefused(
                cell,
                "use",
                "not for servers",
                known().issue("c", END, KeyPurposeId.id_kp_clientAuth, HOST));
    }

    private CertificateSettings own() throws Exception {
        return new TestCertificates(directory).named("self", "EC", 256, HOST);
    }

    private void assertRefused(
            Cell cell, String fault, String sentence, CertificateSettings certificate)
            throws Exception {
        HostWay way = to(verified());
        try (TlsContexts host = host(certificate);
                HostTls tls = open(cell.engine(), List.of(), way);
                Wire wire = converse(host, tls, way, cell.version())) {
            assertFalse(wire.isUp());
            assertEquals(fault, HandshakeFault.of(wire.clientFailure()));
            String words = HandshakeFault.words(wire.clientFailure());
            assertTrue(words.contains(sentence), words);
            // The host learns it, too.
            assertEquals(1, wire.serverFailures().size());
            String told = wire.serverFailures().getFirst();
            assertTrue(told.contains("ALERT"), told);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void theAlertSaysWhatIsWrong(Engine engine) throws Exception {
        HostWay way = to(verified());
        try (TlsContexts host = host(own());
                HostTls tls = open(engine, List.of(), way);
                Wire wire = converse(host, tls, way, "TLSv1.3")) {
            String told = wire.serverFailures().getFirst();
            String expected =
                    engine == Engine.JDK ? "ALERT_CERTIFICATE_UNKNOWN" : "ALERT_UNKNOWN_CA";
            assertTrue(told.contains(expected), told);
        }
    }

    @ParameterizedTest
    @MethodSource("cells")
    void anyCertificateWillDoWhereNothingIsVerified(Cell cell) throws Exception {
        HostWay opportunistic = to(HostPolicy.OPPORTUNISTIC);
        HostWay encrypted = to(HostPolicy.ENCRYPTED);
        try (TlsContexts host = host(own());
                HostTls tls = open(cell.engine(), List.of(), opportunistic, encrypted)) {
            for (HostWay way : List.of(opportunistic, encrypted)) {
                assertFalse(isResumed(host, tls, way, cell.version()));
                assertTrue(isResumed(host, tls, way, cell.version()));
            }
        }
    }

    /// A session that nobody verified must not stand in for a certificate.
    @ParameterizedTest
    @MethodSource("cells")
    void aSessionOfOnePolicyIsNotContinuedUnderAnother(Cell cell) throws Exception {
        HostWay opportunistic = to(HostPolicy.OPPORTUNISTIC);
        HostWay believing = to(verified());
        HostWay named = to(verified("other.example"));
        try (TlsContexts impostor = host(own());
                HostTls tls = open(cell.engine(), List.of(), opportunistic, believing, named)) {
            assertFalse(isResumed(impostor, tls, opportunistic, cell.version()));
            try (Wire wire = converse(impostor, tls, believing, cell.version())) {
                assertFalse(wire.isUp(), "it was let in by the session of another policy");
            }
            assertTrue(isResumed(impostor, tls, opportunistic, cell.version()));
        }
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = open(cell.engine(), List.of(), opportunistic, believing, named)) {
            assertFalse(isResumed(host, tls, believing, cell.version()));
            assertFalse(isResumed(host, tls, opportunistic, cell.version()));
            try (Wire wire = converse(host, tls, named, cell.version())) {
                assertFalse(wire.isUp(), "it is for other names");
            }
            assertTrue(isResumed(host, tls, believing, cell.version()));
        }
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aSessionLeadsToItsHostAndPortAlone(Cell cell) throws Exception {
        HostWay way = to(verified());
        try (TlsContexts host = host(known().issue("mx", HOST, "mx2.isp.example"));
                HostTls tls = open(cell.engine(), List.of(), way)) {
            assertFalse(isResumed(host, tls, way, cell.version()));
            try (Wire wire = converse(host, tls, way, cell.version(), "mx2.isp.example")) {
                assertFalse(wire.serverSummary().resumed());
            }
            SslHandler other = tls.handler(ALLOCATOR, way, HOST, 465);
            other.engine().setEnabledProtocols(new String[] {cell.version()});
            try (Wire wire = Wire.converse(host.serverHandler(ALLOCATOR), other)) {
                assertFalse(wire.serverSummary().resumed());
            }
            assertTrue(isResumed(host, tls, way, cell.version()));
        }
    }

    @ParameterizedTest
    @MethodSource("cells")
    void eachIdentityShowsItsCertificateAndHasItsSessions(Cell cell) throws Exception {
        HostIdentity one = new HostIdentity("one", List.of(known().issue("out1", "out1.example")));
        HostIdentity two = new HostIdentity("two", List.of(known().issue("out2", "out2.example")));
        HostPolicy policy = verified();
        HostWay nobody = to(policy);
        HostWay asOne = new HostWay(policy, "one");
        HostWay asTwo = new HostWay(policy, "two");
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = open(cell.engine(), List.of(one, two), nobody, asOne, asTwo)) {
            for (boolean isSecond : new boolean[] {false, true}) {
                for (HostWay way : List.of(asOne, asTwo, nobody)) {
                    try (Wire wire = converse(host, tls, way, cell.version())) {
                        assertTrue(wire.isUp());
                        assertEquals(isSecond, wire.serverSummary().resumed());
                        assertEquals(names(way), names(wire.peer(host)));
                    }
                }
            }
        }
    }

    /// RFC 8422 §5.1.1: in TLS 1.2 the curve of a certificate must be among the groups as well.
    @ParameterizedTest
    @MethodSource("cells")
    void theHostAndWeMayHaveKeysOfP384(Cell cell) throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        HostIdentity us = new HostIdentity("us", List.of(certificates.p384("out")));
        HostWay way = new HostWay(HostPolicy.ENCRYPTED, "us");
        try (TlsContexts host = host(certificates.p384("mx"));
                HostTls tls = open(cell.engine(), List.of(us), way);
                Wire wire = converse(host, tls, way, cell.version())) {
            assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
            assertEquals("P-384", wire.clientSummary().keyType());
            assertInstanceOf(PeerIdentity.Untrusted.class, wire.peer(host));
        }
    }

    private static List<String> names(HostWay way) {
        return switch (way.identity()) {
            case "one" -> List.of("out1.example");
            case "two" -> List.of("out2.example");
            case null, default -> List.of();
        };
    }

    private static List<String> names(PeerIdentity peer) {
        return switch (peer) {
            case PeerIdentity.Unknown _ -> List.of();
            case PeerIdentity.Trusted(List<String> names, _) -> names;
            case PeerIdentity.Untrusted untrusted -> throw new AssertionError(untrusted.toString());
        };
    }

    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void theNamesOfThePolicyStandInForTheHosts(Engine engine) throws Exception {
        HostWay way = to(verified("mail.isp.example", "relay.isp.example"));
        try (TlsContexts host = host(known().issue("mx", "relay.isp.example"));
                HostTls tls = open(engine, List.of(), way)) {
            assertFalse(isResumed(host, tls, way, "TLSv1.3"));
        }
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = open(engine, List.of(), way);
                Wire wire = converse(host, tls, way, "TLSv1.3")) {
            assertEquals("name", HandshakeFault.of(wire.clientFailure()));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void aHostThatIsAnAddressNeedsACertificateForIt(Engine engine) throws Exception {
        HostWay way = to(verified());
        try (TlsContexts host = host(known().issue("mx", "192.0.2.25", "2001:db8::25"));
                HostTls tls = open(engine, List.of(), way)) {
            for (String address : List.of("192.0.2.25", "2001:db8:0:0::25")) {
                try (Wire wire = converse(host, tls, way, "TLSv1.3", address)) {
                    assertTrue(wire.isUp());
                }
            }
            try (Wire wire = converse(host, tls, way, "TLSv1.3", "192.0.2.26")) {
                assertEquals("name", HandshakeFault.of(wire.clientFailure()));
            }
        }
    }

    @Test
    void aCertificateThatIsNamedItselfIsBelieved() throws Exception {
        CertificateSettings partner = own();
        HostWay way = to(HostPolicy.verified(partner.chain(), List.of()));
        try (TlsContexts host = host(partner);
                HostTls tls = open(Engine.BORINGSSL, List.of(), way)) {
            assertFalse(isResumed(host, tls, way, "TLSv1.3"));
        }
    }

    @Test
    void theSystemsAuthoritiesAreThereWhenNoneAreNamed() throws Exception {
        HostWay way = to(HostPolicy.verified(null, List.of()));
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = open(Engine.BORINGSSL, List.of(), way);
                Wire wire = converse(host, tls, way, "TLSv1.3")) {
            assertEquals("untrusted", HandshakeFault.of(wire.clientFailure()));
        }
        assertTrue(Authorities.read(null).anchors().size() > 10);
    }

    /// What the operator's end of a chain is called elsewhere does not matter: hosts send
    /// certificates of it by older authorities, too.
    @Test
    void aChainThroughAnIntermediateIsBelieved() throws Exception {
        HostWay way = to(verified());
        CertificateSettings leaf = known().middle("middle", END).issue("mx", HOST);
        try (TlsContexts host = host(leaf);
                HostTls tls = open(Engine.BORINGSSL, List.of(), way)) {
            assertFalse(isResumed(host, tls, way, "TLSv1.3"));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BORINGSSL", "JDK"})
    void theHostsNameIsAskedForButNoAddress(Engine engine) throws Exception {
        HostWay way = to(HostPolicy.ENCRYPTED);
        try (TlsContexts host = host(own());
                HostTls tls = open(engine, List.of(), way)) {
            for (String name : List.of(HOST, "192.0.2.25")) {
                SslHandler server = host.serverHandler(ALLOCATOR);
                SslHandler client = tls.handler(ALLOCATOR, way, name, 25);
                try (Wire wire = Wire.converse(server, client)) {
                    assertTrue(wire.isUp());
                    assertEquals(
                            name.equals(HOST) ? List.of(new SNIHostName(HOST)) : List.of(),
                            ((ExtendedSSLSession) server.engine().getSession())
                                    .getRequestedServerNames());
                }
            }
        }
    }

    @Test
    void aReloadThatChangesNothingLosesNoSession() throws Exception {
        HostIdentity us = new HostIdentity("us", List.of(known().issue("out", "out.example")));
        HostWay way = new HostWay(verified(), "us");
        HostTlsSettings settings = settings(Engine.BORINGSSL, List.of(us), way);
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = HostTls.open(settings, environment())) {
            assertFalse(isResumed(host, tls, way, "TLSv1.3"));
            tls.reload(settings);
            assertTrue(isResumed(host, tls, way, "TLSv1.3"));
        }
    }

    @Test
    void filesThatChangedAreTakenOverAndTheirSessionsAreNot() throws Exception {
        HostIdentity us = new HostIdentity("us", List.of(known().issue("out", "out.example")));
        HostWay way = new HostWay(verified(), "us");
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = open(Engine.BORINGSSL, List.of(us), way)) {
            assertFalse(isResumed(host, tls, way, "TLSv1.3"));
            CertificateSettings renewed = known().issue("out", "new.example");
            later(renewed.chain());
            tls.tick();
            try (Wire wire = converse(host, tls, way, "TLSv1.3")) {
                assertFalse(wire.serverSummary().resumed());
                assertEquals(List.of("new.example"), names(wire.peer(host)));
            }
            Files.writeString(renewed.chain(), "no certificate");
            tls.tick();
            assertTrue(isResumed(host, tls, way, "TLSv1.3"), "the old goes on");
        }
    }

    @Test
    void otherAuthoritiesAreOtherSessions() throws Exception {
        HostWay way = to(verified());
        try (TlsContexts host = host(known().issue("mx", HOST));
                HostTls tls = open(Engine.BORINGSSL, List.of(), way)) {
            assertFalse(isResumed(host, tls, way, "TLSv1.3"));
            TestAuthority other = new TestAuthority(directory, "other");
            Files.copy(other.file(), known().file(), StandardCopyOption.REPLACE_EXISTING);
            later(known().file());
            tls.tick();
            try (Wire wire = converse(host, tls, way, "TLSv1.3")) {
                assertEquals("untrusted", HandshakeFault.of(wire.clientFailure()));
            }
        }
    }

    private static void later(Path file) throws Exception {
        Files.setLastModifiedTime(
                file, FileTime.from(Files.getLastModifiedTime(file).toInstant().plusSeconds(5)));
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aKeyOutsideOfTheEngineSignsForUs(Cell cell) throws Exception {
        CertificateSettings file = known().issue("out", "out.example");
        // On threads of their own, and at once.
        for (String provider : List.of("jca", "test-jca", "libcrypto")) {
            String key = provider.equals("jca") ? "jca:SunEC?key=" + file.key() : file.key();
            HostIdentity us =
                    new HostIdentity("us", List.of(new CertificateSettings(file.chain(), key)));
            HostWay way = new HostWay(HostPolicy.ENCRYPTED, "us");
            HostTlsSettings settings =
                    new HostTlsSettings(
                            TlsSettings.withDefaults(List.of())
                                    .withEngine(cell.engine())
                                    .withProvider(provider),
                            List.of(way),
                            List.of(us));
            if (cell.engine() == Engine.JDK) {
                List<String> problems = HostTls.check(settings, environment());
                assertEquals(1, problems.size(), problems.toString());
                assertTrue(
                        problems.getFirst().startsWith("engine \"jdk\" cannot use the key"),
                        problems.getFirst());
                continue;
            }
            try (TlsContexts host =
                            TlsContexts.open(
                                    TlsSettings.withDefaults(List.of(known().issue("mx", HOST)))
                                            .withClientCertificates(
                                                    new ClientCertificates(
                                                            ClientCertificates.Demand.REQUIRE,
                                                            null,
                                                            false)),
                                    environment());
                    HostTls tls = HostTls.open(settings, environment());
                    Loopback loopback = new Loopback(host)) {
                assertFalse(
                        loopback.converse(a -> tls.handler(a, way, HOST, 25), cell.version())
                                .summary()
                                .resumed());
                assertTrue(
                        loopback.converse(a -> tls.handler(a, way, HOST, 25), cell.version())
                                .summary()
                                .resumed());
            }
        }
    }

    @Test
    void everyProblemIsFoundAtOnce() throws Exception {
        CertificateSettings open = known().issue("out", "out.example");
        Files.setPosixFilePermissions(
                Path.of(open.key()), PosixFilePermissions.fromString("rw-r--r--"));
        CertificateSettings mixed =
                new CertificateSettings(
                        known().issue("a", "a.example").chain(),
                        known().issue("b", "b.example").key());
        HostTlsSettings settings =
                settings(
                        Engine.BORINGSSL,
                        List.of(
                                new HostIdentity("open", List.of(open)),
                                new HostIdentity("mixed", List.of(mixed))),
                        new HostWay(
                                HostPolicy.verified(directory.resolve("gone.pem"), List.of()),
                                "open"),
                        new HostWay(HostPolicy.OPPORTUNISTIC, "mixed"));
        assertEquals(
                List.of(
                        "key file @/out.key is open to other users: run chmod 600 @/out.key",
                        "key @/b.key does not belong to certificate @/a.pem: name the key that the"
                                + " certificate was made for",
                        "certificate file @/gone.pem does not exist: create it or correct the"
                                + " path"),
                HostTls.check(settings, environment()).stream()
                        .map(one -> one.replace(directory.toString(), "@"))
                        .toList());
        assertThrows(TlsProblems.class, () -> HostTls.open(settings, environment()));
    }

    @Test
    void afterTheEndNothingIsMade() throws Exception {
        HostWay way = to(HostPolicy.OPPORTUNISTIC);
        HostTls tls = open(Engine.BORINGSSL, List.of(), way);
        assertThrows(
                IllegalStateException.class,
                () -> tls.handler(ALLOCATOR, to(HostPolicy.ENCRYPTED), HOST, 25));
        tls.close();
        assertThrows(IllegalStateException.class, () -> tls.handler(ALLOCATOR, way, HOST, 25));
        assertNotNull(tls.certificates());
    }
}
