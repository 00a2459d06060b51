package org.malote.delivery;

import java.net.InetAddress;
import java.util.List;

/// A host that takes mail for a domain over AMTP.
///
/// @param name in lower case with A-labels
/// @param port 1 to 65535
/// @param addresses at least one, in the order to try
public record SrvHost(String name, int port, List<InetAddress> addresses) {
    public SrvHost {
        addresses = List.copyOf(addresses);
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("a host without addresses takes no mail: " + name);
        }
    }
}
