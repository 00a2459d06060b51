package org.malote.offload;

import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/// Makes an authority of an operator's own, with certificates for a server and for clients: for a
/// test, or for a pool of customers.
///
/// All keys are for P-256. The authority signs no other authority, and has no name constraints:
/// which names its clients will have is not known when it is made, and who trusts it trusts it for
/// this pool alone. Certificates have their name as DNS name, and one purpose.
public final class PrivateAuthority {
    /// Nobody can renew it without telling everybody.
    public static final Duration AUTHORITY_VALIDITY = Duration.ofDays(3650);

    /// As long as authorities that everybody trusts gave them for years: a year, and time to renew.
    public static final Duration LEAF_VALIDITY = Duration.ofDays(397);

    /// A peer whose clock is behind must not find it too young.
    private static final Duration CLOCK_TOLERANCE = Duration.ofDays(1);

    /// RFC 5280 §4.1.2.2: at most 20 octets, positive.
    private static final int SERIAL_BITS = 127;

    /// RFC 5280 appendix A.1, ub-common-name.
    private static final int COMMON_NAME_MAX = 64;

    private final Instant now;
    private final SecureRandom random;
    private final KeyPair authorityKeys;
    private final X500Name authorityName;
    private final X509CertificateHolder authority;

    private PrivateAuthority(String host, Instant now, SecureRandom random)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        this.now = now;
        this.random = random;
        authorityKeys = keys();
        authorityName = name("Private authority of " + host, "Private authority");
        JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
        authority =
                builder(authorityName, authorityName, authorityKeys, AUTHORITY_VALIDITY)
                        .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                        .addExtension(
                                Extension.keyUsage,
                                true,
                                new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
                        .addExtension(
                                Extension.subjectKeyIdentifier,
                                false,
                                extensions.createSubjectKeyIdentifier(authorityKeys.getPublic()))
                        .build(
                                new JcaContentSignerBuilder("SHA256withECDSA")
                                        .setSecureRandom(random)
                                        .build(authorityKeys.getPrivate()));
    }

    /// What was made.
    ///
    /// @param authority the certificate that the other side must trust
    /// @param server the chain of the server, and its key beside it
    /// @param clients the same of each client, by its name
    public record Made(Path authority, Path server, Map<String, Path> clients) {
        public Made {
            clients = Map.copyOf(clients);
        }
    }

    /// Makes the files: `ca.pem`, `server.pem` and `NAME.pem` for each client, and beside each a
    /// `.key` of mode 0600. A directory that has to be made has mode 0700.
    ///
    /// @param host of the server; a domain name in A-labels
    /// @param clients names of clients; domain names in A-labels, each once
    /// @return their paths
    /// @throws FileAlreadyExistsException when one of them is there: then nothing is made
    /// @throws IOException when they cannot be written
    public static Made make(
            Path directory, String host, List<String> clients, Instant now, SecureRandom random)
            throws IOException {
        Path authorityFile = directory.resolve("ca.pem");
        Path serverFile = directory.resolve("server.pem");
        Map<String, Path> clientFiles = new LinkedHashMap<>();
        for (String client : clients) {
            clientFiles.put(client, directory.resolve(client + ".pem"));
        }
        Map<Path, String> texts = new LinkedHashMap<>();
        try {
            PrivateAuthority made = new PrivateAuthority(host, now, random);
            texts.put(keyFile(authorityFile), pem(made.authorityKeys));
            texts.put(authorityFile, pem(List.of(made.authority)));
            made.addLeaf(texts, serverFile, host, KeyPurposeId.id_kp_serverAuth);
            for (Map.Entry<String, Path> each : clientFiles.entrySet()) {
                made.addLeaf(texts, each.getValue(), each.getKey(), KeyPurposeId.id_kp_clientAuth);
            }
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException("this JDK cannot make a P-256 certificate", e);
        }
        SelfSigned.makePrivateDirectory(directory);
        for (Path file : texts.keySet()) {
            if (Files.exists(file)) {
                throw new FileAlreadyExistsException(file.toString());
            }
        }
        for (Map.Entry<Path, String> each : texts.entrySet()) {
            write(each.getKey(), each.getValue());
        }
        return new Made(authorityFile, serverFile, clientFiles);
    }

    /// Where the key of a certificate is.
    public static Path keyFile(Path certificate) {
        String name = String.valueOf(certificate.getFileName());
        return certificate.resolveSibling(name.replaceFirst("\\.pem$", ".key"));
    }

    private void addLeaf(Map<Path, String> texts, Path file, String dnsName, KeyPurposeId purpose)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        KeyPair pair = keys();
        JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
        X509CertificateHolder leaf =
                builder(authorityName, name(dnsName, "host"), pair, LEAF_VALIDITY)
                        .addExtension(
                                Extension.subjectAlternativeName,
                                false,
                                new GeneralNames(new GeneralName(GeneralName.dNSName, dnsName)))
                        .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                        .addExtension(
                                Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                        .addExtension(
                                Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose))
                        .addExtension(
                                Extension.subjectKeyIdentifier,
                                false,
                                extensions.createSubjectKeyIdentifier(pair.getPublic()))
                        .addExtension(
                                Extension.authorityKeyIdentifier,
                                false,
                                extensions.createAuthorityKeyIdentifier(authority))
                        .build(
                                new JcaContentSignerBuilder("SHA256withECDSA")
                                        .setSecureRandom(random)
                                        .build(authorityKeys.getPrivate()));
        texts.put(keyFile(file), pem(pair));
        texts.put(file, pem(List.of(leaf, authority)));
    }

    private JcaX509v3CertificateBuilder builder(
            X500Name issuer, X500Name subject, KeyPair pair, Duration validity) {
        return new JcaX509v3CertificateBuilder(
                issuer,
                new BigInteger(SERIAL_BITS, random).setBit(0),
                Date.from(now.minus(CLOCK_TOLERANCE)),
                Date.from(now.plus(validity)),
                subject,
                pair.getPublic());
    }

    private KeyPair keys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), random);
        return generator.generateKeyPair();
    }

    /// @param otherwise when the text is too long for a common name
    private static X500Name name(String text, String otherwise) {
        return new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, text.length() <= COMMON_NAME_MAX ? text : otherwise)
                .build();
    }

    private static String pem(List<X509CertificateHolder> certificates) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            for (X509CertificateHolder certificate : certificates) {
                writer.writeObject(certificate);
            }
        }
        return text.toString();
    }

    private static String pem(KeyPair pair) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            // RFC 5958 form: the SEC1 form that the writer would choose lacks the curve.
            writer.writeObject(new PemObject("PRIVATE KEY", pair.getPrivate().getEncoded()));
        }
        return text.toString();
    }

    private static void write(Path file, String text) throws IOException {
        boolean isKey = file.toString().endsWith(".key");
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        SelfSigned.mode(file, isKey ? "rw-------" : "rw-r--r--"))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }
}
