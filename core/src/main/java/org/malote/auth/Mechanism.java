package org.malote.auth;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// How a user proves who it is (RFC 4422), in the order in which EHLO names them.
///
/// SCRAM-SHA-256-PLUS is not among them: it binds to the TLS channel, and no TLS engine of ours
/// tells the secret that RFC 9266 makes the binding of.
public enum Mechanism {
    /// Name and password (RFC 4616).
    PLAIN("PLAIN"),
    /// The password is never told (RFC 5802, RFC 7677).
    SCRAM_SHA_256("SCRAM-SHA-256"),
    /// The certificate that the peer has shown to TLS (RFC 4422 appendix A).
    EXTERNAL("EXTERNAL");

    private final String word;

    Mechanism(String word) {
        this.word = word;
    }

    /// Its name in the registry of SASL mechanisms.
    public String word() {
        return word;
    }

    /// The mechanism of that name, in any case, or null.
    public static @Nullable Mechanism of(String word) {
        String upper = word.toUpperCase(Locale.ROOT);
        for (Mechanism mechanism : values()) {
            if (mechanism.word.equals(upper)) {
                return mechanism;
            }
        }
        return null;
    }
}
