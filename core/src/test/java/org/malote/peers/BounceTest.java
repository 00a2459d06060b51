package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.malote.dns.ScriptedDnsServer;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

/// What happens to mail that cannot be delivered: P14, P15, P17 and N02.
@Tag("peers")
final class BounceTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String DATA = "Subject: original\r\n\r\noriginal body\r\n";

    /// By type and name: what the name server knows.
    private static final Map<String, String> ZONE =
            Map.of(
                    "MX null.test", "null.test. 60 MX 0 .",
                    "A null.test", "null.test. 60 A 127.0.0.1",
                    "MX gone.test", "gone.test. 60 MX 10 nothing.test.",
                    "A gone.test", "gone.test. 60 A 127.0.0.1",
                    "A plain.test", "plain.test. 60 A 127.0.0.1",
                    "MX self.test", "self.test. 60 MX 10 mx.test.",
                    "A mx.test", "mx.test. 60 A 127.0.0.1",
                    "MX hosted.test", "hosted.test. 60 MX 10 plain.test.");

    private static Folder folder;
    private static SinkServer sink;
    private static ScriptedDnsServer dns;
    private static Toml toml;
    private static MaloteServer server;
    private static Path mail;

    @BeforeAll
    static void start() throws IOException {
        folder = Folder.create();
        mail = folder.path().resolve("mail");
        sink = SinkServer.start(BounceTest::reply, "PIPELINING", "8BITMIME", "SIZE 1000000");
        dns = ScriptedDnsServer.start((query, _) -> List.of(answer(query).toWire(4096)));
        toml =
                Toml.of(
                        folder,
                        Certificate.make(folder),
                        """
                        [queue]
                        retry-first = "1s"
                        retry-max = "1s"
                        [dns]
                        servers = ["127.0.0.1:%d"]
                        [delivery]
                        mx-port = %d
                        allow-private-targets = true
                        [[route]]
                        domain = "origin.test"
                        via = "maildir:%s/{local}"
                        [[route]]
                        domain = "sink.test"
                        via = "smtp:127.0.0.1:%d"
                        """
                                .formatted(
                                        dns.address().getPort(), sink.port(), mail, sink.port()));
        server = MaloteServer.start(folder, toml.text());
    }

    @AfterAll
    static void stop() throws IOException {
        try (var _ = folder;
                var _ = sink;
                var _ = dns;
                var _ = server) {}
    }

    @AfterEach
    void isQuiet() {
        server.assertQuiet();
    }

    /// The sink refuses some recipients for good.
    private static @Nullable String reply(String line) {
        if (line.startsWith("RCPT TO:<escape")) {
            return "550-5.1.1 no \u001b[31m\tX-Injected: 1\r\n550 5.1.1 \u0085X-Injected: 2\u00ff";
        }
        if (line.startsWith("RCPT TO:<return")) {
            return "550 5.1.1 no\u0000\rX-Injected: 3";
        }
        return line.startsWith("RCPT TO:<no") ? "550 5.1.1 nobody here" : null;
    }

    private static Message answer(Message query) throws IOException {
        String name = query.getQuestion().getName().toString(true);
        String type = Type.string(query.getQuestion().getType());
        String record = ZONE.get(type + " " + name);
        boolean isKnown = ZONE.keySet().stream().anyMatch(key -> key.endsWith(" " + name));
        return record != null
                ? ScriptedDnsServer.reply(query, Rcode.NOERROR, record)
                : ScriptedDnsServer.reply(query, isKnown ? Rcode.NOERROR : Rcode.NXDOMAIN);
    }

    private static void send(String mailFrom, String... rcptTo) {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:" + mailFrom));
            for (String to : rcptTo) {
                smtp.expect("250", smtp.ask("RCPT TO:" + to));
            }
            smtp.expect("354", smtp.ask("DATA"));
            smtp.send(DATA + ".\r\n");
            smtp.expect("250", smtp.reply());
        }
    }

    private static String report(String local) {
        byte[] report = Maildirs.await(mail.resolve(local), 1, LIMIT).getFirst();
        return new String(report, StandardCharsets.UTF_8);
    }

    private static void awaitLog(String text) {
        Await.until(LIMIT, () -> server.log().contains(text), server::log);
    }

    // ---- P15 ----

    @Test
    void reportsOneFailureThatPythonCanRead() throws IOException {
        send(
                "<one@origin.test> ENVID=envelope+2B1 RET=HDRS",
                "<no1@sink.test> ORCPT=rfc822;first+2Bone@elsewhere.test",
                "<yes1@sink.test>",
                "<no2@sink.test> NOTIFY=NEVER");
        String report = report("one");
        assertTrue(report.startsWith("Return-Path: <>"), report);
        Path file = folder.write("report.eml", report);
        Path script =
                folder.write(
                        "read.py",
                        """
                        import email, email.policy, sys
                        m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
                        assert not m.defects, m.defects
                        assert m.get_content_type() == "multipart/report", m.get_content_type()
                        assert m.get_param("report-type") == "delivery-status"
                        assert m["Auto-Submitted"] == "auto-replied", m["Auto-Submitted"]
                        text, status, original = m.get_payload()
                        assert text.get_content_type() == "text/plain"
                        assert "no1@sink.test" in text.get_content(), text.get_content()
                        assert status.get_content_type() == "message/delivery-status"
                        message, *recipients = status.get_payload()
                        assert message["Reporting-MTA"].replace(" ", "") == "dns;mx.test", message["Reporting-MTA"]
                        assert message["Original-Envelope-Id"] == "envelope+1", message["Original-Envelope-Id"]
                        assert len(recipients) == 1, recipients
                        r = recipients[0]
                        assert r["Final-Recipient"].replace(" ", "") == "rfc822;no1@sink.test", r["Final-Recipient"]
                        assert r["Original-Recipient"].replace(" ", "") == "rfc822;first+one@elsewhere.test", r["Original-Recipient"]
                        assert r["Action"] == "failed" and r["Status"] == "5.1.1", r
                        assert "550 5.1.1 nobody here" in r["Diagnostic-Code"], r["Diagnostic-Code"]
                        assert original.get_content_type() == "text/rfc822-headers", original.get_content_type()
                        assert "original body" not in str(original)
                        """);
        Child.run(
                "python",
                folder.path(),
                LIMIT,
                List.of("python3", script.toString(), file.toString()));
        assertTrue(Files.exists(file));
        assertEquals(1, Maildirs.messages(mail.resolve("one")).size());
    }

    @Test
    void reportsNothingToTheNullSenderAndNothingThatWasNotWanted() {
        send("<>", "<nonull@sink.test>");
        send("<never@origin.test>", "<nonever@sink.test> NOTIFY=NEVER");
        send("<success@origin.test>", "<nosuccess@sink.test> NOTIFY=SUCCESS,DELAY");
        // The report itself cannot be delivered: no report of a report.
        send("<nosender@sink.test>", "<nothere@sink.test>");
        for (String local : List.of("nonull", "nonever", "nosuccess", "nothere", "nosender")) {
            awaitLog(local + "@sink.test");
        }
        Await.until(LIMIT, () -> !queued().contains("\"no"), server::log);
        assertEquals(0, Maildirs.messages(mail.resolve("never")).size());
        assertEquals(0, Maildirs.messages(mail.resolve("success")).size());
        List<String> reports =
                sink.commands().stream()
                        .filter(line -> line.startsWith("RCPT TO:<nosender"))
                        .toList();
        assertEquals(1, reports.size(), "the report was to be tried once, and nothing after it");
    }

    private static String queued() {
        return server.run("queue", "list", "--json", "--config", "malote.toml");
    }

    @Test
    void reportsSuccessWhereItWasAskedFor() {
        send("<relayed@origin.test>", "<yes2@sink.test> NOTIFY=SUCCESS");
        // The sink speaks no DSN: RFC 3461 §5.2.2 has us say "relayed".
        String report = report("relayed");
        assertTrue(report.contains("Action: relayed"), report);
    }

    // ---- P17 ----

    @Test
    void makesNoHeaderOfWhatAHostSays() {
        send("<injected@origin.test>", "<escape@sink.test>");
        // No reply at all: the recipient waits.
        send("<injected@origin.test>", "<return@sink.test>");
        awaitLog("return@sink.test");
        String report = report("injected");
        for (String line : report.split("\n", -1)) {
            assertFalse(line.strip().startsWith("X-Injected"), report);
            assertFalse(Smtp.hasControls(line), report);
        }
        for (String line : server.log().split("\n", -1)) {
            assertFalse(Smtp.hasControls(line), line);
        }
    }

    // ---- N02 ----

    @Test
    void sendsNothingToANullMx() {
        send("<nullmx@origin.test>", "<box@null.test>");
        String report = report("nullmx");
        // RFC 7505 §5.1
        assertTrue(report.contains("Status: 5.1.10"), report);
        assertFalse(sink.commands().stream().anyMatch(line -> line.contains("null.test")));
    }

    @Test
    void takesNoAddressForAnMxThatHasNone() {
        send("<fallback@origin.test>", "<box@gone.test>");
        awaitLog("box@gone.test");
        assertFalse(sink.commands().stream().anyMatch(line -> line.contains("gone.test")));
    }

    @Test
    void findsHostsByMxAndByAddress() {
        send("<found@origin.test>", "<box@hosted.test>");
        send("<found@origin.test>", "<box@plain.test>");
        Await.until(
                LIMIT,
                () ->
                        sink.commands()
                                .containsAll(
                                        List.of(
                                                "RCPT TO:<box@hosted.test>",
                                                "RCPT TO:<box@plain.test>")),
                server::log);
    }

    @Test
    void failsADomainThatDoesNotExist() {
        send("<nowhere@origin.test>", "<box@nowhere.test>");
        String report = report("nowhere");
        assertTrue(report.contains("Status: 5.1.2"), report);
    }

    // ---- P14 ----

    @Test
    void endsALoopToItself() {
        send("<self@origin.test>", "<box@self.test>");
        String report = report("self");
        assertTrue(report.contains("Status: 5.4.6"), report);
        assertEquals(1, Maildirs.messages(mail.resolve("self")).size());
    }

    @Test
    void refusesAMessageThatWentRoundTooOften() {
        for (int received : new int[] {99, 101}) {
            try (Smtp smtp = Smtp.open(toml.port())) {
                String data = "Received: from a by b\r\n".repeat(received) + DATA;
                String reply = smtp.mail("loop@origin.test", "box@sink.test", data);
                smtp.expect(received <= 100 ? "250" : "554 5.4.6", reply);
            }
        }
    }

    @Test
    void endsALoopOfTwoHosts() {
        try (Folder own = Folder.create()) {
            Certificate certificate = Certificate.make(own);
            Toml first = Toml.of(own, certificate, "");
            try (Folder other = Folder.create()) {
                Toml second = Toml.of(other, certificate, pointAt(first.port()));
                String text = first.text() + pointAt(second.port());
                try (MaloteServer one = MaloteServer.start(own, text);
                        MaloteServer two = MaloteServer.start(other, second.text())) {
                    try (Smtp smtp = Smtp.open(first.port())) {
                        smtp.expect("250", smtp.mail("loops@origin.test", "box@loop.test", DATA));
                    }
                    String report = report("loops");
                    assertTrue(report.contains("Status: 5.4.6"), report);
                    assertEquals(1, Maildirs.messages(mail.resolve("loops")).size());
                    one.assertQuiet();
                    two.assertQuiet();
                }
            }
        }
    }

    private static String pointAt(int port) {
        return """
        [[route]]
        domain = "loop.test"
        via = "smtp:127.0.0.1:%d"
        [[route]]
        domain = "origin.test"
        via = "maildir:%s/{local}"
        """
                .formatted(port, mail);
    }
}
