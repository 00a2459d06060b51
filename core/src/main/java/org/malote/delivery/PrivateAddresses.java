package org.malote.delivery;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import org.malote.policy.Network;

/// Addresses that no stranger's DNS may send our mail to: a domain whose MX points into our own
/// network would make us its probe.
public final class PrivateAddresses {
    /// The IANA special-purpose registries (RFC 6890) where they are not globally reachable, and
    /// multicast; but for the documentation prefixes, where nobody is. An IPv4-mapped address
    /// (`::ffff:0:0/96`) is an IPv4 address in Java.
    private static final List<Network> NETWORKS =
            List.of(
                    Network.parse("0.0.0.0/8"), // RFC 791 §3.2: this network
                    Network.parse("10.0.0.0/8"), // RFC 1918
                    Network.parse("100.64.0.0/10"), // RFC 6598
                    Network.parse("127.0.0.0/8"), // RFC 1122 §3.2.1.3
                    Network.parse("169.254.0.0/16"), // RFC 3927; cloud metadata
                    Network.parse("172.16.0.0/12"), // RFC 1918
                    Network.parse("192.0.0.0/24"), // RFC 6890 §2.1
                    Network.parse("192.168.0.0/16"), // RFC 1918
                    Network.parse("198.18.0.0/15"), // RFC 2544
                    Network.parse("224.0.0.0/4"), // RFC 5771
                    Network.parse("240.0.0.0/4"), // RFC 1112 §4, and the broadcast address
                    Network.parse("::/96"), // RFC 4291: unspecified, loopback, IPv4-compatible
                    Network.parse("64:ff9b:1::/48"), // RFC 8215: translation within a site
                    Network.parse("100::/64"), // RFC 6666
                    Network.parse("fc00::/7"), // RFC 4193
                    Network.parse("fe80::/10"), // RFC 4291 §2.5.6
                    Network.parse("fec0::/10"), // RFC 3879
                    Network.parse("ff00::/8")); // RFC 4291 §2.7

    /// RFC 6052 §2.1: IPv4 as hosts see it that have IPv6 alone.
    private static final Network TRANSLATED = Network.parse("64:ff9b::/96");

    private PrivateAddresses() {}

    /// Whether the address is within this host, this network or nobody's.
    public static boolean contains(InetAddress address) {
        for (Network network : NETWORKS) {
            if (network.contains(address)) {
                return true;
            }
        }
        return TRANSLATED.contains(address) && contains(behindTranslation(address));
    }

    /// RFC 6052 §2.2: the last four octets of the well-known prefix are the IPv4 address.
    private static InetAddress behindTranslation(InetAddress address) {
        try {
            return InetAddress.getByAddress(Arrays.copyOfRange(address.getAddress(), 12, 16));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 octets are always an address", e);
        }
    }
}
