package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an operator reads when something is wrong. `@` stands for the directory of the files.
final class ProblemsTest {
    @TempDir private Path directory;
    private TestCertificates certificates = new TestCertificates(Path.of("."));

    @BeforeEach
    void setUp() {
        certificates = new TestCertificates(directory);
    }

    @Test
    void aFileThatIsNotThere() {
        assertProblems(
                List.of("certificate file @/mx.pem does not exist: create it or correct the path"),
                settings("mx.pem", "mx.key"));
    }

    @Test
    void aChainThatTheLibraryForOpenSslMightNotCarry() throws Exception {
        String[] hosts =
                IntStream.range(0, 200)
                        .mapToObj(
                                i ->
                                        "a-rather-long-name-of-a-mail-host-%03d.isp.example"
                                                .formatted(i))
                        .toArray(String[]::new);
        CertificateSettings wide = certificates.named("long", "EC", 256, hosts);
        CertificateStore store =
                CertificateStore.load(
                        TlsSettings.withDefaults(List.of(wide, certificates.p256("short"))),
                        TestCertificates.NOW,
                        TestCertificates.environment());
        try {
            assertEquals(List.of(), TlsContexts.mismatches(Engine.BORINGSSL, store));
            List<String> problems = TlsContexts.mismatches(Engine.OPENSSL, store);
            assertEquals(1, problems.size(), problems.toString());
            assertTrue(
                    problems.getFirst()
                            .startsWith("engine \"openssl\" takes chains of up to 8192 octets"),
                    problems.toString());
        } finally {
            store.close();
        }
    }

    @Test
    void aKeyThatOthersCanRead() throws Exception {
        CertificateSettings p256 = certificates.p256("mx");
        for (String mode : List.of("rw-r-----", "rw----r--", "rw--w----")) {
            Files.setPosixFilePermissions(
                    Path.of(p256.key()), PosixFilePermissions.fromString(mode));
            assertProblems(
                    List.of("key file @/mx.key is open to other users: run chmod 600 @/mx.key"),
                    p256);
        }
    }

    /// systemd gives the service's user a credential by an access control list, whose mask stands
    /// where the group's rights do: 0440.
    @Test
    void aCredentialMayShowAsItsGroups() throws Exception {
        Path credentials = Files.createDirectory(directory.resolve("credentials"));
        Path pin = Files.writeString(credentials.resolve("pin"), "1234");
        Path elsewhere = Files.writeString(directory.resolve("pin"), "1234");
        Path link = Files.createSymbolicLink(credentials.resolve("link"), elsewhere);
        for (Path one : List.of(pin, elsewhere)) {
            Files.setPosixFilePermissions(one, PosixFilePermissions.fromString("r--r-----"));
        }
        PemFile.requirePrivate(pin, "key file", credentials);
        for (Path one : List.of(elsewhere, link)) {
            assertThrows(
                    TlsProblems.class, () -> PemFile.requirePrivate(one, "key file", credentials));
        }
        assertThrows(TlsProblems.class, () -> PemFile.requirePrivate(pin, "key file", null));
        for (String mode : List.of("rw-rw----", "r--r--r--", "rw-r---w-")) {
            Files.setPosixFilePermissions(pin, PosixFilePermissions.fromString(mode));
            assertThrows(
                    TlsProblems.class, () -> PemFile.requirePrivate(pin, "key file", credentials));
        }
    }

    @Test
    void aKeyOfAnotherCertificate() throws Exception {
        CertificateSettings one = certificates.p256("one");
        CertificateSettings two = certificates.p256("two");
        CertificateSettings rsa = certificates.rsa("rsa");
        assertProblems(
                List.of(
                        "key @/two.key does not belong to certificate @/one.pem: name the key that"
                                + " the certificate was made for"),
                new CertificateSettings(one.chain(), two.key()));
        assertProblems(
                List.of(
                        "key @/rsa.key does not belong to certificate @/one.pem: name the key that"
                                + " the certificate was made for"),
                new CertificateSettings(one.chain(), rsa.key()));
    }

