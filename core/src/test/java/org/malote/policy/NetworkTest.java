package org.malote.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

final class NetworkTest {
    @Test
    void holdsItsAddressesAndNoOthers() throws UnknownHostException {
        assertTrue(contains("192.0.2.0/24", "192.0.2.255"));
        assertFalse(contains("192.0.2.0/24", "192.0.3.0"));
        assertTrue(contains("10.128.0.0/9", "10.255.1.2"));
        assertFalse(contains("10.128.0.0/9", "10.127.255.255"));
        assertFalse(contains("10.0.0.0/9", "10.128.0.0"));
        assertTrue(contains("0.0.0.0/0", "203.0.113.9"));
        assertFalse(contains("0.0.0.0/0", "2001:db8::1"));
        assertTrue(contains("2001:db8::/33", "2001:db8:7fff::1"));
        assertFalse(contains("2001:db8::/33", "2001:db8:8000::1"));
        assertTrue(contains("198.51.100.7", "198.51.100.7"));
        assertTrue(contains("127.0.0.0/8", "::ffff:127.0.0.1"), "mapped addresses are IPv4");
    }

    @Test
    void saysWhatIsWrongWithABadOne() {
        for (String bad :
                new String[] {
                    "",
                    "x",
                    "1.2.3.4/33",
                    "1.2.3.4/",
                    "1.2.3.4/8",
                    "1.2.3/8",
                    "::1/129",
                    "2001:db8::1/32",
                    "1.2.3.4/-1",
                    "localhost"
                }) {
            assertThrows(IllegalArgumentException.class, () -> Network.parse(bad), bad);
        }
        assertEquals("10.0.0.0/8", Network.parse("10.0.0.0/8").toString());
    }

    private static boolean contains(String network, String address) throws UnknownHostException {
        return Network.parse(network).contains(InetAddress.getByName(address));
    }
}
