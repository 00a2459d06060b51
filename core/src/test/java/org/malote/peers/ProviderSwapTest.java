package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsSettings;

/// SIGHUP exchanges the keys' provider of the whole server while senders come and go over STARTTLS,
/// new ones and such that resume, by both versions.
@Tag("peers")
@Timeout(300)
final class ProviderSwapTest {
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final String PIN = "1234";
    private static final String MODULE =
            Files.exists(Path.of("/usr/lib/softhsm/libsofthsm2.so"))
                    ? "/usr/lib/softhsm/libsofthsm2.so"
                    : "/usr/lib64/softhsm/libsofthsm.so";

    /// Of each sender, with each provider.
    private static final int SESSIONS = 20;

    @Test
    void noConnectionAndNoSessionIsLost() throws Exception {
        try (Folder folder = Folder.create()) {
            Certificate certificate = Certificate.make(folder);
            Path tokens = token(folder, certificate);
            int admin = Ports.free();
            Toml toml = Toml.withoutRelay(folder, certificate, "");
            String inFile =
                    toml.text().replace("enabled = false", "address = \"127.0.0.1:" + admin + "\"");
            String onToken =
                    inFile.replace(
                            "key = \"" + certificate.key() + "\"",
                            "key = \"pkcs11:token=mx;object=mx?module-path=%s&pin-source=file:%s\""
                                    .formatted(MODULE, folder.path().resolve("pin")));
            try (MaloteServer server =
                            MaloteServer.startBy(
                                    List.of("env", "SOFTHSM2_CONF=" + tokens), folder, inFile);
                    Crowd senders = new Crowd(toml.port())) {
                senders.await("native");
                int reloads = 0;
                for (Swap swap :
                        List.of(
                                new Swap("pkcs11", onToken),
                                new Swap(
                                        "libcrypto",
                                        inFile.replace(
                                                "[tls]\n", "[tls]\nprovider = \"libcrypto\"\n")),
                                new Swap("native", inFile))) {
                    folder.write("malote.toml", swap.toml());
                    hangUp(server, folder);
                    int expected = ++reloads;
                    Await.until(LIMIT, () -> reloads(server) == expected, server::log);
                    double before = full(admin, swap.provider());
                    senders.await(swap.provider());
                    assertTrue(full(admin, swap.provider()) > before, swap.provider());
                }
                senders.assertUnharmed();
                String meters = scrape(admin);
                for (String gauge :
                        List.of(
                                "malote_tls_certificate_seconds 2[0-9.E]+",
                                "malote_tls_keys_well 1.0",
                                "malote_network_tickets_off 0.0")) {
                    assertTrue(
                            Pattern.compile("^" + gauge + "$", Pattern.MULTILINE)
                                    .matcher(meters)
                                    .find(),
                            meters);
                }
            }
        }
    }

    private record Swap(String provider, String toml) {}

    /// A token with the certificate's key.
    ///
    /// @return the configuration of SoftHSM
    private static Path token(Folder folder, Certificate certificate) throws IOException {
        Path pin = folder.write("pin", PIN + "\n");
        Files.setPosixFilePermissions(pin, PosixFilePermissions.fromString("rw-------"));
        Path configuration =
                folder.write(
                        "softhsm2.conf",
                        "directories.tokendir = %s%nobjectstore.backend = file%nlog.level = ERROR%n"
                                .formatted(folder.sub("tokens")));
        List<String> util = List.of("env", "SOFTHSM2_CONF=" + configuration, "softhsm2-util");
        run(folder, util, "--init-token", "--free", "--label", "mx", "--so-pin", "5678");
        run(
                folder,
                util,
                "--import",
                certificate.key().toString(),
                "--token",
                "mx",
                "--label",
                "mx",
                "--id",
                "01");
        return configuration;
    }

