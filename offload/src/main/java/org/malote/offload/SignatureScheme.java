package org.malote.offload;

import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import org.jspecify.annotations.Nullable;

/// The signature schemes that a server's key may be asked for, RFC 8446 §4.2.3. No SHA-1: RFC 9155
/// §2 forbids it.
public enum SignatureScheme {
    RSA_PKCS1_SHA256(0x0401, Family.RSA, "SHA256withRSA", null),
    RSA_PKCS1_SHA384(0x0501, Family.RSA, "SHA384withRSA", null),
    RSA_PKCS1_SHA512(0x0601, Family.RSA, "SHA512withRSA", null),
    ECDSA_SECP256R1_SHA256(0x0403, Family.EC, "SHA256withECDSA", null),
    ECDSA_SECP384R1_SHA384(0x0503, Family.EC, "SHA384withECDSA", null),
    RSA_PSS_RSAE_SHA256(
            0x0804, Family.RSA, "RSASSA-PSS", pss("SHA-256", MGF1ParameterSpec.SHA256, 32)),
    RSA_PSS_RSAE_SHA384(
            0x0805, Family.RSA, "RSASSA-PSS", pss("SHA-384", MGF1ParameterSpec.SHA384, 48)),
    RSA_PSS_RSAE_SHA512(
            0x0806, Family.RSA, "RSASSA-PSS", pss("SHA-512", MGF1ParameterSpec.SHA512, 64));

    /// The kinds of keys.
    public enum Family {
        RSA,
        EC
    }

    private final int code;
    private final Family family;
    private final String jcaName;

    @SuppressWarnings("ImmutableEnumChecker") // PSSParameterSpec has no setters
    private final @Nullable PSSParameterSpec pss;

    SignatureScheme(int code, Family family, String jcaName, @Nullable PSSParameterSpec pss) {
        this.code = code;
        this.family = family;
        this.jcaName = jcaName;
        this.pss = pss;
    }

    /// The code point on the wire.
    public int code() {
        return code;
    }

    /// The kind of key that signs so.
    public Family family() {
        return family;
    }

    /// The scheme with a code point, or null for one that is not served.
    public static @Nullable SignatureScheme ofCode(int code) {
        for (SignatureScheme scheme : values()) {
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

    private static PSSParameterSpec pss(String digest, MGF1ParameterSpec mask, int saltBytes) {
        // RFC 8446 §4.2.3: the salt is as long as the digest.
        return new PSSParameterSpec(
                digest, "MGF1", mask, saltBytes, PSSParameterSpec.TRAILER_FIELD_BC);
    }
}
