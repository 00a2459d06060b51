package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The system's OpenSSL, which every host of ours has.
final class LibcryptoTest {
    private static final byte[] MESSAGE =
            "what the peer and we have said".getBytes(StandardCharsets.US_ASCII);

    @TempDir private Path directory;
    private TestCertificates certificates = new TestCertificates(Path.of("."));

    @BeforeEach
    void setUp() {
        certificates = new TestCertificates(directory);
    }

    @ParameterizedTest
    @EnumSource
    void signaturesOfEverySchemeAreVerifiedByTheJdk(SignatureScheme scheme) throws Exception {
        KeyPair pair = pairFor(scheme);
        PrivateKeyOps key = open(pair);
        for (int i = 0; i < 3; i++) {
            assertTrue(isVerified(scheme, pair, sign(key, scheme)));
        }
        key.close();
        key.close();
        assertTrue(
                key.sign(scheme, MESSAGE).toCompletableFuture().isCompletedExceptionally(),
                "a closed key signs nothing");
    }

    @Test
    void aKeyOfAnotherKindSaysSoAndGoesOn() throws Exception {
        KeyPair pair = certificates.pair("EC", 256);
        PrivateKeyOps key = open(pair);
        assertTrue(
                key.sign(SignatureScheme.RSA_PSS_RSAE_SHA256, MESSAGE)
                        .toCompletableFuture()
                        .isCompletedExceptionally());
        assertTrue(
                isVerified(
                        SignatureScheme.ECDSA_SECP256R1_SHA256,
                        pair,
                        sign(key, SignatureScheme.ECDSA_SECP256R1_SHA256)));
        key.close();
    }

    @Test
    void oneKeySignsOnManyThreads() throws Exception {
        KeyPair pair = certificates.pair("RSA", 2048);
        PrivateKeyOps key = open(pair);
        SignatureScheme scheme = SignatureScheme.RSA_PSS_RSAE_SHA256;
        List<Callable<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            tasks.add(
                    () -> {
                        boolean isGood = true;
                        for (int j = 0; j < 50; j++) {
                            isGood &= isVerified(scheme, pair, sign(key, scheme));
                        }
                        return isGood;
                    });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (Future<Boolean> task : threads.invokeAll(tasks)) {
                assertTrue(task.get(20, TimeUnit.SECONDS));
            }
        }
        key.close();
    }

    @Test
    void aLibraryThatIsNotThereOrIsAnotherIsAProblemOfCheck() throws Exception {
        CertificateSettings p256 = certificates.p256("mx");
        assertProblem(
                "libcrypto.so.99",
                p256,
                "the library libcrypto\\.so\\.99 does not load \\(.*\\): install OpenSSL 3, or choose"
                        + " provider \"native\"");
        assertProblem(
                "libc.so.6",
                p256,
                "the library libc\\.so\\.6 has no OpenSSL_version: install OpenSSL 3, or choose"
                        + " provider \"native\"");
    }

    private static void assertProblem(String library, CertificateSettings p256, String pattern) {
        TlsEnvironment environment =
                TestCertificates.environment(List.of(new LibcryptoProvider(library)));
        TlsSettings settings = TlsSettings.withDefaults(List.of(p256)).withProvider("libcrypto");
        List<String> problems = TlsContexts.check(settings, environment);
        assertEquals(1, problems.size());
        assertTrue(problems.getFirst().matches(pattern), problems.getFirst());
        TlsProblems refused =
                assertThrows(
                        TlsProblems.class, () -> TlsContexts.open(settings, environment).close());
        assertEquals(problems, refused.problems());
    }

    @Test
    void itTellsItsVersion() {
        String version = new LibcryptoProvider().version();
        assertTrue(version != null && version.startsWith("OpenSSL 3."), version);
        assertFalse(new LibcryptoProvider().describe().isEmpty());
    }

    private PrivateKeyOps open(KeyPair pair) throws Exception {
        OpenedKey key =
                new LibcryptoProvider()
                        .open(
                                new KeyReference(
                                        certificates.writeKey("a", pair.getPrivate()).toString(),
                                        certificates.certificate("a", pair, TestCertificates.NOW),
                                        KeyLimits.DEFAULT),
                                TestCertificates.keyEnvironment());
        return ((OpenedKey.Inline) key).operations();
    }

    private KeyPair pairFor(SignatureScheme scheme) throws Exception {
        return switch (scheme.family()) {
            case RSA -> certificates.pair("RSA", 2048);
            case EC ->
                    certificates.pair(
                            "EC", scheme == SignatureScheme.ECDSA_SECP384R1_SHA384 ? 384 : 256);
        };
    }

    private static byte[] sign(PrivateKeyOps key, SignatureScheme scheme) {
        return key.sign(scheme, MESSAGE).toCompletableFuture().join();
    }

    private static boolean isVerified(SignatureScheme scheme, KeyPair pair, byte[] signature)
            throws Exception {
        Signature verifier = scheme.jcaSignature(null);
        verifier.initVerify(pair.getPublic());
        verifier.update(MESSAGE);
        return verifier.verify(signature);
    }
}