    @Test
    void aCertificateThatIsNotValidNow() throws Exception {
        KeyPair pair = certificates.pair("EC", 256);
        CertificateSettings expired =
                certificates.write("old", pair, TestCertificates.NOW.minusSeconds(1));
        assertProblems(
                List.of("certificate @/old.pem expired at 2026-11-01T11:59:59Z: renew it"),
                expired);
        CertificateSettings early =
                certificates.write("early", pair, TestCertificates.NOW.plus(Duration.ofDays(200)));
        assertProblems(
                List.of(
                        "certificate @/early.pem is not valid before 2026-11-21T12:00:00Z: check the"
                                + " clock or renew it"),
                early);
    }

    /// Most senders never look at the dates; without TLS they would be no better off.
    @Test
    void anExpiredCertificateIsServedAllTheSame() throws Exception {
        CertificateSettings expired =
                certificates.write(
                        "old", certificates.pair("EC", 256), TestCertificates.NOW.minusSeconds(1));
        try (TlsContexts contexts =
                TlsContexts.open(
                        TlsSettings.withDefaults(List.of(expired)),
                        TestCertificates.environment())) {
            assertEquals(1, contexts.certificates().size());
        }
    }

    @Test
    void filesThatAreMixedUp() throws Exception {
        CertificateSettings p256 = certificates.p256("mx");
        assertProblems(
                List.of(
                        "certificate file @/mx.key holds a private key and no certificate: name the"
                                + " file with the chain"),
                new CertificateSettings(Path.of(p256.key()), p256.key()));
        Files.setPosixFilePermissions(p256.chain(), PosixFilePermissions.fromString("rw-------"));
        assertProblems(
                List.of(
                        "key file @/mx.pem holds a certificate and no private key: name the file"
                                + " with the key"),
                new CertificateSettings(p256.chain(), p256.chain().toString()));
    }

    @Test
    void filesThatAreNoPem() throws Exception {
        CertificateSettings p256 = certificates.p256("mx");
        certificates.writePrivate("empty.key", "");
        certificates.writePrivate("text.key", "not a key\n");
        certificates.writePrivate(
                "cut.key", Files.readString(Path.of(p256.key())).substring(0, 90));
        certificates.writePrivate("huge.key", "x".repeat(PemFile.FILE_BYTES_MAX + 1));
        for (String file : List.of("empty.key", "text.key")) {
            assertProblems(
                    List.of(
                            "key file @/"
                                    + file
                                    + " holds no PEM block: convert it to PEM first, for example"
                                    + " with openssl"),
                    new CertificateSettings(p256.chain(), directory.resolve(file).toString()));
        }
        assertProblems(
                List.of(
                        "key file @/cut.key holds damaged PEM (-----END PRIVATE KEY----- not found):"
                                + " replace it"),
                new CertificateSettings(p256.chain(), directory.resolve("cut.key").toString()));
        assertProblems(
                List.of("key file @/huge.key is larger than 1048576 bytes: name a PEM file"),
                new CertificateSettings(p256.chain(), directory.resolve("huge.key").toString()));
    }

    @Test
    void aChainOutOfOrder() throws Exception {
        CertificateSettings one = certificates.p256("one");
        CertificateSettings two = certificates.p256("two");
        Files.writeString(
                one.chain(), Files.readString(one.chain()) + Files.readString(two.chain()));
        assertProblems(
                List.of(
                        "certificate file @/one.pem is out of order at certificate 2 (CN=two): put"
                                + " the server's own first and each issuer after it"),
                one);
    }

    @Test
    void keysThatAreTooWeakOrTooRare() throws Exception {
        assertProblems(
                List.of(
                        "certificate @/weak.pem has an RSA key of 1024 bits: make one of at least"
                                + " 2048"),
                certificates.write(
                        "weak",
                        certificates.pair("RSA", 1024),
                        TestCertificates.NOW.plus(Duration.ofDays(90))));
        assertProblems(
                List.of(
                        "certificate @/rare.pem has an elliptic-curve key of 521 bits: make one on"
                                + " P-256"),
                certificates.write(
                        "rare",
                        certificates.pair("EC", 521),
                        TestCertificates.NOW.plus(Duration.ofDays(90))));
        assertProblems(
                List.of(
                        "certificate @/young.pem has a key of kind EdDSA that mail peers cannot use:"
                                + " make one with P-256 or RSA"),
                certificates.write(
                        "young",
                        certificates.pair("Ed25519", 255),
                        TestCertificates.NOW.plus(Duration.ofDays(90))));
    }

