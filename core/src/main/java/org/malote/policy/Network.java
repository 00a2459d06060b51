package org.malote.policy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.malote.smtp.IpAddresses;

/// A block of addresses, as `192.0.2.0/24` or `2001:db8::/32`. An IPv4-mapped IPv6 address counts
/// as
/// IPv4.
///
/// @param base the first address; the bits behind the prefix are zero
/// @param prefixBits 0 to 32, or 0 to 128
public record Network(InetAddress base, int prefixBits) {

    public Network {
        byte[] octets = base.getAddress();
        if (prefixBits < 0 || prefixBits > octets.length * 8) {
            throw new IllegalArgumentException(
                    "a prefix of "
                            + IpAddresses.format(base)
                            + " has 0 to "
                            + octets.length * 8
                            + " bits, not "
                            + prefixBits);
        }
        for (int bit = prefixBits; bit < octets.length * 8; bit++) {
            if ((octets[bit / 8] >> (7 - bit % 8) & 1) != 0) {
                throw new IllegalArgumentException(
                        IpAddresses.format(base)
                                + "/"
                                + prefixBits
                                + " has bits behind its prefix; write the first address of the"
                                + " block");
            }
        }
    }

    /// Reads `address/bits`, or an address alone.
    ///
    /// @throws IllegalArgumentException with a sentence that says what is wrong
    public static Network parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        byte[] octets =
                address.indexOf(':') >= 0
                        ? IpAddresses.parseIpv6(address)
                        : IpAddresses.parseIpv4(address);
        if (octets == null) {
            throw new IllegalArgumentException(
                    "not a network: \"" + text + "\"; write 192.0.2.0/24 or 2001:db8::/32");
        }
        int bits = octets.length * 8;
        if (slash >= 0) {
            String digits = text.substring(slash + 1);
            if (!digits.matches("[0-9]{1,3}")) {
                throw new IllegalArgumentException(
                        "not a prefix length: \"" + digits + "\" in \"" + text + "\"");
            }
            bits = Integer.parseInt(digits);
        }
        try {
            return new Network(InetAddress.getByAddress(octets), bits);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 octets are always an address", e);
        }
    }

    /// Whether the address lies in this block.
    public boolean contains(InetAddress address) {
        byte[] ours = base.getAddress();
        byte[] theirs = address.getAddress();
        if (ours.length != theirs.length) {
            return false;
        }
        int whole = prefixBits / 8;
        for (int i = 0; i < whole; i++) {
            if (ours[i] != theirs[i]) {
                return false;
            }
        }
        int rest = prefixBits % 8;
        return rest == 0 || ((ours[whole] ^ theirs[whole]) & 0xff) >> (8 - rest) == 0;
    }

    @Override
    public String toString() {
        return IpAddresses.format(base) + "/" + prefixBits;
    }
}
