package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Mail Policy Codes through the whole server: from MAIL over the queue to a Maildir, in a bounce,
/// and over a reload.
@Tag("peers")
final class PolicyCodesTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @Test
    void aCodeReachesTheMailboxAndABounceHasItsOwn() {
        try (Folder folder = Folder.create()) {
            Toml toml =
                    Toml.of(
                            folder,
                            Certificate.make(folder),
                            """
                            [[route]]
                            domain = "box.test"
                            via = "maildir:mail/{local}"
                            [[route]]
                            domain = "held.test"
                            via = "hold"
                            """);
            String text =
                    toml.text()
                            .replace("tls = \"starttls\"", "tls = \"starttls\"\nmpc = \"enforce\"");
            try (MaloteServer server = MaloteServer.start(folder, text)) {
                try (Smtp smtp = Smtp.openTls(toml.port())) {
                    String ehlo = smtp.ask("EHLO peer.test");
                    assertTrue(ehlo.endsWith("250 XMPC ALLOW=*/*"), ehlo);
                    send(smtp, "com/optin", "ann@box.test");
                    send(smtp, "com/customer", "x@held.test");
                }
                assertEquals("com/optin", code(folder, "ann"));

                String bounced =
                        server.run("queue", "bounce", "--all", "--yes", "--config", "malote.toml");
                assertTrue(bounced.contains("1"), bounced);
                assertEquals("net/autoresponse", code(folder, "boss"));

                folder.write("malote.toml", text + "[mpc]\nsite = \"DENY=com/*\"\n");
                String said = server.run("reload", "--config", "malote.toml");
                assertTrue(said.contains("mail policy codes"), said);
                try (Smtp smtp = Smtp.openTls(toml.port())) {
                    String ehlo = smtp.ask("EHLO peer.test");
                    assertTrue(ehlo.endsWith("250 XMPC DENY=com/*"), ehlo);
                    assertEquals(
                            "550 5.7.1 MPC policy violation",
                            smtp.ask("MAIL FROM:<boss@box.test> XMPC=com/optin"));
                    send(smtp, "net/individual", "cas@box.test");
                }
                assertEquals("net/individual", code(folder, "cas"));
                server.assertQuiet();
            }
        }
    }

    private static void send(Smtp smtp, String code, String to) {
        smtp.expect("250", smtp.ask("MAIL FROM:<boss@box.test> XMPC=" + code));
        smtp.expect("250", smtp.ask("RCPT TO:<" + to + ">"));
        smtp.expect("354", smtp.ask("DATA"));
        smtp.expect("250", smtp.ask("Subject: x\r\n\r\nhello\r\n."));
    }

    /// The one code in the header of the one message in a Maildir.
    private static String code(Folder folder, String local) {
        Path maildir = folder.path().resolve("mail").resolve(local);
        String message =
                new String(
                        Maildirs.await(maildir, 1, LIMIT).getFirst(), StandardCharsets.ISO_8859_1);
        String header = message.substring(0, message.indexOf("\n\n"));
        return header.lines()
                .filter(line -> line.startsWith("MPC: "))
                .map(line -> line.substring(5))
                .collect(Collectors.joining(" and "));
    }
}
