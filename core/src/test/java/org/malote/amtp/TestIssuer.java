package org.malote.amtp;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/// An authority of a test, with its certificate in a file, and what it issues and takes back.
public final class TestIssuer {
    private final Path file;
    private final X500Name name;
    private final KeyPair pair;
    private final X509Certificate own;
    private final Instant now;
    private long serial = 1;

    /// @param issuer null for one that stands for itself
    public TestIssuer(Path folder, String name, @Nullable TestIssuer issuer, Instant now)
            throws Exception {
        this.file = folder.resolve(name + ".pem");
        this.name = new X500Name("CN=" + name);
        this.pair = newPair();
        this.now = now;
        JcaX509v3CertificateBuilder builder =
                builder(
                        issuer == null ? this.name : issuer.name,
                        this.name,
                        pair,
                        now.plus(Duration.ofDays(90)));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        own = signed(builder, issuer == null ? pair.getPrivate() : issuer.pair.getPrivate());
        Files.writeString(file, pem("CERTIFICATE", own.getEncoded()));
    }

    /// What a peer has.
    public record Leaf(PrivateKey key, X509Certificate certificate) {
        /// For a client that shows it.
        public KeyManager[] keyManagers() throws GeneralSecurityException, IOException {
            char[] password = "test".toCharArray();
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, password);
            store.setKeyEntry("own", key, password, new Certificate[] {certificate});
            KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
            factory.init(store, password);
            return factory.getKeyManagers();
        }

        /// SHA-256 of the certificate.
        public String digest() throws GeneralSecurityException {
            return sha256(certificate.getEncoded());
        }

        /// SHA-256 of its key.
        public String keyDigest() throws GeneralSecurityException {
            return sha256(certificate.getPublicKey().getEncoded());
        }

        private static String sha256(byte[] octets) throws GeneralSecurityException {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(octets));
        }
    }

    /// The PEM file with its certificate.
    public Path file() {
        return file;
    }

    /// A certificate for a host, good for 30 days and for servers alone.
    public Leaf issue(String host) throws Exception {
        return issue(host, now.plus(Duration.ofDays(30)));
    }

    public Leaf issue(String host, Instant notAfter) throws Exception {
        KeyPair keys = newPair();
        JcaX509v3CertificateBuilder builder =
                builder(name, new X500Name("CN=" + host), keys, notAfter);
        builder.addExtension(
                Extension.subjectAlternativeName,
                false,
                new GeneralNames(new GeneralName(GeneralName.dNSName, host)));
        builder.addExtension(
                Extension.extendedKeyUsage,
                false,
                new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
        return new Leaf(keys.getPrivate(), signed(builder, pair.getPrivate()));
    }

    /// Writes a revocation list.
    ///
    /// @param isPem or DER
    public Path takeBack(String fileName, boolean isPem, Leaf... leaves) throws Exception {
        X509v2CRLBuilder builder =
                new X509v2CRLBuilder(name, Date.from(now.minus(Duration.ofDays(1))));
        builder.setNextUpdate(Date.from(now.plus(Duration.ofDays(7))));
        for (Leaf leaf : leaves) {
            builder.addCRLEntry(
                    leaf.certificate().getSerialNumber(), Date.from(now), CRLReason.keyCompromise);
        }
        byte[] encoded = builder.build(signer(pair.getPrivate())).getEncoded();
        Path list = file.resolveSibling(fileName);
        Files.write(
                list,
                isPem ? pem("X509 CRL", encoded).getBytes(StandardCharsets.US_ASCII) : encoded);
        return list;
    }

    /// Everything that issuers say, in one file.
    public static Path bundle(Path file, List<TestIssuer> issuers) throws IOException {
        StringBuilder all = new StringBuilder();
        for (TestIssuer one : issuers) {
            all.append(Files.readString(one.file));
        }
        return Files.writeString(file, all);
    }

    private JcaX509v3CertificateBuilder builder(
            X500Name issuer, X500Name subject, KeyPair keys, Instant notAfter) {
        return new JcaX509v3CertificateBuilder(
                issuer,
                BigInteger.valueOf(++serial),
                Date.from(notAfter.minus(Duration.ofDays(120))),
                Date.from(notAfter),
                subject,
                keys.getPublic());
    }

    private static X509Certificate signed(JcaX509v3CertificateBuilder builder, PrivateKey key)
            throws Exception {
        return new JcaX509CertificateConverter().getCertificate(builder.build(signer(key)));
    }

    private static ContentSigner signer(PrivateKey key) throws OperatorCreationException {
        return new JcaContentSignerBuilder("SHA256withECDSA").build(key);
    }

    private static KeyPair newPair() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        return generator.generateKeyPair();
    }

    private static String pem(String kind, byte[] content) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(
                        kind,
                        Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content),
                        kind);
    }
}
