package org.malote.dns;

import java.net.InetAddress;

/// One record's data. Names are in lower case without the final dot; the root is `.`.
public sealed interface DnsRecord {
    /// A or AAAA.
    record Address(InetAddress address) implements DnsRecord {}

    /// MX (RFC 1035 §3.3.9).
    ///
    /// @param preference 0 to 65535, the lowest is tried first
    /// @param exchange the host's name as the zone has it: not yet known to be a host name
    record Mx(int preference, String exchange) implements DnsRecord {}

    /// SRV (RFC 2782).
    ///
    /// @param priority 0 to 65535, the lowest is tried first
    /// @param weight 0 to 65535, the share among those of equal priority
    /// @param port 0 to 65535
    /// @param target the host's name as the zone has it; `.` when the service is not to be had
    record Service(int priority, int weight, int port, String target) implements DnsRecord {}

    /// PTR (RFC 1035 §3.3.12).
    record Pointer(String target) implements DnsRecord {}

    /// TXT (RFC 1035 §3.3.14).
    ///
    /// @param text the strings of the record joined, each octet one character of ISO 8859-1; at
    ///     most 64 KiB
    record Text(String text) implements DnsRecord {}

    /// TLSA (RFC 6698 §2.1).
    ///
    /// @param association the certificate association data in lower-case hexadecimal
    record Tlsa(int usage, int selector, int matchingType, String association)
            implements DnsRecord {}
}
