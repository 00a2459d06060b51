package org.malote.offload;

import java.security.cert.X509Certificate;

/// Which private key a provider is to open.
///
/// @param location as the operator wrote it: a file's path, later a `pkcs11:` URI
/// @param certificate the certificate that the key must belong to; it tells the kind of the key and
///     lets a provider find it
public record KeyReference(String location, X509Certificate certificate) {}
