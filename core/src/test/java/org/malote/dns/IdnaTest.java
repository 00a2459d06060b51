package org.malote.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.net.IDN;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class IdnaTest {
    /// RFC 3492 §7.1 (A), (B), (E) and (I) in lower case.
    @Test
    void encodesTheSamplesOfTheStandard() {
        assertEquals("xn--egbpdaj6bu4bxfgehfvwxn", Idna.toAscii(ARABIC));
        assertEquals("xn--ihqwcrb4cv8a8dqg056pqjye", Idna.toAscii(CHINESE));
        assertEquals("xn--4dbcagdahymbxekheh6e0a7fei0b", Idna.toAscii(HEBREW));
        assertEquals("xn--b1abfaaepdrnnbgefbadotcwatmq2g4l", Idna.toAscii(RUSSIAN));
    }

    private static final String ARABIC =
            "\u0644\u064a\u0647\u0645\u0627\u0628\u062a\u0643\u0644\u0645\u0648\u0634\u0639"
                    + "\u0631\u0628\u064a\u061f";
    private static final String CHINESE = "\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587";
    private static final String HEBREW =
            "\u05dc\u05de\u05d4\u05d4\u05dd\u05e4\u05e9\u05d5\u05d8\u05dc\u05d0\u05de\u05d3"
                    + "\u05d1\u05e8\u05d9\u05dd\u05e2\u05d1\u05e8\u05d9\u05ea";
    private static final String RUSSIAN =
            "\u043f\u043e\u0447\u0435\u043c\u0443\u0436\u0435\u043e\u043d\u0438\u043d\u0435"
                    + "\u0433\u043e\u0432\u043e\u0440\u044f\u0442\u043f\u043e\u0440\u0443\u0441\u0441"
                    + "\u043a\u0438";

    @Test
    void keepsWhatIdna2003WouldMapToAnotherDomain() {
        assertEquals("xn--fa-hia.de", Idna.toAscii("faß.de"));
        assertEquals("xn--wgv71a119e.example", Idna.toAscii("日本語.Example."));
    }

    @Test
    void decodesWhatItEncoded() {
        for (String name :
                new String[] {
                    ARABIC,
                    CHINESE,
                    HEBREW,
                    RUSSIAN,
                    "fa\u00df.de",
                    "\u65e5\u672c\u8a9e.example",
                    "isp.example",
                    "x"
                }) {
            assertEquals(name, Idna.toUnicode(String.valueOf(Idna.toAscii(name))));
        }
    }

    @Test
    void leavesLabelsThatNobodyEncoded() {
        for (String name :
                new String[] {
                    "xn--", "xn--\u00fc", "xn--99999999999", "xn--a-0", "xn--zzzzzzzz.de", ""
                }) {
            assertEquals(name, Idna.toUnicode(name));
        }
    }

    @Test
    void composesBeforeItEncodes() {
        assertEquals(Idna.toAscii("m\u00fcller.example"), Idna.toAscii("mu\u0308ller.example"));
    }

    @Test
    void refusesWhatCannotStandInTheDns() {
        assertNull(Idna.toAscii(""));
        assertNull(Idna.toAscii("."));
        assertNull(Idna.toAscii("a..b"));
        assertNull(Idna.toAscii("a/b"));
        assertNull(Idna.toAscii("x".repeat(64)));
        assertNull(Idna.toAscii("ü".repeat(63)));
        assertNull(Idna.toAscii("abc.".repeat(63) + "ab"));
        assertEquals(253, ("abc.".repeat(63) + "a").length());
        assertEquals("abc.".repeat(63) + "a", Idna.toAscii("abc.".repeat(63) + "a"));
    }

    /// Against another implementation, over letters that both editions treat alike.
    @Test
    void agreesWithTheJdkOnRandomLabels() {
        RandomGenerator random = new Random(20_260_301);
        String letters = "abcxyz019äöüéèñчшщабв日本語中文ελη";
        for (int i = 0; i < 2_000; i++) {
            StringBuilder label = new StringBuilder();
            for (int length = 1 + random.nextInt(12); label.length() < length; ) {
                label.append(letters.charAt(random.nextInt(letters.length())));
            }
            String ascii = String.valueOf(Idna.toAscii(label.toString()));
            assertEquals(IDN.toASCII(label.toString()), ascii);
            assertEquals(label.toString(), Idna.toUnicode(ascii));
        }
    }
}
