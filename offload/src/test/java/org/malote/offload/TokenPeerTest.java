package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PublicKey;
import java.security.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Keys on tokens, with SoftHSM in this process.
@Tag("peers")
final class TokenPeerTest {
    private static final byte[] MESSAGE = {1, 2, 3};

    @TempDir private Path directory;

    record Cell(List<CertificateSettings> certificates, String version, String key) {}

    static List<Cell> matrix() {
        List<Cell> cells = new ArrayList<>();
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            cells.add(new Cell(List.of(SharedTokens.P256), version, "EC"));
            cells.add(new Cell(List.of(SharedTokens.RSA), version, "RSA"));
            // Of two tokens at the same time.
            cells.add(new Cell(List.of(SharedTokens.OTHER_RSA, SharedTokens.P256), version, "EC"));
        }
        return cells;
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void servesFullAndResumedHandshakes(Cell cell) throws Exception {
        TlsSettings settings =
                TlsSettings.withDefaults(
                        cell.certificates().stream().map(SharedTokens::onTokenAlone).toList());
        assertEquals(List.of(), TlsContexts.check(settings, SharedTokens.environment()));
        try (TlsContexts server = TlsContexts.open(settings, SharedTokens.environment());
                TlsContexts client =
                        TlsContexts.open(
                                TlsSettings.withDefaults(List.of()), SharedTokens.environment());
                Loopback loopback = new Loopback(server)) {
            Loopback.Outcome full = loopback.converse(client, cell.version());
            assertEquals(cell.key(), full.servedKey());
            assertFalse(full.summary().resumed());
            assertTrue(loopback.converse(client, cell.version()).summary().resumed());
        }
    }

    @ParameterizedTest
    @EnumSource
    void signaturesOfEverySchemeAreVerifiedByTheJdk(SignatureScheme scheme) throws Exception {
        CertificateSettings certificate =
                switch (scheme) {
                    case ECDSA_SECP256R1_SHA256 -> SharedTokens.P256;
                    case ECDSA_SECP384R1_SHA384 -> SharedTokens.P384;
                    default -> SharedTokens.RSA;
                };
        PublicKey publicKey =
                PemFile.read(certificate.chain(), "certificate")
                        .certificates()
                        .getFirst()
                        .getPublicKey();
        assertTrue(isVerified(certificate, scheme, publicKey, SharedTokens.environment()));
    }

