package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The whole server with `engine = "openssl"`, in a Debian 13 whose OpenSSL is new enough, and on
/// this host, whose own may not be.
@Tag("peers")
@Tag("debian")
@Timeout(240)
final class OpenSslEngineTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final List<String> IN_DEBIAN =
            List.of(
                    Path.of("..", "offload", "src", "test", "sh", "in-debian")
                            .toAbsolutePath()
                            .normalize()
                            .toString());

    /// Where it has the files of this host.
    private static final String ROOT = "/host";

    private static Folder folder;
    private static Toml toml;

    @BeforeAll
    static void make() {
        folder = Folder.create();
        Certificate certificate = Certificate.make(folder);
        Certificate there =
                new Certificate(
                        Path.of(ROOT + certificate.chain()), Path.of(ROOT + certificate.key()));
        Toml draft = Toml.of(folder, there, "").withTls("engine = \"openssl\"");
        toml =
                new Toml(
                        draft.port(),
                        draft.tlsPort(),
                        draft.text().replace("state = \"", "state = \"" + ROOT)
                                + """
                                [[route]]
                                domain = "box.test"
                                via = "maildir:%s/{domain}/{local}"
                                """
                                        .formatted(ROOT + folder.path().resolve("mail")));
    }

    @AfterAll
    static void remove() {
        folder.close();
    }

    @Test
    void itTakesMailOverTlsAndResumes() throws Exception {
        try (MaloteServer server = MaloteServer.startIn(IN_DEBIAN, ROOT, folder, toml.text())) {
            try (Smtp smtp = Smtp.openTls(toml.port())) {
                smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                smtp.expect("250", smtp.ask("RCPT TO:<b@box.test>"));
                smtp.expect("354", smtp.ask("DATA"));
                smtp.expect("250", smtp.ask("Subject: by OpenSSL\r\n\r\nhello\r\n."));
            }
            Path inbox = folder.path().resolve("mail/box.test/b/new");
            Await.until(
                    LIMIT,
                    () -> Files.isDirectory(inbox) && inbox.toFile().list().length == 1,
                    server::log);
            String trace = Files.readString(inbox.resolve(inbox.toFile().list()[0]));
            assertTrue(trace.contains("TLSv1.3"), trace);
            String session = folder.path().resolve("session.pem").toString();
            String full = SClient.startTls(toml.port(), "-sess_out", session);
            assertTrue(full.contains("New, TLSv1.3"), full);
            String resumed = SClient.startTls(toml.port(), "-sess_in", session);
            assertTrue(resumed.contains("Reused, TLSv1.3"), resumed);
        }
    }

    @Test
    void theCommandsTellWhatItIs() {
        Path config = folder.write("told.toml", toml.text());
        assertTrue(run(0, inDebian("check", "--config", ROOT + config)).contains(" is fine\n"));
        String told = run(0, inDebian("tls", "--config", ROOT + config));
        assertTrue(told.contains("engine    openssl\nlibrary   OpenSSL 3.5."), told);
        assertTrue(told.contains("groups    X25519MLKEM768, X25519, P-256, P-384"), told);
        assertTrue(told.contains("TLSv1.3 resumed, both ends"), told);
    }

    /// Debian 12 has OpenSSL 3.0; where it is newer, the engine is there.
    @Test
    void thisHostIsToldWhatIsMissing() {
        Path config =
                folder.write(
                        "here.toml",
                        toml.text().replace("\"" + ROOT, "\"").replace(":" + ROOT, ":"));
        String version = Child.run("openssl", folder.path(), LIMIT, List.of("openssl", "version"));
        boolean isOld = version.matches("(?s)OpenSSL 3\\.[01]\\..*");
        for (String command : List.of("check", "serve")) {
            if (!isOld && command.equals("serve")) {
                continue; // it would serve
            }
            List<String> here = new ArrayList<>(MaloteServer.malote(List.of()));
            here.addAll(List.of(command, "--config", config.toString()));
            String told = run(isOld ? 1 : 0, here);
            assertEquals(
                    isOld,
                    told.contains(
                            "engine \"openssl\" needs OpenSSL 3.2 or later and this host has OpenSSL"
                                    + " 3."),
                    told);
            assertFalse(told.contains("\tat "), told);
        }
    }

    private static List<String> inDebian(String... arguments) {
        List<String> command = new ArrayList<>(IN_DEBIAN);
        command.addAll(MaloteServer.below(ROOT));
        command.addAll(List.of(arguments));
        return command;
    }

    private static String run(int status, List<String> command) {
        try (Child child = Child.start("malote-openssl", folder.path(), command)) {
            assertEquals(status, child.await(LIMIT), child::output);
            return child.output();
        }
    }
}
