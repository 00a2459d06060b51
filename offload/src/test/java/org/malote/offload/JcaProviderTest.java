package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Keys that a JCA provider signs with: the JDK's own, and Amazon Corretto's over AWS-LC.
final class JcaProviderTest {
    private static final String CORRETTO =
            "jca:com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider";

    @TempDir private static Path directory;
    private static CertificateSettings p256;
    private static CertificateSettings rsa;

    @BeforeAll
    static void makeCertificates() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        p256 = certificates.p256("p256");
        rsa = certificates.rsa("rsa");
    }

    record Cell(String provider, CertificateSettings certificate, String version) {}

    static List<Cell> matrix() {
        List<Cell> cells = new ArrayList<>();
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            cells.add(new Cell("jca:SunEC", p256, version));
            cells.add(new Cell("jca:SunRsaSign", rsa, version));
            cells.add(new Cell(CORRETTO, p256, version));
            cells.add(new Cell(CORRETTO, rsa, version));
        }
        return cells;
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void servesFullAndResumedHandshakes(Cell cell) throws Exception {
        CertificateSettings certificate = cell.certificate();
        TlsSettings settings =
                settings(certificate.chain(), cell.provider() + "?key=" + certificate.key());
        TlsEnvironment environment = TestCertificates.environment();
        assertEquals(List.of(), TlsContexts.check(settings, environment));
        try (TlsContexts server = TlsContexts.open(settings, environment);
                TlsContexts client =
                        TlsContexts.open(TlsSettings.withDefaults(List.of()), environment);
                Loopback loopback = new Loopback(server)) {
            assertFalse(loopback.converse(client, cell.version()).summary().resumed());
            assertTrue(loopback.converse(client, cell.version()).summary().resumed());
        }
    }

    @Test
    void aKeyStoreOpensWithItsPasswordFile() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        KeyPair pair = certificates.pair("EC", 256);
        CertificateSettings written =
                certificates.write("stored", pair, TestCertificates.NOW.plusSeconds(60));
        Path password = certificates.writePrivate("password", "open sesame\n");
        Path store = storeOf(pair, certificates);
        String key =
                "jca:SunEC?keystore=%s&type=PKCS12&alias=mx1&password-file=%s"
                        .formatted(store, password);
        assertEquals(List.of(), check(written.chain(), key));
        assertEquals(
                List.of(
                        "the key store of key "
                                + key.replace("=mx1", "=mx2")
                                + " has no private key \"mx2\": it has [mx1]"),
                check(written.chain(), key.replace("=mx1", "=mx2")));
        certificates.writePrivate("password", "wrong");
        List<String> wrong = check(written.chain(), key);
        assertEquals(1, wrong.size());
        assertTrue(wrong.getFirst().contains("does not open"), wrong.getFirst());
        Files.setPosixFilePermissions(password, PosixFilePermissions.fromString("rw-r--r--"));
        assertEquals(
                List.of(
                        "key file %1$s is open to other users: run chmod 600 %1$s"
                                .formatted(password)),
                check(written.chain(), key));
    }

    private static Path storeOf(KeyPair pair, TestCertificates certificates) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        char[] password = "open sesame".toCharArray();
        store.setKeyEntry(
                "mx1",
                pair.getPrivate(),
                password,
                new X509Certificate[] {
                    certificates.certificate("mx1", pair, TestCertificates.NOW)
                });
        Path file = directory.resolve("mx1.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, password);
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    @Test
    void whatIsWrongIsSaid() {
        assertProblem(
                "the JCA provider \"Nonesuch\" is not installed: choose one of SUN, .*",
                "jca:Nonesuch?key=" + p256.key());
        assertProblem(
                "the JCA provider com\\.vendor\\.Missing cannot be made \\(.*\\): put its jar on the"
                        + " class path, or correct the name in key .*",
                "jca:com.vendor.Missing?key=" + p256.key());
        assertProblem(
                "key jca:SunEC names neither a file nor a key store: write key=FILE, or type= and"
                        + " alias=",
                "jca:SunEC");
        assertProblem(
                "key jca:SunEC\\?file=a has an attribute \"file\" that is not known: there are alias,"
                        + " config, key, keystore, password-file, type",
                "jca:SunEC?file=a");
        assertProblem(
                "key jca:SunEC\\?key=%4 has a % that is not followed by two hexadecimal digits: write"
                        + " it as %25",
                "jca:SunEC?key=%4");
        assertProblem("key file /gone\\.key does not exist: .*", "jca:SunEC?key=/gone.key");
    }

    private static void assertProblem(String pattern, String key) {
        List<String> problems = check(p256.chain(), key);
        assertEquals(1, problems.size());
        assertTrue(problems.getFirst().matches(pattern), problems.getFirst());
    }

    private static List<String> check(Path chain, String key) {
        return TlsContexts.check(settings(chain, key), TestCertificates.environment());
    }

    private static TlsSettings settings(Path chain, String key) {
        return TlsSettings.withDefaults(List.of(new CertificateSettings(chain, key)));
    }
}
