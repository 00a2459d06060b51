package org.malote.offload;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

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
    public OpenedKey open(KeyReference reference) throws TlsProblems {
        String location = reference.location();
        if (location.startsWith("pkcs11:")) {
            // RFC 7512: a key on a token.
            throw PemFile.problem(
                    String.format(
                            "key %s is on a token, which the provider native cannot reach: name a PEM file",
                            location));
        }
        Path path;
        try {
            path = Path.of(location);
        } catch (InvalidPathException e) {
            throw PemFile.problem(String.format("key %s is not a path: name a PEM file", location));
        }
        PemFile.requirePrivate(path);
        return new OpenedKey.InProcess(PemFile.read(path, "key").privateKey());
    }
}
