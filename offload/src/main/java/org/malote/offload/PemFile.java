package org.malote.offload;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;
import org.jspecify.annotations.Nullable;

/// PEM files of certificates and keys, read with every mistake named that operators make with them.
final class PemFile {
    /// Far above the largest chain or key; a wrong path (a log, a spool file) must not be read
    /// whole.
    static final int FILE_BYTES_MAX = 1 << 20;

    private final Path path;
    private final List<Object> entries;

    private PemFile(Path path, List<Object> entries) {
        this.path = path;
        this.entries = entries;
    }

    /// Reads a file.
    ///
    /// @param role what the file is to hold, for the sentence of a problem: `certificate` or `key`
    static PemFile read(Path path, String role) throws TlsProblems {
        String text;
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
            if (bytes.length > FILE_BYTES_MAX) {
                throw problem(
                        String.format(
                                "%s file %s is larger than %d bytes: name a PEM file",
                                role, path, FILE_BYTES_MAX));
            }
            text = new String(bytes, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw problem(
                    String.format(
                            "%s file %s does not exist: create it or correct the path",
                            role, path));
        } catch (IOException e) {
            throw problem(
                    String.format(
                            "%s file %s cannot be read (%s): make it readable for the user that runs the"
                                    + " server",
                            role, path, reason(e)));
        }
        List<Object> entries = new ArrayList<>();
        try (PEMParser parser = new PEMParser(new StringReader(text))) {
            for (Object entry = parser.readObject(); entry != null; entry = parser.readObject()) {
                entries.add(entry);
            }
        } catch (IOException | RuntimeException e) {
            throw problem(
                    String.format(
                            "%s file %s holds damaged PEM (%s): replace it",
                            role, path, firstLine(e.getMessage())));
        }
        if (entries.isEmpty()) {
            throw problem(
                    String.format(
                            "%s file %s holds no PEM block: convert it to PEM first, for example with"
                                    + " openssl",
                            role, path));
        }
        return new PemFile(path, entries);
    }

    /// Refuses a file that others than its owner can read.
    static void requirePrivate(Path path, String what) throws TlsProblems {
        requirePrivate(path, what, Secrets.credentials());
    }

    /// @param credentials the directory of the service manager's, or null
    static void requirePrivate(Path path, String what, @Nullable Path credentials)
            throws TlsProblems {
        Set<PosixFilePermission> permissions;
        try {
            permissions = Files.getPosixFilePermissions(path);
        } catch (IOException | UnsupportedOperationException _) {
            return; // nothing to judge: a file that is not there is reported by the reading of it
        }
        boolean isOpenToGroup =
                permissions.contains(PosixFilePermission.GROUP_READ)
                        && !isCredential(path, credentials);
        if (isOpenToGroup
                || permissions.contains(PosixFilePermission.OTHERS_READ)
                || permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw problem(
                    String.format(
                            "%s %s is open to other users: run chmod 600 %s", what, path, path));
        }
    }

    /// systemd lets the service's user read a credential by an access control list, whose mask
    /// shows
    /// as the group's right (acl(5)); nobody else gets into the directory.
    private static boolean isCredential(Path path, @Nullable Path credentials) {
        try {
            return credentials != null && path.toRealPath().startsWith(credentials.toRealPath());
        } catch (IOException _) {
            return false;
        }
    }

    /// The certificates in the order of the file: at least one.
    List<X509Certificate> certificates() throws TlsProblems {
        List<X509Certificate> certificates = new ArrayList<>();
        JcaX509CertificateConverter converter = new JcaX509CertificateConverter();
        for (Object entry : entries) {
            if (entry instanceof X509CertificateHolder holder) {
                try {
                    certificates.add(converter.getCertificate(holder));
                } catch (CertificateException e) {
                    throw problem(
                            String.format(
                                    "certificate file %s holds a certificate that cannot be understood"
                                            + " (%s): replace it",
                                    path, firstLine(e.getMessage())));
                }
            }
        }
        if (certificates.isEmpty()) {
            throw problem(
                    String.format(
                            "certificate file %s holds %s and no certificate: name the file with the chain",
                            path, kind(entries.getFirst())));
        }
        return certificates;
    }

    /// The first private key of the file, from PKCS#1, SEC1 or PKCS#8 form.
    PrivateKey privateKey() throws TlsProblems {
        for (Object entry : entries) {
            if (entry instanceof PEMKeyPair pair) {
                return decode(pair.getPrivateKeyInfo());
            }
            if (entry instanceof PrivateKeyInfo info) {
                return decode(info);
            }
            if (entry instanceof PEMEncryptedKeyPair
                    || entry instanceof PKCS8EncryptedPrivateKeyInfo) {
                throw problem(
                        String.format(
                                "key file %s is encrypted: write it in clear with openssl pkey, mode 600",
                                path));
            }
        }
        throw problem(
                String.format(
                        "key file %s holds %s and no private key: name the file with the key",
                        path, kind(entries.getFirst())));
    }

    private PrivateKey decode(PrivateKeyInfo info) throws TlsProblems {
        ASN1ObjectIdentifier algorithm = info.getPrivateKeyAlgorithm().getAlgorithm();
        String family;
        if (algorithm.equals(PKCSObjectIdentifiers.rsaEncryption)) {
            family = "RSA";
        } else if (algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
            family = "EC";
        } else {
            throw problem(
                    String.format(
                            "key file %s holds a key that mail peers cannot use (algorithm %s): use P-256 or"
                                    + " RSA",
                            path, algorithm));
        }
        try {
            return KeyFactory.getInstance(family)
                    .generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
        } catch (GeneralSecurityException | IOException e) {
            throw problem(
                    String.format(
                            "key file %s holds a private key that cannot be understood (%s): replace it",
                            path, firstLine(e.getMessage())));
        }
    }

    static TlsProblems problem(String sentence) {
        return new TlsProblems(List.of(sentence));
    }

    private static String kind(Object entry) {
        return switch (entry) {
            case X509CertificateHolder _ -> "a certificate";
            case PEMKeyPair _, PrivateKeyInfo _ -> "a private key";
            case PEMEncryptedKeyPair _, PKCS8EncryptedPrivateKeyInfo _ -> "an encrypted key";
            default -> "another kind of PEM block";
        };
    }

    static String reason(IOException e) {
        if (e instanceof FileSystemException file) {
            String reason = file.getReason();
            return reason == null ? "no permission" : reason;
        }
        return firstLine(e.getMessage());
    }

    static String firstLine(@Nullable String message) {
        if (message == null) {
            return "no reason given";
        }
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
