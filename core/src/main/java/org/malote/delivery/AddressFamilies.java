package org.malote.delivery;

/// Which addresses of a host are used, and which first.
public enum AddressFamilies {
    /// Both in turn, beginning with IPv6: for a host with a route to the IPv6 internet.
    IPV6_FIRST,
    /// Both in turn, beginning with IPv4.
    IPV4_FIRST,
    IPV4_ONLY,
    IPV6_ONLY
}
