package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The programs that people send mail with.
@Tag("peers")
final class ClientsTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private static Folder folder;
    private static Certificate certificate;
    private static Toml toml;
    private static MaloteServer server;
    private static Path mail;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        mail = folder.path().resolve("mail");
        certificate = Certificate.make(folder);
        toml =
                Toml.of(
                        folder,
                        certificate,
                        """
                        [[route]]
                        domain = "box.test"
                        via = "maildir:%s/{local}"
                        """
                                .formatted(mail));
        server = MaloteServer.start(folder, toml.text());
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

    @Test
    void swaksSendsOverStartTlsAndImplicitTls() {
        for (String mode : List.of("--tls", "--tls-on-connect")) {
            int port = mode.equals("--tls") ? toml.port() : toml.tlsPort();
            String local = "swaks" + mode.length();
            Child.run(
                    "swaks",
                    folder.path(),
                    LIMIT,
                    List.of(
                            "swaks",
                            "--server",
                            "127.0.0.1:" + port,
                            mode,
                            "--from",
                            "a@peer.test",
                            "--to",
                            local + "@box.test",
                            "--body",
                            "from swaks"));
            String message = arrived(local);
            assertTrue(message.contains("from swaks"), message);
            assertTrue(message.contains("with ESMTPS"), message);
            assertTrue(message.contains("TLSv1.3"), message);
            assertTrue(message.startsWith("Return-Path: <a@peer.test>"), message);
        }
    }

    /// The README's first command. The embedded default has the ports that the README names: this
    /// test alone needs them to be free.
    @Test
    void swaksSendsToTheEmbeddedDefault() {
        try (Folder empty = Folder.create();
                MaloteServer embedded = MaloteServer.startEmbedded(empty)) {
            Child.run(
                    "swaks",
                    empty.path(),
                    LIMIT,
                    List.of(
                            "swaks",
                            "--server",
                            "127.0.0.1:2525",
                            "--tls",
                            "--to",
                            "someone@example.test"));
            Path maildir = empty.path().resolve("var/mail/example.test/someone");
            assertEquals(1, Maildirs.await(maildir, 1, LIMIT).size());
            embedded.assertQuiet();
        }
    }

    @Test
    void smtplibSendsOverStartTlsAndImplicitTls() {
        Path script =
                folder.write(
                        "send.py",
                        """
                        import smtplib, ssl, sys
                        plain, tls = int(sys.argv[1]), int(sys.argv[2])
                        context = ssl.create_default_context(cafile=sys.argv[3])
                        body = "Subject: py\\r\\n\\r\\n.dot\\r\\n..dots\\r\\n.\\r\\nfrom smtplib\\r\\n"
                        with smtplib.SMTP("localhost", plain) as s:
                            s.starttls(context=context)
                            s.sendmail("a@peer.test", ["py-starttls@box.test"], body)
                            s.sendmail("a@peer.test", ["py-second@box.test"], body)
                        with smtplib.SMTP_SSL("localhost", tls, context=context) as s:
                            s.sendmail("a@peer.test", ["py-implicit@box.test"], body)
                        """);
        Child.run(
                "smtplib",
                folder.path(),
                LIMIT,
                List.of(
                        "python3",
                        script.toString(),
                        String.valueOf(toml.port()),
                        String.valueOf(toml.tlsPort()),
                        certificate.chain().toString()));
        for (String local : List.of("py-starttls", "py-second", "py-implicit")) {
            String message = arrived(local);
            assertTrue(message.endsWith("\n\n.dot\n..dots\n.\nfrom smtplib\n"), message);
        }
    }

    @Test
    void msmtpSendsOverStartTlsAndImplicitTls() {
        for (boolean isStartTls : List.of(true, false)) {
            String local = isStartTls ? "msmtp-starttls" : "msmtp-implicit";
            Path message = folder.write("message", "Subject: msmtp\n\n.\nfrom msmtp\n");
            String command =
                    "msmtp -C /dev/null --host=localhost --port=%d --tls=on --tls-starttls=%s --tls-trust-file=%s --from=a@peer.test %s@box.test < %s"
                            .formatted(
                                    isStartTls ? toml.port() : toml.tlsPort(),
                                    isStartTls ? "on" : "off",
                                    certificate.chain(),
                                    local,
                                    message);
            Child.run("msmtp", folder.path(), LIMIT, List.of("sh", "-c", command));
            assertTrue(arrived(local).endsWith("\n\n.\nfrom msmtp\n"));
        }
    }
}
