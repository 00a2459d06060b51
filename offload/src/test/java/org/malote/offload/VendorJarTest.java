package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a vendor ships: a jar, made here, which nothing of Malote was built with.
final class VendorJarTest {
    private static final String SOURCE =
            """
            package com.vendor.cards;

            import java.nio.file.Files;
            import java.nio.file.Path;
            import java.security.KeyFactory;
            import java.security.PrivateKey;
            import java.security.Signature;
            import java.security.spec.PKCS8EncodedKeySpec;
            import java.util.Base64;
            import org.malote.offload.*;

            public final class CardProvider implements OffloadProvider {
                public String name() { return "vendorcard"; }

                public String describe() { return "the card of a vendor; needs the card"; }

                public OpenedKey open(KeyReference reference, KeyEnvironment environment)
                        throws TlsProblems {
                    PrivateKey key;
                    try {
                        Path slot = Path.of(reference.location().substring("vendorcard:".length()));
                        String pem = Files.readString(slot).replaceAll("-----.*-----|\\\\s", "");
                        key = KeyFactory.getInstance("EC").generatePrivate(
                                new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
                    } catch (Exception e) {
                        throw new TlsProblems(java.util.List.of("the card has no such key: " + e));
                    }
                    SignatureScheme usual =
                            SignatureScheme.usual(reference.certificate().getPublicKey());
                    SigningPool<String> pool = new SigningPool<>(
                            "vendorcard", reference.limits(), environment, new Slots(),
                            session -> sign(key, usual, new byte[1]));
                    return new OpenedKey.Offloaded(new PrivateKeyOps() {
                        public java.util.concurrent.CompletionStage<byte[]> sign(
                                SignatureScheme scheme, byte[] message) {
                            return pool.submit(
                                    session -> CardProvider.sign(key, scheme, message));
                        }
                        public Health health() { return pool.health(); }
                        public void close() { pool.close(); }
                    });
                }

                static byte[] sign(PrivateKey key, SignatureScheme scheme, byte[] message)
                        throws Exception {
                    Signature signature = scheme.jcaSignature(null);
                    signature.initSign(key);
                    signature.update(message);
                    return signature.sign();
                }

                static final class Slots implements SigningPool.Sessions<String> {
                    public String open(boolean isAiling) { return "slot"; }
                    public void close(String session) {}
                    public void close() {}
                }
            }
            """;

    @TempDir private Path directory;

    @Test
    void aJarOnThePathServesHandshakes() throws Exception {
        CertificateSettings p256 = new TestCertificates(directory).p256("p256");
        try (URLClassLoader path =
                VendorJar.path(
                        VendorJar.make(
                                directory,
                                OffloadProvider.class,
                                "com.vendor.cards.CardProvider",
                                SOURCE))) {
            OffloadProviders providers =
                    OffloadProviders.installed(TestCertificates.keyEnvironment(), path);
            assertTrue(
                    providers
                            .infos()
                            .contains(
                                    new ProviderInfo(
                                            "vendorcard",
                                            "the card of a vendor; needs the card",
                                            List.of())));
            TlsSettings settings =
                    TlsSettings.withDefaults(
                            List.of(
                                    new CertificateSettings(
                                            p256.chain(), "vendorcard:" + p256.key())));
            TlsEnvironment environment = TestCertificates.environment(providers);
            assertEquals(List.of(), TlsContexts.check(settings, environment));
            try (TlsContexts server = TlsContexts.open(settings, environment);
                    TlsContexts client =
                            TlsContexts.open(TlsSettings.withDefaults(List.of()), environment);
                    Loopback loopback = new Loopback(server)) {
                assertFalse(loopback.converse(client, "TLSv1.3").summary().resumed());
                assertTrue(loopback.converse(client, "TLSv1.3").summary().resumed());
            }
        }
    }

    @Test
    void aBrokenJarIsAProblemOfCheckAndHidesNothingElse() throws Exception {
        CertificateSettings p256 = new TestCertificates(directory).p256("p256");
        try (URLClassLoader path =
                VendorJar.path(
                        VendorJar.make(
                                directory,
                                OffloadProvider.class,
                                "com.vendor.cards.Missing",
                                ""))) {
            OffloadProviders providers =
                    OffloadProviders.installed(TestCertificates.keyEnvironment(), path);
            List<String> problems =
                    TlsContexts.check(
                            TlsSettings.withDefaults(List.of(p256)),
                            TestCertificates.environment(providers));
            assertEquals(
                    List.of(
                            "a provider on the class path cannot be loaded"
                                    + " (org.malote.offload.OffloadProvider: Provider"
                                    + " com.vendor.cards.Missing not found): replace its jar or take"
                                    + " it away"),
                    problems);
            assertTrue(providers.has("native"));
        }
    }
}
