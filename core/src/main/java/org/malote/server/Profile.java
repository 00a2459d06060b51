package org.malote.server;

/// What a listener is for.
///
/// Deviation: the draft has one port for public networks, which was never assigned
/// (draft-weinman-amtp-03 §4.1). A listener's address is the operator's to choose; SRV records tell
/// it. There may be several: who moves must listen at both for as long as those records are kept.
public enum Profile {
    /// Mail from other hosts, port 25.
    MX,
    /// Mail from users, ports 465 and 587 (RFC 6409, RFC 8314).
    SUBMISSION,
    /// AMTP between hosts.
    AMTP_PUBLIC,
    /// AMTP from the operator's own clients.
    AMTP_PRIVATE;

    /// Whether it is one of AMTP.
    public boolean isAmtp() {
        return switch (this) {
            case MX, SUBMISSION -> false;
            case AMTP_PUBLIC, AMTP_PRIVATE -> true;
        };
    }
}
