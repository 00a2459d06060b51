package org.malote.offload;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The certificate that a peer has shown, and what was made of its chain by a [PeerTrust].
///
/// @param names its DNS names, as they are there
/// @param commonName that of its subject, when there is one; null
/// @param issuer who issued it, RFC 4514 form
/// @param digest SHA-256 of the certificate, in lower-case hexadecimal
/// @param keyDigest SHA-256 of its SubjectPublicKeyInfo, in lower-case hexadecimal
public record PeerCertificate(
        List<String> names,
        @Nullable String commonName,
        String issuer,
        String digest,
        String keyDigest,
        Standing standing) {

    public PeerCertificate {
        names = List.copyOf(names);
    }

    /// What its chain comes to.
    public sealed interface Standing {
        /// It holds now.
        ///
        /// @param authorityKey SHA-256 of the SubjectPublicKeyInfo of the authority that it ends in
        record Held(String authorityKey) implements Standing {}

        /// It holds, and an issuer has taken a certificate of it back.
        ///
        /// @param reason for the operator
        record Revoked(String reason) implements Standing {}

        /// It does not hold, or not now.
        ///
        /// @param reason for the operator
        record NotHeld(String reason) implements Standing {}
    }
}
