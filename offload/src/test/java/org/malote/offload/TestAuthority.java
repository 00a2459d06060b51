package org.malote.offload;

import io.netty.util.NetUtil;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/// An authority with its certificate in a file, and what it issues.
final class TestAuthority {
    private static final Duration QUARTER = Duration.ofDays(90);

    private final TestCertificates certificates;
    private final Path directory;
    private final String name;
    private final KeyPair pair;
    private final X509Certificate own;
    private final List<X509Certificate> above;

    /// The top of a hierarchy.
    TestAuthority(Path directory, String name) throws Exception {
        this(directory, name, null, TestCertificates.NOW.plus(QUARTER));
    }

    private TestAuthority(
            Path directory, String name, @Nullable TestAuthority issuer, Instant notAfter)
            throws Exception {
        this.certificates = new TestCertificates(directory);
        this.directory = directory;
        this.name = name;
        this.pair = certificates.pair("EC", 256);
        JcaX509v3CertificateBuilder builder =
                builder(issuer == null ? name : issuer.name, name, pair, notAfter);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        this.own = sign(builder, issuer == null ? pair : issuer.pair);
        this.above = new ArrayList<>();
        if (issuer != null) {
            above.add(issuer.own);
            above.addAll(issuer.above);
        }
        Files.writeString(file(), TestCertificates.pem("CERTIFICATE", own.getEncoded()));
    }

    /// One that this one answers for.
    TestAuthority middle(String middle, Instant notAfter) throws Exception {
        return new TestAuthority(directory, middle, this, notAfter);
    }

    /// Its certificate.
    Path file() {
        return directory.resolve(name + "-authority.pem");
    }

    /// For these hosts, names or addresses, and three months.
    CertificateSettings issue(String fileName, String... hosts) throws Exception {
        return issue(
                fileName, TestCertificates.NOW.plus(QUARTER), KeyPurposeId.id_kp_serverAuth, hosts);
    }

    /// @param notAfter 90 days after its beginning
    /// @param use null for any
    CertificateSettings issue(
            String fileName, Instant notAfter, @Nullable KeyPurposeId use, String... hosts)
            throws Exception {
        KeyPair leaf = certificates.pair("EC", 256);
        JcaX509v3CertificateBuilder builder = builder(name, fileName, leaf, notAfter);
        if (hosts.length > 0) {
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(
                            Arrays.stream(hosts)
                                    .map(TestAuthority::name)
                                    .toArray(GeneralName[]::new)));
        }
        if (use != null) {
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(use));
        }
        StringBuilder chain = new StringBuilder();
        chain.append(TestCertificates.pem("CERTIFICATE", sign(builder, pair).getEncoded()));
        if (!above.isEmpty()) {
            chain.append(TestCertificates.pem("CERTIFICATE", own.getEncoded()));
        }
        Path file = directory.resolve(fileName + ".pem");
        Files.writeString(file, chain);
        return new CertificateSettings(
                file, certificates.writeKey(fileName, leaf.getPrivate()).toString());
    }

    private static GeneralName name(String host) {
        return new GeneralName(
                NetUtil.createByteArrayFromIpAddressString(host) == null
                        ? GeneralName.dNSName
                        : GeneralName.iPAddress,
                host);
    }

    private static JcaX509v3CertificateBuilder builder(
            String issuer, String subject, KeyPair pair, Instant notAfter) {
        return new JcaX509v3CertificateBuilder(
                new X500Name("CN=" + issuer),
                new BigInteger(64, new SecureRandom()),
                Date.from(notAfter.minus(QUARTER)),
                Date.from(notAfter),
                new X500Name("CN=" + subject),
                pair.getPublic());
    }

    private static X509Certificate sign(JcaX509v3CertificateBuilder builder, KeyPair issuer)
            throws Exception {
        return new JcaX509CertificateConverter()
                .getCertificate(
                        builder.build(
                                new JcaContentSignerBuilder("SHA256withECDSA")
                                        .build(issuer.getPrivate())));
    }
}
