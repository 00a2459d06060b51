package org.malote.smtp;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// An address literal (RFC 5321 §4.1.3): `[192.0.2.1]` or `[IPv6:2001:db8::1]`. Other registered
/// tags do not exist.
///
/// @param address the address; never looked up
public record AddressLiteral(InetAddress address) implements MailHost {

    /// Reads a literal with its brackets. IPv6 zones and IPv4 in other than four decimal numbers
    /// are refused.
    ///
    /// @return the literal, or null when the text is not one
    public static @Nullable AddressLiteral parse(String text) {
        if (text.length() < 3 || text.charAt(0) != '[' || text.charAt(text.length() - 1) != ']') {
            return null;
        }
        String inner = text.substring(1, text.length() - 1);
        byte[] octets;
        if (inner.toLowerCase(Locale.ROOT).startsWith("ipv6:")) {
            octets = IpAddresses.parseIpv6(inner.substring("ipv6:".length()));
        } else {
            octets = IpAddresses.parseIpv4(inner);
        }
        if (octets == null) {
            return null;
        }
        try {
            return new AddressLiteral(InetAddress.getByAddress(octets));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 octets are always an address", e);
        }
    }

    @Override
    public String text() {
        String plain = IpAddresses.format(address);
        return address instanceof Inet4Address ? "[" + plain + "]" : "[IPv6:" + plain + "]";
    }

    @Override
    public String toString() {
        return text();
    }
}
