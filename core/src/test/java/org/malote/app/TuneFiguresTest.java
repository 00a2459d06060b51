package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class TuneFiguresTest {
    private static TuneFigures.Tls tls(long signature, long resumed13, long resumed12) {
        return new TuneFigures.Tls(
                "boringssl",
                "native",
                "P-256",
                false,
                signature,
                false,
                900,
                resumed13,
                800,
                resumed12);
    }

    @Test
    void ofTwoPassesTheSmallerFigureCounts() {
        assertEquals(tls(10, 300, 200), tls(10, 400, 200).least(tls(20, 300, 250)));
        assertEquals(tls(10, 300, 200), tls(20, 300, 250).least(tls(10, 400, 200)));
    }

    @Test
    void aPassThatResumedNothingIsNoFigure() {
        assertEquals(tls(10, 400, 250), tls(10, 0, 250).least(tls(10, 400, 0)));
        assertEquals(tls(10, 400, 250), tls(10, 400, 0).least(tls(10, 0, 250)));
        assertEquals(tls(10, 0, 0), tls(10, 0, 0).least(tls(10, 0, 0)));
    }
}
