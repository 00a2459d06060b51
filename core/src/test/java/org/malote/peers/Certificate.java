package org.malote.peers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A P-256 certificate for one test, made by openssl.
///
/// @param chain a PEM file
/// @param key a PEM file
record Certificate(Path chain, Path key) {

    static Certificate make(Folder folder) {
        return make(folder, "", "mx.test");
    }

    /// One more in the same folder, for another name.
    static Certificate named(Folder folder, String name) {
        return make(folder, name + "-", name);
    }

    private static Certificate make(Folder folder, String prefix, String name) {
        Path chain = folder.path().resolve(prefix + "chain.pem");
        Path key = folder.path().resolve(prefix + "key.pem");
        Child.run(
                "openssl",
                folder.path(),
                Duration.ofSeconds(20),
                List.of(
                        "openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:prime256v1",
                        "-nodes",
                        "-days",
                        "30",
                        "-subj",
                        "/CN=" + name,
                        "-addext",
                        "subjectAltName=DNS:" + name + ",DNS:localhost,IP:127.0.0.1",
                        "-keyout",
                        key.toString(),
                        "-out",
                        chain.toString()));
        return new Certificate(chain, key);
    }
}
