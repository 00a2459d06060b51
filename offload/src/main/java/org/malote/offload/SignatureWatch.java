package org.malote.offload;

/// Told of the signatures that keys outside of the TLS engine make: how long they take, and how
/// many are waited for. Those that BoringSSL makes itself are a part of the handshake and not seen.
///
/// Called by many threads at a time; must return at once.
public interface SignatureWatch {
    /// Nobody looks.
    SignatureWatch NONE =
            new SignatureWatch() {
                @Override
                public void asked(String provider) {}

                @Override
                public void answered(
                        String provider, String keyType, long nanos, boolean isSigned) {}
            };

    /// A signature is asked for.
    ///
    /// @param provider the name of the key's provider
    void asked(String provider);

    /// It came, or will not come.
    ///
    /// @param keyType such as `P-256` or `RSA-2048`
    /// @param nanos since it was asked for
    void answered(String provider, String keyType, long nanos, boolean isSigned);
}
