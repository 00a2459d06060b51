package org.malote.offload;

import java.security.PrivateKey;

/// A private key that a provider has opened.
public sealed interface OpenedKey {

    /// The key itself is in this process, so the TLS engine signs with it directly.
    ///
    /// @param key an encodable RSA or EC key
    record InProcess(PrivateKey key) implements OpenedKey {}

    /// Another library of this process signs, at once: a stage of `sign` is complete when it is
    /// returned, after no more than the processor's own time. Nothing is awaited, so the event loop
    /// calls it inside the handshake.
    ///
    /// @param operations owned by whoever opened the key: closed exactly once
    record Inline(PrivateKeyOps operations) implements OpenedKey {}

    /// The key stays where it is and only signatures come out, some time later.
    ///
    /// @param operations owned by whoever opened the key: closed exactly once
    record Offloaded(PrivateKeyOps operations) implements OpenedKey {}
}
