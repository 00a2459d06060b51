package org.malote.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.ForeignHeaders;
import org.malote.amtp.PolicyDeclaration;
import org.malote.amtp.PolicyDeclaration.Keyword;
import org.malote.amtp.PolicyDeclarations;
import org.malote.server.RunningServer.Client;
import org.malote.session.SessionLimits;
import org.slf4j.LoggerFactory;

/// What needs real sockets: TLS, the PROXY protocol, synchronisation, limits over sessions, and the
/// drain.
final class InboundServerTest {
    private static final String GREETING = "220 mx.example ESMTP Malote";
    private static final String TOOK_OFF = "554 5.5.0 you did not wait for my reply; closing";

    @TempDir Path folder;
    private RunningServer running;

    @BeforeEach
    void start() throws Exception {
        running = new RunningServer(folder, SessionLimits.defaults());
    }

    @AfterEach
    void stop() throws Exception {
        running.close();
    }

    /// RFC 3207: the session starts over inside TLS.
    @Test
    void takesMailInsideStartTls() throws IOException {
        Client client = running.connect("starttls");
        assertEquals(GREETING, client.reply());
        assertEquals("250 LIMITS MAILMAX=1000 RCPTMAX=1000", client.ask("EHLO a.example"));
        assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
        client.startTls();
        assertEquals("503 5.5.1 send EHLO or HELO first", client.ask("MAIL FROM:<a@a.example>"));
        takeMail(client);
        assertEquals("503 5.5.1 TLS is active already", client.ask("STARTTLS"));
        assertEquals("221 2.0.0 bye", client.ask("QUIT"));
        assertEquals("closed", client.reply());
        assertEquals(1, running.queue.stats().messages());
    }

    /// With or without a message, and though the peer never said a word inside of it.
    @Test
    void theLogTellsOfEachSessionWhatProtectedIt() throws Exception {
        BlockingQueue<String> ended = new LinkedBlockingQueue<>();
        AppenderBase<ILoggingEvent> appender =
                new AppenderBase<>() {
                    @Override
                    protected void append(ILoggingEvent event) {
                        if (event.getMessage().equals("closed")) {
                            event.getKeyValuePairs().stream()
                                    .filter(pair -> pair.key.equals("tls"))
                                    .forEach(pair -> ended.add(String.valueOf(pair.value)));
                        }
                    }
                };
        Logger logger = (Logger) LoggerFactory.getLogger("malote.session");
        Level before = logger.getLevel();
        logger.setLevel(Level.INFO);
        appender.start();
        logger.addAppender(appender);
        try {
            try (Client client = running.connect("starttls")) {
                assertEquals(GREETING, client.reply());
            }
            assertEquals("none", ended.poll(20, TimeUnit.SECONDS));
            try (Client client = running.connectImplicit()) {
                assertEquals(GREETING, client.reply());
            }
            String tls = String.valueOf(ended.poll(20, TimeUnit.SECONDS));
            assertTrue(tls.startsWith("TLSv1.3/TLS_AES_"), tls);
        } finally {
            logger.detachAppender(appender);
            logger.setLevel(before);
        }
    }

    /// Which codes are taken can change while sessions run: who connects then is told the new ones,
    /// in the clear and inside TLS.
    @Test
    void aConnectionIsToldTheCodesOfItsBeginning() throws IOException {
        Client before = running.connect("coded");
        assertEquals(GREETING, before.reply());
        running.codes =
                new CodeSettings(
                        new PolicyDeclarations(
                                List.of(new PolicyDeclaration(Keyword.DENY, "com", "*"))),
                        Map.of(),
                        Map.of(),
                        false,
                        ForeignHeaders.REFUSE);
        Client after = running.connect("coded");
        assertEquals(GREETING, after.reply());
        assertEquals("250 XMPC ALLOW=*/*", before.ask("EHLO a.example"));
        assertEquals("250 XMPC DENY=com/*", after.ask("EHLO a.example"));
        assertEquals("220 2.0.0 ready to start TLS", after.ask("STARTTLS"));
        after.startTls();
        assertEquals("250 XMPC DENY=com/*", after.ask("EHLO a.example"));
    }

