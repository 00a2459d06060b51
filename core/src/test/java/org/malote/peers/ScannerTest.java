package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// T02: what scanners find in our TLS.
@Tag("peers")
@Timeout(400)
final class ScannerTest {
    private static final Pattern ACCEPTED =
            Pattern.compile(
                    "^(Preferred|Accepted)\\s+(TLSv1\\.[0-3]|SSLv[23])\\s+(\\d+) bits\\s+(\\S+)");

    /// How long testssl.sh may take: two minutes on two busy processors.
    private static final Duration TESTSSL_MAX = Duration.ofMinutes(6);

    /// Protocols, suites, forward secrecy, the server's choice, what it says of itself, and the
    /// attacks that have a name. Not the 60 s of handshakes as each known client would make them.
    private static final List<String> TESTSSL_CHECKS = List.of("-p", "-s", "-f", "-P", "-S", "-U");

    /// Of these it finds more than a hundred; far fewer would say that it could not look.
    private static final int FINDINGS_MIN = 60;

    /// Below LOW.
    private static final Set<String> HARMLESS = Set.of("OK", "INFO", "DEBUG");

    /// What it has to say against the certificates of this test, which are signed by themselves and
    /// live for 30 days, and against two suites. The number is that of the certificate, where there
    /// are two.
    private static final Pattern ARGUED =
            Pattern.compile(
                    "(cert_chain_of_trust" // nobody else has signed it
                            + "|cert_revocation" // and so nobody can revoke it
                            + "|cert_expirationStatus|cert_notAfter)" // its 30 days
                            + "( <.*>)?"
                            // ECDHE-RSA with AES-CBC: Windows before 2016 has no better with an
                            // RSA certificate, and would send in the clear
                            + "|cipherlist_AVERAGE"
                            // the same two, by the attack of 2013, which BoringSSL's constant-time
                            // unpadding ended, and which needs a peer that tries again and again
                            + "|LUCKY13"
                            // Its own: it has no OpenSSL of old to look for GOST with.
                            + "|engine_problem");

    private static Folder folder;
    private static MaloteServer server;
    private static Toml toml;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        Certificate rsa = Certificate.makeRsa(folder);
        toml = Toml.of(folder, Certificate.make(folder), "");
        toml =
                new Toml(
                        toml.port(),
                        toml.tlsPort(),
                        toml.text()
                                .replace(
                                        "certificates = [",
                                        "certificates = [{ chain = \"%s\", key = \"%s\" }, "
                                                .formatted(rsa.chain(), rsa.key())));
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

    @Test
    void testsslFindsNothingThatIsNotArgued() throws Exception {
        try (Child starttls = testssl("starttls", toml.port(), "-t", "smtp");
                Child implicit = testssl("implicit", toml.tlsPort())) {
            for (Child scan : List.of(starttls, implicit)) {
                // Its status counts findings.
                int _ = scan.await(TESTSSL_MAX);
            }
            assertHarmless("starttls", starttls);
            assertHarmless("implicit", implicit);
        }
    }

    private static Child testssl(String name, int port, String... more) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "testssl",
                                "--quiet",
                                "--color=0",
                                "--warnings=batch",
                                "--nodns=none",
                                "--connect-timeout=20",
                                "--openssl-timeout=20",
                                "--jsonfile=" + folder.path().resolve(name + ".json")));
        command.addAll(TESTSSL_CHECKS);
        command.addAll(List.of(more));
        command.add("127.0.0.1:" + port);
        return Child.start("testssl-" + name, folder.path(), command);
    }

    private static void assertHarmless(String name, Child scan) throws IOException {
        var findings = new ObjectMapper().readTree(folder.path().resolve(name + ".json").toFile());
        assertTrue(findings.size() >= FINDINGS_MIN, scan::output);
        var ids = new TreeSet<String>();
        List<String> bad = new ArrayList<>();
        for (var finding : findings) {
            String id = finding.get("id").asText();
            ids.add(id);
            if (!HARMLESS.contains(finding.get("severity").asText())
                    && !ARGUED.matcher(id).matches()) {
                bad.add(finding.toString());
            }
        }
        assertEquals(List.of(), bad, scan::output);
        // It looked, and it can find: the certificates are as bad as they are.
        assertTrue(
                ids.containsAll(List.of("TLS1_3", "heartbleed", "ROBOT", "LUCKY13")),
                ids::toString);
        assertTrue(
                ids.stream().anyMatch(id -> id.startsWith("cert_chain_of_trust")), ids::toString);
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
