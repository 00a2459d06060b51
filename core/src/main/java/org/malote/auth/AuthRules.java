package org.malote.auth;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.offload.PeerIdentity;
import org.malote.offload.TlsSummary;

/// What a listener does with authentication.
///
/// @param mechanisms that it offers; empty: it knows of none
/// @param isRequired whether nobody sends mail without (RFC 6409 §4.3)
/// @param mustMatchCertificate whether the certificate of the peer must vouch for the user
///     (draft-weinman-amtp-03 §7)
/// @param failuresMax of one session; more end it
public record AuthRules(
        Set<Mechanism> mechanisms,
        boolean isRequired,
        boolean mustMatchCertificate,
        int failuresMax) {
    /// A listener that knows of no users.
    public static final AuthRules OFF = new AuthRules(Set.of(), false, false, 0);

    public AuthRules {
        mechanisms = Set.copyOf(mechanisms);
    }

    /// Of a listener for users: who they are is asked before anything else.
    public static AuthRules ofSubmission(AuthSettings settings) {
        return new AuthRules(settings.mechanisms(), true, false, settings.failuresPerSessionMax());
    }

    /// Of a listener for a private network: its certificate lets a client in, and who says that it
    /// is a user must be one that the certificate vouches for (draft-weinman-amtp-03 §7).
    public static AuthRules ofPrivateNetwork(AuthSettings settings) {
        return settings.users() == null
                ? OFF
                : new AuthRules(
                        settings.mechanisms(), false, true, settings.failuresPerSessionMax());
    }

    /// Whether there is an extension AUTH here at all.
    public boolean areOffered() {
        return !mechanisms.isEmpty();
    }

    /// What EHLO names: nothing in clear text (RFC 4954 §4), and EXTERNAL only to a peer that has
    /// something to be known by.
    public List<Mechanism> offered(@Nullable TlsSummary tls, PeerIdentity peer) {
        List<Mechanism> offered = new ArrayList<>();
        for (Mechanism mechanism : Mechanism.values()) {
            boolean isUsable =
                    switch (mechanism) {
                        case PLAIN, SCRAM_SHA_256 -> true;
                        case EXTERNAL -> peer instanceof PeerIdentity.Trusted;
                    };
            if (tls != null && isUsable && mechanisms.contains(mechanism)) {
                offered.add(mechanism);
            }
        }
        return offered;
    }
}
