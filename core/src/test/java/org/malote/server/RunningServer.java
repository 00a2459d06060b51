package org.malote.server;

import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.malote.accept.Acceptance;
import org.malote.accept.TrustSettings;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.CommonNames;
import org.malote.amtp.Dial;
import org.malote.amtp.Hops;
import org.malote.amtp.IdentitySettings;
import org.malote.amtp.Observations;
import org.malote.amtp.ReverseRule;
import org.malote.amtp.ScriptedHops;
import org.malote.auth.AuthEnvironment;
import org.malote.auth.AuthSettings;
import org.malote.auth.Authenticator;
import org.malote.auth.Users;
import org.malote.offload.CertificateSettings;
import org.malote.offload.OffloadProviders;
import org.malote.offload.SelfSigned;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.malote.policy.Network;
import org.malote.queue.MailQueue;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueSettings;
import org.malote.session.SessionLimits;
import org.malote.smtp.DomainName;
import org.malote.telemetry.Meters;
import org.malote.telemetry.SessionLog;

/// The production server on loopback sockets, with a self-signed certificate and a policy that
/// takes everything, and the client side that the tests speak from.
final class RunningServer implements AutoCloseable {
    static final int PATIENCE_MILLIS = 20_000;

    final MailQueue queue;
    final InboundServer server;
    final TicketPolicy tickets =
            new TicketPolicy(SenderNetworks.none(TicketUse.AUTO), System::nanoTime);
    volatile CodeSettings codes = CodeSettings.defaults();
    /// Finds out who peers are; a test may say how before it connects.
    volatile Hops hops =
            new ScriptedHops(false, null, null, "public", "none", List.of(), CommonNames.NEVER);

    final Meters meters = new Meters();
    private final TlsContexts tls;
    private final MultiThreadIoEventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Map<String, InetSocketAddress> bound;
    private final List<Client> opened = new ArrayList<>();

    RunningServer(Path folder, SessionLimits limits) throws IOException, TlsProblems {
        this(
                folder,
                limits,
                OffloadProviders.inProcess(),
                own -> TlsSettings.withDefaults(List.of(own)));
    }

    /// @param settings of TLS, from the certificate that was made
    RunningServer(
            Path folder,
            SessionLimits limits,
            OffloadProviders providers,
            Function<CertificateSettings, TlsSettings> settings)
            throws IOException, TlsProblems {
        queue =
                MailQueue.open(
                        QueueSettings.standard(folder.resolve("spool")),
                        new QueueEnvironment(
                                InstantSource.system(),
                                System::nanoTime,
                                new Random(1),
                                Executors.defaultThreadFactory(),
                                Runnable::run,
                                (_, _) -> {}));
        CertificateSettings certificate =
                SelfSigned.ensure(
                        folder.resolve("keys"),
                        "mx.example",
                        InstantSource.system(),
                        new SecureRandom());
        tls =
                TlsContexts.open(
                        settings.apply(certificate),
                        new TlsEnvironment(
                                InstantSource.system(),
                                new SecureRandom(),
                                providers,
                                List.of("smtp"),
                                SignatureWatch.NONE));
        server =
                new InboundServer(
                        new Reception(
                                new DomainName("mx.example"),
                                limits,
                                ScriptedPolicy::new,
                                new Acceptance(
                                        queue,
                                        InstantSource.system(),
                                        () -> TrustSettings.defaults("mx.example").at(false)),
                                () -> tls,
                                tickets,
                                () -> codes,
                                nobody(),
                                (listener, identity, peer) -> hops.begin(listener, identity, peer),
                                _ -> false,
                                new Observations(InstantSource.system()),
                                new SessionLog(),
                                meters),
                        loops,
                        loops,
                        NioServerSocketChannel.class,
                        new Random(2));
        List<Network> loopback = List.of(Network.parse("127.0.0.0/8"));
        List<Network> elsewhere = List.of(Network.parse("192.0.2.0/24"));
        bound =
                server.start(
                        List.of(
                                listener("plain", TlsMode.NONE, List.of()),
                                listener("coded", TlsMode.STARTTLS, Dial.ENFORCE, List.of()),
                                listener("starttls", TlsMode.STARTTLS, List.of()),
                                listener("implicit", TlsMode.IMPLICIT, List.of()),
                                new ListenerSettings(
                                        "users",
                                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                                        Profile.SUBMISSION,
                                        TlsMode.STARTTLS,
                                        Dial.OFF,
                                        List.of()),
                                amtp("amtp", Profile.AMTP_PUBLIC, List.of()),
                                amtp("members", Profile.AMTP_PRIVATE, List.of()),
                                amtp("proxied-amtp", Profile.AMTP_PUBLIC, loopback),
                                watching(),
                                listener("proxied", TlsMode.NONE, loopback),
                                listener("proxied-implicit", TlsMode.IMPLICIT, loopback),
                                listener("proxied-elsewhere", TlsMode.NONE, elsewhere)));
    }

