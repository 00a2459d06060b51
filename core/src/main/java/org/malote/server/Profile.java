package org.malote.server;

/// What a listener is for.
public enum Profile {
    /// Mail from other hosts, port 25.
    MX,
    /// Mail from users, ports 465 and 587 (RFC 6409, RFC 8314).
    SUBMISSION,
    /// AMTP between hosts.
    AMTP_PUBLIC,
    /// AMTP from the operator's own clients.
    AMTP_PRIVATE
}
