package org.malote.offload;

import io.netty.handler.ssl.OpenSslPrivateKeyMethod;
import java.security.SignatureException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLEngine;

/// Leads BoringSSL's requests for a signature to keys that sign at once, inside the handshake.
final class InlineSignatures implements OpenSslPrivateKeyMethod {
    private final Map<SignatureScheme.Family, PrivateKeyOps> operations =
            new EnumMap<>(SignatureScheme.Family.class);

    InlineSignatures(List<ServedCertificate> served) {
        for (ServedCertificate one : served) {
            operations.put(one.family(), one.operations());
        }
    }

    @Override
    public byte[] sign(SSLEngine engine, int signatureAlgorithm, byte[] input)
            throws SignatureException {
        SignatureScheme scheme = SignatureScheme.ofCode(signatureAlgorithm);
        PrivateKeyOps key = scheme == null ? null : operations.get(scheme.family());
        if (scheme == null || key == null) {
            throw OffloadedSignatures.noKey(signatureAlgorithm);
        }
        CompletableFuture<byte[]> signature = key.sign(scheme, input).toCompletableFuture();
        if (!signature.isDone()) {
            throw new SignatureException("the key did not sign at once");
        }
        return signature.join();
    }

    @Override
    public byte[] decrypt(SSLEngine engine, byte[] input) throws SignatureException {
        throw OffloadedSignatures.noDecryption();
    }
}
