package org.malote.app;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import org.malote.offload.KeyEnvironment;
import org.malote.offload.OffloadProviders;
import org.malote.offload.Secrets;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsEnvironment;

/// The providers of private keys, with what they work with.
final class KeyProviders {
    private KeyProviders() {}

    /// What TLS contexts of a server work with. The protocol's name in ALPN is the one that mail
    /// servers use; few peers offer any.
    static TlsEnvironment environment(
            InstantSource clock,
            SecureRandom random,
            OffloadProviders providers,
            SignatureWatch signatures) {
        return new TlsEnvironment(clock, random, providers, List.of("smtp"), signatures);
    }

    /// Those of this process: one call, whose result is kept.
    static OffloadProviders installed(SecureRandom random) {
        return OffloadProviders.installed(
                new KeyEnvironment(
                        Threads.factory("key"), System::nanoTime, random, Secrets.credentials()));
    }
}
