package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.ReferenceCountedOpenSslClientContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Mutual TLS: who is asked, what is believed, and that a resumed session keeps its identity.
final class PeerIdentityTest {
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;
    private static final Instant END = TestCertificates.NOW.plus(Duration.ofDays(30));

    @TempDir private Path directory;
    private TestCertificates certificates = new TestCertificates(Path.of("."));
    private TlsSettings settings = Engines.settings(List.of());
    private Issued authority = new Issued(null, List.of());
    private Issued middle = authority;

    /// @param pair null for the placeholder before the first test
    private record Issued(@Nullable KeyPair pair, List<X509Certificate> chain) {
        private KeyPair keys() {
            if (pair == null) {
                throw new IllegalStateException("no keys");
            }
            return pair;
        }
    }

    @BeforeEach
    void makeAuthority() throws Exception {
        certificates = new TestCertificates(directory);
        settings = Engines.settings(List.of(certificates.p256("mx1")));
        authority = issue("authority", null, true, END, null);
        middle = issue("middle", authority, true, END, null);
        Files.writeString(
                directory.resolve("authorities.pem"),
                TestCertificates.pem("CERTIFICATE", authority.chain().getFirst().getEncoded()));
    }

    /// @param issuer null for a certificate of its own
    private Issued issue(
            String name,
            @Nullable Issued issuer,
            boolean isAuthority,
            Instant notAfter,
            @Nullable KeyPurposeId use)
            throws Exception {
        KeyPair pair = certificates.pair("EC", 256);
        X500Name subject = new X500Name("CN=" + name);
        JcaX509v3CertificateBuilder builder =
                new JcaX509v3CertificateBuilder(
                        issuer == null
                                ? subject
                                : new X500Name(
                                        issuer.chain()
                                                .getFirst()
                                                .getSubjectX500Principal()
                                                .getName()),
                        BigInteger.valueOf(name.hashCode() & 0x7fffffff),
                        Date.from(notAfter.minus(Duration.ofDays(90))),
                        Date.from(notAfter),
                        subject,
                        pair.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(isAuthority));
        if (!isAuthority) {
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(new GeneralName(GeneralName.dNSName, name)));
        }
        if (use != null) {
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(use));
        }
        X509Certificate certificate =
                new JcaX509CertificateConverter()
                        .getCertificate(
                                builder.build(
                                        new JcaContentSignerBuilder("SHA256withECDSA")
                                                .build(
                                                        (issuer == null ? pair : issuer.keys())
                                                                .getPrivate())));
        List<X509Certificate> chain = new ArrayList<>(List.of(certificate));
        if (issuer != null) {
            chain.addAll(issuer.chain());
        }
        return new Issued(pair, chain);
    }

    record Cell(Engine engine, String version) {}

    static List<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        for (Engine engine : Engines.tried()) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                cells.add(new Cell(engine, version));
            }
        }
        return cells;
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aTrustedPeerKeepsItsIdentityWhenItResumes(Cell cell) throws Exception {
        Issued peer = issue("relay.isp.example", middle, false, END, KeyPurposeId.id_kp_clientAuth);
        PeerIdentity expected =
                new PeerIdentity.Trusted(List.of("relay.isp.example"), "CN=relay.isp.example");
        SslContext client = client(peer);
        try (TlsContexts server = open(ClientCertificates.Demand.REQUIRE, false, cell.engine())) {
            try (Wire wire = converse(server, client, cell.version())) {
                assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
                assertEquals(expected, wire.peer(server));
                assertFalse(wire.serverSummary().resumed());
            }
            try (Wire wire = converse(server, client, cell.version())) {
                // OpenSSL would know only the leaf of it, so it does not resume.
                assertEquals(cell.engine() != Engine.OPENSSL, wire.serverSummary().resumed());
                assertEquals(expected, wire.peer(server));
            }
        } finally {
            ReferenceCountUtil.release(client);
        }
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aPeerWithoutOneIsUnknownOrRefused(Cell cell) throws Exception {
        SslContext client = client(null);
        try (TlsContexts requested = open(ClientCertificates.Demand.REQUEST, false, cell.engine());
                TlsContexts required =
                        open(ClientCertificates.Demand.REQUIRE, false, cell.engine())) {
            try (Wire wire = converse(requested, client, cell.version())) {
                assertTrue(wire.isUp());
                assertEquals(new PeerIdentity.Unknown(), wire.peer(requested));
            }
            try (Wire wire = converse(required, client, cell.version())) {
                assertFalse(wire.isUp());
            }
        } finally {
            ReferenceCountUtil.release(client);
        }
    }

    @Test
    void nobodyIsAskedByDefault() throws Exception {
        Issued peer = issue("relay.isp.example", middle, false, END, null);
        SslContext client = client(peer);
        try (TlsContexts server = open(ClientCertificates.Demand.NO, false, Engines.inProcess());
                Wire wire = converse(server, client, "TLSv1.3")) {
            assertTrue(wire.isUp());
            assertEquals(new PeerIdentity.Unknown(), wire.peer(server));
        } finally {
            ReferenceCountUtil.release(client);
        }
    }

    @Test
    void whatIsNotTrustedIsServedAndTold() throws Exception {
        Issued stranger = issue("stranger", null, true, END, null);
        assertUntrusted(
                issue("a.example", stranger, false, END, null), "Path does not chain with any");
        assertUntrusted(
                issue("a.example", middle, false, TestCertificates.NOW.minusSeconds(1), null),
                "validity check failed");
        Issued leaf = issue("leaf.example", middle, false, END, null);
        assertUntrusted(issue("a.example", leaf, false, END, null), "basic constraints");
        assertUntrusted(
                issue("a.example", middle, false, END, KeyPurposeId.id_kp_codeSigning),
                "the certificate is for another use");
        assertUntrusted(
                issue("a.example", middle, false, END, KeyPurposeId.id_kp_serverAuth),
                "the certificate is for servers alone");
    }

    /// What mail servers have: public authorities make certificates for servers alone.
    @Test
    void aServersCertificateIsTrustedWhenTheSettingsSaySo() throws Exception {
        Issued peer = issue("mx.a.example", middle, false, END, KeyPurposeId.id_kp_serverAuth);
        assertEquals(
                new PeerIdentity.Trusted(List.of("mx.a.example"), "CN=mx.a.example"),
                identity(peer, true));
    }

    @Test
    void theOrderOfTheIssuersDoesNotMatter() throws Exception {
        Issued peer = issue("mx.a.example", middle, false, END, null);
        List<X509Certificate> mixed = new ArrayList<>(peer.chain());
        mixed.add(1, mixed.removeLast());
        assertInstanceOf(
                PeerIdentity.Trusted.class,
                PeerJudge.of(
                                new ClientCertificates(
                                        ClientCertificates.Demand.REQUEST,
                                        directory.resolve("authorities.pem"),
                                        false))
                        .judge(mixed, TestCertificates.NOW));
    }

    @Test
    void authoritiesThatAreNotThereAreFoundByCheck() {
        TlsSettings wrong =
                settings.withClientCertificates(
                        new ClientCertificates(
                                ClientCertificates.Demand.REQUEST,
                                directory.resolve("gone.pem"),
                                false));
        assertEquals(
                List.of(
                        "certificate file @/gone.pem does not exist: create it or correct the"
                                + " path"),
                TlsContexts.check(wrong, TestCertificates.environment()).stream()
                        .map(one -> one.replace(directory.toString(), "@"))
                        .toList());
    }

    private void assertUntrusted(Issued peer, String reason) throws Exception {
        PeerIdentity identity = identity(peer, false);
        assertTrue(
                identity instanceof PeerIdentity.Untrusted untrusted
                        && untrusted.reason().contains(reason)
                        && untrusted.names().equals(List.of("a.example")),
                identity.toString());
    }

    private PeerIdentity identity(Issued peer, boolean acceptsServerUse) throws Exception {
        SslContext client = client(peer);
        try (TlsContexts server =
                        open(
                                ClientCertificates.Demand.REQUEST,
                                acceptsServerUse,
                                Engines.inProcess());
                Wire wire = converse(server, client, "TLSv1.3")) {
            assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
            return wire.peer(server);
        } finally {
            ReferenceCountUtil.release(client);
        }
    }

    private TlsContexts open(
            ClientCertificates.Demand demand, boolean acceptsServerUse, Engine engine)
            throws TlsProblems {
        return TlsContexts.open(
                settings.withEngine(engine)
                        .withClientCertificates(
                                new ClientCertificates(
                                        demand,
                                        directory.resolve("authorities.pem"),
                                        acceptsServerUse)),
                TestCertificates.environment());
    }

    private static SslContext client(@Nullable Issued peer) throws Exception {
        SslContextBuilder builder =
                SslContextBuilder.forClient()
                        .sslProvider(SslProvider.OPENSSL_REFCNT)
                        .protocols("TLSv1.2", "TLSv1.3")
                        .endpointIdentificationAlgorithm(null)
                        .trustManager(new AnyCertificate(_ -> {}));
        if (peer != null) {
            builder.keyManager(
                    peer.keys().getPrivate(), peer.chain().toArray(X509Certificate[]::new));
        }
        SslContext context = builder.build();
        ((ReferenceCountedOpenSslClientContext) context)
                .sessionContext()
                .setSessionCacheEnabled(true);
        return context;
    }

    private static Wire converse(TlsContexts server, SslContext client, String version) {
        SslHandler handler = client.newHandler(ALLOCATOR, "mx1.isp.example", 25);
        handler.engine().setEnabledProtocols(new String[] {version});
        return Wire.converse(server.serverHandler(ALLOCATOR), handler);
    }
}
