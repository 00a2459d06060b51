package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.malote.offload.PeerCertificate;

/// Who is on the list, and what of a text cannot be read.
final class DenyListTest {
    private static final String DIGEST = "0123456789abcdef".repeat(4);

    @Test
    void aPeerIsFoundByWhateverItShows() {
        DenyList list =
                list(
                        """
                        # a comment, and an empty line

                        certificate %s   # and behind an entry
                        KEY %s
                        name Out1.Spam.example.
                        name *.junk.example
                        name bücher.example
                        """
                                .formatted(DIGEST, "FE:" + "DC:".repeat(30) + "BA"));
        assertEquals(5, list.size());
        String key = "fe" + "dc".repeat(30) + "ba";
        assertEquals(
                "certificate " + DIGEST, list.find(shown(DIGEST, "00", "a.example"), "a.example"));
        assertEquals("key " + key, list.find(shown("00", key, "a.example"), null));
        assertEquals(
                "name out1.spam.example",
                list.find(shown("00", "00", "a.example"), "out1.spam.example"));
        assertEquals(
                "name out1.spam.example",
                list.find(shown("00", "00", "a.example", "OUT1.spam.example"), "a.example"));
        assertEquals(
                "name *.junk.example",
                list.find(shown("00", "00", "a.b.junk.example"), "a.example"));
        assertEquals(
                "name xn--bcher-kva.example",
                list.find(shown("00", "00", "xn--bcher-kva.example"), "a.example"));
        assertEquals(
                "name out1.spam.example",
                list.find(
                        new PeerCertificate(
                                List.of(),
                                "out1.spam.example",
                                "CN=x",
                                "00",
                                "00",
                                new PeerCertificate.Standing.Held("00")),
                        null));
        assertNull(list.find(shown("00", "00", "junk.example"), "spam.example"));
        assertNull(list.find(shown("00", "00", "notjunk.example"), "x.out1.spam.example"));
        assertNull(list.find(shown("00", DIGEST, "a.example"), "a.example"));
    }

    @Test
    void everyLineThatCannotBeReadIsTold() {
        assertEquals(
                List.of(
                        new DenyList.Fault(1, "\"certificat\" is none of certificate, key, name"),
                        new DenyList.Fault(
                                3,
                                "\"abc\" is no SHA-256 of 64 hexadecimal digits; openssl x509"
                                        + " -fingerprint -sha256 prints one"),
                        new DenyList.Fault(
                                4, "\"a b\" is no name such as out1.isp.example or *.isp.example"),
                        new DenyList.Fault(
                                5, "\"\" is no name such as out1.isp.example or *.isp.example"),
                        new DenyList.Fault(
                                6,
                                "\"a.*.example\" is no name such as out1.isp.example or"
                                        + " *.isp.example")),
                assertInstanceOf(
                                DenyList.Parsed.Invalid.class,
                                DenyList.parse(
                                        """
                                        certificat %s
                                        name a.example
                                        key abc
                                        name a b
                                        name
                                        name a.*.example
                                        """
                                                .formatted(DIGEST)))
                        .faults());
    }

    @Test
    void itsLengthIsBounded() {
        String line = "name a.example\n";
        assertInstanceOf(
                DenyList.Parsed.Valid.class, DenyList.parse(line.repeat(DenyList.ENTRIES_MAX)));
        assertEquals(
                List.of(
                        new DenyList.Fault(
                                DenyList.ENTRIES_MAX + 1, "there are more than 100000 entries")),
                assertInstanceOf(
                                DenyList.Parsed.Invalid.class,
                                DenyList.parse(line.repeat(DenyList.ENTRIES_MAX + 5)))
                        .faults());
    }

    private static DenyList list(String text) {
        return assertInstanceOf(DenyList.Parsed.Valid.class, DenyList.parse(text)).list();
    }

    private static PeerCertificate shown(String digest, String key, String... names) {
        return new PeerCertificate(
                List.of(names),
                null,
                "CN=authority",
                digest,
                key,
                new PeerCertificate.Standing.Held("00"));
    }
}
