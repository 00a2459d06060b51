package org.malote.peers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A certificate for one test, made by openssl.
///
/// @param chain a PEM file
/// @param key a PEM file
record Certificate(Path chain, Path key) {
    private static final List<String> P256 =
            List.of("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1");

    /// P-256.
    static Certificate make(Folder folder) {
        return make(folder, "", "mx.test", P256);
    }

    /// One more in the same folder, for another name.
    static Certificate named(Folder folder, String name) {
        return make(folder, name + "-", name, P256);
    }

    static Certificate makeRsa(Folder folder) {
        return make(folder, "rsa-", "mx.test", List.of("rsa:2048"));
    }

    private static Certificate make(Folder folder, String prefix, String name, List<String> kind) {
        Path chain = folder.path().resolve(prefix + "chain.pem");
        Path key = folder.path().resolve(prefix + "key.pem");
        List<String> command = new ArrayList<>(List.of("openssl", "req", "-x509", "-newkey"));
        command.addAll(kind);
        command.addAll(
                List.of(
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
        Child.run("openssl", folder.path(), Duration.ofSeconds(20), command);
        return new Certificate(chain, key);
    }
}
