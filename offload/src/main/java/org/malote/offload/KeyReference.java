package org.malote.offload;

import java.security.cert.X509Certificate;

/// Which private key a provider is to open.
///
/// @param location as the operator wrote it: a file's path, or a URI such as `pkcs11:...`
/// @param certificate the certificate that the key must belong to; it tells the kind of the key and
///     lets a provider find it
/// @param limits for a provider that signs on threads of its own
public record KeyReference(String location, X509Certificate certificate, KeyLimits limits) {}
