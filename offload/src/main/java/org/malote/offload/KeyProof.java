package org.malote.offload;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import org.jspecify.annotations.Nullable;

/// What proves that a key belongs to its certificate: a signature that is verified.
///
/// @param location of the key, as in the settings
/// @param certificate the file of the chain
/// @param publicKey of its leaf
record KeyProof(String location, Path certificate, PublicKey publicKey) {
    /// What is signed.
    static byte[] message() {
        return "malote: does this key belong here?".getBytes(StandardCharsets.US_ASCII);
    }

    SignatureScheme scheme() {
        return SignatureScheme.usual(publicKey);
    }

    boolean isVerified(byte[] signature) {
        try {
            Signature verifier = scheme().jcaSignature(null);
            verifier.initVerify(publicKey);
            verifier.update(message());
            return verifier.verify(signature);
        } catch (GeneralSecurityException _) {
            return false; // the verifier does not take the signature's form
        }
    }

    String cannotSign(@Nullable Throwable failure) {
        return String.format(
                "key %s cannot sign (%s): see to the key or choose another",
                location,
                failure == null ? "it gave none" : PemFile.firstLine(failure.getMessage()));
    }

    String isAnothers() {
        return String.format(
                "key %s does not belong to certificate %s: name the key that the certificate was"
                        + " made for",
                location, certificate);
    }
}
