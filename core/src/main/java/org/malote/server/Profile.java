package org.malote.server;

/// What a listener is for.
public enum Profile {
    /// Mail from other hosts, port 25.
    MX,
    /// Mail from users.
    SUBMISSION,
    /// AMTP between hosts.
    AMTP_PUBLIC,
    /// AMTP from the operator's own clients.
    AMTP_PRIVATE
}
