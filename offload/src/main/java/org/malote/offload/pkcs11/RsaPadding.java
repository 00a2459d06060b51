package org.malote.offload.pkcs11;

import java.security.SecureRandom;
import java.util.HexFormat;
import org.malote.offload.SignatureScheme;

/// RSA padding for tokens that only exponentiate, or that leave the padding's content to the
/// caller:
/// RFC 8017.
final class RsaPadding {
    /// §9.2, note 1: the DER of DigestInfo up to the hash itself.
    private static final byte[] SHA256_INFO =
            HexFormat.of().parseHex("3031300d060960864801650304020105000420");

    private static final byte[] SHA384_INFO =
            HexFormat.of().parseHex("3041300d060960864801650304020205000430");
    private static final byte[] SHA512_INFO =
            HexFormat.of().parseHex("3051300d060960864801650304020305000440");

    /// §9.1.1, step 5.
    private static final int ZEROS = 8;

    private RsaPadding() {}

    /// §9.2, steps 1 and 2: the hash with its algorithm, for a token that pads.
    static byte[] digestInfo(SignatureScheme.Digest digest, byte[] message) {
        byte[] prefix =
                switch (digest) {
                    case SHA256 -> SHA256_INFO;
                    case SHA384 -> SHA384_INFO;
                    case SHA512 -> SHA512_INFO;
                };
        return join(prefix, digest.of(message));
    }

    /// EMSA-PKCS1-v1_5, §9.2: `00 01 FF .. FF 00 DigestInfo`.
    ///
    /// @param modulusBits of the key, at least 2048
    static byte[] pkcs1(SignatureScheme.Digest digest, byte[] message, int modulusBits) {
        byte[] info = digestInfo(digest, message);
        byte[] padded = new byte[(modulusBits + 7) / 8];
        padded[1] = 1;
        int start = padded.length - info.length;
        for (int i = 2; i < start - 1; i++) {
            padded[i] = (byte) 0xff;
        }
        System.arraycopy(info, 0, padded, start, info.length);
        return padded;
    }

    /// EMSA-PSS, §9.1.1, with a salt as long as the hash (RFC 8446 §4.2.3), as long as the modulus.
    ///
    /// @param modulusBits of the key, at least 2048
    static byte[] pss(
            SignatureScheme.Digest digest, byte[] message, int modulusBits, SecureRandom random) {
        int bits = modulusBits - 1;
        int length = (bits + 7) / 8;
        byte[] salt = new byte[digest.bytes()];
        random.nextBytes(salt);
        // Steps 5, 6: H = Hash(eight zeros || Hash(M) || salt).
        byte[] hash = digest.of(join(join(new byte[ZEROS], digest.of(message)), salt));
        // Steps 7 to 10: DB = zeros || 01 || salt, masked.
        byte[] block = new byte[length - hash.length - 1];
        block[block.length - salt.length - 1] = 1;
        System.arraycopy(salt, 0, block, block.length - salt.length, salt.length);
        byte[] mask = mask(digest, hash, block.length);
        for (int i = 0; i < block.length; i++) {
            block[i] ^= mask[i];
        }
        // Step 11: what is above the modulus is zero.
        block[0] &= (byte) (0xff >> (8 * length - bits));
        // Step 12, and a leading zero where the modulus is an octet longer.
        byte[] padded = new byte[(modulusBits + 7) / 8];
        int start = padded.length - length;
        System.arraycopy(block, 0, padded, start, block.length);
        System.arraycopy(hash, 0, padded, start + block.length, hash.length);
        padded[padded.length - 1] = (byte) 0xbc;
        return padded;
    }

    /// MGF1, appendix B.2.1.
    private static byte[] mask(SignatureScheme.Digest digest, byte[] seed, int length) {
        byte[] mask = new byte[length];
        int filled = 0;
        for (int counter = 0; filled < length; counter++) {
            byte[] part =
                    digest.of(
                            join(
                                    seed,
                                    new byte[] {
                                        (byte) (counter >>> 24),
                                        (byte) (counter >>> 16),
                                        (byte) (counter >>> 8),
                                        (byte) counter
                                    }));
            int taken = Math.min(part.length, length - filled);
            System.arraycopy(part, 0, mask, filled, taken);
            filled += taken;
        }
        return mask;
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] joined = new byte[first.length + second.length];
        System.arraycopy(first, 0, joined, 0, first.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }
}
