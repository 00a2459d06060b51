package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.malote.dns.ScriptedDnsServer;
import org.malote.offload.CertificateSettings;
import org.malote.offload.SelfSigned;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

@Timeout(60)
final class AmtpProbeTest {
    @TempDir Path directory;

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private String hello = "250-localhost\r\n250 MPC DENY=*/optout DENY=pol/*";

    private CertificateSettings certificate(String name) throws Exception {
        return SelfSigned.ensure(
                directory.resolve(name), name, Clock.systemUTC(), new SecureRandom());
    }

    /// A host that speaks with one client, who must have a certificate.
    private ServerSocket host(CertificateSettings own) throws Exception {
        SSLContext context =
                ((JdkSslContext)
                                SslContextBuilder.forServer(
                                                own.chain().toFile(), Path.of(own.key()).toFile())
                                        .sslProvider(SslProvider.JDK)
                                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                                        .build())
                        .context();
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var _ =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try (SSLSocket socket =
                                            (SSLSocket)
                                                    context.getSocketFactory()
                                                            .createSocket(
                                                                    server.accept(), null, true)) {
                                        socket.setNeedClientAuth(true);
                                        converse(socket);
                                    } catch (IOException e) {
                                        heard.add("lost: " + e.getMessage());
                                    }
                                });
        return server;
    }

    private void converse(SSLSocket socket) throws IOException {
        heard.add(socket.getSession().getPeerPrincipal().getName());
        BufferedReader in =
                new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        say(socket, "220 localhost AMTP");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            heard.add(line);
            say(socket, line.startsWith("EHLO") ? hello : "221 bye");
        }
    }

    private static void say(SSLSocket socket, String reply) throws IOException {
        socket.getOutputStream().write((reply + "\r\n").getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    private String probe(String name, String host, int port) throws Exception {
        return probe(name, host + ":" + port, "");
    }

    private String probe(String name, String target, String more) throws Exception {
        CertificateSettings own = certificate("out1.isp.example");
        CertificateSettings theirs = certificate(name);
        Path file =
                Files.writeString(
                        directory.resolve("malote.toml"),
                        """
                        hostname = "mx1.isp.example"
                        [[source]]
                        name = "out1"
                        addresses = ["127.0.0.1"]
                        hostname = "out1.isp.example"
                        certificates = [{ chain = "%s", key = "%s" }]
                        [amtp]
                        source = "out1"
                        authorities = "%s"
                        %s
                        """
                                .formatted(own.chain(), own.key(), theirs.chain(), more));
        TestScreen screen = new TestScreen(Clock.systemUTC());
        int status = screen.run("amtp", "probe", target, "--config", file.toString());
        return status + " " + screen.out() + screen.err();
    }

    private static void assertSays(String line, String output) {
        assertTrue(output.lines().anyMatch(one -> one.matches(line)), line + "\n" + output);
    }

    @Test
    void saysStepByStepThatEverythingMatches() throws Exception {
        try (ServerSocket server = host(certificate("localhost"))) {
            String output = probe("localhost", "localhost", server.getLocalPort());
            assertEquals('0', output.charAt(0), output);
            assertSays(
                    "0 ok +ours +the certificate .* is for out1.isp.example, the name in EHLO; .*",
                    output);
            assertSays("ok +ours +127.0.0.1 is a private address: .*", output);
            assertSays("ok +TCP +127.0.0.1 port [0-9]+ from 127.0.0.1", output);
            assertSays("ok +TLS +TLSv1.3/.*", output);
            assertSays("ok +certificate +for localhost.*; wanted localhost", output);
            assertSays("ok +chain +issued by .*", output);
            assertSays("ok +greeting +220 localhost AMTP", output);
            assertSays("ok +EHLO +250 localhost \\| MPC DENY=\\*/optout DENY=pol/\\*", output);
            assertSays("ok +policy +the host denies per/optout, .*pol/confirmed.*", output);
            assertSays(
                    " +may be sent +per: individual autoresponse customer optin confirmed", output);
            assertSays(" +may be sent +pol: nothing", output);
            assertSays(" +may be sent +mpc: individual", output);
            assertSays("everything matches", output);
            assertEquals("CN=out1.isp.example", heard.getFirst());
            assertEquals("EHLO out1.isp.example", heard.get(1));
        }
    }

    @Test
    void saysWhatDoesNotMatch() throws Exception {
        hello = "504 Authentication failed";
        try (ServerSocket server = host(certificate("other.example"))) {
            String output = probe("third.example", "127.0.0.1", server.getLocalPort());
            assertEquals('1', output.charAt(0), output);
            assertSays("FAILS +certificate +for other.example.*; wanted 127.0.0.1", output);
            assertSays("FAILS +chain +issued by .*not believed.*", output);
            assertSays("FAILS +EHLO +504 Authentication failed \\(it does not accept.*", output);
            assertSays("not everything matches", output);
        }
    }

    /// The first target is down, the second answers, and the third is for when it does not.
    @Test
    void theTargetsOfADomainAreTriedInOrderUntilOneAnswers() throws Exception {
        int closed;
        try (ServerSocket gone = new ServerSocket(0)) {
            closed = gone.getLocalPort();
        }
        try (ServerSocket server = host(certificate("mx2.peer.example"));
                ScriptedDnsServer dns =
                        ScriptedDnsServer.start(
                                (query, _) ->
                                        List.of(
                                                answer(query, closed, server.getLocalPort())
                                                        .toWire()))) {
            String output =
                    probe(
                            "mx2.peer.example",
                            "peer.example",
                            "[dns]\nservers = [\"127.0.0.1:" + dns.address().getPort() + "\"]");
            assertEquals('1', output.charAt(0), output);
            List<String> said =
                    output.lines()
                            .filter(line -> line.matches("(ok|FAILS)? +(target|TCP|greeting) .*"))
                            .map(line -> line.replaceAll("port [0-9]+|:[0-9]+", "*"))
                            .map(line -> line.replaceAll(" +", " ").strip())
                            .toList();
            assertEquals(6, said.size(), output);
            assertEquals("target 1 of 3: mx1.peer.example*", said.get(0));
            assertTrue(said.get(1).startsWith("FAILS TCP 127.0.0.1 * from 127.0.0.1"), output);
            assertEquals("target 2 of 3: mx2.peer.example*", said.get(2));
            assertEquals("ok TCP 127.0.0.1 * from 127.0.0.1", said.get(3));
            assertEquals("ok greeting 220 localhost AMTP", said.get(4));
            assertEquals("target mx3.peer.example* was not tried: this one answered", said.get(5));
            assertSays(
                    "ok +certificate +for mx2.peer.example.*; wanted mx2.peer.example or"
                            + " peer.example",
                    output);
        }
    }

    private static Message answer(Message query, int closed, int open) throws IOException {
        String name = query.getQuestion().getName().toString();
        if (query.getQuestion().getType() == Type.SRV) {
            return ScriptedDnsServer.reply(
                    query,
                    Rcode.NOERROR,
                    name + " 300 SRV 30 0 " + open + " mx3.peer.example.",
                    name + " 300 SRV 10 0 " + closed + " mx1.peer.example.",
                    name + " 300 SRV 20 0 " + open + " mx2.peer.example.");
        }
        return query.getQuestion().getType() == Type.A
                ? ScriptedDnsServer.reply(query, Rcode.NOERROR, name + " 300 A 127.0.0.1")
                : ScriptedDnsServer.reply(query, Rcode.NOERROR);
    }

    @Test
    void aHostThatIsNotThereIsNamed() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0)) {
            port = closed.getLocalPort();
        }
        String output = probe("localhost", "127.0.0.1", port);
        assertEquals('1', output.charAt(0), output);
        assertSays("FAILS +TCP +127.0.0.1 port " + port + " from 127.0.0.1: .*refused.*", output);
    }
}
