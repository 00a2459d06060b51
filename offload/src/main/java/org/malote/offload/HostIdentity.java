package org.malote.offload;

import java.util.List;

/// Who we are to hosts that ask for a certificate. A session that was made as one is never
/// continued as another.
///
/// @param name by which a caller chooses it
/// @param certificates with their keys, wherever those are; at least one
public record HostIdentity(String name, List<CertificateSettings> certificates) {
    public HostIdentity {
        certificates = List.copyOf(certificates);
        if (certificates.isEmpty()) {
            throw new IllegalArgumentException("an identity has a certificate: " + name);
        }
    }
}
