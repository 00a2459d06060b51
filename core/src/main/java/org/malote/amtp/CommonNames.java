package org.malote.amtp;

/// When the common name of a certificate stands for a DNS name that it does not have.
///
/// Deviation: the draft knows the common name alone (draft-weinman-amtp-03 §4.2); RFC 9525 §2 has
/// done away with it. Names are those of the subject alternative name, and the common name counts
/// only where there is none and this allows it.
public enum CommonNames {
    /// For certificates of private networks, whose operator makes them.
    PRIVATE,
    ALWAYS,
    NEVER;

    boolean countIn(HopNetwork network) {
        return switch (this) {
            case PRIVATE -> network == HopNetwork.PRIVATE;
            case ALWAYS -> true;
            case NEVER -> false;
        };
    }
}
