package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// T02: what a scanner finds in our TLS.
@Tag("peers")
@Timeout(180)
final class ScannerTest {
    private static final Pattern ACCEPTED =
            Pattern.compile(
                    "^(Preferred|Accepted)\\s+(TLSv1\\.[0-3]|SSLv[23])\\s+(\\d+) bits\\s+(\\S+)");

    private static Folder folder;
    private static MaloteServer server;
    private static Toml toml;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        toml = Toml.of(folder, Certificate.make(folder), "");
        server = MaloteServer.start(folder, toml.text());
    }

    @AfterAll
    static void stop() {
        try (var _ = folder;
                var _ = server) {}
    }

    @Test
    void sslscanFindsNothingOld() throws Exception {
        String found = scan("--starttls-smtp", "127.0.0.1:" + toml.port());
        for (String line :
                List.of(
                        "SSLv2 disabled",
                        "SSLv3 disabled",
                        "TLSv1.0 disabled",
                        "TLSv1.1 disabled",
                        "TLSv1.2 enabled",
                        "TLSv1.3 enabled",
                        "Server supports TLS Fallback SCSV",
                        "TLSv1.3 not vulnerable to heartbleed",
                        "TLSv1.2 not vulnerable to heartbleed")) {
            assertTrue(found.contains(line), () -> line + " is not in\n" + found);
        }
        assertFalse(found.contains("Insecure"), found);
        // One that cannot compress itself does not say.
        assertFalse(found.contains("Compression enabled"), found);
        assertStrong(found);
    }

    @Test
    void sslscanFindsTheSameOnThePortOfImplicitTls() throws Exception {
        String found = scan("127.0.0.1:" + toml.tlsPort());
        assertTrue(found.contains("TLSv1.1 disabled"), found);
        assertStrong(found);
    }

    /// Nothing without forward secrecy. The two suites without an AEAD are there for Windows before
    /// 2016, which has no better with an RSA certificate, and would send in the clear.
    private static void assertStrong(String found) {
        var suites = new TreeSet<String>();
        for (String line : found.split("\n", -1)) {
            Matcher accepted = ACCEPTED.matcher(line);
            if (accepted.find()) {
                suites.add(accepted.group(4));
                assertTrue(Integer.parseInt(accepted.group(3)) >= 128, line);
            }
        }
        assertFalse(suites.isEmpty(), () -> "no suite in\n" + found);
        assertEquals(
                List.of(),
                suites.stream()
                        .filter(suite -> !suite.startsWith("TLS_") && !suite.startsWith("ECDHE-"))
                        .toList());
    }

    /// @return what it said, with single spaces
    private static String scan(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("sslscan", "--no-colour"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said.replaceAll("[ \t]+", " ");
    }
}