    static boolean isVerified(
            CertificateSettings certificate,
            SignatureScheme scheme,
            PublicKey publicKey,
            TlsEnvironment environment)
            throws Exception {
        OpenedKey key =
                environment
                        .providers()
                        .open(
                                "native",
                                new KeyReference(
                                        certificate.key(),
                                        PemFile.read(certificate.chain(), "certificate")
                                                .certificates()
                                                .getFirst(),
                                        KeyLimits.DEFAULT));
        try (PrivateKeyOps operations = ((OpenedKey.Offloaded) key).operations()) {
            Signature verifier = scheme.jcaSignature(null);
            verifier.initVerify(publicKey);
            verifier.update(MESSAGE);
            return verifier.verify(
                    operations
                            .sign(scheme, MESSAGE)
                            .toCompletableFuture()
                            .get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void aKeyThatWantsItsPinEachTimeGetsIt() throws Exception {
        // A key as of PIV's slot 9c, which no import makes.
        SoftHsm hsm = SharedTokens.hsm();
        String made =
                hsm.run(
                        "pkcs11-tool",
                        "--module",
                        SoftHsm.MODULE,
                        "--login",
                        "--pin",
                        SoftHsm.PIN,
                        "--token-label",
                        "second",
                        "--keypairgen",
                        "--key-type",
                        "EC:prime256v1",
                        "--label",
                        "careful",
                        "--id",
                        "04",
                        "--always-auth");
        assertTrue(made.contains("always authenticate"), made);
        CertificateSettings other = SharedTokens.P256;
        // It is another's key, and signs: that is how far the PIN matters.
        assertEquals(
                List.of(
                        "key %s does not belong to certificate %s: name the key that the certificate"
                                        .formatted(
                                                hsm.uri("second", "careful", SoftHsm.MODULE),
                                                other.chain())
                                + " was made for"),
                check(other.chain(), hsm.uri("second", "careful", SoftHsm.MODULE)));
    }

    @Test
    void whatIsWrongIsFoundByCheck() throws Exception {
        SoftHsm hsm = SharedTokens.hsm();
        Path chain = SharedTokens.P256.chain();
        assertProblem(
                chain,
                hsm.uri("nowhere", "p256", SoftHsm.MODULE),
                "no token of the module "
                        + SoftHsm.MODULE
                        + " fits key pkcs11:token=nowhere;"
                        + "object=p256: it has .*\"first\".*");
        assertProblem(
                chain,
                hsm.uri("first", "nothing", SoftHsm.MODULE),
                "the token \"first\" has no private EC key for pkcs11:token=first;object=nothing:"
                        + " name one with object= or id=");
        assertProblem(
                chain,
                "pkcs11:token=first;object=p256?module-path=" + SoftHsm.MODULE,
                "the token \"first\" of key pkcs11:token=first;object=p256 wants a PIN: add"
                        + " \\?pin-source=file:/PATH to the key");
        assertProblem(
                chain,
                "pkcs11:object=p256?module-path=/usr/lib/nothing.so",
                "the PKCS#11 module /usr/lib/nothing.so of key pkcs11:object=p256 is not there:"
                        + " install it, or correct module-path");
        Path text = Files.writeString(directory.resolve("no.so"), "no library");
        assertProblem(
                chain,
                "pkcs11:object=p256?module-path=" + text,
                "the PKCS#11 module "
                        + text
                        + " does not load \\(.*\\): install it, or correct"
                        + " module-path");
        assertProblem(
                chain,
                "pkcs11:object=p256?module-path=" + system("libc.so.6"),
                "the library .*libc.so.6 is no PKCS#11 module: correct module-path");
        assertProblem(
                chain, "mx1.key", "key file mx1.key does not exist: create it or correct the path");
    }

    private static Path system(String library) throws Exception {
        for (String folder : List.of("/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64")) {
            if (Files.exists(Path.of(folder, library))) {
                return Path.of(folder, library);
            }
        }
        throw new IllegalStateException("this system has no " + library);
    }

    /// A card locks itself after a few: a PIN that was refused is not tried again.
    @Test
    void aWrongPinIsTriedOnce() throws Exception {
        SoftHsm hsm = SharedTokens.hsm();
        Path pin = new TestCertificates(directory).writePrivate("pin", "4321");
        // A token at which nobody else is logged in, which would be enough.
        CertificateSettings certificate = SharedTokens.FRESH;
        String key = certificate.key().replace(hsm.pinFile().toString(), pin.toString());
        Path chain = certificate.chain();
        assertProblem(
                chain,
                key,
                "the token \"fresh\" refused the PIN of "
                        + pin
                        + " \\(CKR_PIN_INCORRECT\\): correct"
                        + " the file");
        assertProblem(
                chain,
                key,
                "key .* cannot sign \\(the token \"fresh\" refused the PIN of "
                        + pin
                        + ": correct"
                        + " the file\\): see to the key or choose another");
        Files.writeString(pin, SoftHsm.PIN);
        Files.setLastModifiedTime(pin, FileTime.fromMillis(1_000_000_000_000L));
        assertEquals(List.of(), check(chain, key));
        Files.setPosixFilePermissions(pin, PosixFilePermissions.fromString("rw-r-----"));
        assertProblem(
                chain, key, "key file " + pin + " is open to other users: run chmod 600 " + pin);
    }

    private static void assertProblem(Path chain, String key, String pattern) {
        List<String> problems = check(chain, key);
        assertEquals(1, problems.size(), problems.toString());
        assertTrue(problems.getFirst().matches(pattern), problems.getFirst());
    }

    private static List<String> check(Path chain, String key) {
        return TlsContexts.check(
                TlsSettings.withDefaults(List.of(new CertificateSettings(chain, key))),
                SharedTokens.environment());
    }
}
