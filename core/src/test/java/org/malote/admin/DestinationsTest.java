package org.malote.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Set;
import org.junit.jupiter.api.Test;

final class DestinationsTest {
    @Test
    void knowsADomainInEveryForm() {
        assertEquals(Set.of("isp.example"), Destinations.parse("ISP.Example"));
        assertEquals(Set.of("isp.example"), Destinations.parse("isp.example."));
        Set<String> both = Set.of("b\u00fccher.example", "xn--bcher-kva.example");
        assertEquals(both, Destinations.parse("B\u00dcCHER.example"));
        assertEquals(both, Destinations.parse("XN--Bcher-KVA.example"));
        assertEquals(Set.of("[IPv6:2001:db8::1]"), Destinations.parse("[ipv6:2001:DB8::1]"));
        for (String form : both) {
            assertEquals("xn--bcher-kva.example", Destinations.shown(form));
        }
        assertEquals("[192.0.2.1]", Destinations.shown("[192.0.2.1]"));
    }

    @Test
    void saysWhatIsNoDomain() {
        for (String bad : new String[] {"", "a b", "*.example", "a@b.example", "[1.2.3]"}) {
            assertEquals(
                    "\"" + bad + "\" is neither a domain nor an address such as [192.0.2.1]",
                    assertThrows(IllegalArgumentException.class, () -> Destinations.parse(bad))
                            .getMessage());
        }
    }
}
