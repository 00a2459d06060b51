package org.malote.accept;

/// What is true of a session beside what its peer says, as far as it is told to the filters behind
/// us.
///
/// @param isReported whether its listener looks at who the peer is
/// @param isAmtp whether it speaks AMTP
/// @param isAuthenticated whether a user has authenticated
public record Arrival(boolean isReported, boolean isAmtp, boolean isAuthenticated) {
    /// At a listener for SMTP that asks nothing of its peers.
    public static final Arrival PLAIN = new Arrival(false, false, false);
}
