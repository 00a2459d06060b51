package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/// Users, with the programs that they send mail with.
@Tag("peers")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class SubmissionTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String USER = "ann@isp.test";
    private static final String PASSWORD = "correct horse, <bättery>";

    private static Folder folder;
    private static Certificate certificate;
    private static Certificate box;
    private static int port;
    private static int tlsPort;
    private static Path mail;
    private static Path users;
    private static String ann;
    private static MaloteServer server;

    @BeforeAll
    static void start() throws IOException {
        folder = Folder.create();
        mail = folder.path().resolve("mail");
        certificate = Certificate.make(folder);
        box = Certificate.named(folder, "box7.test");
        port = Ports.free();
        tlsPort = Ports.free();
        folder.write("password", PASSWORD + "\n");
        ann = line(USER) + " from=" + USER + " mpc=per/individual";
        users = folder.write("users", "");
        Files.setPosixFilePermissions(users, PosixFilePermissions.fromString("rw-------"));
        Files.writeString(users, ann + "\nbox7:certificate=box7.test\n");
        Toml toml =
                Toml.withoutRelay(
                                folder,
                                certificate,
                                """
                                [[listener]]
                                name = "submission"
                                address = "127.0.0.1:%d"
                                profile = "submission"
                                mpc = "enforce"
                                [[listener]]
                                name = "submissions"
                                address = "127.0.0.1:%d"
                                profile = "submission"
                                tls = "implicit"
                                [auth]
                                users = "users"
                                failure-delay = "10ms"
                                [[route]]
                                domain = "box.test"
                                via = "maildir:%s/{local}"
                                [[route]]
                                domain = "held.test"
                                via = "hold"
                                """
                                        .formatted(port, tlsPort, mail))
                        .withTls(
                                "client-certificates = \"request\"\nclient-authorities = \""
                                        + box.chain()
                                        + "\"");
        server = MaloteServer.start(folder, toml.text());
    }

    /// What `malote password` prints.
    private static String line(String user) {
        String command = String.join(" ", MaloteServer.malote(List.of()));
        return Child.run(
                        "password",
                        folder.path(),
                        LIMIT,
                        List.of("sh", "-c", command + " password " + user + " < password"))
                .strip();
    }

    @AfterAll
    static void stop() {
        try (var _ = folder;
                var _ = server) {}
    }

    private static String arrived(String local) {
        byte[] message = Maildirs.await(mail.resolve(local), 1, LIMIT).getFirst();
        return new String(message, StandardCharsets.UTF_8);
    }

    private static void run(String name, String command) {
        Child.run(name, folder.path(), LIMIT, List.of("sh", "-c", command));
    }

    private static String swaks(String local, String options) {
        return ("swaks --server 127.0.0.1:%d --tls --auth PLAIN --auth-user %s"
                        + " --auth-password \"$(cat password)\" --from %s --to %s@box.test %s")
                .formatted(port, USER, USER, local, options);
    }

    private static String msmtp(String local, String options) {
        folder.write("message", "Subject: msmtp\n\nfrom msmtp\n");
        return ("msmtp -C /dev/null --host=localhost --port=%d --tls=on --tls-starttls=off"
                        + " --tls-trust-file=%s --from=%s %s %s@box.test < message")
                .formatted(tlsPort, certificate.chain(), USER, options, local);
    }

    @Test
    @Order(1)
    void swaksLogsInByPlain() {
        run("swaks", swaks("swaks", "--body hello"));
        String message = arrived("swaks");
        assertTrue(message.contains(" with ESMTPSA id "), message);
        assertTrue(message.contains("\nMPC: per/individual"), message);
        assertTrue(server.log().contains("user=" + USER + ", mechanism=PLAIN"), server.log());
        assertTrue(
                server.log().lines().anyMatch(l -> l.contains(" accepted: ") && l.contains(USER)),
                server.log());
    }

    @Test
    @Order(2)
    void msmtpLogsInByScram() {
        run(
                "msmtp",
                msmtp(
                        "msmtp-scram",
                        "--auth=scram-sha-256 --user=" + USER + " --passwordeval='cat password'"));
        assertTrue(arrived("msmtp-scram").contains("from msmtp"));
        assertTrue(server.log().contains("user=" + USER + ", mechanism=SCRAM-SHA-256"));
    }

    @Test
    @Order(3)
    void msmtpLogsInByPlainAndByItsCertificate() {
        run(
                "msmtp",
                msmtp(
                        "msmtp-plain",
                        "--auth=plain --user=" + USER + " --passwordeval='cat password'"));
        arrived("msmtp-plain");
        run(
                "msmtp",
                msmtp(
                        "msmtp-external",
                        "--auth=external --user=box7 --tls-cert-file="
                                + box.chain()
                                + " --tls-key-file="
                                + box.key()));
        assertTrue(arrived("msmtp-external").contains(" with ESMTPSA id "));
        assertTrue(server.log().contains("user=box7, mechanism=EXTERNAL"), server.log());
    }

    @Test
    @Order(4)
    void smtplibLogsIn() {
        Path script =
                folder.write(
                        "send.py",
                        """
                        import base64, smtplib, ssl, sys
                        starttls, tls, ca, user = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
                        password = open("password").read().strip()
                        context = ssl.create_default_context(cafile=ca)
                        body = "Subject: smtplib\\n\\nfrom smtplib"
                        with smtplib.SMTP("localhost", starttls) as s:
                            s.ehlo()
                            assert not s.has_extn("auth")
                            try:
                                s.sendmail(user, ["nobody@box.test"], body)
                                raise AssertionError("it took mail in the clear")
                            except smtplib.SMTPSenderRefused as e:
                                assert e.smtp_code == 530, e
                            s.starttls(context=context)
                            s.ehlo()
                            assert s.esmtp_features["auth"].split() == ["PLAIN", "SCRAM-SHA-256"], s.esmtp_features
                            try:
                                s.login(user, "wrong")
                                raise AssertionError("it took any password")
                            except smtplib.SMTPAuthenticationError as e:
                                assert e.smtp_code == 535, e
                            assert s.docmd("AUTH", "PLAIN") == (334, b"")
                            assert s.docmd("*")[0] == 501
                            plain = base64.b64encode(("\\0" + user + "\\0" + password).encode()).decode()
                            assert s.docmd("AUTH", "PLAIN " + plain)[0] == 235
                            s.sendmail(user, ["py-starttls@box.test"], body)
                            s.sendmail(user, ["held@held.test"], body)
                            try:
                                s.sendmail("bob@isp.test", ["nobody@box.test"], body)
                                raise AssertionError("it took another's name")
                            except smtplib.SMTPSenderRefused as e:
                                assert e.smtp_code == 553, e
                        with smtplib.SMTP_SSL("localhost", tls, context=context) as s:
                            s.ehlo()
                            assert s.docmd("AUTH", "PLAIN " + plain)[0] == 235
                            s.sendmail(user, ["py-implicit@box.test"], body)
                        """);
        run(
                "smtplib",
                "python3 %s %d %d %s %s"
                        .formatted(script, port, tlsPort, certificate.chain(), USER));
        arrived("py-starttls");
        arrived("py-implicit");
        String config = folder.path().resolve("malote.toml").toString();
        String held = server.run("queue", "list", "--config", config);
        String id =
                held.lines()
                        .filter(l -> l.contains("held.test") || l.contains(USER))
                        .findFirst()
                        .orElseThrow()
                        .strip()
                        .split(" +", 2)[0];
        String shown = server.run("queue", "show", id, "--config", config);
        assertTrue(shown.lines().anyMatch(l -> l.matches("user +" + USER)), shown);
    }

    /// By hand, as an administrator would try it.
    @Test
    @Order(5)
    void opensslSpeaksToBothListeners() {
        String plain =
                Base64.getEncoder()
                        .encodeToString(
                                ("\0" + USER + "\0" + PASSWORD).getBytes(StandardCharsets.UTF_8));
        for (String how :
                List.of(
                        "-connect localhost:" + tlsPort,
                        "-starttls smtp -connect localhost:" + port)) {
            String output =
                    Child.run(
                            "openssl",
                            folder.path(),
                            LIMIT,
                            List.of(
                                    "sh",
                                    "-c",
                                    "(sleep 1; echo 'EHLO me.test'; sleep 1; echo 'AUTH PLAIN "
                                            + plain
                                            + "'; sleep 1; echo 'QUIT') | openssl s_client -quiet"
                                            + " -crlf "
                                            + how
                                            + " 2>&1"));
            assertTrue(output.contains("AUTH PLAIN SCRAM-SHA-256"), output);
            assertTrue(output.contains("235 2.7.0 authenticated"), output);
            assertTrue(output.contains("221 2.0.0 bye"), output);
        }
    }

    @Test
    @Order(6)
    void whoIsNotKnownSendsNothing() {
        for (String options : List.of("--auth-password wrong", "--auth-user bob@isp.test")) {
            assertThrows(
                    AssertionError.class, () -> run("swaks", swaks("nobody", options)), options);
        }
        assertThrows(
                AssertionError.class,
                () ->
                        run(
                                "msmtp",
                                msmtp(
                                        "nobody",
                                        "--auth=scram-sha-256 --user="
                                                + USER
                                                + " --passwordeval='echo wrong'")));
        assertThrows(
                AssertionError.class,
                () ->
                        run(
                                "swaks",
                                "swaks --server 127.0.0.1:"
                                        + port
                                        + " --tls --from a@b.test --to nobody@box.test"));
        assertFalse(Files.exists(mail.resolve("nobody")));
    }

    @Test
    @Order(7)
    void aReloadReadsTheUsersAgain() throws IOException {
        String config = folder.path().resolve("malote.toml").toString();
        Files.writeString(users, ann + "\nbroken\n");
        AssertionError refused =
                assertThrows(AssertionError.class, () -> server.run("reload", "--config", config));
        assertTrue(String.valueOf(refused.getMessage()).contains(users + ":2: "));
        run("swaks", swaks("after-a-bad-file", ""));
        arrived("after-a-bad-file");
        Files.writeString(users, line("bob@isp.test") + "\n");
        String report = server.run("reload", "--config", config);
        assertTrue(report.contains("the users were read again: 1"), report);
        assertThrows(AssertionError.class, () -> run("swaks", swaks("nobody", "")));
        run("swaks", swaks("bob", "--auth-user bob@isp.test"));
        arrived("bob");
    }

    /// Neither a password nor what it is sent as.
    @Test
    @Order(8)
    void theLogHasNoPassword() {
        String plain =
                Base64.getEncoder()
                        .encodeToString(
                                ("\0" + USER + "\0" + PASSWORD).getBytes(StandardCharsets.UTF_8));
        for (String secret : List.of("horse", plain, plain.substring(0, 12), "argon2id", "wrong")) {
            assertFalse(server.log().contains(secret), secret);
        }
        assertEquals(0, server.log().lines().filter(l -> l.contains("AUTH PLAIN ")).count());
    }
}
