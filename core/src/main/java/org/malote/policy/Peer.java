package org.malote.policy;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/// The two ends of a session.
///
/// @param remote the peer's address and port; behind a proxy, what the proxy told
/// @param local our address that the peer connected to
/// @param reach how far its mail may go
public record Peer(InetSocketAddress remote, InetAddress local, RelayReach reach) {

    /// The ends of a session at a listener for SMTP.
    public Peer(InetSocketAddress remote, InetAddress local) {
        this(remote, local, RelayReach.USUAL);
    }

    /// The peer's address.
    public InetAddress address() {
        return remote.getAddress();
    }
}
