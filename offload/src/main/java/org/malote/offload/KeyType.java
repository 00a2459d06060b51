package org.malote.offload;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;

/// The kinds of keys that certificates of mail servers have, to be measured.
public enum KeyType {
    P256("P-256", "secp256r1", 0),
    RSA2048("RSA-2048", "", 2048),
    RSA3072("RSA-3072", "", 3072);

    private final String text;
    private final String curve;
    private final int bits;

    KeyType(String text, String curve, int bits) {
        this.text = text;
        this.curve = curve;
        this.bits = bits;
    }

    /// As meters and commands name it: `P-256`.
    public String text() {
        return text;
    }

    KeyPair makePair(SecureRandom random) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(curve.isEmpty() ? "RSA" : "EC");
        if (curve.isEmpty()) {
            generator.initialize(bits, random);
        } else {
            generator.initialize(new ECGenParameterSpec(curve), random);
        }
        return generator.generateKeyPair();
    }

    /// How such a key signs its own certificate, by the name that JCA has for it.
    String certificateSignature() {
        return curve.isEmpty() ? "SHA256withRSA" : "SHA256withECDSA";
    }
}
