package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Several names on one server: the peer's ClientHello says which it wants.
@Timeout(60)
final class ServerNameTest {
    /// The second is for the signature of the certificate, which OpenSSL looks at too.
    private static final String[] RSA_ONLY = {"rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"};

    @TempDir private static Path directory;
    private static List<CertificateSettings> certificates;

    @BeforeAll
    static void makeCertificates() throws Exception {
        TestCertificates maker = new TestCertificates(directory);
        certificates =
                List.of(
                        maker.named("first", "EC", 256, "mx.first.example"),
                        maker.named("second", "EC", 256, "mx.second.example", "*.wild.example"),
                        maker.named("firstRsa", "RSA", 2048, "mx.first.example"),
                        maker.named("thirdRsa", "RSA", 2048, "mx.third.example"));
    }

    static List<Engine> engines() {
        return Engines.tried();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void thePeerGetsTheNameThatItAsksFor(Engine engine) throws Exception {
        try (TlsContexts contexts = open(engine, Duration.ofSeconds(20));
                Loopback server = new Loopback(contexts)) {
            assertEquals("CN=first", subject(server, "mx.first.example"));
            assertEquals("CN=second", subject(server, "MX.Second.example"));
            assertEquals("CN=second", subject(server, "any.wild.example"));
            assertEquals("CN=first", subject(server, "a.b.wild.example"), "one label only");
            assertEquals("CN=first", subject(server, "elsewhere.example"));
            assertEquals("CN=first", subject(server, null));
            // Of this name there is no P-256 certificate: the first of that kind is preferred to
            // none, and a peer that cannot verify it gets its own.
            assertEquals("CN=first", subject(server, "mx.third.example"));
            assertEquals("CN=thirdRsa", subject(server, "mx.third.example", RSA_ONLY));
            assertEquals("CN=firstRsa", subject(server, "mx.second.example", RSA_ONLY));
        }
    }

    /// Between STARTTLS and its ClientHello.
    @ParameterizedTest
    @MethodSource("engines")
    void aPeerThatHasSaidNothingYetIsServedByContextsThatWereExchanged(Engine engine)
            throws Exception {
        SSLEngine client = trusting().createSSLEngine();
        client.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(client.getSession().getPacketBufferSize());
        EmbeddedChannel channel;
        try (TlsContexts contexts = open(engine, Duration.ofSeconds(20))) {
            channel = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
            contexts.addServerHandlers(channel.pipeline().lastContext());
        }
        assertEquals(
                SSLEngineResult.Status.OK, client.wrap(ByteBuffer.allocate(0), hello).getStatus());
        channel.writeInbound(Unpooled.wrappedBuffer(hello.flip()));
        ByteBuf answer = channel.readOutbound();
        assertNotNull(answer);
        assertEquals(22, answer.getByte(0), "RFC 8446 §5.1: a handshake, no alert");
        answer.release();
        channel.finishAndReleaseAll();
    }

    /// Of two certificates with keys of one kind, for the meters.
    @ParameterizedTest
    @MethodSource("engines")
    void theSummaryTellsOfTheCertificateThatWasShown(Engine engine) throws Exception {
        TestCertificates maker = new TestCertificates(directory);
        CertificateSettings first = maker.named("p256", "EC", 256, "mx.first.example");
        CertificateSettings second = maker.named("p384", "EC", 384, "mx.second.example");
        String elsewhere = engine == Engine.BORINGSSL ? "jca:SunEC?key=" : "";
        TlsSettings settings =
                Engines.settings(
                                List.of(
                                        first,
                                        new CertificateSettings(
                                                second.chain(), elsewhere + second.key())))
                        .withEngine(engine);
        TlsEnvironment environment = TestCertificates.environment();
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            try (TlsContexts contexts = TlsContexts.open(settings, environment);
                    TlsContexts client =
                            TlsContexts.open(Engines.settings(List.of()), environment)) {
                SslHandler server = contexts.serverHandler(UnpooledByteBufAllocator.DEFAULT, 0);
                assertEquals(
                        "P-256 native", shown(contexts, server, client, "first.example", version));
                SslHandler other = contexts.serverHandler(UnpooledByteBufAllocator.DEFAULT, 1);
                assertEquals(
                        elsewhere.isEmpty() ? "P-384 native" : "P-384 jca",
                        shown(contexts, other, client, "second.example", version));
            }
        }
    }

    /// The type of the key, and who has it.
    ///
    /// @param host by which the client keeps sessions
    private static String shown(
            TlsContexts contexts,
            SslHandler server,
            TlsContexts client,
            String host,
            String version) {
        SslHandler peer = client.clientHandler(UnpooledByteBufAllocator.DEFAULT, host, 25);
        peer.engine().setEnabledProtocols(new String[] {version});
        try (Wire wire = Wire.connect(server, peer)) {
            while (!wire.isUp()) {
                wire.carry(); // until the key has signed
            }
            String keyType = wire.serverSummary(contexts).keyType();
            assertEquals(wire.clientSummary().keyType(), keyType);
            return keyType + " " + contexts.provider(server, keyType);
        }
    }

    /// Where the handler comes late it keeps to that, too.
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void whoGetsNoTicketsIsNotResumed(String version) throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), Duration.ofSeconds(20));
                TlsContexts client =
                        TlsContexts.open(
                                Engines.settings(List.of()), TestCertificates.environment());
                Loopback without = Loopback.withoutTickets(contexts)) {
            assertFalse(without.converse(client, version).summary().resumed());
            assertFalse(without.converse(client, version).summary().resumed());
        }
    }

    /// Nothing waits for ever for a peer that says nothing, and it is told apart from others.
    @Test
    void aPeerThatSaysNothingIsLeft() throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), Duration.ofSeconds(1));
                Loopback server = new Loopback(contexts);
                Socket silent = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            silent.setSoTimeout(20_000);
            assertEquals(-1, silent.getInputStream().read());
        }
    }

    @Test
    void aPeerThatSpeaksNoTlsIsLeft() throws Exception {
        try (TlsContexts contexts = open(Engines.inProcess(), Duration.ofSeconds(20));
                Loopback server = new Loopback(contexts);
                Socket plain = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            plain.setSoTimeout(10_000);
            plain.getOutputStream().write("EHLO x.example\r\n".getBytes(StandardCharsets.US_ASCII));
            assertTrue(plain.getInputStream().readAllBytes().length < 16);
        }
    }

    private static TlsContexts open(Engine engine, Duration timeout) throws TlsProblems {
        return TlsContexts.open(
                Engines.settings(certificates).withEngine(engine).withHandshakeTimeout(timeout),
                TestCertificates.environment());
    }

    private static SSLContext trusting() throws GeneralSecurityException {
        SSLContext client = SSLContext.getInstance("TLS");
        client.init(null, new TrustManager[] {new Trusting()}, null);
        return client;
    }

    /// The subject of the certificate that a peer is served.
    private static String subject(
            Loopback server, @Nullable String name, String... signatureSchemes) throws Exception {
        SSLContext client = trusting();
        try (SSLSocket socket =
                (SSLSocket)
                        client.getSocketFactory()
                                .createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(name == null ? List.of() : List.of(new SNIHostName(name)));
            if (signatureSchemes.length > 0) {
                parameters.setSignatureSchemes(signatureSchemes);
            }
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            socket.getOutputStream().write('x');
            if (socket.getInputStream().read() != 'x') {
                throw new IOException("no echo");
            }
            X509Certificate served = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return served.getSubjectX500Principal().getName();
        }
    }

    /// Takes every certificate: what is looked at is which one it is.
    private static final class Trusting extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
