package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// T05: a token that hangs and one that goes, under load, and tokens that lack what they should
/// have. Each is a SoftHSM behind `p11-kit server`.
@Tag("peers")
final class TokenFaultPeerTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final KeyLimits LIMITS = new KeyLimits(2, 100, TIMEOUT, Duration.ofMillis(500));

    @TempDir private static Path directory;
    private static final OffloadProviders PROVIDERS =
            OffloadProviders.installed(TestCertificates.keyEnvironment());
    private static final TlsContexts CLIENT = open(TlsSettings.withDefaults(List.of()));

    @AfterAll
    static void closeClient() {
        CLIENT.close();
    }

    private static TlsContexts open(TlsSettings settings) {
        try {
            return TlsContexts.open(settings, TestCertificates.environment(PROVIDERS));
        } catch (TlsProblems e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void aTokenThatFailsIsPassedOverAndUsedAgainWhenItIsBack(boolean isKilled) throws Exception {
        SoftHsm hsm = new SoftHsm(directory.resolve("fault-" + isKilled), "ALL").token("remote");
        CertificateSettings certificate =
                SharedTokens.onTokenAlone(
                        hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE));
        try (RemoteToken token = new RemoteToken(hsm);
                TlsContexts server =
                        open(TlsSettings.withDefaults(List.of(certificate)).withKeyLimits(LIMITS));
                Loopback loopback = new Loopback(server);
                Load load = new Load(loopback, CLIENT)) {
            load.awaitFull(20);
            load.awaitResumed(20);
            assertTrue(loopback.converse(CLIENT, "TLSv1.3").summary().resumed());
            assertInstanceOf(PrivateKeyOps.Health.Well.class, server.health());

            if (isKilled) {
                token.kill();
            } else {
                token.hang();
            }
            load.awaitFailed(20);
            while (!(server.health() instanceof PrivateKeyOps.Health.Ailing)) {
                Thread.onSpinWait();
            }
            // Sessions that are known go on without a key.
            assertTrue(loopback.converse(CLIENT, "TLSv1.3").summary().resumed());

            if (isKilled) {
                token.startServer();
            } else {
                token.wake();
            }
            load.awaitFull(20);
            assertInstanceOf(PrivateKeyOps.Health.Well.class, server.health());
            long stallMillis = load.longestStallMillis();
            System.out.println("event loops stalled for at most " + stallMillis + " ms");
            // A loop that waited for the token would have waited for its time limit at least.
            assertTrue(stallMillis < TIMEOUT.toMillis() / 2, stallMillis + " ms");
        }
    }

    @Test
    void theFallbackSignsWhileTheTokenIsGone() throws Exception {
        SoftHsm hsm = new SoftHsm(directory.resolve("fallback"), "ALL").token("remote");
        CertificateSettings certificate =
                hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE); // and in a file
        try (RemoteToken token = new RemoteToken(hsm);
                TlsContexts server =
                        open(TlsSettings.withDefaults(List.of(certificate)).withKeyLimits(LIMITS));
                Loopback loopback = new Loopback(server);
                Load load = new Load(loopback, CLIENT)) {
            load.awaitFull(20);
            token.kill();
            load.awaitFull(100);
            assertEquals(0, load.failed());
            assertInstanceOf(PrivateKeyOps.Health.Well.class, server.health());
        }
    }

    /// `CKM_RSA_X_509` with our padding takes the place of what is missing.
    @ParameterizedTest
    @CsvSource({
        "'CKM_RSA_X_509,CKM_RSA_PKCS', RSA-PKCS-PSS",
        "'CKM_RSA_X_509,CKM_RSA_PKCS_PSS', RSA-PKCS",
        "'CKM_RSA_X_509', RSA-PKCS"
    })
    void aTokenWithoutAPaddingServesAllTheSame(String mechanisms, String missing) throws Exception {
        SoftHsm hsm =
                new SoftHsm(directory.resolve("only-" + mechanisms), mechanisms).token("remote");
        assertFalse(mechanismsOf(hsm).contains(missing + ","), mechanismsOf(hsm));
        CertificateSettings certificate =
                SharedTokens.onTokenAlone(
                        hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE));
        PublicKey publicKey =
                PemFile.read(certificate.chain(), "certificate")
                        .certificates()
                        .getFirst()
                        .getPublicKey();
        try (RemoteToken _ = new RemoteToken(hsm)) {
            for (SignatureScheme scheme : SignatureScheme.values()) {
                if (scheme.family() == SignatureScheme.Family.RSA) {
                    assertTrue(
                            TokenPeerTest.isVerified(
                                    certificate,
                                    scheme,
                                    publicKey,
                                    TestCertificates.environment(PROVIDERS)));
                }
            }
        }
    }

    private static String mechanismsOf(SoftHsm hsm) throws Exception {
        return hsm.run(
                "pkcs11-tool",
                "--module",
                SoftHsm.MODULE,
                "--list-mechanisms",
                "--token-label",
                "remote");
    }

    @Test
    void aTokenThatCannotServeTls13IsRefused() throws Exception {
        SoftHsm hsm =
                new SoftHsm(directory.resolve("poor"), "CKM_RSA_PKCS,CKM_SHA256_RSA_PKCS")
                        .token("remote");
        assertFalse(mechanismsOf(hsm).contains("RSA-PKCS-PSS"), mechanismsOf(hsm));
        CertificateSettings certificate =
                SharedTokens.onTokenAlone(
                        hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE));
        try (RemoteToken _ = new RemoteToken(hsm)) {
            assertEquals(
                    List.of(
                            "the token \"remote\" of key pkcs11:token=remote;object=rsa has not the"
                                    + " mechanisms that TLS needs (CKM_RSA_PKCS_PSS and"
                                    + " CKM_RSA_PKCS, or CKM_RSA_X_509): use another kind of key, or"
                                    + " another token"),
                    TlsContexts.check(
                            TlsSettings.withDefaults(List.of(certificate)),
                            TestCertificates.environment(PROVIDERS)));
        }
    }

    /// A reload must not wait for a card that hangs.
    @Test
    void aHungTokenIsFoundByTheStartWithinItsTime() throws Exception {
        SoftHsm hsm = new SoftHsm(directory.resolve("hung"), "ALL").token("remote");
        CertificateSettings certificate =
                SharedTokens.onTokenAlone(
                        hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE));
        try (RemoteToken token = new RemoteToken(hsm)) {
            token.hang();
            List<String> problems =
                    TlsContexts.check(
                            TlsSettings.withDefaults(List.of(certificate)).withKeyLimits(LIMITS),
                            TestCertificates.environment(PROVIDERS));
            assertEquals(
                    List.of(
                            "key "
                                    + certificate.key()
                                    + " cannot sign (pkcs11:token=remote;object=rsa gave no signature"
                                    + " within 2000 ms): see to the key or choose another"),
                    problems);
            token.wake();
        }
    }
}
