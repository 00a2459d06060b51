package org.malote.offload;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// Certificates and key files for the tests.
final class TestCertificates {
    static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");

    private final Path directory;
    private final SecureRandom random = new SecureRandom();

    TestCertificates(Path directory) {
        this.directory = directory;
    }

    static TlsEnvironment environment() {
        return environment(OffloadProviders.installed(keyEnvironment()));
    }

    /// With these providers alone.
    static TlsEnvironment environment(List<OffloadProvider> providers) {
        return environment(OffloadProviders.of(keyEnvironment(), providers));
    }

    static TlsEnvironment environment(OffloadProviders providers) {
        return new TlsEnvironment(
                () -> NOW, new SecureRandom(), providers, List.of("smtp"), SignatureWatch.NONE);
    }

    static KeyEnvironment keyEnvironment() {
        return new KeyEnvironment(
                Thread.ofPlatform().daemon().name("key-", 1).factory(),
                System::nanoTime,
                new SecureRandom(),
                null);
    }

    CertificateSettings p256(String name) throws Exception {
        return write(name, pair("EC", 256), NOW.plus(Duration.ofDays(90)));
    }

    CertificateSettings p384(String name) throws Exception {
        return write(name, pair("EC", 384), NOW.plus(Duration.ofDays(90)));
    }

    CertificateSettings rsa(String name) throws Exception {
        return write(name, pair("RSA", 2048), NOW.plus(Duration.ofDays(90)));
    }

    /// For these hosts.
    CertificateSettings named(String name, String algorithm, int bits, String... hosts)
            throws Exception {
        KeyPair pair = pair(algorithm, bits);
        GeneralName[] names =
                Arrays.stream(hosts)
                        .map(host -> new GeneralName(GeneralName.dNSName, host))
                        .toArray(GeneralName[]::new);
        Path chain = directory.resolve(name + ".pem");
        X509Certificate certificate =
                certificate(
                        name,
                        pair,
                        NOW.plus(Duration.ofDays(90)),
                        builder ->
                                builder.addExtension(
                                        Extension.subjectAlternativeName,
                                        false,
                                        new GeneralNames(names)));
        Files.writeString(chain, pem("CERTIFICATE", certificate.getEncoded()));
        return new CertificateSettings(chain, writeKey(name, pair.getPrivate()).toString());
    }

    KeyPair pair(String algorithm, int bits) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(bits, random);
        return generator.generateKeyPair();
    }

    CertificateSettings write(String name, KeyPair pair, Instant notAfter)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        Path chain = directory.resolve(name + ".pem");
        Files.writeString(
                chain, pem("CERTIFICATE", certificate(name, pair, notAfter).getEncoded()));
        return new CertificateSettings(chain, writeKey(name, pair.getPrivate()).toString());
    }

    Path writeKey(String name, PrivateKey key) throws IOException {
        return writePrivate(name + ".key", pem("PRIVATE KEY", key.getEncoded()));
    }

    Path writePrivate(String fileName, String text) throws IOException {
        Path file = directory.resolve(fileName);
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    X509Certificate certificate(String name, KeyPair pair, Instant notAfter)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        return certificate(name, pair, notAfter, _ -> {});
    }

    private interface Extending {
        void extend(X509v3CertificateBuilder builder) throws IOException;
    }

    private X509Certificate certificate(
            String name, KeyPair pair, Instant notAfter, Extending extending)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        X500Name subject = new X500Name("CN=" + name);
        String signature =
                switch (pair.getPrivate().getAlgorithm()) {
                    case "EC" -> "SHA256withECDSA";
                    case "EdDSA" -> "Ed25519";
                    default -> "SHA256withRSA";
                };
        var builder =
                new JcaX509v3CertificateBuilder(
                        subject,
                        new BigInteger(64, random),
                        Date.from(notAfter.minus(Duration.ofDays(180))),
                        Date.from(notAfter),
                        subject,
                        pair.getPublic());
        extending.extend(builder);
        return new JcaX509CertificateConverter()
                .getCertificate(
                        builder.build(
                                new JcaContentSignerBuilder(signature).build(pair.getPrivate())));
    }

    static String pem(String kind, byte[] content) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(
                        kind,
                        Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content),
                        kind);
    }
}
