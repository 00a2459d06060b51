package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Mail to a Postfix that asks for certificates, from a server that verifies it: what Postfix wrote
/// down of us, and what a reload changes.
@Tag("peers")
final class OutboundTlsTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Test
    void postfixSeesTheSourceThatTheSiteNames() {
        try (Folder folder = Folder.create()) {
            Certificate own = Certificate.make(folder);
            Toml draft = Toml.of(folder, own, "");
            try (PostfixServer postfix = PostfixServer.start(folder, own, draft.port())) {
                String usual =
                        draft.text()
                                + """
                                [[route]]
                                domain = "local.test"
                                via = "smtp:127.0.0.1:%d"
                                """
                                        .formatted(postfix.port())
                                + source(folder, "out1", "127.0.0.1")
                                + source(folder, "out2", "127.0.0.2");
                String wrong = usual + site(own, "out1", "tls-names = [\"mx.bank.test\"]");
                try (MaloteServer server = MaloteServer.start(folder, wrong)) {
                    send(draft.port());
                    Await.until(LIMIT, () -> server.log().contains("status=deferred"), server::log);
                    String failed =
                            "handshake failed: relay=127.0.0.1[127.0.0.1]:"
                                    + postfix.port()
                                    + ", source=out1, policy=verified, cause=name";
                    assertTrue(server.log().contains(failed), server.log());
                    assertEquals(0, Maildirs.messages(postfix.maildir()).size());

                    reload(server, folder, usual + site(own, "out1", ""));
                    server.run("queue", "retry", "--all", "--config", "malote.toml");
                    assertSeen(postfix.maildir(), "out1", "127.0.0.1");
                    assertTrue(server.log().contains("tls=verified/TLSv1.3/"), server.log());

                    reload(server, folder, usual + site(own, "out2", ""));
                    send(draft.port());
                    assertSeen(postfix.maildir(), "out2", "127.0.0.2");
                    server.assertQuiet();
                }
            }
        }
    }

    private static String source(Folder folder, String name, String address) {
        Certificate certificate = Certificate.named(folder, name + ".test");
        return """
        [[source]]
        name = "%1$s"
        addresses = ["%2$s"]
        hostname = "%1$s.test"
        certificates = [{ chain = "%3$s", key = "%4$s" }]
        """
                .formatted(name, address, certificate.chain(), certificate.key());
    }

    private static String site(Certificate authority, String source, String more) {
        return """
        [[site]]
        hosts = "local.test"
        tls = "verified"
        tls-authorities = "%s"
        source = "%s"
        %s
        """
                .formatted(authority.chain(), source, more);
    }

    private static void send(int port) {
        try (Smtp smtp = Smtp.openTls(port)) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.expect("250", smtp.ask("RCPT TO:<b@local.test>"));
            smtp.expect("354", smtp.ask("DATA"));
            smtp.send(Smtp.lines("Subject: hello", "", "hello", "."));
            smtp.expect("250", smtp.reply());
        }
    }

    private static void reload(MaloteServer server, Folder folder, String toml) {
        folder.write("malote.toml", toml);
        String said = server.run("reload", "--config", "malote.toml");
        assertTrue(said.contains("the rules for sites changed"), said);
    }

    private static void assertSeen(Path maildir, String source, String address) {
        byte[] message = Maildirs.await(maildir, 1, LIMIT).getFirst();
        String text = new String(message, StandardCharsets.ISO_8859_1);
        String header = text.substring(0, text.indexOf("\n\n"));
        assertTrue(header.contains("from " + source + ".test ("), header);
        assertTrue(header.contains("[" + address + "]"), header);
        assertTrue(header.contains("(Client CN \"" + source + ".test\""), header);
        Maildirs.clear(maildir);
    }
}
