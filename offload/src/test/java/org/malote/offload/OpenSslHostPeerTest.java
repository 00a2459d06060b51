package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// OpenSSL's server as a host that must be shown a certificate. Its status page says what it saw:
/// whether it resumed, and whose certificate it has.
@Tag("peers")
final class OpenSslHostPeerTest {
    private static final int WAIT_SECONDS_MAX = 20;
    private static final String HOST = "mx1.isp.example";

    @TempDir private Path directory;
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

    @AfterEach
    void endLoops() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    static List<HostTlsTest.Cell> cells() {
        return HostTlsTest.cells();
    }

    @ParameterizedTest
    @MethodSource("cells")
    void opensslSeesWhoWeAreAndResumes(HostTlsTest.Cell cell) throws Exception {
        TestAuthority known = new TestAuthority(directory, "known");
        CertificateSettings own = known.issue("mx", HOST);
        HostPolicy policy = HostPolicy.verified(known.file(), List.of());
        HostWay asOne = new HostWay(policy, "one");
        HostWay asTwo = new HostWay(policy, "two");
        HostWay asNobody = new HostWay(policy, null);
        HostWay named =
                new HostWay(HostPolicy.verified(known.file(), List.of("mx.other.example")), "one");
        HostTlsSettings settings =
                new HostTlsSettings(
                        TlsSettings.withDefaults(List.of()).withEngine(cell.engine()),
                        List.of(asOne, asTwo, asNobody, named),
                        List.of(
                                identity("one", known.issue("out1", "out1.example")),
                                identity("two", known.issue("out2", "out2.example"))));
        int port = freePort();
        Process openssl = start(port, own, known.file());
        try (HostTls tls = HostTls.open(settings, TestCertificates.environment())) {
            awaitOpen(port, openssl);
            for (String begin : List.of("New", "Reused")) {
                assertSeen(begin, "out1", page(tls, asOne, cell.version(), port));
                assertSeen(begin, "out2", page(tls, asTwo, cell.version(), port));
            }
            assertEquals("alert", fault(tls, asNobody, cell.version(), port));
            assertEquals("name", fault(tls, named, cell.version(), port));
            assertSeen("Reused", "out1", page(tls, asOne, cell.version(), port));
        } finally {
            openssl.destroy();
            assertTrue(openssl.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        }
    }

    private static HostIdentity identity(String name, CertificateSettings certificate) {
        return new HostIdentity(name, List.of(certificate));
    }

    private static void assertSeen(String begin, String name, String page) {
        assertTrue(page.contains("\n" + begin + ", TLSv1."), page);
        assertTrue(page.contains("CN=" + name) || page.contains("CN = " + name), page);
    }

    private String fault(HostTls tls, HostWay way, String version, int port) {
        ExecutionException failure =
                assertThrows(ExecutionException.class, () -> page(tls, way, version, port));
        Throwable cause = failure.getCause();
        String fault = HandshakeFault.of(cause);
        assertTrue(!fault.equals("protocol"), () -> String.valueOf(cause));
        return fault;
    }

    private String page(HostTls tls, HostWay way, String version, int port) throws Exception {
        CompletableFuture<String> page = new CompletableFuture<>();
        new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .handler(
                        new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                SslHandler handler = tls.handler(channel.alloc(), way, HOST, port);
                                handler.engine().setEnabledProtocols(new String[] {version});
                                channel.pipeline().addLast(handler).addLast(new Reader(page));
                            }
                        })
                .connect(InetAddress.getLoopbackAddress(), port)
                .addListener(
                        connected -> {
                            if (!connected.isSuccess()) {
                                page.completeExceptionally(connected.cause());
                            }
                        });
        return page.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
    }

    private static final class Reader extends SimpleChannelInboundHandler<ByteBuf> {
        private final CompletableFuture<String> page;
        private final StringBuilder text = new StringBuilder();

        Reader(CompletableFuture<String> page) {
            this.page = page;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            var _ =
                    context.writeAndFlush(
                            ByteBufUtil.writeAscii(context.alloc(), "GET / HTTP/1.0\r\n\r\n"));
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf bytes) {
            text.append(bytes.toString(StandardCharsets.UTF_8));
            if (text.indexOf("</HTML>") >= 0) {
                page.complete(text.toString());
                var _ = context.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            page.completeExceptionally(cause);
            var _ = context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            page.complete(text.toString());
        }
    }

    private Process start(int port, CertificateSettings own, Path authorities) throws IOException {
        List<String> command = new ArrayList<>(List.of("timeout", "60"));
        command.addAll(List.of("openssl", "s_server", "-www", "-accept", "127.0.0.1:" + port));
        command.addAll(List.of("-cert", own.chain().toString(), "-key", own.key()));
        command.addAll(List.of("-Verify", "3", "-CAfile", authorities.toString()));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("openssl.log").toFile())
                .start();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void awaitOpen(int port, Process openssl) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
                return;
            } catch (IOException e) {
                if (System.nanoTime() - deadline > 0 || !openssl.isAlive()) {
                    throw new AssertionError(Files.readString(directory.resolve("openssl.log")), e);
                }
                LockSupport.parkNanos(20_000_000);
            }
        }
    }
}
