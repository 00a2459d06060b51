package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// RFC 9525 §6.3.
final class HostNamesTest {
    @ParameterizedTest
    @CsvSource({
        "mx.isp.example,    mx.isp.example,    true",
        "MX.ISP.example,    mx.isp.example,    true",
        "mx.isp.example.,   mx.isp.example,    true",
        "mx.isp.example,    mx.isp.example.,   true",
        "mx.isp.example,    mx1.isp.example,   false",
        "isp.example,       mx.isp.example,    false",
        "mx.isp.example,    isp.example,       false",
        "*.isp.example,     mx.isp.example,    true",
        "*.isp.example,     isp.example,       false",
        "*.isp.example,     a.mx.isp.example,  false",
        "*.isp.example,     .isp.example,      false",
        "*.isp.example,     *.isp.example,     true",
        "m*.isp.example,    mx.isp.example,    false",
        "mx.*.example,      mx.isp.example,    false",
        "*.*.example,       mx.isp.example,    false",
        "*.example,         isp.example,       false",
        "*,                 example,           false",
        "*.,                example,           false",
        "'',                example,           false",
    })
    void aStarIsTheWholeLeftmostLabel(String presented, String expected, boolean isSame) {
        assertEquals(isSame, HostNames.matches(presented, expected));
    }
}
