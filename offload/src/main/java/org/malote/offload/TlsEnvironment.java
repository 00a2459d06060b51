package org.malote.offload;

import java.security.SecureRandom;
import java.time.InstantSource;

/// What the contexts need from the outside.
///
/// @param clock for the age of ticket keys and for certificate validity
/// @param random makes ticket keys
/// @param providers who opens private keys
public record TlsEnvironment(InstantSource clock, SecureRandom random, OffloadProviders providers) {

    /// With keys in PEM files alone, which is enough for contexts that are only a client.
    public TlsEnvironment(InstantSource clock, SecureRandom random) {
        this(clock, random, OffloadProviders.inProcess());
    }
}
