package org.malote.server;

import java.net.InetAddress;
import java.util.Arrays;

/// The leading octets of an address: what one customer or one small site gets, an IPv4 /24 or an
/// IPv6 /56 (RFC 6177 §2).
final class ClientNetwork {
    private static final int IPV4_OCTETS = 3;
    private static final int IPV6_OCTETS = 7;

    private final byte[] prefix;

    private ClientNetwork(byte[] prefix) {
        this.prefix = prefix;
    }

    static ClientNetwork of(InetAddress client) {
        byte[] octets = client.getAddress();
        return new ClientNetwork(
                Arrays.copyOf(octets, octets.length == 4 ? IPV4_OCTETS : IPV6_OCTETS));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ClientNetwork that && Arrays.equals(prefix, that.prefix);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(prefix);
    }
}
