package org.malote.delivery;

import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.IpAddresses;

/// One address of one host, to connect to.
///
/// @param name the host's name, for TLS and the log; an address where there is no name
/// @param domain the domain whose SRV record led here, in A-labels; null where none did
record Hop(InetSocketAddress address, String name, Protocol protocol, @Nullable String domain) {

    /// A hop that no SRV record led to.
    Hop(InetSocketAddress address, String name, Protocol protocol) {
        this(address, name, protocol, null);
    }

    /// As logs and reports name it: `mx1.isp.example[192.0.2.1]:25`.
    String label() {
        return name + "[" + IpAddresses.format(address.getAddress()) + "]:" + address.getPort();
    }

    /// The names of which an AMTP host's certificate must have one (RFC 9525 §6, RFC 7673 §3
    /// without DNSSEC).
    List<String> names() {
        return domain == null ? List.of(name) : List.of(name, domain);
    }

    /// Whether a connection to the other hop is one to this, too, but for the domain.
    boolean isSameHost(Hop other) {
        return address.equals(other.address)
                && name.equals(other.name)
                && protocol == other.protocol;
    }
}
