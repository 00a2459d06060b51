package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Clients that break the rules over real sockets: P03, P05, P07, P08, P12 and P17. After each of
/// them the server still serves, and has not grown.
@Tag("peers")
final class HostileClientTest {
    private static final String GOOD_DATA = "Subject: good\r\n\r\ngood\r\n";

    /// More than any of these clients may cost. The JVM's heap is 512 MiB and may be touched.
    private static final long GROWTH_BYTES_MAX = 512L << 20;

    private static Folder folder;
    private static Toml toml;
    private static MaloteServer server;
    private static Path mail;
    private static long residentBytesAtStart;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        mail = folder.path().resolve("mail");
        toml =
                Toml.withoutRelay(
                        folder,
                        Certificate.make(folder),
                        """
                        [queue]
                        durability = "relaxed"
                        [limits]
                        message-octets-max = "1MiB"
                        [[route]]
                        domain = "box.test"
                        via = "maildir:%s/{local}"
                        """
                                .formatted(mail));
        server = MaloteServer.start(folder, toml.text());
        residentBytesAtStart = server.residentBytes();
    }

    @AfterAll
    static void stop() {
        try (var _ = folder;
                var _ = server) {}
    }

    @AfterEach
    void servesAGoodPeerStill() {
        for (boolean tls : List.of(false, true)) {
            try (Smtp smtp = tls ? Smtp.openTls(toml.port()) : Smtp.open(toml.port())) {
                smtp.expect(
                        "250 2.0.0 queued", smtp.mail("a@peer.test", "good@box.test", GOOD_DATA));
            }
        }
        assertTrue(
                server.residentBytes() - residentBytesAtStart < GROWTH_BYTES_MAX,
                "the server has grown");
        server.assertQuiet();
    }

    // ---- P03: octets behind STARTTLS ----

    @Test
    void answersNothingThatStandsBehindStartTls() {
        for (String injected :
                List.of("NOOP\r\n", "EHLO evil\r\nMAIL FROM:<evil@peer.test>\r\n", "N", "\n")) {
            try (Smtp smtp = Smtp.open(toml.port())) {
                smtp.send("STARTTLS\r\n" + injected);
                String all = smtp.reply() + smtp.rest();
                assertFalse(all.startsWith("220"), all);
                assertFalse(all.contains("250"), all);
            }
        }
    }

    @Test
    void forgetsEverythingAtStartTls() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("220", smtp.ask("STARTTLS"));
            smtp.handshake();
            // RFC 3207 §4.2: the EHLO in clear text counts no more.
            smtp.expect("503", smtp.ask("MAIL FROM:<a@peer.test>"));
            String reply = smtp.ask("EHLO peer.test");
            assertFalse(reply.contains("STARTTLS"), reply);
            smtp.expect("503", smtp.ask("STARTTLS"));
        }
    }

    @Test
    void refusesStartTlsInsideATransaction() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.expect("503", smtp.ask("STARTTLS"));
        }
    }

    @Test
    void closesAfterClearTextInsteadOfAHandshake() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("220", smtp.ask("STARTTLS"));
            smtp.send("EHLO peer.test\r\nMAIL FROM:<a@peer.test>\r\n");
            String rest = smtp.rest();
            assertFalse(rest.contains("250"), rest);
        }
    }

    // ---- P05: who talks when ----

    @Test
    void cutsAPeerThatTalksBehindDataOrEhlo() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.send(
                    Smtp.lines(
                            "MAIL FROM:<a@peer.test>",
                            "RCPT TO:<early@box.test>",
                            "DATA",
                            "Subject: early",
                            "",
                            "early",
                            "."));
            String all = smtp.rest();
            assertTrue(all.contains("\n554 5.5.0"), all);
            assertFalse(all.contains("queued as"), all);
        }
        try (Smtp smtp = Smtp.connect(toml.port())) {
            smtp.expect("220", smtp.reply());
            smtp.send("EHLO peer.test\r\nMAIL FROM:<a@peer.test>\r\n");
            smtp.expect("554 5.5.0", smtp.reply());
        }
        assertEquals(0, Maildirs.messages(mail.resolve("early")).size());
    }

    @Test
    void cutsAPeerThatTalksBeforeTheGreeting() {
        try (Folder own = Folder.create()) {
            Toml slow = Toml.of(own, Certificate.make(own), "[limits]\ngreeting-delay = \"1s\"\n");
            try (MaloteServer patient = MaloteServer.start(own, slow.text())) {
                try (Smtp smtp = Smtp.connect(slow.port())) {
                    smtp.send("EHLO peer.test\r\n");
                    smtp.expect("554", smtp.reply());
                    assertEquals("", smtp.rest());
                }
                try (Smtp smtp = Smtp.open(slow.port())) {
                    smtp.expect("221", smtp.ask("QUIT"));
                }
                patient.assertQuiet();
            }
        }
    }

    @Test
    void answersAPipelinedGroupInOrder() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.send(
                    Smtp.lines(
                            "MAIL FROM:<a@peer.test>",
                            "RCPT TO:<x@elsewhere.test>",
                            "RCPT TO:<good@box.test>",
                            "VRFY x",
                            "RSET",
                            "EXPN x",
                            "HELP",
                            "NOOP",
                            "QUIT"));
            for (String code :
                    List.of("250", "550", "250", "252", "250", "502", "214", "250", "221")) {
                smtp.expect(code, smtp.reply());
            }
        }
    }

    @Test
    void stopsReadingFromAPeerThatNeverReads() throws IOException {
        long sent = 0;
        ByteBuffer commands =
                ByteBuffer.wrap("HELP\r\n".repeat(20_000).getBytes(StandardCharsets.US_ASCII));
        long limit = 64L << 20; // our 16 MiB behind the last reply, and what the sockets hold
        try (SocketChannel channel = SocketChannel.open(Ports.address(toml.port()))) {
            channel.configureBlocking(false);
            long deadlineNanos = System.nanoTime() + Duration.ofSeconds(3).toNanos();
            while (sent < limit && System.nanoTime() < deadlineNanos) {
                int written = channel.write(commands);
                sent += written;
                if (written == 0) {
                    Thread.onSpinWait();
                }
                if (!commands.hasRemaining()) {
                    commands.rewind();
                }
            }
        } catch (IOException _) {
            // Cut: that is an answer too.
        }
        assertTrue(sent < limit, "it took " + sent + " octets from a peer that reads nothing");
    }

    // ---- P07: octets that are no SMTP ----

    @Test
    void reflectsNothingOfOtherProtocols() {
        String tlsHello =
                "\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000\u00a1\u0003\u0003"
                        + "r".repeat(160)
                        + "\r\n";
        for (String other :
                List.of(
                        "GET /reflected HTTP/1.1\r\nHost: reflected.test\r\n\r\n",
                        Smtp.lines(
                                "POST / HTTP/1.1",
                                "Host: reflected",
                                "",
                                "EHLO reflected",
                                "MAIL FROM:<reflected@peer.test>"),
                        "SSH-2.0-reflected\r\n",
                        tlsHello,
                        "\u0000reflected\u0000\r\n",
                        "EHLO \u0000reflected\r\n",
                        "EHLO r\u00e9flected\r\n",
                        "MAIL FROM:<reflected\u00c3(@peer.test>\r\n",
                        "RCPT TO:<\u00ff\u00fereflected@box.test>\r\n",
                        "\u001b[2Jreflected\r\n")) {
            try (Smtp smtp = Smtp.connect(toml.port())) {
                smtp.expect("220", smtp.reply());
                smtp.send(other);
                smtp.shutdownOutput();
                String all = smtp.rest();
                assertTrue(all.isEmpty() || all.matches("(?s)[45]\\d\\d.*"), all);
                assertFalse(all.contains("reflected"), all);
                assertFalse(all.contains("250"), all);
            }
        }
    }

    /// T04: in all that a browser could be led to, by implicit TLS and by STARTTLS.
    @Test
    void closesAnHttpPostInsideTls() {
        try (Smtp smtp = Smtp.connect(toml.tlsPort())) {
            smtp.handshake();
            smtp.expect("220", smtp.reply());
            post(smtp);
        }
        try (Smtp smtp = Smtp.openTls(toml.port())) {
            post(smtp);
        }
    }

    private static void post(Smtp smtp) {
        smtp.send("POST / HTTP/1.1\r\nHost: x\r\nCookie: reflected\r\n\r\n".repeat(20));
        smtp.trySend("EHLO reflected\r\n".getBytes(StandardCharsets.US_ASCII));
        assertEquals("554 5.5.1 this is a mail server\r\n", smtp.rest());
    }

    /// T04, RFC 7301 §3.2: who wants another protocol sees neither a certificate nor a greeting.
    @Test
    void turnsAwayWhoWantsAnotherProtocol() {
        for (String protocols : List.of("http/1.1", "h2,http/1.1", "imap", "ftp,pop3")) {
            for (String refused :
                    List.of(
                            SClient.tls(toml.tlsPort(), "-alpn", protocols),
                            SClient.startTls(toml.port(), "-alpn", protocols))) {
                assertTrue(refused.contains("no application protocol"), refused);
                assertTrue(refused.contains("no peer certificate available"), refused);
                assertFalse(refused.contains("Malote"), refused);
            }
        }
        for (String served :
                List.of(
                        SClient.tls(toml.tlsPort(), "-alpn", "h2,smtp"),
                        SClient.startTls(toml.port(), "-alpn", "h2,smtp"))) {
            assertTrue(served.contains("ALPN protocol: smtp"), served);
            assertTrue(served.contains("\n221 "), served);
        }
    }

    @Test
    void survivesRandomOctets() {
        SplittableRandom random = new SplittableRandom(7);
        for (int round = 0; round < 200; round++) {
            byte[] octets = new byte[1 + random.nextInt(4000)];
            random.nextBytes(octets);
            int port = random.nextInt(4) == 0 ? toml.tlsPort() : toml.port();
            try (Smtp smtp = Smtp.connect(port)) {
                if (smtp.trySend(octets)) {
                    smtp.trySend("\r\n".getBytes(StandardCharsets.US_ASCII));
                }
                try {
                    smtp.shutdownOutput();
                } catch (UncheckedIOException _) {
                    continue; // Already cut.
                }
                String all = smtp.rest();
                assertFalse(all.contains("\r\n250"), all);
            }
        }
    }

    // ---- P08: BDAT ----

    @Test
    void refusesChunkSizesThatCannotBeRead() {
        for (String size :
                List.of(
                        "",
                        " x",
                        " -1",
                        " 99999999999999999999 LAST",
                        " 1 FIRST",
                        " 1 LAST x",
                        " +5",
                        " 0x10")) {
            try (Smtp smtp = Smtp.open(toml.port())) {
                smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                smtp.expect("250", smtp.ask("RCPT TO:<bdat@box.test>"));
                smtp.send("BDAT" + size + "\r\nRSET\r\n");
                String all = smtp.reply();
                assertTrue(all.startsWith("5"), "BDAT" + size + ": " + all);
            }
        }
    }

    @Test
    void takesAnEmptyLastChunk() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.expect("250", smtp.ask("RCPT TO:<chunks@box.test>"));
            smtp.send("BDAT 9\r\nSubject: ");
            smtp.expect("250", smtp.reply());
            smtp.send("BDAT 9\r\nx\r\n\r\n.\r\n\r");
            smtp.expect("250", smtp.reply());
            smtp.send("BDAT 1\r\n\n");
            smtp.expect("250", smtp.reply());
            smtp.expect("250 2.0.0 queued", smtp.ask("BDAT 0 LAST"));
        }
        byte[] message =
                Maildirs.await(mail.resolve("chunks"), 1, Duration.ofSeconds(20)).getFirst();
        assertTrue(
                new String(message, StandardCharsets.ISO_8859_1).endsWith("Subject: x\n\n.\n\n"));
    }

    @Test
    void consumesTheOctetsOfARefusedChunk() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            // RFC 3030 §2: were they read as commands, there would be more replies than one.
            smtp.send("BDAT 12 LAST\r\nNOOP\r\nNOOP\r\nVRFY x\r\n");
            smtp.expect("503", smtp.reply());
            smtp.expect("252", smtp.reply());
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.send("BDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\nVRFY x\r\n");
            smtp.expect("554", smtp.reply());
            smtp.expect("554", smtp.reply());
            smtp.expect("252", smtp.reply());
        }
    }

    @Test
    void keepsDataAndChunksApart() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.expect("250", smtp.ask("RCPT TO:<bdat@box.test>"));
            smtp.send("BDAT 6\r\nx: y\r\n");
            smtp.expect("250", smtp.reply());
            smtp.expect("503", smtp.ask("DATA"));
            smtp.expect("503", smtp.ask("MAIL FROM:<b@peer.test>"));
            smtp.expect("503", smtp.ask("RCPT TO:<other@box.test>"));
            smtp.expect("250", smtp.ask("RSET"));
            smtp.send("BDAT 6 LAST\r\nx: y\r\n");
            smtp.expect("503", smtp.reply());
            smtp.expect("250 2.0.0 queued", smtp.mail("a@peer.test", "good@box.test", GOOD_DATA));
        }
        assertEquals(0, Maildirs.messages(mail.resolve("bdat")).size());
    }

    @Test
    void refusesChunksThatExceedTheSize() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.expect("250", smtp.ask("RCPT TO:<bdat@box.test>"));
            String half = "x".repeat(600_000);
            smtp.send("BDAT 600000\r\n" + half);
            smtp.expect("250", smtp.reply());
            smtp.send("BDAT 600000 LAST\r\n" + half);
            smtp.expect("552 5.3.4", smtp.reply());
            smtp.expect("252", smtp.ask("VRFY x"));
        }
        assertEquals(0, Maildirs.messages(mail.resolve("bdat")).size());
    }

    @Test
    void believesNoClearTextBehindCloseNotify() throws IOException {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("220", smtp.ask("STARTTLS"));
            var below = smtp.socket();
            smtp.handshake();
            smtp.expect("250", smtp.ask("EHLO peer.test"));
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.expect("250", smtp.ask("RCPT TO:<bdat@box.test>"));
            smtp.send("BDAT 20 LAST\r\n12345");
            smtp.shutdownOutput(); // close_notify in the middle of a chunk
            below.getOutputStream()
                    .write("678901234567890\r\nNOOP\r\n".getBytes(StandardCharsets.US_ASCII));
            below.getOutputStream().flush();
            String all = smtp.rest();
            assertFalse(all.contains("250"), all);
        }
        assertEquals(0, Maildirs.messages(mail.resolve("bdat")).size());
    }

    // ---- P12: no form of an address gets relayed ----

    @Test
    void relaysNoFormOfAddress() {
        List<String> addresses =
                List.of(
                        "<victim@elsewhere.test>",
                        "<victim@elsewhere.test.>",
                        "<victim%elsewhere.test@box.test>",
                        "<elsewhere.test!victim@box.test>",
                        "<\"victim@elsewhere.test\"@box.test>",
                        "<\"victim%elsewhere.test\"@box.test>",
                        "<\"elsewhere.test!victim\"@box.test>",
                        "<@box.test:victim@elsewhere.test>",
                        "<@box.test,@mx.test:victim@elsewhere.test>",
                        "<victim@elsewhere.test@box.test>",
                        "<victim@box.test@elsewhere.test>",
                        "<victim@[127.0.0.1]>",
                        "<victim@[192.0.2.1]>",
                        "<victim@[IPv6:::1]>",
                        "<victim%elsewhere.test@[127.0.0.1]>",
                        "<victim%elsewhere.test@mx.test>",
                        "<victim@mx.test>",
                        "<victim@localhost>",
                        "<victim%elsewhere.test>",
                        "<elsewhere.test!victim>",
                        "<\"victim@elsewhere.test\">",
                        "<victim>",
                        "<victim@>",
                        "<@elsewhere.test>",
                        "<>",
                        "<victim@box.test.elsewhere.test>",
                        "<victim@sub.box.test>",
                        "<victim@xn--.test>",
                        "victim@elsewhere.test",
                        "<postmaster@elsewhere.test>",
                        "<postmaster%elsewhere.test@mx.test>",
                        "<victim@elsewhere.test> ORCPT=rfc822;x@box.test",
                        "<victim@box.test:25>",
                        "<smtp:victim@elsewhere.test@box.test>",
                        "<victim\u0000@elsewhere.test>",
                        "<victim@box.test\u0000.elsewhere.test>",
                        "<victim@box.test >",
                        "< victim@elsewhere.test>",
                        "<victim@127.0.0.1>");
        for (String address : addresses) {
            try (Smtp smtp = Smtp.open(toml.port())) {
                smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                String reply = smtp.ask("RCPT TO:" + address);
                assertTrue(reply.startsWith("5"), address + ": " + reply);
            }
        }
        assertEquals("", queued("elsewhere"));
    }

    @Test
    void takesMailForPostmasterAlways() {
        for (String address :
                List.of("<Postmaster>", "<postmaster@mx.test>", "<PostMaster@box.test>")) {
            try (Smtp smtp = Smtp.open(toml.port())) {
                smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                smtp.expect("250", smtp.ask("RCPT TO:" + address));
            }
        }
    }

    private static String queued(String word) {
        String list = server.run("queue", "list", "--json", "--config", "malote.toml");
        return list.contains(word) ? list : "";
    }

    // ---- P17: no new line from hostile text ----

    @Test
    void makesNoLineOfWhatAPeerSays() {
        List<String> commands =
                List.of(
                        "EHLO evil\rX-Injected: 1",
                        "EHLO evil\u0000X-Injected: 1",
                        "MAIL FROM:<\"a\rX-Injected: 1\"@peer.test>",
                        "MAIL FROM:<\"a\\\rX-Injected: 1\"@peer.test>",
                        "MAIL FROM:<\"a\u0000X-Injected\"@peer.test>",
                        "MAIL FROM:<a@peer.test> ENVID=a+0D+0AX-Injected:+201",
                        "MAIL FROM:<a@peer.test> ENVID=a+00b",
                        "MAIL FROM:<a@peer.test>\u0085X-Injected: 1");
        for (String command : commands) {
            try (Smtp smtp = Smtp.connect(toml.port())) {
                smtp.expect("220", smtp.reply());
                if (!command.startsWith("EHLO")) {
                    smtp.expect("250", smtp.ask("EHLO peer.test"));
                }
                String reply = smtp.ask(command);
                assertTrue(reply.startsWith("5"), command + ": " + reply);
                assertFalse(reply.contains("Injected"), reply);
            }
        }
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            for (String recipient :
                    List.of(
                            "<\"b\rX-Injected: 1\"@box.test>",
                            "<\"b\u0000\"@box.test>",
                            "<b@box.test> ORCPT=rfc822;b+0D+0AX-Injected:+201@box.test",
                            "<b@box.test> NOTIFY=NEVER\rX-Injected")) {
                String reply = smtp.ask("RCPT TO:" + recipient);
                assertTrue(reply.startsWith("5"), recipient + ": " + reply);
            }
        }
        for (String line : server.log().split("\n", -1)) {
            assertFalse(line.startsWith("X-Injected"), line);
            assertFalse(Smtp.hasControls(line), line);
        }
    }
}
