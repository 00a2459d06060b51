package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.malote.smtp.Mailbox;

final class AddressParserTest {
    @Test
    void readsWhatTheGrammarAllowsAndWritesItBack() {
        for (String address :
                new String[] {
                    "a@b.example",
                    "first.last+tag@b.example",
                    "\"a b\"@b.example",
                    "\"a@b\"@c.example",
                    "\"\\\"\\\\\"@b.example",
                    "\"\"@b.example",
                    "a@[192.0.2.1]",
                    "a@[IPv6:2001:db8::1]",
                    "!#$%&'*+-/=?^_`{|}~@b.example",
                    "x@" + "a".repeat(63) + ".example",
                    "π@παράδειγμα.example",
                    "x".repeat(64) + "@b.example"
                }) {
            Mailbox mailbox = AddressParser.parseMailbox(address);
            assertNotNull(mailbox, address);
            assertEquals(address, mailbox.text());
            assertEquals(mailbox, AddressParser.parseMailbox(mailbox.text()));
        }
    }

    @Test
    void dropsQuotesThatAreNotNeededAndTheCaseOfTheDomain() {
        Mailbox mailbox = AddressParser.parseMailbox("\"a\\b\"@B.Example");
        assertNotNull(mailbox);
        assertEquals("ab@b.example", mailbox.text());
    }

    @Test
    void refusesEverythingElse() {
        for (String address :
                new String[] {
                    "",
                    "a",
                    "@",
                    "a@",
                    "@b.example",
                    "a@b@c.example",
                    ".a@b.example",
                    "a.@b.example",
                    "a..b@c.example",
                    "a b@c.example",
                    "a@b..example",
                    "a@.example",
                    "a@b.example.",
                    "a@-b.example",
                    "a@b-.example",
                    "\"a@b.example",
                    "\"a\"b@c.example",
                    "a@[192.0.2]",
                    "a@[192.0.2.256]",
                    "a@[192.0.2.01]",
                    "a@[IPv6:::1::]",
                    "a@[IPv6:fe80::1%eth0]",
                    "a@[IPv6:1:2:3:4:5:6:7:8:9]",
                    "a@[x]",
                    "a@b.example ",
                    " a@b.example",
                    "a@b,c.example",
                    "<a@b.example>",
                    "a(x)@b.example",
                    "a@b.example(x)",
                    "\"a\u0001\"@b.example",
                    "a@" + "b".repeat(64) + ".example",
                    "x".repeat(65) + "@b.example",
                    "π".repeat(33) + "@b.example",
                    "a@" + "b.".repeat(128) + "example"
                }) {
            assertNull(AddressParser.parseMailbox(address), address);
        }
    }

    @Test
    void readsAPathAndDropsItsSourceRoute() {
        assertEquals("a@b.example", inner("<a@b.example>"));
        assertEquals("a@b.example", inner("<@x.example,@y.example:a@b.example>"));
        assertEquals("", inner("<>"));
        assertEquals("\">\"@b.example", inner("<\">\"@b.example>"));
        for (String path :
                new String[] {
                    "a@b.example",
                    "<a@b.example",
                    "<<a@b.example>>",
                    "<@x.example>",
                    "<@:a@b>",
                    "<" + "x".repeat(260) + ">"
                }) {
            assertNull(AddressParser.parsePath(path, 0), path);
        }
    }

    private static String inner(String path) {
        AddressParser.Path parsed = AddressParser.parsePath(path, 0);
        assertNotNull(parsed, path);
        return parsed.inner();
    }
}