    @Test
    void takesMailInsideImplicitTls() throws IOException {
        Client client = running.connectImplicit();
        assertEquals(GREETING, client.reply());
        takeMail(client);
        assertEquals(1, running.queue.stats().messages());
    }

    /// Nothing is held against a network whose connections we end.
    @Test
    void whoIsSentAwayRightAfterTicketsKeepsThem() throws Exception {
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < TicketPolicy.ENDED_MAX; i++) {
            Client client = running.connectImplicit();
            assertEquals(GREETING, client.reply());
            clients.add(client);
        }
        running.server.drain(Duration.ofSeconds(15));
        for (Client client : clients) {
            assertEquals("421 4.3.2 shutting down; try again later", client.reply());
        }
        await(() -> running.server.sessions() == 0);
        assertTrue(running.tickets.gives(InetAddress.getLoopbackAddress()));
    }

    /// Some senders break at a ticket: once that shows, their network gets none.
    @Test
    void aNetworkThatLeavesRightAfterTicketsGetsNone() throws Exception {
        InetAddress here = InetAddress.getLoopbackAddress();
        for (int i = 0; i < TicketPolicy.ENDED_MAX; i++) {
            assertTrue(running.tickets.gives(here));
            Client client = running.connect("starttls");
            assertEquals(GREETING, client.reply());
            assertTrue(client.ask("EHLO a.example").startsWith("250 "));
            assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
            client.startTls();
            client.close();
            int ended = i + 1;
            await(() -> running.tickets.gives(here) == (ended < TicketPolicy.ENDED_MAX));
            await(() -> running.server.sessions() == 0);
        }
        assertEquals(1, running.tickets.networksOff());
        Client client = running.connect("starttls");
        assertEquals(GREETING, client.reply());
        assertTrue(client.ask("EHLO a.example").startsWith("250 "));
        assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
        client.startTls();
        takeMail(client);
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        for (int waited = 0; !condition.getAsBoolean(); waited += 10) {
            assertTrue(waited < RunningServer.PATIENCE_MILLIS, "waited in vain");
            Thread.sleep(10);
        }
    }

    private static void takeMail(Client client) throws IOException {
        assertTrue(client.ask("EHLO a.example").startsWith("250 "));
        assertEquals("250 2.1.0 sender OK", client.ask("MAIL FROM:<a@a.example>"));
        assertEquals("250 2.1.5 recipient OK", client.ask("RCPT TO:<b@b.example>"));
        assertEquals("354 end with <CRLF>.<CRLF>", client.ask("DATA"));
        assertTrue(client.ask("x\r\n.").startsWith("250 2.0.0 queued as "));
    }

    /// RFC 4954 §4: the reply to AUTH and to a response says what the next octets are.
    @Test
    void octetsBehindAnAuthenticationEndTheSession() throws IOException {
        for (String early :
                List.of("AUTH PLAIN\r\nAGEAYg==\r\n", "AUTH PLAIN AGEAYg==\r\nRSET\r\n")) {
            Client client = user();
            client.send(early);
            assertEquals("554 5.5.0 you did not wait for my reply; closing", client.reply());
            assertEquals("closed", client.reply());
        }
        Client client = user();
        assertEquals("334 ", client.ask("AUTH PLAIN"));
        client.send("AGEAYg==\r\nMAIL FROM:<a@a.example>\r\n");
        assertEquals("554 5.5.0 you did not wait for my reply; closing", client.reply());
        assertEquals("closed", client.reply());
    }

    /// A response that was sent for a command is none, and a command for a response neither.
    @Test
    void aSessionThatEndsInAnAuthenticationIsOver() throws Exception {
        Client client = user();
        assertEquals("334 ", client.ask("AUTH SCRAM-SHA-256"));
        client.close();
        await(() -> running.server.sessions() == 0);
        Client told = user();
        assertEquals("334 ", told.ask("AUTH PLAIN"));
        running.server.drain(Duration.ofMillis(1));
        assertEquals("421 4.3.2 shutting down; try again later", told.reply());
    }

    /// In TLS at the listener for users, nobody known.
    private Client user() throws IOException {
        Client client = running.connect("users");
        assertEquals(GREETING, client.reply());
        assertTrue(client.ask("EHLO a.example").startsWith("250 "));
        assertEquals("530 5.7.0 send STARTTLS first", client.ask("MAIL FROM:<a@a.example>"));
        assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
        client.startTls();
        assertTrue(client.ask("EHLO a.example").startsWith("250 "));
        assertEquals("530 5.7.0 authentication is required", client.ask("MAIL FROM:<a@a.example>"));
        return client;
    }

    /// P03: octets behind STARTTLS in the same flight are never answered inside TLS.
    @Test
    void endsASessionThatSendsMoreBehindStartTls() throws IOException {
        Client client = running.connect("starttls");
        client.reply();
        assertTrue(client.ask("EHLO a.example").startsWith("250 "));
        client.send("STARTTLS\r\nRSET\r\n");
        assertEquals(TOOK_OFF, client.reply());
        assertEquals("closed", client.reply());
    }

    /// P03: clear octets after the 220 are no handshake.
    @Test
    void endsASessionThatSpeaksInTheClearAfterStartTls() throws IOException {
        Client client = running.connect("starttls");
        client.reply();
        assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
        client.send("RSET\r\n");
        String answer = client.reply();
        assertTrue(answer.equals("closed") || !answer.startsWith("250"), answer);
    }

    /// P05, RFC 2920 §3.1: EHLO and DATA are the last of their group.
    @Test
    void endsASessionThatDoesNotWait() throws IOException {
        Client ehlo = running.connect("plain");
        ehlo.reply();
        ehlo.send("EHLO a.example\r\nMAIL FROM:<a@a.example>\r\n");
        assertEquals(TOOK_OFF, ehlo.reply());
        Client data = running.connect("plain");
        data.reply();
        data.ask("EHLO a.example");
        data.send("MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\n");
        assertEquals("250 2.1.0 sender OK", data.reply());
        assertEquals("250 2.1.5 recipient OK", data.reply());
        assertEquals(TOOK_OFF, data.reply());
        assertEquals("closed", data.reply());
        assertEquals(0, running.queue.stats().messages());
    }

    /// P07: octets that are no TLS end an implicit session; nothing is reflected.
    @Test
    void endsAnImplicitSessionThatSpeaksNoTls() throws IOException {
        Client client = running.connect("implicit");
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        String answer = client.reply();
        assertTrue(!answer.contains("GET") && !answer.startsWith("2"), answer);
    }

    /// P05: a peer that sends and never reads is not listened to for ever.
    @Test
    void stopsListeningToAPeerThatTakesNoReplies() throws IOException {
        Client client = running.connect("plain");
        client.socket().setSendBufferSize(8192);
        client.reply();
        byte[] group = "VRFY x\r\n".repeat(1000).getBytes(StandardCharsets.US_ASCII);
        OutputStream out = client.socket().getOutputStream();
        Thread writer =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        for (int i = 0; i < 10_000; i++) {
                                            out.write(group); // 80 MB, if they were taken
                                        }
                                    } catch (IOException e) {
                                        // the test ends the connection
                                    }
                                });
        assertEquals(
                "252 2.5.2 cannot VRFY user, but will take mail and attempt delivery",
                client.reply());
        Client other = running.connect("plain");
        assertEquals(GREETING, other.reply());
        assertTrue(writer.isAlive(), "80 MB of commands were taken without a reply being read");
        client.close();
    }

    @Test
    void believesAProxyAndNobodyElse() throws IOException {
        Client named = running.connect("proxied");
        named.send("PROXY TCP4 192.0.2.9 198.51.100.25 40000 25\r\n");
        assertEquals(GREETING, named.reply());
        takeMail(named);
        try (var list = running.queue.list()) {
            assertEquals("192.0.2.9", list.findFirst().orElseThrow().attributes().get("client"));
        }
        Client unnamed = running.connect("proxied");
        unnamed.send("PROXY UNKNOWN\r\n");
        assertEquals(GREETING, unnamed.reply());
        Client binary = running.connect("proxied");
        // Signature; version 2, PROXY; TCP over IPv4; 12 octets; addresses and ports.
        binary.sendOctets(
                "\\r\\n\\r\\n\\x00\\r\\nQUIT\\n\\x21\\x11\\x00\\x0c"
                        + "\\xc0\\x00\\x02\\x09\\xc6\\x33\\x64\\x19\\x9c\\x40\\x00\\x19"
                        + "EHLO a.example\\r\\n");
        assertEquals(GREETING, binary.reply());
        assertTrue(binary.reply().startsWith("250 "));
        Client none = running.connect("proxied");
        none.send("EHLO a.example\r\n");
        assertEquals("closed", none.reply());
        Client stranger = running.connect("proxied-elsewhere");
        stranger.send("PROXY TCP4 192.0.2.9 198.51.100.25 40000 25\r\n");
        assertEquals("554 5.7.1 this port is for our own proxies", stranger.reply());
        Client secured = running.connect("proxied-implicit");
        secured.send("PROXY TCP6 2001:db8::9 2001:db8::25 40000 465\r\n");
        secured.startTls();
        assertEquals(GREETING, secured.reply());
    }

    /// Whatever a refused peer sends in its PROXY header, it is not let in by it.
    @Test
    void aProxyHeaderRevivesNoRefusedConnection() throws Exception {
        Client stranger = running.connect("proxied-elsewhere");
        assertEquals("554 5.7.1 this port is for our own proxies", stranger.reply());
        stranger.send("PROXY TCP4 127.0.0.1 127.0.0.1 40000 25\r\nEHLO a.example\r\n");
        assertEquals("closed", stranger.reply());
        running.close();
        running = new RunningServer(folder, withOneSession());
        Client first = running.connect("plain");
        assertEquals(GREETING, first.reply());
        Client second = running.connect("proxied");
        assertEquals("421 4.3.2 too many sessions; try again later", second.reply());
        second.send("PROXY TCP4 192.0.2.9 198.51.100.25 40000 25\r\nEHLO a.example\r\n");
        assertEquals("closed", second.reply());
        assertEquals(1, running.server.sessions());
    }

    private static SessionLimits withOneSession() {
        SessionLimits usual = SessionLimits.defaults();
        return new SessionLimits(
                usual.commandLineOctetsMax(),
                usual.messageOctetsMax(),
                usual.recipientsMax(),
                usual.messagesMax(),
                usual.commandsMax(),
                usual.errorsMax(),
                usual.rejectionsMax(),
                usual.receivedHeadersMax(),
                usual.idleTimeout(),
                usual.commandTimeout(),
                usual.dataIdleTimeout(),
                usual.dataOctetsPerSecondMin(),
                usual.dataRateGrace(),
                usual.greetingDelay(),
                1,
                usual.sessionsPerNetworkMax());
    }

    /// RFC 5321 §3.8: idle sessions get 421; a message that is under way is finished and kept.
    @Test
    void drainsWithoutBreakingAMessage() throws Exception {
        Client idle = running.connect("plain");
        idle.reply();
        Client busy = running.connect("plain");
        busy.reply();
        busy.ask("HELO a.example");
        busy.ask("MAIL FROM:<a@a.example>");
        busy.ask("RCPT TO:<b@b.example>");
        assertEquals("354 end with <CRLF>.<CRLF>", busy.ask("DATA"));
        Thread drain =
                Thread.ofPlatform().start(() -> running.server.drain(Duration.ofSeconds(15)));
        assertEquals("421 4.3.2 shutting down; try again later", idle.reply());
        assertEquals("closed", idle.reply());
        assertTrue(busy.ask("x\r\n.").startsWith("250 2.0.0 queued as "));
        assertEquals("421 4.3.2 shutting down; try again later", busy.reply());
        drain.join(Duration.ofSeconds(10));
        assertTrue(!drain.isAlive());
        assertEquals(1, running.queue.stats().messages());
        assertEquals(0, running.server.sessions());
    }

    @Test
    void saysWhyAnAddressCannotBeHad() {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 25);
        assertEquals(
                "cannot listen on 127.0.0.1 port 25: Permission denied; ports below 1024 need root"
                        + " or CAP_NET_BIND_SERVICE",
                InboundServer.cannotListen(
                        address,
                        new IOException("bind(..) failed with error(-13): Permission denied")));
        assertEquals(
                "cannot listen on 127.0.0.1 port 25: Address already in use; stop who has it (ss"
                        + " -ltnp tells), or choose another port",
                InboundServer.cannotListen(address, new IOException("Address already in use")));
    }

    /// A peer that half-closes after its last command still gets its replies.
    @Test
    void answersAPeerThatHasFinishedSending() throws IOException {
        Client client = running.connect("plain");
        client.reply();
        client.ask("HELO a.example");
        client.ask("MAIL FROM:<a@a.example>");
        client.ask("RCPT TO:<b@b.example>");
        client.ask("DATA");
        client.send("x\r\n.\r\n");
        client.socket().shutdownOutput();
        assertTrue(client.reply().startsWith("250 2.0.0 queued as "));
        assertEquals("closed", client.reply());
    }

    @Test
    void takesALargeMessageInItsOwnFile() throws IOException {
        Client client = running.connect("plain");
        client.reply();
        client.ask("HELO a.example");
        client.ask("MAIL FROM:<a@a.example>");
        client.ask("RCPT TO:<b@b.example>");
        client.ask("DATA");
        String line = "x".repeat(998) + "\r\n";
        for (int i = 0; i < 10_000; i++) {
            client.send(line);
        }
        assertTrue(client.ask(".").startsWith("250 2.0.0 queued as "));
        try (var list = running.queue.list()) {
            assertTrue(list.findFirst().orElseThrow().sizeBytes() > 10_000_000);
        }
    }

    @Test
    void cutsAPeerThatTalksBeforeTheGreeting() throws Exception {
        running.close();
        SessionLimits defaults = SessionLimits.defaults();
        running =
                new RunningServer(
                        folder.resolve("patient"),
                        withGreetingDelay(defaults, Duration.ofSeconds(2)));
        Client early = running.connect("plain");
        early.send("EHLO a.example\r\n");
        assertEquals(TOOK_OFF, early.reply());
        Client polite = running.connect("plain");
        polite.socket().setSoTimeout(500);
        boolean waited = false;
        try {
            polite.reply();
        } catch (SocketTimeoutException e) {
            waited = true;
        }
        assertTrue(waited, "the greeting came at once");
        polite.socket().setSoTimeout(RunningServer.PATIENCE_MILLIS);
        assertEquals(GREETING, polite.reply());
    }

    private static SessionLimits withGreetingDelay(SessionLimits limits, Duration delay) {
        return new SessionLimits(
                limits.commandLineOctetsMax(),
                limits.messageOctetsMax(),
                limits.recipientsMax(),
                limits.messagesMax(),
                limits.commandsMax(),
                limits.errorsMax(),
                limits.rejectionsMax(),
                limits.receivedHeadersMax(),
                limits.idleTimeout(),
                limits.commandTimeout(),
                limits.dataIdleTimeout(),
                limits.dataOctetsPerSecondMin(),
                limits.dataRateGrace(),
                delay,
                limits.sessionsMax(),
                limits.sessionsPerNetworkMax());
    }
}
