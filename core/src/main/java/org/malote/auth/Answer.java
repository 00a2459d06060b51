package org.malote.auth;

import org.jspecify.annotations.Nullable;

/// What the [Authenticator] says to a [Claim].
public sealed interface Answer {

    /// It is that user.
    record Proven(User user) implements Answer {}

    /// A proof can be verified by this.
    ///
    /// @param verifier one that nobody's password fits, when the user is not there
    /// @param user null when it is not there
    /// @param nonce the server's part of it
    record Verifiable(ScramVerifier verifier, @Nullable User user, String nonce)
            implements Answer {}

    /// It is not.
    ///
    /// @param user who it was said to be; null when nobody has that name
    record Refused(@Nullable User user) implements Answer {}

    /// Not now: as many passwords are being looked at as there may be.
    record Busy() implements Answer {}

    /// The network of the peer has failed too often.
    record Blocked() implements Answer {}
}
