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
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.jcajce.JcaBasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.jcajce.JcaCertificateID;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
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
        return issue(fileName, leaf, builder(name, fileName, leaf, notAfter), use, hosts);
    }

    /// One that always comes with its issuer's word (RFC 7633).
    CertificateSettings issueWithStatus(String fileName, Instant notAfter, String... hosts)
            throws Exception {
        KeyPair leaf = certificates.pair("EC", 256);
        JcaX509v3CertificateBuilder builder = builder(name, fileName, leaf, notAfter);
        builder.addExtension(
                new ASN1ObjectIdentifier("1.3.6.1.5.5.7.1.24"),
                false,
                new DERSequence(new ASN1Integer(5)));
        return issue(fileName, leaf, builder, KeyPurposeId.id_kp_serverAuth, hosts);
    }

    private CertificateSettings issue(
            String fileName,
            KeyPair leaf,
            JcaX509v3CertificateBuilder builder,
            @Nullable KeyPurposeId use,
            String... hosts)
            throws Exception {
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

    /// Its key, in a file.
    Path key() throws Exception {
        return certificates.writeKey(name + "-authority", pair.getPrivate());
    }

    /// Its certificate.
    X509Certificate certificate() {
        return own;
    }

    /// What it says of a certificate (RFC 6960 §4.2.1).
    ///
    /// @param issuer of the certificate
    /// @param state null for good
    /// @param until when it is to be asked again
    byte[] says(
            X509Certificate certificate,
            X509Certificate issuer,
            @Nullable CertificateStatus state,
            Instant from,
            Instant until)
            throws Exception {
        return says(pair, List.of(), certificate, issuer, state, from, until);
    }

    /// The same by one that it has charged.
    ///
    /// @param use of the certificate of that one
    byte[] saysThrough(
            KeyPurposeId use,
            X509Certificate certificate,
            @Nullable CertificateStatus state,
            Instant from,
            Instant until)
            throws Exception {
        KeyPair responder = certificates.pair("EC", 256);
        JcaX509v3CertificateBuilder builder =
                builder(name, "responder", responder, TestCertificates.NOW.plus(QUARTER));
        builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(use));
        return says(responder, List.of(sign(builder, pair)), certificate, own, state, from, until);
    }

    private static byte[] says(
            KeyPair signer,
            List<X509Certificate> chain,
            X509Certificate certificate,
            X509Certificate issuer,
            @Nullable CertificateStatus state,
            Instant from,
            Instant until)
            throws Exception {
        DigestCalculator sha1 =
                new JcaDigestCalculatorProviderBuilder().build().get(CertificateID.HASH_SHA1);
        BasicOCSPRespBuilder builder = new JcaBasicOCSPRespBuilder(signer.getPublic(), sha1);
        builder.addResponse(
                new JcaCertificateID(sha1, issuer, certificate.getSerialNumber()),
                state,
                Date.from(from),
                Date.from(until));
        X509CertificateHolder[] holders = new X509CertificateHolder[chain.size()];
        for (int i = 0; i < holders.length; i++) {
            holders[i] = new JcaX509CertificateHolder(chain.get(i));
        }
        return new OCSPRespBuilder()
                .build(
                        OCSPRespBuilder.SUCCESSFUL,
                        builder.build(
                                new JcaContentSignerBuilder("SHA256withECDSA")
                                        .build(signer.getPrivate()),
                                holders,
                                Date.from(from)))
                .getEncoded();
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
