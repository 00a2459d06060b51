package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Against OpenSSL's own client, the `openssl` command.
@Tag("peers")
final class OpenSslPeerTest {
    private static final long WAIT_SECONDS_MAX = 20;

    @TempDir private static Path directory;
    private static CertificateSettings p256;
    private static CertificateSettings p384;
    private static CertificateSettings rsa;

    /// @param kinds of keys that are served
    /// @param options for `openssl s_client`
    /// @param signature how the server proved itself, in the client's words
    record Cell(
            Engine engine,
            String provider,
            List<String> kinds,
            String version,
            List<String> options,
            String signature) {
        @Override
        public String toString() {
            return engine + " " + provider + " " + kinds + " " + version + " " + signature;
        }
    }

    @BeforeAll
    static void makeCertificates() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        p256 = certificates.p256("p256");
        p384 = certificates.p384("p384");
        rsa = certificates.rsa("rsa");
    }

    /// Engine × provider × key × version; each is made full and resumed.
    static List<Cell> matrix() {
        List<Cell> cells = new ArrayList<>();
        for (Engine engine : Engines.tried()) {
            for (String provider :
                    List.of("native", "libcrypto", "pkcs11", "jca", "corretto", "test-jca")) {
                if (engine != Engine.BORINGSSL && !provider.equals("native")) {
                    continue; // refused: OffloadedKeyTest, OpenSslEngineChecks
                }
                for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                    cells.add(
                            new Cell(engine, provider, List.of("EC"), version, List.of(), "ECDSA"));
                    cells.add(
                            new Cell(
                                    engine,
                                    provider,
                                    List.of("P-384"),
                                    version,
                                    List.of(),
                                    "ECDSA P-384"));
                    cells.add(
                            new Cell(
                                    engine,
                                    provider,
                                    List.of("RSA"),
                                    version,
                                    List.of(),
                                    "RSA-PSS"));
                    // Both, and the peer chooses.
                    cells.add(
                            new Cell(
                                    engine,
                                    provider,
                                    List.of("RSA", "EC"),
                                    version,
                                    List.of(),
                                    "ECDSA"));
                    cells.add(
                            new Cell(
                                    engine,
                                    provider,
                                    List.of("EC", "RSA"),
                                    version,
                                    List.of("-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"),
                                    "RSA-PSS"));
                }
                // What TLS 1.2 has and 1.3 has not.
                cells.add(
                        new Cell(
                                engine,
                                provider,
                                List.of("RSA"),
                                "TLSv1.2",
                                List.of("-sigalgs", "RSA+SHA256"),
                                "RSA"));
            }
            cells.add(
                    new Cell(
                            engine,
                            "native",
                            List.of("EC", "RSA"),
                            "TLSv1.2",
                            List.of("-cipher", "ECDHE-RSA-AES128-GCM-SHA256"),
                            "RSA-PSS"));
        }
        return cells;
    }

    /// The settings of a cell: in files, on a token, or in the hands of a JCA provider.
    private static TlsSettings settings(Cell cell) {
        List<CertificateSettings> certificates =
                cell.kinds().stream().map(kind -> certificate(cell.provider(), kind)).toList();
        String usual =
                switch (cell.provider()) {
                    case "libcrypto", "test-jca" -> cell.provider();
                    default -> "native";
                };
        return Engines.settings(certificates).withEngine(cell.engine()).withProvider(usual);
    }

    private static CertificateSettings certificate(String provider, String kind) {
        CertificateSettings inFile =
                switch (kind) {
                    case "EC" -> p256;
                    case "P-384" -> p384;
                    default -> rsa;
                };
        return switch (provider) {
            case "pkcs11" ->
                    SharedTokens.onTokenAlone(
                            switch (kind) {
                                case "EC" -> SharedTokens.P256;
                                case "P-384" -> SharedTokens.P384;
                                default -> SharedTokens.RSA;
                            });
            case "jca" -> with(inFile, kind.equals("RSA") ? "SunRsaSign" : "SunEC");
            case "corretto" ->
                    with(
                            inFile,
                            "com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider");
            default -> inFile;
        };
    }

    private static CertificateSettings with(CertificateSettings inFile, String jcaProvider) {
        return new CertificateSettings(
                inFile.chain(), "jca:" + jcaProvider + "?key=" + inFile.key());
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void opensslGetsFullAndResumedHandshakes(Cell cell) throws Exception {
        Path session = directory.resolve("session-" + cell.hashCode() + ".pem");
        try (TlsContexts contexts = TlsContexts.open(settings(cell), SharedTokens.environment());
                Loopback server = new Loopback(contexts)) {
            String full = client(server, cell, List.of("-sess_out", session.toString()));
            assertTrue(full.contains("New, " + cell.version()), full);
            assertTrue(
                    Pattern.compile("Peer signature type: " + words(cell.signature()) + "\n")
                            .matcher(full)
                            .find(),
                    full);
            assertTrue(Files.size(session) > 0);
            String resumed = client(server, cell, List.of("-sess_in", session.toString()));
            assertTrue(resumed.contains("Reused, " + cell.version()), resumed);
        }
    }

    /// OpenSSL 3.5 names the scheme, and before it the kind of signature.
    private static String words(String signature) {
        return switch (signature) {
            case "ECDSA" -> "(ECDSA|ecdsa_secp256r1_sha256)";
            // In TLS 1.2 any digest goes with any curve, and this is the one for ECDSA with
            // SHA-256.
            case "ECDSA P-384" -> "(ECDSA|ecdsa_secp(256r1_sha256|384r1_sha384))";
            case "RSA-PSS" -> "(RSA-PSS|rsa_pss_rsae_sha256)";
            case "RSA" -> "(RSA|rsa_pkcs1_sha256)";
            default -> throw new IllegalArgumentException(signature);
        };
    }

    /// T04: a browser or a mailbox protocol that was led here is turned away (ALPACA).
    @ParameterizedTest
    @MethodSource("engines")
    void opensslIsRefusedWithAForeignProtocol(Engine engine) throws Exception {
        TlsSettings settings = Engines.settings(List.of(p256)).withEngine(engine);
        try (TlsContexts contexts = TlsContexts.open(settings, TestCertificates.environment());
                Loopback server = new Loopback(contexts)) {
            for (String protocols : List.of("http/1.1", "h2", "imap,ftp")) {
                Process process = start(server, List.of("-alpn", protocols));
                process.getOutputStream().close();
                String output =
                        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertTrue(process.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
                assertTrue(output.contains("no application protocol"), output);
            }
            String ours = talk(start(server, List.of("-alpn", "h2,smtp")), "Q\n");
            assertTrue(ours.contains("ALPN protocol: smtp"), ours);
            String none = talk(start(server, List.of()), "Q\n");
            assertTrue(none.contains("No ALPN negotiated"), none);
        }
    }

    /// RFC 8446 §4.2.7 leaves the choice to the server. BoringSSL takes the first of ours, OpenSSL
    /// 3.5
    /// one for which the peer has sent a key share already.
    @Test
    void opensslAgreesOnAGroup() throws Exception {
        try (TlsContexts contexts =
                        TlsContexts.open(
                                Engines.settings(List.of(p256)), TestCertificates.environment());
                Loopback server = new Loopback(contexts)) {
            String first = talk(start(server, List.of("-groups", "X25519:P-256")), "Q\n");
            assertTrue(first.contains(" Temp Key: X25519, 253 bits"), first);
            String nist = talk(start(server, List.of("-groups", "P-384:P-256")), "Q\n");
            boolean isFirst = Engines.inProcess() == Engine.BORINGSSL;
            assertTrue(
                    nist.contains(
                            isFirst
                                    ? " Temp Key: ECDH, prime256v1, 256 bits"
                                    : " Temp Key: ECDH, secp384r1, 384 bits"),
                    nist);
            String large = talk(start(server, List.of("-groups", "P-384")), "Q\n");
            assertTrue(large.contains(" Temp Key: ECDH, secp384r1, 384 bits"), large);
            assertRefused(server, List.of("-groups", "P-521"));
        }
    }

    @Test
    void opensslIsRefusedWithOldVersionsAndRsaKeyExchange() throws Exception {
        TlsSettings settings = Engines.settings(List.of(p256, rsa));
        try (TlsContexts contexts = TlsContexts.open(settings, TestCertificates.environment());
                Loopback server = new Loopback(contexts)) {
            assertRefused(server, List.of("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"));
            assertRefused(server, List.of("-tls1_2", "-cipher", "AES128-GCM-SHA256"));
            assertRefused(server, List.of("-tls1_2", "-cipher", "DHE"));
        }
    }

    static List<Engine> engines() {
        return Engines.tried();
    }

    /// RFC 9325 §3.5: a peer that asks for a new handshake inside TLS 1.2 loses the connection.
    @ParameterizedTest
    @MethodSource("engines")
    void opensslCannotRenegotiate(Engine engine) throws Exception {
        TlsSettings settings = Engines.settings(List.of(rsa)).withEngine(engine);
        try (TlsContexts contexts = TlsContexts.open(settings, TestCertificates.environment());
                Loopback server = new Loopback(contexts)) {
            Process process = start(server, List.of("-tls1_2"));
            String output = talk(process, "R\n");
            assertTrue(output.contains("RENEGOTIATING"), output);
            assertTrue(process.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
            assertEquals(1, process.exitValue(), output);
        }
    }

    private static void assertRefused(Loopback server, List<String> options) throws Exception {
        Process process = start(server, options);
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        assertTrue(output.contains("Cipher is (NONE)"), output);
        assertTrue(output.contains("alert"), output);
    }

    /// Shakes hands, sends a line and waits for it to come back, and returns all that was printed.
    private static String client(Loopback server, Cell cell, List<String> more) throws Exception {
        List<String> options = new ArrayList<>(cell.options());
        options.add(cell.version().equals("TLSv1.2") ? "-tls1_2" : "-tls1_3");
        options.addAll(more);
        Process process = start(server, options);
        String output = talk(process, "Q\n");
        assertTrue(process.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    /// Sends a line, and once it has come back one of the client's own commands: `Q` to quit, `R`
    /// to renegotiate.
    private static String talk(Process process, String command) throws Exception {
        StringBuilder output = new StringBuilder();
        try (OutputStream in = process.getOutputStream();
                BufferedReader out =
                        new BufferedReader(
                                new InputStreamReader(
                                        process.getInputStream(), StandardCharsets.UTF_8))) {
            in.write("hello there\n".getBytes(StandardCharsets.US_ASCII));
            in.flush();
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                output.append(line).append('\n');
                if (line.contains("hello there")) {
                    in.write(command.getBytes(StandardCharsets.US_ASCII));
                    in.flush();
                }
            }
        }
        return output.toString();
    }

    private static Process start(Loopback server, List<String> options) throws Exception {
        List<String> command = new ArrayList<>(List.of("timeout", "" + WAIT_SECONDS_MAX));
        command.addAll(List.of("openssl", "s_client", "-connect"));
        command.add("127.0.0.1:" + server.port());
        command.addAll(options);
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }
}
