package org.malote.offload;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.PrivateKey;

/// The default: keys in PEM files, signatures by the TLS engine itself.
public final class NativeProvider implements OffloadProvider {
    @Override
    public String name() {
        return TlsSettings.DEFAULT_PROVIDER;
    }

    @Override
    public String describe() {
        return "keys from PEM files, signed in process by the TLS engine; needs files of mode 600";
    }

    @Override
    public OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems {
        return openFile(reference);
    }

    static OpenedKey.InProcess openFile(KeyReference reference) throws TlsProblems {
        return new OpenedKey.InProcess(readKey(reference.location()));
    }

    /// A key from a file that nobody else can read.
    static PrivateKey readKey(String location) throws TlsProblems {
        Path path;
        try {
            path = Path.of(location);
        } catch (InvalidPathException e) {
            throw PemFile.problem(String.format("key %s is not a path: name a PEM file", location));
        }
        PemFile.requirePrivate(path, "key file");
        return PemFile.read(path, "key").privateKey();
    }
}
