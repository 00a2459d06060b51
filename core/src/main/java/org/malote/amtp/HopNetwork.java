package org.malote.amtp;

import java.util.Locale;
import java.util.Map;

/// Whose word a peer's certificate rests on (draft-weinman-amtp-03 §1.2). Decided by the issuer of
/// the client's certificate, never by port or address.
public enum HopNetwork {
    /// Nobody's: no certificate came, or one whose chain does not hold.
    NONE,
    /// An authority that many recognise.
    PUBLIC,
    /// An authority of the operator's own, which a closed set of hosts recognises.
    PRIVATE;

    /// The attribute of an envelope that came by AMTP, which says over what kind of connection.
    private static final String CAME_OVER = "amtp.over";

    /// Notes it in the attributes of an envelope. Every connection that is not private is public
    /// (draft-weinman-amtp-03 §1.2).
    public void noteConnection(Map<String, String> attributes) {
        attributes.put(CAME_OVER, (this == PRIVATE ? PRIVATE : PUBLIC).word());
    }

    /// Whether a message of the queue came over a public connection of AMTP.
    public static boolean cameOverPublic(Map<String, String> attributes) {
        return PUBLIC.word().equals(attributes.get(CAME_OVER));
    }

    /// As attributes and logs have it: `public`.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
