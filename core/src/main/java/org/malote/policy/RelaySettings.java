package org.malote.policy;

import java.net.InetAddress;
import java.util.List;

/// Who may send to any domain: `[relay]` of the configuration.
///
/// @param networks the clients that may
public record RelaySettings(List<Network> networks) {

    public RelaySettings {
        networks = List.copyOf(networks);
    }

    /// This host alone.
    public static RelaySettings defaults() {
        return new RelaySettings(List.of(Network.parse("127.0.0.0/8"), Network.parse("::1/128")));
    }

    /// Whether a client may send to any domain.
    public boolean contains(InetAddress client) {
        for (Network network : networks) {
            if (network.contains(client)) {
                return true;
            }
        }
        return false;
    }
}
