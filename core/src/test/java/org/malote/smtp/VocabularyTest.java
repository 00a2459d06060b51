package org.malote.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

final class VocabularyTest {
    @Test
    void writesIpv6AsRfc5952Does() throws UnknownHostException {
        for (String text :
                new String[] {
                    "::",
                    "::1",
                    "1::",
                    "2001:db8::1",
                    "2001:db8:0:1:1:1:1:1",
                    "1:0:0:2::3",
                    "fe80::1:2:3:4",
                    "::ffff:c000:201"
                }) {
            byte[] octets = IpAddresses.parseIpv6(text);
            assertNotNull(octets, text);
            if (!text.startsWith("::ffff")) {
                assertEquals(text, IpAddresses.format(InetAddress.getByAddress(octets)));
            }
        }
        byte[] tail = IpAddresses.parseIpv6("2001:db8::192.0.2.1");
        assertNotNull(tail);
        assertEquals("2001:db8::c000:201", IpAddresses.format(InetAddress.getByAddress(tail)));
    }

    @Test
    void refusesAddressesThatOnlySomeWouldRead() {
        for (String text : new String[] {"127.1", "0127.0.0.1", "1.2.3.4.5", "", "1.2.3.", "a"}) {
            assertNull(IpAddresses.parseIpv4(text), text);
        }
        for (String text :
                new String[] {
                    "",
                    ":",
                    ":::",
                    "1::2::3",
                    "1:2:3:4:5:6:7",
                    "g::",
                    "12345::",
                    "::1%lo",
                    "1:2:3:4:5:6:7::8",
                    "1.2.3.4::",
                    "::1.2.3"
                }) {
            assertNull(IpAddresses.parseIpv6(text), text);
        }
    }

    @Test
    void xtextGoesThereAndBack() {
        for (String text : new String[] {"", "a", "a+b=c d", "\"x\"@y", "π", "~!"}) {
            assertEquals(text, Xtext.decode(Xtext.encode(text)));
        }
        for (String bad : new String[] {"+", "+4", "+4g", "+0A", "+00", "a b", "=", "+c3", "+7f"}) {
            assertNull(Xtext.decode(bad), bad);
        }
    }

    @Test
    void namesHoldNoControls() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Mailbox("a\r\nb", new DomainName("c.example")));
        assertThrows(IllegalArgumentException.class, () -> new DomainName("a\nb"));
        assertNull(DomainName.parse("a\u2028b.example"));
        assertNull(DomainName.parse("a b.example"));
    }

    @Test
    void escapesWhatWouldMoveACursorOrEndALine() {
        assertEquals(
                "a\\x0ab\\x1b\\u2028\\u202ec\\x5c", Printable.escape("a\nb\u001b\u2028\u202ec\\"));
        assertEquals(Printable.CHARACTERS_MAX + 3, Printable.escape("x".repeat(5000)).length());
    }

    @Test
    void readsEnhancedStatusOnlyWhereOneStands() {
        assertEquals(new EnhancedStatus(5, 7, 1), EnhancedStatus.parsePrefix("5.7.1 no"));
        for (String text : new String[] {"", "5", "5.7", "5.7.", "5.7.1x", "3.0.0", "5.1000.1"}) {
            assertNull(EnhancedStatus.parsePrefix(text), text);
        }
    }
}
