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

    /// The queue's commands against a running server, over a restart too. Mail for `dead.test` is
    /// refused connections; mail for `held.test` is held.
    @Test
    void looksAtTheQueueAndChangesIt() {
        try (Folder folder = Folder.create()) {
            Toml toml =
                    Toml.of(
                            folder,
                            Certificate.make(folder),
                            """
                            [[route]]
                            domain = "held.test"
                            via = "hold"
                            [[route]]
                            domain = "dead.test"
                            via = "smtp:127.0.0.1:%d"
                            [[route]]
                            domain = "mx.test"
                            via = "maildir:mail/{local}"
                            """
                                    .formatted(Ports.free()));
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                send(toml, "boss@mx.test", "one@held.test", "two@dead.test");
                send(toml, "boss@mx.test", "three@held.test");
                awaitList(server, "held.test", "--state held --count", "2\n");
                awaitList(server, "dead.test", "--reply refused --count", "1\n");

                String list = queue(server, "list --sender boss@* --json");
                String id = list.substring("{\"id\":\"".length(), list.indexOf("\",\"sender"));
                String shown = queue(server, "show " + id);
                assertTrue(
                        shown.contains("to        <one@held.test>\n  state   held by route"),
                        shown);
                assertTrue(shown.contains("\nSubject: \\x1b[2J\n"), shown);
                assertTrue(
                        queue(server, "show --body " + id)
                                .contains("\r\nSubject: \u001b[2J\r\n\r\nhello\r\n"));
                String shape = queue(server, "shape");
                assertTrue(shape.contains("\n2 2  -"), shape);
                assertTrue(shape.contains("  held.test\n"), shape);

                String dry = queue(server, "hold --domain dead.test --dry-run");
                assertTrue(dry.endsWith("\nwould be held: 1 recipient of 1 message\n"), dry);
                assertEquals(
                        "held 1 recipient of 1 message\n",
                        queue(server, "hold --domain dead.test"));
                assertEquals("0\n", queue(server, "list --state waiting --count"));

                // Where nobody can be asked, what cannot be undone needs a word more.
                List<String> command = new ArrayList<>(MaloteServer.malote(List.of()));
                command.addAll(List.of("queue", "remove", "--all", "--config", "malote.toml"));
                try (Child remove = Child.start("remove", folder.path(), command)) {
                    assertEquals(2, remove.await(LIMIT), remove.output());
                    assertTrue(remove.output().contains("takes --yes"), remove.output());
                }

                assertEquals(
                        "held.test is suspended until malote queue resume held.test\n",
                        queue(server, "suspend held.test"));
                server.terminate();
                assertEquals(0, server.await(Duration.ofSeconds(40)));
                server.restart();
                assertEquals("held.test\n", queue(server, "suspended"));
                assertEquals(
                        "{\"messages\":2,\"recipients\":3}\n",
                        queue(server, "list --state held --count --json"));
                assertEquals("held.test is resumed\n", queue(server, "resume held.test"));

                assertEquals(
                        "removed 1 recipient of 1 message\n",
                        queue(server, "remove --recipient three@* --yes"));
                assertEquals(
                        "bounced 2 recipients of 1 message\n",
                        queue(server, "bounce --state held --yes"));
                awaitList(server, "the queue", "--count", "0\n");
                // A report for each destination, and none of what was removed.
                assertEquals(
                        2, Maildirs.await(folder.path().resolve("mail/boss"), 2, LIMIT).size());
                server.assertQuiet();
            }
        }
    }

    private static void send(Toml toml, String from, String... recipients) {
        try (Smtp smtp = Smtp.openTls(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<" + from + ">"));
            for (String recipient : recipients) {
                smtp.expect("250", smtp.ask("RCPT TO:<" + recipient + ">"));
            }
            smtp.expect("354", smtp.ask("DATA"));
            smtp.send("Subject: \u001b[2J\r\n\r\nhello\r\n");
            smtp.expect("250", smtp.ask("."));
        }
    }

    private static void awaitList(
            MaloteServer server, String what, String filters, String expected) {
        Await.until(
                LIMIT,
                () -> queue(server, "list " + filters).equals(expected),
                () -> what + ": " + queue(server, "list"));
    }

    private static String queue(MaloteServer server, String arguments) {
        List<String> command = new ArrayList<>(List.of("queue"));
        command.addAll(List.of(arguments.split(" ", -1)));
        command.addAll(List.of("--config", "malote.toml"));
        return server.run(command.toArray(String[]::new));
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
