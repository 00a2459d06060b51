package org.malote.policy;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/// The two ends of a session.
///
/// @param remote the peer's address and port; behind a proxy, what the proxy told
/// @param local our address that the peer connected to
public record Peer(InetSocketAddress remote, InetAddress local) {

    /// The peer's address.
    public InetAddress address() {
        return remote.getAddress();
    }
}
