package org.malote.app;

import java.nio.file.Path;
import java.security.SecureRandom;
import org.malote.offload.KeyEnvironment;
import org.malote.offload.OffloadProviders;

/// The providers of private keys, with what they work with.
final class KeyProviders {
    private KeyProviders() {}

    /// Those of this process: one call, whose result is kept.
    static OffloadProviders installed(SecureRandom random) {
        // systemd.exec(5): where LoadCredential= puts what a service alone can read.
        String credentials = System.getenv("CREDENTIALS_DIRECTORY");
        return OffloadProviders.installed(
                new KeyEnvironment(
                        Threads.factory("key"),
                        System::nanoTime,
                        random,
                        credentials == null || credentials.isEmpty()
                                ? null
                                : Path.of(credentials)));
    }
}
