package org.malote.offload;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The signature schemes that a server's key may be asked for, RFC 8446 §4.2.3. No SHA-1: RFC 9155
/// §2 forbids it.
public enum SignatureScheme {
    RSA_PKCS1_SHA256(0x0401, Family.RSA, Digest.SHA256, "SHA256withRSA", null),
    RSA_PKCS1_SHA384(0x0501, Family.RSA, Digest.SHA384, "SHA384withRSA", null),
    RSA_PKCS1_SHA512(0x0601, Family.RSA, Digest.SHA512, "SHA512withRSA", null),
    ECDSA_SECP256R1_SHA256(0x0403, Family.EC, Digest.SHA256, "SHA256withECDSA", null),
    ECDSA_SECP384R1_SHA384(0x0503, Family.EC, Digest.SHA384, "SHA384withECDSA", null),
    RSA_PSS_RSAE_SHA256(
            0x0804,
            Family.RSA,
            Digest.SHA256,
            "RSASSA-PSS",
            pss(Digest.SHA256, MGF1ParameterSpec.SHA256)),
    RSA_PSS_RSAE_SHA384(
            0x0805,
            Family.RSA,
            Digest.SHA384,
            "RSASSA-PSS",
            pss(Digest.SHA384, MGF1ParameterSpec.SHA384)),
    RSA_PSS_RSAE_SHA512(
            0x0806,
            Family.RSA,
            Digest.SHA512,
            "RSASSA-PSS",
            pss(Digest.SHA512, MGF1ParameterSpec.SHA512));

    /// The kinds of keys.
    public enum Family {
        RSA,
        EC
    }

    /// What a message is hashed with before it is signed.
    public enum Digest {
        SHA256("SHA-256", 32),
        SHA384("SHA-384", 48),
        SHA512("SHA-512", 64);

        private final String jcaName;
        private final int bytes;

        Digest(String jcaName, int bytes) {
            this.jcaName = jcaName;
            this.bytes = bytes;
        }

        /// The length of its output.
        public int bytes() {
            return bytes;
        }

        /// Hashes.
        public byte[] of(byte[] message) {
            return start().digest(message);
        }

        MessageDigest start() {
            try {
                return MessageDigest.getInstance(jcaName);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has " + jcaName, e);
            }
        }
    }

    private static final List<SignatureScheme> ALL = List.of(values());

    private final int code;
    private final Family family;
    private final Digest digest;
    private final String jcaName;

    @SuppressWarnings("ImmutableEnumChecker") // PSSParameterSpec has no setters
    private final @Nullable PSSParameterSpec pss;

    SignatureScheme(
            int code,
            Family family,
            Digest digest,
            String jcaName,
            @Nullable PSSParameterSpec pss) {
        this.code = code;
        this.family = family;
        this.digest = digest;
        this.jcaName = jcaName;
        this.pss = pss;
    }

    /// The code point on the wire.
    public int code() {
        return code;
    }

    /// The name that JCA has for it, which for ECDSA leaves out the curve.
    String jcaName() {
        return jcaName;
    }

    /// The kind of key that signs so.
    public Family family() {
        return family;
    }

    /// What the message is hashed with.
    public Digest digest() {
        return digest;
    }

    /// Whether the padding is RSASSA-PSS, with a salt as long as the digest (RFC 8446 §4.2.3).
    public boolean isPss() {
        return pss != null;
    }

    /// The scheme that every peer of TLS 1.3 knows for such a key.
    public static SignatureScheme usual(PublicKey key) {
        if (key instanceof ECPublicKey ec) {
            return ec.getParams().getCurve().getField().getFieldSize() == 256
                    ? ECDSA_SECP256R1_SHA256
                    : ECDSA_SECP384R1_SHA384;
        }
        return RSA_PSS_RSAE_SHA256;
    }

    /// The scheme with a code point, or null for one that is not served.
    public static @Nullable SignatureScheme ofCode(int code) {
        for (SignatureScheme scheme : ALL) {
            if (scheme.code == code) {
                return scheme;
            }
        }
        return null;
    }

    /// A fresh JCA object for this scheme, to be initialised with a key.
    ///
    /// @param provider the JCA provider to ask, or null for the JDK's own choice by key
    public Signature jcaSignature(@Nullable Provider provider) throws GeneralSecurityException {
        Signature signature =
                provider == null
                        ? Signature.getInstance(jcaName)
                        : Signature.getInstance(jcaName, provider);
        if (pss != null) {
            signature.setParameter(pss);
        }
        return signature;
    }

    private static PSSParameterSpec pss(Digest digest, MGF1ParameterSpec mask) {
        // RFC 8446 §4.2.3: the salt is as long as the digest.
        return new PSSParameterSpec(
                digest.jcaName, "MGF1", mask, digest.bytes, PSSParameterSpec.TRAILER_FIELD_BC);
    }
}
