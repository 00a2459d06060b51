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
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
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
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/// Makes a certificate for a host that has none, so that TLS works from the first start.
public final class SelfSigned {
    /// Key and certificate together in one file: one rename makes both, so a crash never leaves a
    /// half.
    public static final String FILE_NAME = "self-signed.pem";

    /// Nobody renews it, and opportunistic senders do not look.
    private static final Duration VALIDITY = Duration.ofDays(3650);

    /// A peer whose clock is behind must not find it too young.
    private static final Duration CLOCK_TOLERANCE = Duration.ofDays(1);

    /// RFC 5280 §4.1.2.2: at most 20 octets, positive.
    private static final int SERIAL_BITS = 127;

    /// RFC 5280 appendix A.1, ub-common-name.
    private static final int COMMON_NAME_MAX = 64;

    private SelfSigned() {}

    /// The certificate of a directory: the one that is there while it is valid, else a new one for
    /// P-256 with the names `hostname` and `localhost`. The file has mode 0600, a directory that
    /// had to be made 0700.
    ///
    /// @throws IOException when the directory or the file cannot be written
    public static CertificateSettings ensure(
            Path directory, String hostname, InstantSource clock, SecureRandom random)
            throws IOException {
        Path file = directory.resolve(FILE_NAME);
        CertificateSettings settings = new CertificateSettings(file, file.toString());
        Instant now = clock.instant();
        if (isUsable(file, now)) {
            return settings;
        }
        makePrivateDirectory(directory);
        String pem;
        try {
            pem = makePem(hostname, now, KeyType.P256, random);
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException("this JDK cannot make a P-256 certificate", e);
        }
        writeAtomically(file, pem);
        return settings;
    }

    /// A new certificate for `localhost` with a key of some kind, to measure with. The file, of
    /// mode 0600, has the kind's name.
    ///
    /// @param directory one that is there
    /// @throws IOException when the file cannot be written
    public static CertificateSettings toMeasure(
            Path directory, KeyType type, InstantSource clock, SecureRandom random)
            throws IOException {
        Path file = directory.resolve(type.text() + ".pem");
        try {
            writeAtomically(file, makePem("localhost", clock.instant(), type, random));
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException(
                    "this JDK cannot make a certificate with " + type.text(), e);
        }
        return new CertificateSettings(file, file.toString());
    }

    private static boolean isUsable(Path file, Instant now) {
        try {
            PemFile pem = PemFile.read(file, "certificate");
            pem.privateKey();
            return now.isBefore(pem.certificates().getFirst().getNotAfter().toInstant());
        } catch (TlsProblems _) {
            return false; // not there, or damaged: made anew
        }
    }

    /// A certificate for `localhost` that is in no file, and is forgotten soon.
    static ServedCertificate inMemory(Instant now, SecureRandom random) {
        try {
            KeyPair pair = KeyType.P256.makePair(random);
            return new ServedCertificate(
                    Path.of(FILE_NAME),
                    List.of(
                            new JcaX509CertificateConverter()
                                    .getCertificate(
                                            make("localhost", now, KeyType.P256, pair, random))),
                    SignatureScheme.Family.EC,
                    "native",
                    new OpenedKey.InProcess(pair.getPrivate()),
                    null);
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new IllegalStateException("this JDK cannot make a P-256 certificate", e);
        }
    }

    private static String makePem(String hostname, Instant now, KeyType type, SecureRandom random)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        KeyPair pair = type.makePair(random);
        X509CertificateHolder certificate = make(hostname, now, type, pair, random);
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(certificate);
            // RFC 5958 form: the SEC1 form that the writer would choose lacks the curve.
            writer.writeObject(new PemObject("PRIVATE KEY", pair.getPrivate().getEncoded()));
        }
        return text.toString();
    }

    private static X509CertificateHolder make(
            String hostname, Instant now, KeyType type, KeyPair pair, SecureRandom random)
            throws OperatorCreationException, IOException {
        X500Name subject =
                new X500NameBuilder(BCStyle.INSTANCE)
                        .addRDN(
                                BCStyle.CN,
                                hostname.length() <= COMMON_NAME_MAX ? hostname : "localhost")
                        .build();
        GeneralName[] names =
                Stream.of(hostname, "localhost")
                        .distinct()
                        .map(name -> new GeneralName(GeneralName.dNSName, name))
                        .toArray(GeneralName[]::new);
        return new JcaX509v3CertificateBuilder(
                        subject,
                        new BigInteger(SERIAL_BITS, random).setBit(0),
                        Date.from(now.minus(CLOCK_TOLERANCE)),
                        Date.from(now.plus(VALIDITY)),
                        subject,
                        pair.getPublic())
                .addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names))
                .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                .addExtension(
                        Extension.extendedKeyUsage,
                        false,
                        new ExtendedKeyUsage(
                                new KeyPurposeId[] {
                                    KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                                }))
                .build(
                        new JcaContentSignerBuilder(type.certificateSignature())
                                .setSecureRandom(random)
                                .build(pair.getPrivate()));
    }

    static void makePrivateDirectory(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        Path parent = directory.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(directory, mode(directory, "rwx------"));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
    }

    static void writeAtomically(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary); // of a start that was interrupted
        try (FileChannel channel =
                FileChannel.open(
                        temporary,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        mode(file, "rw-------"))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(
                temporary,
                file,
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    static FileAttribute<?>[] mode(Path near, String permissions) {
        return near.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }
}
