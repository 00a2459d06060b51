package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.offload.CertificateSettings;
import org.malote.offload.SelfSigned;

final class MainTest {
    @TempDir Path directory;

    @Test
    void everyErrorIsOneLineThatSaysWhatToDo() {
        assertEquals("2 malote: say what to do, such as malote serve; see malote --help\n", run());
        assertEquals(
                "2 malote: unmatched argument at index 0: 'serv'; did you mean malote serve?\n",
                run("serv").replaceFirst("mean .*\\?", "mean malote serve?"));
        assertEquals(
                "2 malote: unknown option: '--confg'; did you mean --config?\n",
                run("serve", "--confg"));
        assertEquals(
                "2 malote: \"ab1\" is not a message id; `queue list` shows the ids; see malote"
                        + " queue show --help\n",
                run("queue", "show", "ab1"));
    }

    @Test
    void saysThatTheFileIsNotThere() {
        Path missing = directory.resolve("none.toml");
        assertEquals(
                "1 malote: " + missing + ":1: there is no such file; name one with --config FILE\n",
                run("serve", "--config", missing.toString()));
    }

    @Test
    void saysThatNoServerRuns() throws IOException {
        Path file = write("state = \"state\"\n");
        assertEquals(
                "1 malote: no server answers at "
                        + directory.resolve("state/control.sock")
                        + "; start one with malote serve, or name its file with --config\n",
                run("queue", "list", "--config", file.toString()));
    }

    @Test
    void checksEverythingAtOnce() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Path file =
                    write(
                            """
                            hostname = "mx.example"
                            state = "malote.toml/state"
                            [[listener]]
                            address = "127.0.0.1:%d"
                            [tls]
                            certificates = [{ chain = "none.pem", key = "none.key" }]
                            [[route]]
                            domain = "a.example"
                            via = "lmtp:no-such-host.invalid:24"
                            [admin]
                            enabled = false
                            """
                                    .formatted(taken.getLocalPort()));
            String report = run("check", "--config", file.toString());
            assertTrue(report.startsWith("1 "), report);
            for (String part :
                    new String[] {
                        "the state " + directory + "/malote.toml/state cannot be made",
                        "none.pem",
                        "listener \"mx\": cannot listen on 127.0.0.1 port " + taken.getLocalPort(),
                        "route a.example: the host no-such-host.invalid has no address",
                        "note: mail for postmaster@mx.example has no route",
                        " problems\n",
                    }) {
                assertTrue(report.contains(part), part + " in\n" + report);
            }
        }
    }

    @Test
    void checksTheFileOfUsers() throws IOException {
        Path file =
                write(
                        """
                        hostname = "mx.example"
                        state = "state"
                        [[listener]]
                        address = "127.0.0.1:0"
                        profile = "submission"
                        [auth]
                        users = "users"
                        [admin]
                        enabled = false
                        """);
        String users = directory.resolve("users").toString();
        assertTrue(
                run("check", "--config", file.toString())
                        .contains("the file of users " + users + " does not exist"));
        Files.writeString(Path.of(users), "ann:x\n");
        Files.setPosixFilePermissions(Path.of(users), PosixFilePermissions.fromString("rw-------"));
        assertTrue(
                run("check", "--config", file.toString())
                        .contains(users + ":1: nothing proves who \"ann\" is"));
    }

    @Test
    void findsAGoodConfigurationFine() throws IOException {
        Path file =
                write(
                        """
                        hostname = "mx.example"
                        state = "state"
                        [[listener]]
                        address = "127.0.0.1:0"
                        tls = "none"
                        [[route]]
                        domain = "mx.example"
                        via = "maildir:mail/{local}"
                        [admin]
                        address = "127.0.0.1:0"
                        """);
        assertEquals("0 " + file + " is fine\n", run("check", "--config", file.toString()));
        assertTrue(Files.notExists(directory.resolve("state")), "a check makes nothing");
    }

    @Test
    void showsAndTimesWhatTlsGives() throws Exception {
        CertificateSettings own =
                SelfSigned.ensure(
                        directory.resolve("keys"),
                        "mx1.isp.example",
                        Clock.systemUTC(),
                        new SecureRandom());
        Path file =
                Files.writeString(
                        directory.resolve("malote.toml"),
                        """
                        hostname = "mx1.isp.example"
                        state = "state"
                        [tls]
                        provider = "libcrypto"
                        certificates = [{ chain = "%s", key = "%s" }]
                        """
                                .formatted(own.chain(), own.key()));
        String output = run("tls", "--config", file.toString());
        for (String line :
                List.of(
                        "0 engine    boringssl",
                        "provider  libcrypto",
                        "groups    X25519MLKEM768, X25519, P-256, P-384",
                        "provider jca +can be used: .*",
                        "provider libcrypto +can be used: .*",
                        "provider native +can be used: .*",
                        "provider pkcs11 +can be used: .*",
                        "ticket keys  .*/state/keys/tickets: none made yet",
                        "  names      mx1.isp.example, localhost",
                        "  key        P-256 .*self-signed.pem",
                        "  signature  [0-9]+ µs ECDSA_SECP256R1_SHA256",
                        "  handshake  [0-9]+ µs TLSv1.3 full, both ends",
                        "  handshake  [0-9]+ µs TLSv1.3 resumed, both ends",
                        "  handshake  [0-9]+ µs TLSv1.2 full, both ends",
                        "  handshake  [0-9]+ µs TLSv1.2 resumed, both ends")) {
            assertTrue(output.lines().anyMatch(one -> one.matches(line)), line + "\n" + output);
        }
        assertTrue(Files.notExists(directory.resolve("state")), "it writes nothing");
    }

    @Test
    void reportsTheProblemsOfTheFile() throws IOException {
        Path file = write("hostnme = \"mx.example\"\n");
        assertEquals(
                "1 "
                        + file
                        + ":1: unknown key \"hostnme\"; did you mean \"hostname\"?\n1 problem\n",
                run("check", "--config", file.toString()));
    }

    @Test
    void helpsAndTellsItsVersion() {
        assertTrue(run("--version").startsWith("0 malote "));
        assertTrue(run("serve", "--help").contains("--config=FILE"));
    }

    private Path write(String text) throws IOException {
        return Files.writeString(directory.resolve("malote.toml"), text);
    }

    /// The exit status, what was printed, and the errors.
    private static String run(String... arguments) {
        TestScreen screen = new TestScreen(() -> Instant.EPOCH);
        int status = screen.run(arguments);
        return status + " " + screen.out() + screen.err();
    }
}
