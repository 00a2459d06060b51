package org.malote.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.Test;

final class PreparedTest {
    /// RFC 8265 §3.5 has the first seven.
    @Test
    void aNameHasOneForm() {
        assertEquals("juliet@example.com", Prepared.userName("juliet@example.com"));
        assertEquals("fussball", Prepared.userName("fussball"));
        assertEquals("fußball", Prepared.userName("fu\u00dfball"));
        assertEquals("π", Prepared.userName("\u03c0"));
        assertEquals("σ", Prepared.userName("\u03a3"));
        assertEquals("σ", Prepared.userName("\u03c3"));
        assertEquals("ς", Prepared.userName("\u03c2"));
        assertEquals("ann@isp.example", Prepared.userName("ANN@Isp.Example"));
        assertEquals("zo\u00eb", Prepared.userName("Zoe\u0308"));
        assertEquals("zo\u00eb", Prepared.userName("\uff3aO\u00cb"));
        assertEquals("カ", Prepared.userName("\uff76"));
    }

    /// RFC 8265 §3.5, and what the file could not hold.
    @Test
    void whatIsNoNameIsNone() {
        for (String bad :
                List.of(
                        "",
                        "foo bar",
                        "henry\u2163",
                        "\u221e",
                        "a:b",
                        "#a",
                        "a\u0000",
                        "a\u200b",
                        "a\u00a0b",
                        "a\ud800",
                        "a\ue000",
                        "a".repeat(256),
                        "\u00eb".repeat(128))) {
            assertNull(Prepared.userName(bad), bad);
        }
        assertEquals(255, String.valueOf(Prepared.userName("a".repeat(255))).length());
    }

    /// RFC 8265 §4.3.
    @Test
    void aPasswordHasOneFormToo() {
        assertEquals(
                "correct horse battery staple", Prepared.password("correct horse battery staple"));
        assertEquals(
                "Correct Horse Battery Staple", Prepared.password("Correct Horse Battery Staple"));
        assertEquals("πßå", Prepared.password("\u03c0\u00df\u00e5"));
        assertEquals("πßå", Prepared.password("\u03c0\u00dfa\u030a"));
        assertEquals("Jack of ♦s", Prepared.password("Jack of \u2666s"));
        assertEquals("foo bar", Prepared.password("foo\u1680bar"));
        assertEquals("Ａ", Prepared.password("\uff21"), "wide letters stay");
        for (String bad :
                List.of(
                        "",
                        "my cat is a \tby",
                        "a\u0000b",
                        "a\u200bb",
                        "a\ud800",
                        "x".repeat(1025))) {
            assertNull(Prepared.password(bad), bad);
        }
    }
}
