package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Mail through Postfix and Malote in both directions, over TLS, and into Dovecot: what comes out
/// is
/// what went in, octet by octet.
@Tag("peers")
final class InteropTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Folder folder;
    private static Toml toml;
    private static PostfixServer postfix;
    private static DovecotLmtp dovecot;
    private static MaloteServer server;
    private static Path mail;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        mail = folder.path().resolve("mail");
        Certificate certificate = Certificate.make(folder);
        dovecot = DovecotLmtp.start(folder);
        // Each must know the other's port: Malote's is chosen first, and it starts last.
        Toml draft = Toml.of(folder, certificate, "");
        postfix = PostfixServer.start(folder, certificate, draft.port());
        toml =
                new Toml(
                        draft.port(),
                        draft.tlsPort(),
                        draft.text()
                                + """
                                [[route]]
                                domain = "box.test"
                                via = "maildir:%s/{domain}/{local}"
                                [[route]]
                                domain = "local.test"
                                via = "smtp:127.0.0.1:%d"
                                [[route]]
                                domain = "lmtp.test"
                                via = "lmtp:127.0.0.1:%d"
                                """
                                        .formatted(mail, postfix.port(), dovecot.port()));
        server = MaloteServer.start(folder, toml.text());
    }

    @AfterAll
    static void stop() {
        try (var _ = folder;
                var _ = dovecot;
                var _ = postfix;
                var _ = server) {}
    }

    /// Bodies with CRLF line ends, by name.
    private static Map<String, String> bodies() {
        Map<String, String> bodies = new LinkedHashMap<>();
        bodies.put("dots", ".\r\n..\r\n.x\r\n...\r\n\r\n.\r\n. \r\nend.\r\n.\r\n");
        StringBuilder eight = new StringBuilder();
        for (int line = 0; line < 40; line++) {
            for (int octet = 1; octet < 256; octet++) {
                if (octet != '\r' && octet != '\n') {
                    eight.append((char) octet);
                }
            }
            eight.append("\r\n");
        }
        bodies.put("eight-bit", eight.toString());
        SplittableRandom random = new SplittableRandom(10);
        StringBuilder big = new StringBuilder();
        while (big.length() < 10 << 20) {
            int length = random.nextInt(78);
            for (int i = 0; i < length; i++) {
                big.append((char) (32 + random.nextInt(95)));
            }
            big.append("\r\n");
        }
        bodies.put("ten-mebibytes", big.toString());
        bodies.put("empty", "");
        return bodies;
    }

    private static void send(int port, String from, String to, String parameters, String body) {
        try (Smtp smtp = Smtp.openTls(port)) {
            smtp.expect("250", smtp.ask("MAIL FROM:<" + from + "> BODY=8BITMIME" + parameters));
            smtp.expect("250", smtp.ask("RCPT TO:<" + to + ">"));
            smtp.expect("354", smtp.ask("DATA"));
            String stuffed = ("\r\n" + body).replace("\r\n.", "\r\n..").substring(2);
            String header =
                    Smtp.lines(
                            "From: <a@peer.test>",
                            "Date: Mon, 5 Jan 2026 10:00:00 +0000",
                            "Message-ID: <1@peer.test>",
                            "MIME-Version: 1.0",
                            "Content-Type: text/plain",
                            "Content-Transfer-Encoding: 8bit",
                            "");
            smtp.send(header + stuffed + ".\r\n");
            smtp.expect("250", smtp.reply());
        }
    }

    /// The header of the only message in a Maildir, when its body is what was sent.
    private static String headerOver(Path maildir, String body) {
        byte[] message = Maildirs.await(maildir, 1, LIMIT).getFirst();
        String text = new String(message, StandardCharsets.ISO_8859_1);
        int blank = text.indexOf("\n\n");
        byte[] arrived = Arrays.copyOfRange(message, blank + 2, message.length);
        byte[] sent = body.replace("\r\n", "\n").getBytes(StandardCharsets.ISO_8859_1);
        assertArrayEquals(sent, arrived);
        Maildirs.clear(maildir);
        return text.substring(0, blank);
    }

    @Test
    void takesFromPostfixWhatPostfixTook() {
        bodies().forEach(
                        (name, body) -> {
                            send(postfix.port(), "a@peer.test", name + "@box.test", "", body);
                            String header = headerOver(mail.resolve("box.test/" + name), body);
                            assertTrue(header.contains("by mx.test"), header);
                            assertTrue(header.contains("with ESMTPS"), header);
                        });
    }

    @Test
    void passesOnToPostfixWhatItTook() {
        bodies().forEach(
                        (name, body) -> {
                            send(toml.port(), "a@peer.test", name + "@local.test", "", body);
                            String header = headerOver(postfix.maildir(), body);
                            // What Postfix wrote of our connection to it.
                            assertTrue(
                                    header.contains("by postfix.test (Postfix) with ESMTPS"),
                                    header);
                        });
    }

    @Test
    void carriesAddressesInUtf8BothWays() {
        // As octets: the client writes ISO 8859-1.
        String local =
                new String(
                        "jos\u00e9".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        String from = local + "@peer.test";
        send(postfix.port(), from, local + "@box.test", " SMTPUTF8", "to Malote\r\n");
        String header = headerOver(mail.resolve("box.test/jos%C3%A9"), "to Malote\r\n");
        assertTrue(header.contains("Return-Path: <" + from + ">"), header);
        assertTrue(header.contains("with UTF8SMTPS"), header);
        send(toml.port(), from, local + "@local.test", " SMTPUTF8", "to Postfix\r\n");
        header = headerOver(postfix.maildir(), "to Postfix\r\n");
        assertTrue(header.contains("Return-Path: <" + from + ">"), header);
        assertTrue(header.contains("X-Original-To: " + local + "@local.test"), header);
    }

    @Test
    void dovecotTakesEachRecipientForItself() {
        try (Smtp smtp = Smtp.openTls(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<sender@box.test>"));
            for (String user : List.of("ana", "nobody", "bruno")) {
                smtp.expect("250", smtp.ask("RCPT TO:<" + user + "@lmtp.test>"));
            }
            smtp.expect("354", smtp.ask("DATA"));
            smtp.send("Subject: lmtp\r\n\r\n..\r\nover LMTP\r\n.\r\n");
            smtp.expect("250", smtp.reply());
        }
        for (String user : List.of("ana", "bruno")) {
            String header = headerOver(dovecot.maildir(user), ".\r\nover LMTP\r\n");
            assertTrue(header.contains("by mx.test (Malote) with ESMTPS"), header);
        }
        byte[] report = Maildirs.await(mail.resolve("box.test/sender"), 1, LIMIT).getFirst();
        String text = new String(report, StandardCharsets.UTF_8);
        assertTrue(text.contains("Final-Recipient: rfc822; nobody@lmtp.test"), text);
        assertTrue(text.contains("Status: 5.1.1"), text);
        assertEquals(-1, text.indexOf("Final-Recipient: rfc822; ana@lmtp.test"), text);
    }
}
