package org.malote.amtp;

/// How much is known of the peer that a message came from, as one number: for filters that weigh
/// words, and for those that skip greylisting or challenges.
///
/// It says who the peer is, not what it sends (draft-weinman-amtp-03 §8 claims no more): no level
/// means that a message is wanted.
public enum TrustLevel {
    /// Nothing that was looked at holds.
    NONE(0),
    /// TLS, and the address has a name that has the address.
    NAMED(1),
    /// A certificate of the operator's own authority, and a user that authenticated
    /// (draft-weinman-amtp-03 §7).
    CUSTOMER(2),
    /// SMTP as AMTP would have it: the certificate, the name of EHLO and a confirmed reverse DNS
    /// agree.
    MATCHED(3),
    /// AMTP between hosts, with everything that its listener asks for (draft-weinman-amtp-03 §4.2
    /// to §4.4.2).
    VERIFIED(4);

    private final int number;

    TrustLevel(int number) {
        this.number = number;
    }

    /// From 0 to 4, as it is written into messages: it never changes.
    public int number() {
        return number;
    }

    /// The level of a message.
    ///
    /// @param identity what was found of the peer
    /// @param isAmtp whether the listener speaks AMTP
    /// @param isTls whether the session has TLS
    /// @param isAuthenticated whether a user has authenticated, beside the certificate
    public static TrustLevel of(
            HopIdentity identity, boolean isAmtp, boolean isTls, boolean isAuthenticated) {
        boolean isConfirmed = identity.reverse() instanceof ReverseDns.Confirmed;
        TrustLevel least = isTls && isConfirmed ? NAMED : NONE;
        if (!isTls || !identity.isVerified()) {
            return least;
        }
        return switch (identity.network()) {
            case NONE -> least;
            case PRIVATE -> isAuthenticated ? CUSTOMER : least;
            case PUBLIC -> {
                if (isAmtp) {
                    yield VERIFIED;
                }
                yield isConfirmed ? MATCHED : least;
            }
        };
    }
}
