package org.malote.offload.pkcs11;

import java.io.IOException;
import java.math.BigInteger;
import java.security.SignatureException;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERSequence;

/// ECDSA signatures, in the form of tokens and in that of TLS.
final class EcdsaSignature {
    private EcdsaSignature() {}

    /// @param plain r and s, each as long as the other: PKCS #11 v2.40 mechanisms §2.3.1
    /// @return the DER of a sequence of the two: RFC 3279 §2.2.3
    static byte[] der(byte[] plain) throws SignatureException {
        if (plain.length == 0 || plain.length % 2 != 0) {
            throw new SignatureException(
                    "the token's ECDSA signature has " + plain.length + " octets");
        }
        int half = plain.length / 2;
        try {
            return new DERSequence(
                            new ASN1Integer[] {
                                new ASN1Integer(
                                        new BigInteger(1, Arrays.copyOfRange(plain, 0, half))),
                                new ASN1Integer(
                                        new BigInteger(
                                                1, Arrays.copyOfRange(plain, half, plain.length)))
                            })
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("nothing is written anywhere", e);
        }
    }
}
