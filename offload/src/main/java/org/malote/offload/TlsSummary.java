package org.malote.offload;

import org.jspecify.annotations.Nullable;

/// What a handshake agreed on, for the trace header, the log and the meters.
///
/// @param version `TLSv1.3` or `TLSv1.2`
/// @param cipher the IANA name, such as `TLS_AES_256_GCM_SHA384`
/// @param cipherBits the secret bits of the record cipher: 128 or 256
/// @param group of the key agreement, such as `X25519MLKEM768`; null where there was none, or the
///     engine does not tell
/// @param keyType of the server's certificate, such as `P-256` or `RSA-2048`; null where none was
///     used, or the engine does not tell
/// @param resumed whether an earlier session was continued, with no certificate and no signature
public record TlsSummary(
        String version,
        String cipher,
        int cipherBits,
        @Nullable String group,
        @Nullable String keyType,
        boolean resumed) {
    /// draft-ietf-tls-ecdhe-mlkem: what holds against a quantum computer has this in its name.
    private static final String POST_QUANTUM = "MLKEM";

    /// The same with another key type.
    TlsSummary withKeyType(@Nullable String other) {
        return new TlsSummary(version, cipher, cipherBits, group, other, resumed);
    }

    /// Whether who records it now cannot read it with a quantum computer later.
    public boolean isPostQuantum() {
        return group != null && group.contains(POST_QUANTUM);
    }

    /// `TLSv1.3/TLS_AES_128_GCM_SHA256/X25519/resumed`
    public String text() {
        return version
                + "/"
                + cipher
                + (group == null ? "" : "/" + group)
                + (resumed ? "/resumed" : "");
    }
}
