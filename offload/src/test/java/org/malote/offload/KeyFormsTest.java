package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.StringWriter;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.interfaces.ECKey;
import org.bouncycastle.asn1.ASN1Object;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8EncryptorBuilder;
import org.bouncycastle.util.io.pem.PemWriter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeyFormsTest {
    @TempDir private Path directory;
    private TestCertificates certificates = new TestCertificates(Path.of("."));

    @BeforeEach
    void setUp() {
        certificates = new TestCertificates(directory);
    }

    @Test
    void readsPkcs8() throws Exception {
        for (KeyPair pair : pairs()) {
            assertReads(
                    pair.getPrivate(),
                    TestCertificates.pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
        }
    }

    /// RFC 8017 appendix A.1.2.
    @Test
    void readsPkcs1() throws Exception {
        PrivateKey key = certificates.pair("RSA", 2048).getPrivate();
        assertReads(key, TestCertificates.pem("RSA PRIVATE KEY", inner(key).getEncoded()));
    }

    /// RFC 5915 §4; openssl writes the curve once more before it.
    @Test
    void readsSec1() throws Exception {
        PrivateKey key = certificates.pair("EC", 256).getPrivate();
        ASN1ObjectIdentifier curve = SECObjectIdentifiers.secp256r1;
        byte[] sec1 =
                new ECPrivateKey(256, ECPrivateKey.getInstance(inner(key)).getKey(), curve)
                        .getEncoded();
        String pem = TestCertificates.pem("EC PRIVATE KEY", sec1);
        assertReads(key, pem);
        assertReads(key, TestCertificates.pem("EC PARAMETERS", curve.getEncoded()) + pem);
    }

    @Test
    void refusesEncryptedKeysWithASentence() throws Exception {
        PrivateKey key = certificates.pair("EC", 256).getPrivate();
        StringWriter text = new StringWriter();
        try (PemWriter writer = new PemWriter(text)) {
            writer.writeObject(
                    new JcaPKCS8Generator(
                            key,
                            new JceOpenSSLPKCS8EncryptorBuilder(JcaPKCS8Generator.AES_256_CBC)
                                    .setProvider(new BouncyCastleProvider())
                                    .setPassword("secret".toCharArray())
                                    .build()));
        }
        Path file = certificates.writePrivate("encrypted.key", text.toString());
        TlsProblems problems =
                assertThrows(TlsProblems.class, () -> PemFile.read(file, "key").privateKey());
        assertEquals(
                "key file " + file + " is encrypted: write it in clear with openssl pkey, mode 600",
                problems.getMessage());
    }

    @Test
    void refusesKeysOfOtherKindsWithASentence() throws Exception {
        PrivateKey key = certificates.pair("Ed25519", 255).getPrivate();
        Path file = certificates.writeKey("ed", key);
        TlsProblems problems =
                assertThrows(TlsProblems.class, () -> PemFile.read(file, "key").privateKey());
        assertEquals(
                "key file "
                        + file
                        + " holds a key that mail peers cannot use (algorithm 1.3.101.112): use"
                        + " P-256 or RSA",
                problems.getMessage());
    }

    private KeyPair[] pairs() throws Exception {
        return new KeyPair[] {certificates.pair("RSA", 2048), certificates.pair("EC", 256)};
    }

    private static ASN1Object inner(PrivateKey key) throws Exception {
        return PrivateKeyInfo.getInstance(key.getEncoded()).parsePrivateKey().toASN1Primitive();
    }

    private void assertReads(PrivateKey expected, String pem) throws Exception {
        Path file = certificates.writePrivate("form.key", pem);
        PrivateKey read = PemFile.read(file, "key").privateKey();
        if (expected instanceof ECKey) {
            // The JDK compares encodings, and SEC1 may hold the curve or the public key as well.
            assertEquals(
                    ((java.security.interfaces.ECPrivateKey) expected).getS(),
                    ((java.security.interfaces.ECPrivateKey) read).getS());
        } else {
            assertEquals(expected, read);
        }
    }
}
