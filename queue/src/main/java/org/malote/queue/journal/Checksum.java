package org.malote.queue.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// CRC32C (RFC 3720 §12.1) of what lies in pieces. A record's checksum is that of its payload, and
/// its head has the body's: with both the head can be judged without reading the body.
public final class Checksum {
    /// The polynomial, lowest power first.
    private static final int POLYNOMIAL = 0x82F63B78;

    /// x to the power of 2^n, modulo the polynomial.
    private static final int[] POWERS = powers();

    private static final int ONE = 1 << 31;
    private static final int BITS_OF_BYTE_LOG2 = 3;

    private Checksum() {}

    /// Of the bytes between position and limit, which stay where they are.
    public static int of(ByteBuffer bytes) {
        var crc = new CRC32C();
        crc.update(bytes.duplicate());
        return (int) crc.getValue();
    }

    /// Of two pieces, one behind the other.
    ///
    /// A CRC is the remainder of a polynomial's division, so that of the first piece, moved on by
    /// as many bits as the second has, is added to that of the second.
    ///
    /// @param secondBytes the length of the second
    public static int combine(int first, int second, long secondBytes) {
        int shift = ONE;
        int power = BITS_OF_BYTE_LOG2;
        for (long rest = secondBytes; rest != 0; rest >>>= 1) {
            if ((rest & 1) != 0) {
                shift = multiply(POWERS[power % POWERS.length], shift);
            }
            power++;
        }
        return multiply(shift, first) ^ second;
    }

    private static int[] powers() {
        var powers = new int[Integer.SIZE];
        powers[0] = ONE >>> 1;
        for (int n = 1; n < powers.length; n++) {
            powers[n] = multiply(powers[n - 1], powers[n - 1]);
        }
        return powers;
    }

    private static int multiply(int left, int right) {
        int product = 0;
        int moved = right;
        for (int rest = left; rest != 0; rest <<= 1) {
            if (rest < 0) {
                product ^= moved;
            }
            moved = (moved >>> 1) ^ ((moved & 1) == 0 ? 0 : POLYNOMIAL);
        }
        return product;
    }
}