    private static void run(Folder folder, List<String> program, String... options) {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of(options));
        command.addAll(List.of("--pin", PIN));
        Child.run("softhsm", folder.path(), LIMIT, command);
    }

    private static void hangUp(MaloteServer server, Folder folder) {
        Child.run(
                "kill",
                folder.path(),
                LIMIT,
                List.of("kill", "-HUP", String.valueOf(server.pid())));
    }

    private static int reloads(MaloteServer server) {
        return server.log().split("reload: certificates were read again", -1).length - 1;
    }

    /// Full handshakes of peers for which this provider signed.
    private static double full(int admin, String provider) {
        return scrape(admin)
                .lines()
                .filter(
                        line ->
                                line.startsWith("malote_handshake_seconds_count")
                                        && line.contains("provider=\"" + provider + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static String scrape(int admin) {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                            HttpRequest.newBuilder(
                                            URI.create("http://127.0.0.1:" + admin + "/metrics"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// Four senders, each with one connection after the other.
    private static final class Crowd implements AutoCloseable {
        private final EventLoopGroup loop =
                new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        private final TlsContexts tls;
        private final int port;
        private final Queue<String> failures = new ConcurrentLinkedQueue<>();
        private final List<Sender> senders = new ArrayList<>();
        private volatile boolean isEnding;

        Crowd(int port) throws Exception {
            this.port = port;
            this.tls =
                    TlsContexts.open(
                            TlsSettings.withDefaults(List.of()),
                            new TlsEnvironment(InstantSource.system(), new SecureRandom()));
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                senders.add(new Sender(version, false));
                senders.add(new Sender(version, true));
            }
            senders.forEach(Sender::next);
        }

        /// Until each has had its sessions from now on.
        void await(String provider) {
            List<Integer> before = senders.stream().map(sender -> sender.ended.get()).toList();
            Await.until(
                    LIMIT,
                    () -> {
                        for (int i = 0; i < before.size(); i++) {
                            if (senders.get(i).ended.get() < before.get(i) + SESSIONS) {
                                return !failures.isEmpty();
                            }
                        }
                        return true;
                    },
                    () -> provider + ": " + senders);
            assertEquals(List.of(), List.copyOf(failures), provider);
        }

        /// Only the first session of those that resume was a new one.
        void assertUnharmed() {
            isEnding = true;
            assertEquals(List.of(), List.copyOf(failures));
            for (Sender sender : senders) {
                int full = sender.full.get();
                assertTrue(sender.isResuming ? full == 1 : full > 3 * SESSIONS, senders.toString());
            }
        }

        @Override
        public void close() {
            isEnding = true;
            loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
            tls.close();
        }

        private final class Sender {
            private final String version;
            private final boolean isResuming;
            private final AtomicInteger started = new AtomicInteger();
            private final AtomicInteger ended = new AtomicInteger();
            private final AtomicInteger full = new AtomicInteger();

            Sender(String version, boolean isResuming) {
                this.version = version;
                this.isResuming = isResuming;
            }

            void next() {
                if (isEnding) {
                    return;
                }
                int number = started.incrementAndGet();
                // Sessions are kept by name: who always has another one is always new.
                String host = version + (isResuming ? ".test" : "-" + number + ".test");
                var _ =
                        new Bootstrap()
                                .group(loop)
                                .channel(NioSocketChannel.class)
                                .handler(
                                        new ChannelInitializer<SocketChannel>() {
                                            @Override
                                            protected void initChannel(SocketChannel channel) {
                                                channel.pipeline()
                                                        .addLast(
                                                                new LineBasedFrameDecoder(2048),
                                                                new StringDecoder(
                                                                        StandardCharsets
                                                                                .ISO_8859_1),
                                                                new Dialogue(Sender.this, host));
                                            }
                                        })
                                .connect("127.0.0.1", port)
                                .addListener(
                                        connected -> {
                                            if (!connected.isSuccess()) {
                                                fail(String.valueOf(connected.cause()));
                                            }
                                        });
            }

            void fail(String reason) {
                if (!isEnding) {
                    failures.add(version + (isResuming ? " resuming: " : ": ") + reason);
                }
            }

            @Override
            public String toString() {
                return version + (isResuming ? " resuming" : "") + " " + ended + ", full " + full;
            }
        }

        /// What is said next, by the number of whole replies that have come.
        private final class Dialogue extends SimpleChannelInboundHandler<String> {
            private final Sender sender;
            private final String host;
            private int replies;
            private String last = "nothing";

            Dialogue(Sender sender, String host) {
                this.sender = sender;
                this.host = host;
            }

            @Override
            protected void channelRead0(ChannelHandlerContext ctx, String line) {
                last = line;
                if (line.length() > 3 && line.charAt(3) == '-') {
                    return;
                }
                if (!line.startsWith("2")) {
                    var _ = ctx.close();
                    return;
                }
                switch (++replies) {
                    case 1 -> say(ctx, "EHLO peer.test");
                    case 2 -> say(ctx, "STARTTLS");
                    case 3 -> secure(ctx);
                    case 4 -> say(ctx, "QUIT");
                    default -> {
                        var _ = ctx.close();
                    }
                }
            }

            private void secure(ChannelHandlerContext ctx) {
                SslHandler handler = tls.clientHandler(ctx.alloc(), host, port);
                handler.engine().setEnabledProtocols(new String[] {sender.version});
                ctx.pipeline().addFirst(handler);
                var _ =
                        handler.handshakeFuture()
                                .addListener(
                                        done -> {
                                            if (!done.isSuccess()) {
                                                last = String.valueOf(done.cause());
                                                var _ = ctx.close();
                                                return;
                                            }
                                            if (!TlsContexts.summary(handler).resumed()) {
                                                sender.full.incrementAndGet();
                                            }
                                            say(ctx, "EHLO peer.test");
                                        });
            }

            @Override
            public void channelInactive(ChannelHandlerContext ctx) {
                if (replies == 5) {
                    sender.ended.incrementAndGet();
                    sender.next();
                } else {
                    sender.fail("closed after " + last);
                }
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                last = String.valueOf(cause);
                var _ = ctx.close();
            }

            private static void say(ChannelHandlerContext ctx, String line) {
                var _ =
                        ctx.writeAndFlush(
                                Unpooled.copiedBuffer(line + "\r\n", StandardCharsets.US_ASCII));
            }
        }
    }
}
