package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ChecksumTest {
    /// RFC 3720 §B.4 and the check value of the catalogues.
    @Test
    void isCrc32c() {
        assertEquals(0x8A9136AA, Checksum.of(ByteBuffer.wrap(new byte[32])));
        byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
        assertEquals(0xE3069283, Checksum.of(ByteBuffer.wrap(digits)));
    }

    @Test
    void thatOfTwoPiecesIsThatOfTheWhole() {
        var random = new Random(7);
        for (int length = 0; length < 300; length++) {
            byte[] whole = new byte[length];
            random.nextBytes(whole);
            for (int cut = 0; cut <= length; cut++) {
                assertCombines(whole, cut);
            }
        }
        byte[] large = new byte[(1 << 20) + 13];
        random.nextBytes(large);
        assertCombines(large, 17);
        assertCombines(large, 1 << 19);
    }

    private static void assertCombines(byte[] whole, int cut) {
        int first = Checksum.of(ByteBuffer.wrap(whole, 0, cut));
        int second = Checksum.of(ByteBuffer.wrap(whole, cut, whole.length - cut));
        assertEquals(
                Checksum.of(ByteBuffer.wrap(whole)),
                Checksum.combine(first, second, whole.length - cut));
    }
}
