package org.malote.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class UnitsTest {
    @Test
    void readsTheDurationsItWrites() {
        RandomGenerator random = new SplittableRandom(1);
        for (int round = 0; round < 1000; round++) {
            Duration duration = Duration.ofMillis(random.nextLong(1L << random.nextInt(1, 40)));
            assertEquals(duration, Units.parseDuration(Units.format(duration)));
        }
    }

    @Test
    void readsTheSizesItWrites() {
        RandomGenerator random = new SplittableRandom(2);
        for (int round = 0; round < 1000; round++) {
            long bytes = random.nextLong(1 << 20) << (random.nextInt(5) * 10);
            if (bytes % 1024 == 0 || bytes < 1_000_000_000) {
                assertEquals(bytes, Units.parseSize(Units.formatSize(bytes)));
            }
        }
        assertEquals(-1, Units.parseSize("999999999TiB"));
    }

    @Test
    void takesNoDurationWithoutAUnit() {
        for (String text : List.of("", "5", "m", "-5m", "5 m", "5M", "5m5", "1.5h", "5mm", "m5")) {
            assertNull(Units.parseDuration(text), text);
        }
    }

    @Test
    void takesNoAddressThatNeedsALookUp() {
        for (String text :
                List.of(
                        "",
                        "25",
                        ":25",
                        "host:25",
                        "127.0.0.1",
                        "127.0.0.1:",
                        "[::1:25",
                        "::1:25",
                        "[127.0.0.1]:25",
                        "127.0.0.1:65536",
                        "127.0.0.1:-1",
                        "010.0.0.1:25")) {
            assertNull(Units.parseAddress(text, -1), text);
        }
        assertEquals("127.0.0.1:53", Units.format(nonNull("127.0.0.1")));
        assertEquals("[2001:db8::1]:53", Units.format(nonNull("[2001:db8::1]")));
    }

    private static java.net.InetSocketAddress nonNull(String text) {
        var address = Units.parseAddress(text, 53);
        if (address == null) {
            throw new AssertionError(text);
        }
        return address;
    }
}
