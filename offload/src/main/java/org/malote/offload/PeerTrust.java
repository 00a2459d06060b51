package org.malote.offload;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.jspecify.annotations.Nullable;

/// Who may vouch for the peers of a listener, as one reading of the files has it, and what they
/// have taken back. It says of a certificate whose word it rests on, and refuses nobody.
///
/// For any thread. A chain that holds is remembered by its leaf, for a time: who comes back is not
/// verified anew. What is remembered goes with this object, so that other authorities and other
/// revocation lists are another object.
public final class PeerTrust {
    /// What a problem and a setting call the authorities of the system.
    public static final String SYSTEM = "system";

    /// Of leaves that are remembered. Ours: a few megabytes, for the hosts that are spoken to.
    static final int REMEMBERED_MAX = 4096;

    /// Ours: a chain costs two or three signatures, and an hour of a busy peer has thousands of
    /// connections.
    static final Duration REMEMBERED = Duration.ofHours(1);

    /// One that may vouch.
    ///
    /// @param source the file that it is in, or [#SYSTEM]
    /// @param keyDigest SHA-256 of its SubjectPublicKeyInfo, in lower-case hexadecimal: authorities
    ///     with the same key are the same
    public record Authority(String source, X509Certificate certificate, String keyDigest) {
        /// Its name, RFC 4514 form.
        public String subject() {
            return certificate.getSubjectX500Principal().getName();
        }

        /// Whether another has issued it.
        public boolean isIssuedBy(Authority other) {
            if (!certificate
                    .getIssuerX500Principal()
                    .equals(other.certificate.getSubjectX500Principal())) {
                return false;
            }
            try {
                certificate.verify(other.certificate.getPublicKey());
                return true;
            } catch (GeneralSecurityException _) {
                return false;
            }
        }
    }

    /// A chain that holds.
    ///
    /// @param from and `until`: when all of its certificates are valid
    private record Remembered(
            PeerCertificate certificate, Instant from, Instant until, Instant forgotten) {
        boolean isGood(Instant now) {
            return now.isBefore(forgotten) && !now.isBefore(from) && !now.isAfter(until);
        }
    }

    private final List<Authority> authorities;
    private final PeerJudge judge;
    private final RevocationLists revoked;

    // Guarded by itself.
    private final Map<String, Remembered> remembered =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Remembered> eldest) {
                    return size() > REMEMBERED_MAX;
                }
            };

    private PeerTrust(
            List<Authority> authorities, boolean acceptsServerUse, RevocationLists revoked) {
        this.authorities = List.copyOf(authorities);
        this.judge =
                new PeerJudge(
                        acceptsServerUse,
                        authorities.stream().map(Authority::certificate).toList());
        this.revoked = revoked;
    }

    /// Reads the files.
    ///
    /// @throws TlsProblems with everything that is wrong, not only the first
    public static PeerTrust read(PeerTrustSettings settings) throws TlsProblems {
        List<String> problems = new ArrayList<>();
        List<Authority> authorities = new ArrayList<>();
        for (Path file : settings.files()) {
            try {
                add(file.toString(), PemFile.read(file, "certificate").certificates(), authorities);
            } catch (TlsProblems e) {
                problems.addAll(e.problems());
            }
        }
        if (settings.hasSystem()) {
            try {
                add(SYSTEM, Authorities.read(null).certificates(), authorities);
            } catch (TlsProblems e) {
                problems.addAll(e.problems());
            }
        }
        RevocationLists revoked = RevocationLists.read(settings.revocationLists(), problems);
        if (!problems.isEmpty()) {
            throw new TlsProblems(problems);
        }
        return new PeerTrust(authorities, settings.acceptsServerUse(), revoked);
    }

    private static void add(
            String source, List<X509Certificate> certificates, List<Authority> authorities) {
        for (X509Certificate one : certificates) {
            authorities.add(new Authority(source, one, keyDigest(one)));
        }
    }

    /// In the order of the files.
    public List<Authority> authorities() {
        return authorities;
    }

    /// What an operator must see to, though everything can be used: revocation lists that are old.
    public List<String> warnings(Instant now) {
        return revoked.warnings(now);
    }

    /// Judges what a peer has shown (RFC 5280 §6), whose key it was seen to have in the handshake.
    ///
    /// @param chain as the peer sent it, the leaf first, in any order after that; at least one
    public PeerCertificate judge(List<X509Certificate> chain, Instant now) {
        X509Certificate leaf = chain.getFirst();
        String digest = digest(encoded(leaf));
        synchronized (remembered) {
            Remembered known = remembered.get(digest);
            if (known != null) {
                if (known.isGood(now)) {
                    return known.certificate();
                }
                remembered.remove(digest);
            }
        }
        // A chain that fails is not remembered: with another one the same leaf may hold.
        return switch (judge.find(chain, now)) {
            case PeerJudge.Finding.Fails(var reason) ->
                    certificate(leaf, digest, new PeerCertificate.Standing.NotHeld(reason));
            case PeerJudge.Finding.Holds(var path, var authority) -> {
                String taken = revoked.find(path, authority);
                PeerCertificate judged =
                        certificate(
                                leaf,
                                digest,
                                taken == null
                                        ? new PeerCertificate.Standing.Held(keyDigest(authority))
                                        : new PeerCertificate.Standing.Revoked(taken));
                remember(judged, path, now);
                yield judged;
            }
        };
    }

    private void remember(PeerCertificate judged, List<X509Certificate> path, Instant now) {
        Instant from = Instant.MIN;
        Instant until = Instant.MAX;
        for (X509Certificate one : path) {
            Instant notBefore = one.getNotBefore().toInstant();
            Instant notAfter = one.getNotAfter().toInstant();
            from = from.isBefore(notBefore) ? notBefore : from;
            until = until.isAfter(notAfter) ? notAfter : until;
        }
        synchronized (remembered) {
            remembered.put(
                    judged.digest(), new Remembered(judged, from, until, now.plus(REMEMBERED)));
        }
    }

    /// Leaves that are remembered now.
    int rememberedNow() {
        synchronized (remembered) {
            return remembered.size();
        }
    }

    private static PeerCertificate certificate(
            X509Certificate leaf, String digest, PeerCertificate.Standing standing) {
        return new PeerCertificate(
                ServedCertificate.dnsNames(leaf),
                commonName(leaf),
                leaf.getIssuerX500Principal().getName(),
                digest,
                keyDigest(leaf),
                standing);
    }

    private static @Nullable String commonName(X509Certificate leaf) {
        try {
            RDN[] names =
                    X500Name.getInstance(leaf.getSubjectX500Principal().getEncoded())
                            .getRDNs(BCStyle.CN);
            return names.length == 1 && !names[0].isMultiValued()
                    ? IETFUtils.valueToString(names[0].getFirst().getValue())
                    : null;
        } catch (IllegalArgumentException _) {
            return null; // a name that cannot be understood is none
        }
    }

    private static String keyDigest(X509Certificate certificate) {
        return digest(certificate.getPublicKey().getEncoded());
    }

    private static byte[] encoded(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a certificate was read, and cannot be written", e);
        }
    }

    private static String digest(byte[] octets) {
        return HexFormat.of().formatHex(SignatureScheme.Digest.SHA256.of(octets));
    }
}
