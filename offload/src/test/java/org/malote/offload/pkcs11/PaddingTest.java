package org.malote.offload.pkcs11;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.RSAPrivateKey;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.malote.offload.SignatureScheme;

/// What a token that only exponentiates is given, and what comes of it: the JDK verifies.
final class PaddingTest {
    private static final byte[] MESSAGE = {1, 2, 3, 4, 5};

    /// Also a modulus whose encoding is an octet shorter than itself.
    @ParameterizedTest
    @CsvSource({
        "RSA_PSS_RSAE_SHA256, 2048",
        "RSA_PSS_RSAE_SHA384, 2048",
        "RSA_PSS_RSAE_SHA512, 2049",
        "RSA_PKCS1_SHA256, 2048",
        "RSA_PKCS1_SHA384, 2049",
        "RSA_PKCS1_SHA512, 2048"
    })
    void theJdkVerifiesWhatIsPaddedHere(SignatureScheme scheme, int bits) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        KeyPair pair = generator.generateKeyPair();
        byte[] padded =
                scheme.isPss()
                        ? RsaPadding.pss(scheme.digest(), MESSAGE, bits, new SecureRandom())
                        : RsaPadding.pkcs1(scheme.digest(), MESSAGE, bits);
        assertEquals((bits + 7) / 8, padded.length);
        Signature verifier = scheme.jcaSignature(null);
        verifier.initVerify(pair.getPublic());
        verifier.update(MESSAGE);
        assertTrue(verifier.verify(exponentiate((RSAPrivateKey) pair.getPrivate(), padded)));
    }

    /// RFC 8017 §5.2.1.
    private static byte[] exponentiate(RSAPrivateKey key, byte[] padded) {
        byte[] power =
                new BigInteger(1, padded)
                        .modPow(key.getPrivateExponent(), key.getModulus())
                        .toByteArray();
        byte[] signature = new byte[padded.length];
        int taken = Math.min(power.length, signature.length);
        System.arraycopy(power, power.length - taken, signature, signature.length - taken, taken);
        return signature;
    }

    @Test
    void ecdsaSignaturesBecomeDer() throws Exception {
        byte[] plain = new byte[64];
        plain[0] = (byte) 0x80; // r needs a leading zero
        plain[31] = 1;
        plain[63] = 5; // s is short
        assertArrayEquals(
                HexFormat.of()
                        .parseHex("3026" + "022100" + "80" + "00".repeat(30) + "01" + "020105"),
                EcdsaSignature.der(plain));
        assertThrows(SignatureException.class, () -> EcdsaSignature.der(new byte[3]));
        assertThrows(SignatureException.class, () -> EcdsaSignature.der(new byte[0]));
    }
}