    @Test
    void aCertificateThatNobodyIsOffered() throws Exception {
        assertProblems(
                List.of(
                        "certificate @/two.pem is never served: others with EC keys come before it"
                                + " and have all of its names"),
                certificates.named("one", "EC", 256, "mx1.isp.example", "mx2.isp.example"),
                certificates.named("two", "EC", 256, "MX2.isp.example"));
    }

    @Test
    void aKeyOfAProviderThatIsNotThere() throws Exception {
        assertProblems(
                List.of(
                        "provider \"cloudkeys\" is not there: choose one of jca, libcrypto, native,"
                                + " pkcs11, test-jca, or put its jar on the class path"),
                new CertificateSettings(certificates.p256("mx").chain(), "cloudkeys:mx1"));
    }

    @Test
    void everyProblemAtOnce() throws Exception {
        CertificateSettings p256 = certificates.p256("mx");
        TlsSettings settings =
                TlsSettings.withDefaults(List.of(p256, settings("gone.pem", "gone.key")))
                        .withProvider("cloud")
                        .withTickets(
                                new TicketSettings(
                                        Duration.ofMillis(1), Duration.ofDays(8), null, null))
                        .withHandshakeTimeout(Duration.ZERO);
        assertEquals(
                List.of(
                        "the ticket key interval must be at least one second",
                        "the session lifetime must be between one second and seven days",
                        "the TLS handshake timeout must be at least one second",
                        "provider \"cloud\" is not there: choose one of jca, libcrypto, native, pkcs11,"
                                + " test-jca, or put its jar on the class path",
                        "certificate file @/gone.pem does not exist: create it or correct the path"),
                found(settings));
    }

    /// Each library that the engine `openssl` is linked with, and what to install.
    @Test
    void aHostWithoutTheLibrariesOfAnEngine() {
        assertLibrary("libssl.so.0", "install OpenSSL 3.2 or later", "libssl.so.0", "libc.so.6");
        assertLibrary(
                "libcrypto.so.0", "install OpenSSL 3.2 or later", "libc.so.6", "libcrypto.so.0");
        assertEquals(
                List.of(
                        "engine \"openssl\" needs OpenSSL 3.2 or later, and this host's has no"
                                + " OpenSSL_version_num: install one, or choose engine \"boringssl\""),
                assertThrows(
                                TlsProblems.class,
                                () -> SystemOpenSsl.load("libc.so.6", "libc.so.6", "libc.so.6"))
                        .problems());
    }

    private static void assertLibrary(String gone, String remedy, String ssl, String crypto) {
        assertEquals(
                List.of(
                        String.format(
                                "engine \"openssl\" needs the library %s, which does not load: %s, or"
                                        + " choose engine \"boringssl\"",
                                gone, remedy)),
                assertThrows(TlsProblems.class, () -> SystemOpenSsl.load(ssl, crypto, "libc.so.6"))
                        .problems());
    }

    @Test
    void moreTicketKeysThanAnEngineShouldSearch() {
        TlsSettings settings =
                TlsSettings.withDefaults(List.of())
                        .withTickets(
                                new TicketSettings(
                                        Duration.ofMinutes(1), Duration.ofHours(6), null, null));
        assertEquals(
                List.of(
                        "the session lifetime PT6H needs more than 16 ticket keys at an interval of"
                                + " PT1M: make the interval longer"),
                found(settings));
    }

    private CertificateSettings settings(String chain, String key) {
        return new CertificateSettings(directory.resolve(chain), directory.resolve(key).toString());
    }

    private void assertProblems(List<String> expected, CertificateSettings... settings) {
        assertEquals(expected, found(TlsSettings.withDefaults(List.of(settings))));
    }

    /// What check finds; open must refuse for the same reasons, dates aside.
    private List<String> found(TlsSettings settings) {
        List<String> found = TlsContexts.check(settings, TestCertificates.environment());
        List<String> refused =
                found.stream()
                        .filter(
                                one ->
                                        !one.contains("expired")
                                                && !one.contains("not valid before"))
                        .toList();
        if (!refused.isEmpty()) {
            TlsProblems problems =
                    assertThrows(
                            TlsProblems.class,
                            () ->
                                    TlsContexts.open(settings, TestCertificates.environment())
                                            .close());
            assertEquals(refused, problems.problems());
        }
        return found.stream().map(problem -> problem.replace(directory.toString(), "@")).toList();
    }
}
