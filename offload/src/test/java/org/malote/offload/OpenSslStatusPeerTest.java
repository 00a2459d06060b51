package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// OpenSSL as the issuer and as the host: words that `openssl ocsp` has signed, stapled by
/// `openssl s_server`.
@Tag("peers")
final class OpenSslStatusPeerTest {
    private static final int WAIT_SECONDS_MAX = 20;
    private static final String HOST = "mx1.isp.example";
    private static final String NOBODY_MINDS = "";

    /// As `openssl ca` writes its index.
    private static final DateTimeFormatter INDEX_TIME =
            DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    /// `openssl ocsp` goes by the clock.
    private final Instant today = Instant.now();

    @TempDir private Path directory;
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<Channel> channels = new ArrayList<>();
    private final List<Process> servers = new ArrayList<>();
    private @Nullable TestAuthority authority;

    @BeforeEach
    void makeAuthority() throws Exception {
        authority = new TestAuthority(directory, "known");
    }

    @AfterEach
    void end() throws Exception {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        for (Process one : servers) {
            one.destroy();
            assertTrue(one.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        }
    }

    private TestAuthority known() {
        TestAuthority one = authority;
        assertNotNull(one);
        return one;
    }

    static List<HostTlsTest.Cell> cells() {
        List<HostTlsTest.Cell> cells = new ArrayList<>();
        for (Engine engine : Engines.tried()) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                cells.add(new HostTlsTest.Cell(engine, version));
            }
        }
        return cells;
    }

    /// netty-tcnative cannot ask with OpenSSL.
    private static boolean isAsked(HostTlsTest.Cell cell) {
        return cell.engine() != Engine.OPENSSL;
    }

    @ParameterizedTest
    @MethodSource("cells")
    void whatTheHostStaplesCounts(HostTlsTest.Cell cell) throws Exception {
        CertificateSettings usual =
                known().issue(
                                "usual",
                                today.plus(Duration.ofDays(30)),
                                KeyPurposeId.id_kp_serverAuth,
                                HOST);
        Instant later = today.plus(Duration.ofDays(3));
        String revoked = isAsked(cell) ? "revoked" : NOBODY_MINDS;
        assertEquals(NOBODY_MINDS, fault(cell, start(usual, null), today));
        assertEquals(NOBODY_MINDS, fault(cell, start(usual, word(usual, 'V')), today));
        int port = start(usual, word(usual, 'R'));
        assertEquals(revoked, fault(cell, port, today));
        if (cell.engine() == Engine.BORINGSSL) {
            awaitLog("alert certificate revoked");
        }
        // Of a word that is old nothing can be told, nor of one with another signature.
        assertEquals(NOBODY_MINDS, fault(cell, port, later));
        Path word = word(usual, 'R');
        byte[] changed = Files.readAllBytes(word);
        changed[changed.length / 2] ^= 1;
        assertEquals(NOBODY_MINDS, fault(cell, start(usual, Files.write(word, changed)), today));
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aCertificateThatDemandsAWordIsHeldToIt(HostTlsTest.Cell cell) throws Exception {
        CertificateSettings demanding =
                known().issueWithStatus("demanding", today.plus(Duration.ofDays(30)), HOST);
        String status = isAsked(cell) ? "status" : NOBODY_MINDS;
        int port = start(demanding, word(demanding, 'V'));
        assertEquals(NOBODY_MINDS, fault(cell, port, today));
        assertEquals(status, fault(cell, port, today.plus(Duration.ofDays(3))));
        assertEquals(status, fault(cell, start(demanding, null), today));
    }

    /// A session brings no certificate and no word.
    @ParameterizedTest
    @MethodSource("cells")
    void aRefusedHandshakeLeavesNoSession(HostTlsTest.Cell cell) throws Exception {
        if (!isAsked(cell)) {
            return;
        }
        CertificateSettings usual =
                known().issue(
                                "usual",
                                today.plus(Duration.ofDays(30)),
                                KeyPurposeId.id_kp_serverAuth,
                                HOST);
        HostWay way = new HostWay(HostPolicy.verified(known().file(), List.of()), null);
        int port = start(usual, word(usual, 'R'));
        try (HostTls tls = open(cell, way, today)) {
            for (int i = 0; i < 3; i++) {
                assertEquals("revoked", fault(tls, way, cell.version(), port));
            }
        }
    }

    /// For `malote amtp probe`, which looks at everything and believes nobody.
    @ParameterizedTest
    @MethodSource("cells")
    void whoOnlyLooksSeesTheWord(HostTlsTest.Cell cell) throws Exception {
        CertificateSettings usual =
                known().issue(
                                "usual",
                                today.plus(Duration.ofDays(30)),
                                KeyPurposeId.id_kp_serverAuth,
                                HOST);
        HostWay way = new HostWay(HostPolicy.SHOWN, null);
        try (HostTls tls = open(cell, way, today)) {
            HostCertificate shown = shown(tls, way, cell.version(), start(usual, null));
            assertFalse(shown.status().isThere());
            assertNull(shown.distrust(known().file(), today));
            shown = shown(tls, way, cell.version(), start(usual, word(usual, 'R')));
            assertEquals(isAsked(cell), shown.status().isThere());
            String distrust = shown.distrust(known().file(), today);
            assertEquals(
                    isAsked(cell),
                    distrust != null && distrust.contains("its issuer took it back at "),
                    distrust);
        }
    }

    private HostTls open(HostTlsTest.Cell cell, HostWay way, Instant now) throws TlsProblems {
        TlsEnvironment usual = TestCertificates.environment();
        return HostTls.open(
                new HostTlsSettings(
                        TlsSettings.withDefaults(List.of()).withEngine(cell.engine()),
                        List.of(way),
                        List.of()),
                new TlsEnvironment(
                        () -> now,
                        new SecureRandom(),
                        usual.providers(),
                        List.of(),
                        SignatureWatch.NONE));
    }

    private String fault(HostTlsTest.Cell cell, int port, Instant now) throws Exception {
        HostWay way = new HostWay(HostPolicy.verified(known().file(), List.of()), null);
        try (HostTls tls = open(cell, way, now)) {
            return fault(tls, way, cell.version(), port);
        }
    }

    private String fault(HostTls tls, HostWay way, String version, int port) throws Exception {
        SslHandler handler = connect(tls, way, version, port);
        boolean isUp = handler.handshakeFuture().isSuccess();
        close(handler);
        return isUp ? NOBODY_MINDS : HandshakeFault.of(handler.handshakeFuture().cause());
    }

    private HostCertificate shown(HostTls tls, HostWay way, String version, int port)
            throws Exception {
        SslHandler handler = connect(tls, way, version, port);
        assertTrue(handler.handshakeFuture().isSuccess());
        HostCertificate shown = HostTls.certificate(handler);
        close(handler);
        assertNotNull(shown);
        return shown;
    }

    private SslHandler connect(HostTls tls, HostWay way, String version, int port)
            throws Exception {
        List<SslHandler> made = new ArrayList<>();
        Channel channel =
                new Bootstrap()
                        .group(loops)
                        .channel(NioSocketChannel.class)
                        .handler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel fresh) {
                                        SslHandler handler =
                                                tls.handler(fresh.alloc(), way, HOST, port);
                                        handler.engine()
                                                .setEnabledProtocols(new String[] {version});
                                        fresh.pipeline().addLast(handler).addLast(new Silent());
                                        made.add(handler);
                                    }
                                })
                        .connect(InetAddress.getLoopbackAddress(), port)
                        .sync()
                        .channel();
        channels.add(channel);
        SslHandler handler = made.getFirst();
        assertTrue(handler.handshakeFuture().await(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        return handler;
    }

    /// The handshake's future has what went wrong.
    private static final class Silent extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {}
    }

    private void close(SslHandler handler) {
        assertTrue(handler.handshakeFuture().isDone());
        channels.forEach(one -> one.close().syncUninterruptibly());
        channels.clear();
    }

    /// What the issuer says of a certificate, by its index: `V`alid or `R`evoked.
    private Path word(CertificateSettings certificate, char state) throws Exception {
        BigInteger serial =
                PemFile.read(certificate.chain(), "certificate")
                        .certificates()
                        .getFirst()
                        .getSerialNumber();
        String hex = serial.toString(16).toUpperCase(Locale.ROOT);
        Path index =
                Files.writeString(
                        directory.resolve("index.txt"),
                        String.join(
                                        "\t",
                                        String.valueOf(state),
                                        INDEX_TIME.format(today.plus(Duration.ofDays(30))),
                                        state == 'R'
                                                ? INDEX_TIME.format(today.minus(Duration.ofDays(1)))
                                                : "",
                                        hex.length() % 2 == 0 ? hex : "0" + hex,
                                        "unknown",
                                        "/CN=mx")
                                + "\n");
        Path response = directory.resolve("word-" + state + ".der");
        Process openssl =
                new ProcessBuilder(
                                "openssl",
                                "ocsp",
                                "-noverify",
                                "-index",
                                index.toString(),
                                "-CA",
                                known().file().toString(),
                                "-rsigner",
                                known().file().toString(),
                                "-rkey",
                                known().key().toString(),
                                "-issuer",
                                known().file().toString(),
                                "-cert",
                                certificate.chain().toString(),
                                "-ndays",
                                "1",
                                "-respout",
                                response.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("ocsp.log").toFile())
                        .start();
        assertTrue(openssl.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        assertEquals(0, openssl.exitValue(), Files.readString(directory.resolve("ocsp.log")));
        return response;
    }

    /// @param word null for a host that staples nothing
    /// @return its port
    private int start(CertificateSettings own, @Nullable Path word) throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        List<String> command = new ArrayList<>(List.of("timeout", "60"));
        command.addAll(List.of("openssl", "s_server", "-www", "-accept", "127.0.0.1:" + port));
        command.addAll(List.of("-cert", own.chain().toString(), "-key", own.key()));
        if (word != null) {
            command.addAll(List.of("-status_file", word.toString()));
        }
        Path log = log(servers.size());
        Process openssl =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        servers.add(openssl);
        awaitOpen(port, openssl, log);
        return port;
    }

    private Path log(int server) {
        return directory.resolve("server-" + server + ".log");
    }

    private void awaitLog(String words) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
        Path log = log(servers.size() - 1);
        while (!Files.readString(log).contains(words)) {
            assertTrue(System.nanoTime() - deadline < 0, Files.readString(log));
            LockSupport.parkNanos(20_000_000);
        }
    }

    private static void awaitOpen(int port, Process openssl, Path log) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
                return;
            } catch (IOException e) {
                if (System.nanoTime() - deadline > 0 || !openssl.isAlive()) {
                    throw new AssertionError(Files.readString(log), e);
                }
                LockSupport.parkNanos(20_000_000);
            }
        }
    }
}