    /// Of a server without users.
    private static Authenticator nobody() {
        return new Authenticator(
                AuthSettings::defaults,
                () -> Users.NONE,
                _ -> false,
                new AuthEnvironment(
                        Runnable::run, (_, task) -> task.run(), System::nanoTime, new Random(3)));
    }

    private static ListenerSettings listener(String name, TlsMode tls, List<Network> proxies) {
        return listener(name, tls, Dial.OFF, proxies);
    }

    private static ListenerSettings listener(
            String name, TlsMode tls, Dial codes, List<Network> proxies) {
        return new ListenerSettings(
                name,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Profile.MX,
                tls,
                codes,
                proxies);
    }

    private static ListenerSettings amtp(String name, Profile profile, List<Network> proxies) {
        return new ListenerSettings(
                name,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                profile,
                TlsMode.IMPLICIT,
                Dial.OFF,
                new IdentitySettings(
                        Dial.ENFORCE,
                        List.of(),
                        false,
                        profile == Profile.AMTP_PRIVATE ? ReverseRule.UNASKED : ReverseRule.FCRDNS),
                proxies);
    }

    /// One for SMTP, with STARTTLS.
    private static ListenerSettings watching() {
        return new ListenerSettings(
                "watching",
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Profile.MX,
                TlsMode.STARTTLS,
                Dial.OFF,
                new IdentitySettings(Dial.OBSERVE, List.of(), false, ReverseRule.FCRDNS),
                List.of());
    }

    Client connect(String listener) throws IOException {
        InetSocketAddress address = Objects.requireNonNull(bound.get(listener));
        Client client = new Client(new Socket(address.getAddress(), address.getPort()));
        opened.add(client);
        return client;
    }

    Client connectImplicit() throws IOException {
        Client client = connect("implicit");
        client.startTls();
        return client;
    }

    @Override
    public void close() throws IOException {
        for (Client client : opened) {
            client.close();
        }
        server.close();
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        queue.close();
        tls.close();
    }

    /// One connection to the server.
    static final class Client implements AutoCloseable {
        private Socket socket;
        private BufferedReader replies;

        Client(Socket socket) throws IOException {
            this.socket = socket;
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.setTcpNoDelay(true);
            replies = reader(socket);
        }

        private static BufferedReader reader(Socket socket) throws IOException {
            return new BufferedReader(
                    new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        }

        void startTls() throws IOException {
            startTls(context(null));
        }

        /// One that shows a certificate of these keys; who has the same context resumes.
        static SSLContext context(KeyManager @Nullable [] keys) {
            try {
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(keys, new TrustManager[] {new Anyone()}, null);
                return context;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        void startTls(SSLContext context) throws IOException {
            SSLSocket secured =
                    (SSLSocket)
                            context.getSocketFactory().createSocket(socket, "mx.example", 25, true);
            secured.startHandshake();
            socket = secured;
            replies = reader(secured);
        }

        Client send(String octets) throws IOException {
            socket.getOutputStream().write(octets.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            return this;
        }

        /// Sends octets in the escapes of [Transcript].
        void sendOctets(String escaped) throws IOException {
            socket.getOutputStream().write(Transcript.unescape(escaped));
            socket.getOutputStream().flush();
        }

        /// The last line of the next reply, or `closed`.
        String reply() throws IOException {
            while (true) {
                String line;
                try {
                    line = replies.readLine();
                } catch (SocketException | SSLException e) {
                    return "closed";
                }
                if (line == null) {
                    return "closed";
                }
                if (line.length() < 4 || line.charAt(3) != '-') {
                    return line;
                }
            }
        }

        String ask(String line) throws IOException {
            return send(line + "\r\n").reply();
        }

        Socket socket() {
            return socket;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static final class Anyone implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
