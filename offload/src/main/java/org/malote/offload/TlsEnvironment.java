package org.malote.offload;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;

/// What the contexts need from the outside.
///
/// @param clock for the age of ticket keys and for certificate validity
/// @param random makes ticket keys
/// @param providers who opens private keys
/// @param protocols what a server speaks inside of TLS: names of ALPN (RFC 7301). A peer that
/// offers
///     only others is refused; with none here, nobody is
/// @param signatures told of those that keys outside of the TLS engine make
public record TlsEnvironment(
        InstantSource clock,
        SecureRandom random,
        OffloadProviders providers,
        List<String> protocols,
        SignatureWatch signatures) {

    public TlsEnvironment {
        protocols = List.copyOf(protocols);
    }

    /// With keys in PEM files alone and any protocol, which is enough for contexts that are only a
    /// client.
    public TlsEnvironment(InstantSource clock, SecureRandom random) {
        this(clock, random, OffloadProviders.inProcess(), List.of(), SignatureWatch.NONE);
    }
}
