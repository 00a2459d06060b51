package org.malote.offload;

/// What a handshake agreed on, for the trace header, the log and the meters.
///
/// @param version `TLSv1.3` or `TLSv1.2`
/// @param cipher the IANA name, such as `TLS_AES_256_GCM_SHA384`
/// @param cipherBits the secret bits of the record cipher: 128 or 256
/// @param resumed whether an earlier session was continued, with no certificate and no signature
public record TlsSummary(String version, String cipher, int cipherBits, boolean resumed) {}
