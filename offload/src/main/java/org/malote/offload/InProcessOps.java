package org.malote.offload;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// Signatures with a key in this process, through the JDK: for the proof that a key belongs to its
/// certificate, and where a provider holds some of the keys itself.
record InProcessOps(PrivateKey key) implements PrivateKeyOps {
    @Override
    public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
        try {
            Signature signature = scheme.jcaSignature(null);
            signature.initSign(key);
            signature.update(message);
            return CompletableFuture.completedFuture(signature.sign());
        } catch (GeneralSecurityException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public Health health() {
        return new Health.Well();
    }

    @Override
    public void close() {}
}
