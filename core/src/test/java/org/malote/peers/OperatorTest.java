package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.malote.dns.ScriptedDnsServer;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/// What an operator does to a running server, and N02 as a stranger meets it.
@Tag("peers")
final class OperatorTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    /// A name, a listener and a state directory cannot change while mail flows; the rest of the
    /// server goes on with the old ones, and the parts agree on them.
    @Test
    void aReloadMixesNothing() {
        try (Folder folder = Folder.create()) {
            Toml toml =
                    Toml.withoutRelay(
                            folder,
                            Certificate.make(folder),
                            "[[route]]\ndomain = \"box.test\"\nvia = \"discard\"\n");
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                folder.write(
                        "malote.toml",
                        toml.text()
                                .replace("hostname = \"mx.test\"", "hostname = \"other.test\"")
                                .replace("tls = \"starttls\"", "tls = \"none\"")
                                .replace("tls = \"implicit\"", "tls = \"none\"")
                                .replaceAll("certificates = .*", "")
                                .replace("box.test", "new.test"));
                String said = server.run("reload", "--config", "malote.toml");
                assertTrue(said.contains("the routes changed"), said);
                assertTrue(
                        said.contains(
                                "a restart is needed for what changed in hostname, [[listener]]"),
                        said);
                try (Smtp smtp = Smtp.openTls(toml.port())) {
                    smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                    smtp.expect("250", smtp.ask("RCPT TO:<postmaster@mx.test>"));
                    smtp.expect("550", smtp.ask("RCPT TO:<postmaster@other.test>"));
                    smtp.expect("550", smtp.ask("RCPT TO:<a@box.test>"));
                    smtp.expect("250", smtp.ask("RCPT TO:<a@new.test>"));
                }
                server.assertQuiet();
            }
        }
    }

    @Test
    void aBadFileChangesNothingAndSaysSo() {
        try (Folder folder = Folder.create()) {
            Toml toml =
                    Toml.withoutRelay(
                            folder,
                            Certificate.make(folder),
                            "[[route]]\ndomain = \"box.test\"\nvia = \"discard\"\n");
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                // The client reads a file too, for the path of the state: that one is still good.
                Path good = folder.write("good.toml", toml.text());
                folder.write("malote.toml", toml.text() + "[dsn]\n");
                List<String> command = new ArrayList<>(MaloteServer.malote(List.of()));
                command.addAll(List.of("reload", "--config", good.toString()));
                try (Child reload = Child.start("reload", folder.path(), command)) {
                    assertEquals(1, reload.await(LIMIT), reload.output());
                    assertTrue(reload.output().contains("unknown key \"dsn\""), reload.output());
                    assertTrue(reload.output().contains("nothing was changed"), reload.output());
                }
                try (Smtp smtp = Smtp.openTls(toml.port())) {
                    smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                    smtp.expect("250", smtp.ask("RCPT TO:<a@box.test>"));
                }
                server.assertQuiet();
            }
        }
    }

    /// N02, inbound: RFC 7505 §4.2. The name server of `silent.test` never answers.
    @Test
    void refusesStrangersThatCannotBeAnswered() throws IOException {
        try (Folder folder = Folder.create();
                ScriptedDnsServer dns = ScriptedDnsServer.start((query, _) -> nullMx(query))) {
            Toml toml =
                    Toml.amongStrangers(
                            folder,
                            Certificate.make(folder),
                            """
                            [dns]
                            servers = ["%s:%d"]
                            [[route]]
                            domain = "box.test"
                            via = "discard"
                            """
                                    .formatted(
                                            InetAddress.getLoopbackAddress().getHostAddress(),
                                            dns.address().getPort()));
            try (MaloteServer server = MaloteServer.start(folder, toml.text());
                    Smtp smtp = Smtp.open(toml.port())) {
                smtp.expect("550 5.7.27", smtp.ask("MAIL FROM:<a@null.test>"));
                smtp.expect("250", smtp.ask("MAIL FROM:<a@mail.test>"));
                smtp.expect("250", smtp.ask("RSET"));
                smtp.expect("250", smtp.ask("MAIL FROM:<>"));
                smtp.expect("250", smtp.ask("RSET"));
                smtp.expect("250", smtp.ask("MAIL FROM:<a@silent.test>"));
                server.assertQuiet();
            }
        }
    }

    private static List<byte[]> nullMx(Message query) throws IOException {
        String name = query.getQuestion().getName().toString(true);
        return switch (name) {
            case "null.test" ->
                    List.of(
                            ScriptedDnsServer.reply(query, Rcode.NOERROR, "null.test. 60 MX 0 .")
                                    .toWire(4096));
            case "mail.test" ->
                    List.of(
                            ScriptedDnsServer.reply(
                                            query,
                                            Rcode.NOERROR,
                                            "mail.test. 60 MX 1 mx.mail.test.")
                                    .toWire(4096));
            default -> List.of();
        };
    }
}
