package org.malote.delivery;

import java.net.InetSocketAddress;
import org.malote.smtp.IpAddresses;

/// One address of one host, to connect to.
///
/// @param name the host's name, for TLS and the log; an address where there is no name
/// @param isLmtp whether it speaks LMTP
record Hop(InetSocketAddress address, String name, boolean isLmtp) {

    /// As logs and reports name it: `mx1.isp.example[192.0.2.1]:25`.
    String label() {
        return name + "[" + IpAddresses.format(address.getAddress()) + "]:" + address.getPort();
    }
}
