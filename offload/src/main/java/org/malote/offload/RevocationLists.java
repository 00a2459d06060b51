package org.malote.offload;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CRL;
import java.security.cert.CRLReason;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/// What issuers have taken back (RFC 5280 §5), from files. A list that is not there, or too old,
/// takes nothing from who is not on it; who is on one is out, however old it is.
final class RevocationLists {
    /// Ours: the largest lists of public authorities have some tens of megabytes.
    private static final int FILE_BYTES_MAX = 64 << 20;

    private record Listed(Path file, X509CRL list) {}

    private final Map<X500Principal, List<Listed>> byIssuer = new HashMap<>();

    private RevocationLists() {}

    /// @param problems told of every file that cannot be used
    static RevocationLists read(List<Path> files, List<String> problems) {
        RevocationLists lists = new RevocationLists();
        for (Path file : files) {
            try {
                lists.add(file);
            } catch (TlsProblems e) {
                problems.addAll(e.problems());
            }
        }
        return lists;
    }

    private void add(Path file) throws TlsProblems {
        int before = byIssuer.size();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
            if (bytes.length > FILE_BYTES_MAX) {
                throw PemFile.problem(
                        String.format(
                                "revocation list %s is larger than %d bytes: name a list in PEM or"
                                        + " DER",
                                file, FILE_BYTES_MAX));
            }
            for (CRL one :
                    CertificateFactory.getInstance("X.509")
                            .generateCRLs(new ByteArrayInputStream(bytes))) {
                if (one instanceof X509CRL list) {
                    byIssuer.computeIfAbsent(list.getIssuerX500Principal(), _ -> new ArrayList<>())
                            .add(new Listed(file, list));
                }
            }
        } catch (NoSuchFileException e) {
            throw PemFile.problem(
                    String.format(
                            "revocation list %s does not exist: create it or correct the path",
                            file));
        } catch (IOException e) {
            throw PemFile.problem(
                    String.format(
                            "revocation list %s cannot be read (%s): make it readable for the user"
                                    + " that runs the server",
                            file, PemFile.reason(e)));
        } catch (GeneralSecurityException e) {
            throw noList(file);
        }
        if (byIssuer.size() == before
                && byIssuer.values().stream()
                        .flatMap(List::stream)
                        .noneMatch(one -> one.file().equals(file))) {
            throw noList(file);
        }
    }

    private static TlsProblems noList(Path file) {
        return PemFile.problem(
                String.format(
                        "revocation list %s cannot be understood: name a list in PEM or DER",
                        file));
    }

    /// What an operator must see to, though the lists are used.
    List<String> warnings(Instant now) {
        List<String> warnings = new ArrayList<>();
        for (List<Listed> lists : byIssuer.values()) {
            for (Listed one : lists) {
                if (one.list().getNextUpdate() != null
                        && now.isAfter(one.list().getNextUpdate().toInstant())) {
                    warnings.add(
                            String.format(
                                    "revocation list %s of %s was to be renewed by %s: get the next",
                                    one.file(),
                                    one.list().getIssuerX500Principal().getName(),
                                    one.list().getNextUpdate().toInstant()));
                }
            }
        }
        return warnings;
    }

    /// @param path from the leaf to below the authority, each issued by the next
    /// @return who is on a list, for the operator; null when nobody is
    @Nullable String find(List<X509Certificate> path, X509Certificate authority) {
        for (int i = 0; i < path.size(); i++) {
            X509Certificate one = path.get(i);
            X509Certificate issuer = i + 1 < path.size() ? path.get(i + 1) : authority;
            for (Listed listed : byIssuer.getOrDefault(one.getIssuerX500Principal(), List.of())) {
                if (isOn(listed.list(), one) && isSignedBy(listed.list(), issuer.getPublicKey())) {
                    return one.getSubjectX500Principal().getName() + " is on " + listed.file();
                }
            }
        }
        return null;
    }

    private static boolean isOn(X509CRL list, X509Certificate certificate) {
        X509CRLEntry entry = list.getRevokedCertificate(certificate.getSerialNumber());
        // RFC 5280 §5.3.1: such an entry gives one back.
        return entry != null && entry.getRevocationReason() != CRLReason.REMOVE_FROM_CRL;
    }

    private static boolean isSignedBy(X509CRL list, PublicKey issuer) {
        try {
            list.verify(issuer);
            return true;
        } catch (GeneralSecurityException _) {
            return false; // somebody else's of the same name
        }
    }
}
