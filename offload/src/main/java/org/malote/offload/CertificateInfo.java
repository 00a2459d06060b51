package org.malote.offload;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/// A certificate as an operator wants to see it.
///
/// @param file the chain's file
/// @param subject the distinguished name, RFC 4514 form
/// @param names the DNS names of the subject alternative name
/// @param keyType `P-256`, `P-384` or `RSA-2048` and so on
/// @param notAfter the last instant of its validity
public record CertificateInfo(
        Path file, String subject, List<String> names, String keyType, Instant notAfter) {
    public CertificateInfo {
        names = List.copyOf(names);
    }
}
