package org.malote.smtp;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Addresses as text, without the JDK's leniencies (`127.1`, zones, look-ups).
public final class IpAddresses {
    private IpAddresses() {}

    /// Four decimal numbers from 0 to 255 with no leading zeros.
    ///
    /// @return 4 octets, or null
    public static byte @Nullable [] parseIpv4(String text) {
        byte[] octets = new byte[4];
        int index = 0;
        int digits = 0;
        int value = 0;
        for (int i = 0; i <= text.length(); i++) {
            char c = i == text.length() ? '.' : text.charAt(i);
            if (c == '.') {
                if (digits == 0 || index == 4) {
                    return null;
                }
                octets[index++] = (byte) value;
                digits = 0;
                value = 0;
            } else if (c >= '0' && c <= '9') {
                if (digits > 0 && value == 0) {
                    return null; // a leading zero is octal to some
                }
                value = value * 10 + (c - '0');
                digits++;
                if (value > 255) {
                    return null;
                }
            } else {
                return null;
            }
        }
        return index == 4 ? octets : null;
    }

    /// RFC 4291 §2.2: groups of hexadecimal digits, one `::`, an IPv4 tail. No zone.
    ///
    /// @return 16 octets, or null. An IPv4-mapped address stays in 16 octets
    public static byte @Nullable [] parseIpv6(String text) {
        if (text.length() < 2 || text.length() > 45) {
            return null;
        }
        int gap = text.indexOf("::");
        if (gap != text.lastIndexOf("::")) {
            return null;
        }
        byte[] head = groups(gap < 0 ? text : text.substring(0, gap), gap < 0);
        byte[] tail = gap < 0 ? new byte[0] : groups(text.substring(gap + 2), true);
        if (head == null || tail == null) {
            return null;
        }
        int octets = head.length + tail.length;
        if (gap < 0 ? octets != 16 : octets > 14) {
            return null;
        }
        byte[] address = new byte[16];
        System.arraycopy(head, 0, address, 0, head.length);
        System.arraycopy(tail, 0, address, 16 - tail.length, tail.length);
        return address;
    }

    /// The address as RFC 5952 writes it: lower case, the longest run of zero groups as `::`.
    public static String format(InetAddress address) {
        if (address instanceof Inet4Address) {
            return address.getHostAddress();
        }
        byte[] octets = address.getAddress();
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (octets[2 * i] & 0xff) << 8 | (octets[2 * i + 1] & 0xff);
        }
        int bestStart = -1;
        int bestLength = 1; // RFC 5952 §4.2.2: one group alone is not shortened
        for (int start = 0; start < 8; start++) {
            int length = 0;
            while (start + length < 8 && groups[start + length] == 0) {
                length++;
            }
            if (length > bestLength) {
                bestStart = start;
                bestLength = length;
            }
        }
        StringBuilder text = new StringBuilder(39);
        for (int i = 0; i < 8; i++) {
            if (i == bestStart) {
                text.append("::");
                i += bestLength - 1;
            } else {
                if (i > 0 && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }

    private static byte @Nullable [] groups(String text, boolean mayEndInIpv4) {
        if (text.isEmpty()) {
            return new byte[0];
        }
        String[] parts = text.split(":", -1);
        if (parts.length > 8) {
            return null;
        }
        byte[] octets = new byte[parts.length * 2 + 2];
        int length = 0;
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i];
            if (part.indexOf('.') >= 0) {
                byte[] ipv4 = i == parts.length - 1 && mayEndInIpv4 ? parseIpv4(part) : null;
                if (ipv4 == null) {
                    return null;
                }
                System.arraycopy(ipv4, 0, octets, length, 4);
                length += 4;
            } else {
                if (part.isEmpty() || part.length() > 4) {
                    return null;
                }
                int group = 0;
                for (int j = 0; j < part.length(); j++) {
                    int digit = Ascii.hexDigit(part.charAt(j));
                    if (digit < 0) {
                        return null;
                    }
                    group = group << 4 | digit;
                }
                octets[length++] = (byte) (group >> 8);
                octets[length++] = (byte) group;
            }
        }
        return Arrays.copyOf(octets, length);
    }
}
