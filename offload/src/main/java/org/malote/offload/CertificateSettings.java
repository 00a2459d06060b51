package org.malote.offload;

import java.nio.file.Path;

/// One certificate to serve, with its key.
///
/// @param chain a PEM file: the server's own certificate first, then its issuers in order
/// @param key what the provider understands: the path of a PEM file for `native`. It may be the
///     same file as `chain`
public record CertificateSettings(Path chain, String key) {}
