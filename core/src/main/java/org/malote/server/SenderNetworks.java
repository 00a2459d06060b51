package org.malote.server;

import java.net.InetAddress;
import java.util.List;

/// Who sends to us, as far as an operator tells senders apart.
///
/// @param named the first that has an address is the one
/// @param other everybody else
public record SenderNetworks(List<SenderNetwork> named, SenderNetwork other) {
    /// In the meters, for whoever is in no network that has a name.
    public static final String OTHER = "other";

    /// Each is a label of several meters.
    public static final int NAMED_MAX = 64;

    public SenderNetworks {
        named = List.copyOf(named);
    }

    /// @param tickets for everybody
    public static SenderNetworks none(TicketUse tickets) {
        return of(List.of(), tickets);
    }

    /// @param tickets for whoever is in none of them
    public static SenderNetworks of(List<SenderNetwork> named, TicketUse tickets) {
        return new SenderNetworks(named, new SenderNetwork(OTHER, List.of(), tickets));
    }

    /// The one that a client is of.
    SenderNetwork find(InetAddress client) {
        for (SenderNetwork network : named) {
            if (network.contains(client)) {
                return network;
            }
        }
        return other;
    }
}
