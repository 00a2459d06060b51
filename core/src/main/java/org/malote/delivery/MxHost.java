package org.malote.delivery;

import java.net.InetAddress;
import java.util.List;

/// A host that takes mail for a domain.
///
/// @param name in lower case with A-labels
/// @param preference of its MX record, 0 for a domain that is its own
/// @param addresses at least one, in the order to try
public record MxHost(String name, int preference, List<InetAddress> addresses) {
    public MxHost {
        addresses = List.copyOf(addresses);
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("a host without addresses takes no mail: " + name);
        }
    }
}
