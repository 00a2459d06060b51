package org.malote.delivery;

/// What is spoken with a host.
enum Protocol {
    /// RFC 5321.
    SMTP,
    /// RFC 2033.
    LMTP,
    /// draft-weinman-amtp-03: SMTP inside TLS from the first octet, both sides with a certificate.
    AMTP
}
