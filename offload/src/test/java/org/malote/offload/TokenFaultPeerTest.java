package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
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
    private static final long WAIT_SECONDS_MAX = 30;

    /// Names that peers ask for: one certificate has its key on a token, the other in a file.
    private static final String ON_TOKEN = "token.isp.example";

    private static final String IN_FILE = "file.isp.example";
    private static final KeyLimits LIMITS = new KeyLimits(2, 100, TIMEOUT, Duration.ofMillis(500));

    @TempDir private static Path directory;
    /// The system's, but where a test has its own.
    private static volatile LongSupplier time = System::nanoTime;

    private static final OffloadProviders PROVIDERS = OffloadProviders.installed(keyEnvironment());
    private static final TlsContexts CLIENT = open(TlsSettings.withDefaults(List.of()));

    private static KeyEnvironment keyEnvironment() {
        KeyEnvironment usual = TestCertificates.keyEnvironment();
        return new KeyEnvironment(
                usual.threads(), () -> time.getAsLong(), usual.random(), usual.credentials());
    }

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

            long before = load.takeLongestStallMillis();
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

            long during = load.takeLongestStallMillis();
            if (isKilled) {
                token.startServer();
            } else {
                token.wake();
            }
            load.awaitFull(20);
            assertInstanceOf(PrivateKeyOps.Health.Well.class, server.health());
            // Told and not judged, since a busy machine has stalls of its own: that no loop waits
            // for the token is the next test's.
            System.out.printf(
                    "token %s: event loops stalled for at most %d ms before, %d ms without it, %d"
                            + " ms after%n",
                    isKilled ? "killed" : "stopped", before, during, load.takeLongestStallMillis());
        }
    }

    /// One event loop has everything, and time stands still unless the test moves it: what is done
    /// while signatures are awaited was not held up by them.
    @Test
    void theEventLoopGoesOnWhileTheTokenHangs() throws Exception {
        SoftHsm hsm = new SoftHsm(directory.resolve("one-loop"), "ALL").token("remote");
        CertificateSettings onToken =
                SharedTokens.onTokenAlone(
                        hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE));
        CertificateSettings inFile =
                new TestCertificates(directory).named("in-file", "RSA", 2048, IN_FILE);
        AtomicLong now = new AtomicLong(System.nanoTime());
        AtomicInteger asked = new AtomicInteger();
        TlsSettings settings =
                TlsSettings.withDefaults(List.of(onToken, inFile))
                        .withKeyLimits(LIMITS)
                        .withHandshakeTimeout(Duration.ofHours(1));
        time = now::get;
        try (RemoteToken token = new RemoteToken(hsm);
                TlsContexts server = TlsContexts.open(settings, counting(asked));
                Loopback loopback = Loopback.onOneLoop(server)) {
            try {
                hangAndWake(token, server, loopback, asked, now);
            } finally {
                now.addAndGet(TIMEOUT.toNanos()); // or what waits would wait for ever
            }
        } finally {
            time = System::nanoTime;
        }
    }

    private static void hangAndWake(
            RemoteToken token,
            TlsContexts server,
            Loopback loopback,
            AtomicInteger asked,
            AtomicLong now)
            throws Exception {
        assertFalse(get(handshake(loopback, CLIENT, ON_TOKEN)).summary().resumed());

        token.hang();
        int before = asked.get();
        List<CompletableFuture<Loopback.Outcome>> hanging = new ArrayList<>();
        for (int i = 0; i < 4; i++) { // more than there are threads for the key
            hanging.add(fresh(loopback, ON_TOKEN));
        }
        await(() -> asked.get() == before + hanging.size());
        for (int i = 0; i < 3; i++) {
            assertFalse(get(fresh(loopback, IN_FILE)).summary().resumed());
            assertTrue(get(handshake(loopback, CLIENT, ON_TOKEN)).summary().resumed());
        }
        hanging.forEach(one -> assertFalse(one.isDone()));

        now.addAndGet(TIMEOUT.toNanos());
        for (CompletableFuture<Loopback.Outcome> one : hanging) {
            assertThrows(ExecutionException.class, () -> get(one));
        }
        await(() -> health(server) instanceof PrivateKeyOps.Health.Ailing);
        // At once: no time passes.
        assertThrows(ExecutionException.class, () -> get(fresh(loopback, ON_TOKEN)));
        assertFalse(get(fresh(loopback, IN_FILE)).summary().resumed());

        token.wake();
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        await(() -> health(server) instanceof PrivateKeyOps.Health.Well);
        assertFalse(get(fresh(loopback, ON_TOKEN)).summary().resumed());
    }

    /// What hangs in the module must not hold up who opens a key of it.
    @Test
    void aReloadWhileTheTokenHangsIsRefusedInItsTime() throws Exception {
        SoftHsm hsm = new SoftHsm(directory.resolve("reload"), "ALL").token("remote");
        CertificateSettings certificate =
                SharedTokens.onTokenAlone(
                        hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE));
        TlsSettings settings = TlsSettings.withDefaults(List.of(certificate)).withKeyLimits(LIMITS);
        AtomicInteger asked = new AtomicInteger();
        try (RemoteToken token = new RemoteToken(hsm);
                LiveTls server = LiveTls.open(settings, counting(asked));
                Loopback loopback = new Loopback(server::contexts)) {
            TlsContexts before = server.contexts();
            assertFalse(get(fresh(loopback, ON_TOKEN)).summary().resumed());
            token.hang();
            int already = asked.get();
            CompletableFuture<Loopback.Outcome> hanging = fresh(loopback, ON_TOKEN);
            await(() -> asked.get() > already);
            CompletableFuture<List<String>> reload =
                    CompletableFuture.supplyAsync(
                            () ->
                                    assertThrows(TlsProblems.class, () -> server.reload(settings))
                                            .problems());
            boolean isOver = false;
            try {
                assertEquals(
                        List.of(
                                "key "
                                        + certificate.key()
                                        + " cannot sign (pkcs11:token=remote;object=rsa gave no"
                                        + " signature within 2000 ms): see to the key or choose"
                                        + " another"),
                        get(reload));
                isOver = true;
            } finally {
                if (!isOver) {
                    token.kill(); // or the reload would not end, nor the server
                }
            }
            assertThrows(ExecutionException.class, () -> get(hanging));
            assertSame(before, server.contexts());
            token.wake();
            await(() -> health(before) instanceof PrivateKeyOps.Health.Well);
            server.reload(settings);
            assertFalse(get(fresh(loopback, ON_TOKEN)).summary().resumed());
        }
    }

    /// Both are reached through one module, and only what is asked of the one hangs.
    ///
    /// @param word what happens to its calls beside signatures: they hang, or fail, so that the
    /// pool
    ///     wants to initialise the module again
    @ParameterizedTest
    @CsvSource({"hang", "fail"})
    void aTokenThatHangsLeavesTheOthersOfItsModuleAlone(String word) throws Exception {
        SoftHsm hsm =
                new SoftHsm(directory.resolve("two-" + word), "ALL").token("ill").token("well");
        HangingToken tokens =
                new HangingToken(Files.createDirectory(directory.resolve("module-" + word)), hsm);
        TlsSettings wellSettings = onToken(hsm, "well", "02", tokens.module());
        try (tokens;
                TlsContexts ill = open(onToken(hsm, "ill", "01", tokens.module()));
                TlsContexts well = open(wellSettings)) {
            tokens.hang("ill", word);
            List<CompletableFuture<byte[]>> hanging = new ArrayList<>();
            for (int i = 0; i < LIMITS.threads() + 1; i++) { // a session is opened for the second
                hanging.add(sign(ill));
            }
            await(
                    () -> {
                        open(wellSettings).close(); // as a reload does: with a signature
                        byte[] _ = sign(well).orTimeout(WAIT_SECONDS_MAX, TimeUnit.SECONDS).join();
                        return health(ill) instanceof PrivateKeyOps.Health.Ailing(String reason)
                                && (word.equals("hang") || reason.contains("does not come back"));
                    });
            assertEquals(new PrivateKeyOps.Health.Well(), health(well));
            hanging.forEach(one -> assertThrows(ExecutionException.class, () -> get(one)));

            tokens.wake();
            await(() -> health(ill) instanceof PrivateKeyOps.Health.Well);
            get(sign(ill));
            get(sign(well));
        }
    }

    private static TlsSettings onToken(SoftHsm hsm, String name, String id, String module)
            throws Exception {
        return TlsSettings.withDefaults(
                        List.of(SharedTokens.onTokenAlone(hsm.key(name, name, "RSA", id, module))))
                .withKeyLimits(LIMITS);
    }

    private static CompletableFuture<byte[]> sign(TlsContexts contexts) {
        return contexts.served()
                .getFirst()
                .operations()
                .sign(SignatureScheme.RSA_PSS_RSAE_SHA256, new byte[] {1})
                .toCompletableFuture();
    }

    private static void await(BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX)) {
                throw new AssertionError("it does not come");
            }
            Thread.onSpinWait();
        }
    }

    /// Of the first key, whatever the others do.
    private static PrivateKeyOps.Health health(TlsContexts server) {
        return server.served().getFirst().operations().health();
    }

    private static TlsEnvironment counting(AtomicInteger asked) {
        TlsEnvironment usual = TestCertificates.environment(PROVIDERS);
        SignatureWatch watch =
                new SignatureWatch() {
                    @Override
                    public void asked(String provider) {
                        asked.incrementAndGet();
                    }

                    @Override
                    public void answered(
                            String provider, String keyType, long nanos, boolean isSigned) {}
                };
        return new TlsEnvironment(
                usual.clock(), usual.random(), usual.providers(), usual.protocols(), watch);
    }

    /// Of a client that knows no session.
    private static CompletableFuture<Loopback.Outcome> fresh(Loopback loopback, String name) {
        TlsContexts client = open(TlsSettings.withDefaults(List.of()));
        CompletableFuture<Loopback.Outcome> outcome = handshake(loopback, client, name);
        return outcome.whenComplete((_, _) -> client.close());
    }

    private static CompletableFuture<Loopback.Outcome> handshake(
            Loopback loopback, TlsContexts client, String name) {
        return loopback.start(
                allocator -> client.clientHandler(allocator, name, loopback.port()), "TLSv1.3");
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
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

    /// Dead when the server starts and when it reads its settings again; then it is put in.
    @Test
    void aStartWithoutTheTokenIsServedByTheFallbackUntilItIsThere() throws Exception {
        SoftHsm hsm = new SoftHsm(directory.resolve("dead-start"), "ALL").token("remote");
        TlsSettings settings =
                TlsSettings.withDefaults(
                                List.of(hsm.key("remote", "rsa", "RSA", "01", RemoteToken.MODULE)))
                        .withKeyLimits(LIMITS);
        try (RemoteToken token = new RemoteToken(hsm)) {
            token.kill();
            try (LiveTls server = LiveTls.open(settings, TestCertificates.environment(PROVIDERS));
                    Loopback loopback = new Loopback(server::contexts)) {
                assertEquals("fallback", signer(server.contexts(), "RSA-2048"));
                assertFalse(get(fresh(loopback, ON_TOKEN)).summary().resumed());
                server.reload(settings);
                assertEquals("fallback", signer(server.contexts(), "RSA-2048"));
                assertFalse(get(fresh(loopback, ON_TOKEN)).summary().resumed());
                assertEquals(new PrivateKeyOps.Health.Well(), server.contexts().health());

                token.startServer();
                await(() -> "pkcs11".equals(signer(server.contexts(), "RSA-2048")));
                assertFalse(get(fresh(loopback, ON_TOKEN)).summary().resumed());
            }
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

    private static @Nullable String signer(TlsContexts server, String keyType) {
        return TlsContexts.signer(server.certificateSet(0), keyType);
    }
}
