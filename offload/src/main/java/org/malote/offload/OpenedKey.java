package org.malote.offload;

import java.security.PrivateKey;

/// A private key that a provider has opened.
public sealed interface OpenedKey {

    /// The key itself is in this process, so the TLS engine signs with it directly.
    ///
    /// @param key an encodable RSA or EC key
    record InProcess(PrivateKey key) implements OpenedKey {}

    /// The key stays where it is and only signatures come out.
    ///
    /// @param operations owned by whoever opened the key: closed exactly once
    record Offloaded(PrivateKeyOps operations) implements OpenedKey {}
}
