package org.malote.offload;

import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A certificate that a host showed, for an operator who asks why it is or is not believed.
///
/// @param subject the distinguished name, RFC 4514 form
/// @param names DNS names and addresses of the subject alternative name
/// @param issuer the distinguished name of who issued it
/// @param notAfter the last instant of its validity
/// @param chain as the host sent it, the leaf first
/// @param status what its issuer says of it, where the host brought that along
public record HostCertificate(
        String subject,
        List<String> names,
        String issuer,
        Instant notAfter,
        List<X509Certificate> chain,
        StapledStatus status) {
    public HostCertificate {
        names = List.copyOf(names);
        chain = List.copyOf(chain);
    }

    /// One of ours, as hosts will see it.
    ///
    /// @param chain a PEM file, the leaf first
    /// @throws TlsProblems when it cannot be read
    public static HostCertificate read(Path chain) throws TlsProblems {
        return of(PemFile.read(chain, "certificate").certificates(), StapledStatus.UNTOLD);
    }

    static HostCertificate of(List<X509Certificate> chain, StapledStatus status) {
        X509Certificate leaf = chain.getFirst();
        return new HostCertificate(
                leaf.getSubjectX500Principal().getName(),
                HostNames.shown(leaf),
                leaf.getIssuerX500Principal().getName(),
                leaf.getNotAfter().toInstant(),
                chain,
                status);
    }

    /// Why its chain is not believed, by the rules that hold for hosts.
    ///
    /// @param authorities a PEM file; null for those of the system
    /// @return one sentence; null when it is believed
    /// @throws TlsProblems when the authorities cannot be read
    public @Nullable String distrust(@Nullable Path authorities, Instant now) throws TlsProblems {
        try {
            new HostJudge(Authorities.read(authorities)).judge(chain, status, now);
            return null;
        } catch (CertificateRefused e) {
            return e.getMessage();
        }
    }

    /// Whether it is for one of these names.
    public boolean isFor(List<String> expected) {
        return HostNames.isFor(chain.getFirst(), expected);
    }
}
