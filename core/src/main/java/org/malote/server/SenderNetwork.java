package org.malote.server;

import java.net.InetAddress;
import java.util.List;
import org.malote.policy.Network;

/// A sender that an operator wants to see by itself.
///
/// @param name in the meters
public record SenderNetwork(String name, List<Network> addresses, TicketUse tickets) {
    public SenderNetwork {
        addresses = List.copyOf(addresses);
    }

    boolean contains(InetAddress client) {
        for (Network network : addresses) {
            if (network.contains(client)) {
                return true;
            }
        }
        return false;
    }
}
