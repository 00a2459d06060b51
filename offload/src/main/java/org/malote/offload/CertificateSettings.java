package org.malote.offload;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// One certificate to serve, with its key.
///
/// @param chain a PEM file: the server's own certificate first, then its issuers in order
/// @param key what a provider understands: the path of a PEM file, or a URI whose scheme names its
///     provider, such as `pkcs11:...`. It may be the same file as `chain`
/// @param fallbackKey the path of a PEM file with the same key, which signs while `key` cannot;
/// null
///     to serve no new handshakes then
public record CertificateSettings(Path chain, String key, @Nullable String fallbackKey) {

    /// Without a fallback: while the key cannot sign, TLS is not served.
    public CertificateSettings(Path chain, String key) {
        this(chain, key, null);
    }
}
