package org.malote.smtp;

/// What stands to the right of the last `@`, or after EHLO: a domain name or an address literal
/// (RFC 5321 §4.1.2, §4.1.3).
public sealed interface MailHost permits DomainName, AddressLiteral {

    /// The text as it stands on the wire: `mx.example`, `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    String text();
}
