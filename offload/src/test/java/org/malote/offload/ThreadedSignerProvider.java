package org.malote.offload;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// What a vendor writes: a provider on the class path that signs elsewhere, here with the JDK on a
/// thread of its own.
public final class ThreadedSignerProvider implements OffloadProvider {
    @Override
    public String name() {
        return "test-jca";
    }

    @Override
    public String describe() {
        return "signs with the JDK on another thread; needs nothing";
    }

    @Override
    public OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems {
        return new OpenedKey.Offloaded(
                new Signer(PemFile.read(Path.of(reference.location()), "key").privateKey()));
    }

    private record Signer(PrivateKey key) implements PrivateKeyOps {
        @Override
        public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
            CompletableFuture<byte[]> answer = new CompletableFuture<>();
            Thread.ofVirtual()
                    .start(
                            () -> {
                                try {
                                    Signature signature = scheme.jcaSignature(null);
                                    signature.initSign(key);
                                    signature.update(message);
                                    answer.complete(signature.sign());
                                } catch (GeneralSecurityException e) {
                                    answer.completeExceptionally(e);
                                }
                            });
            return answer;
        }

        @Override
        public Health health() {
            return new Health.Well();
        }

        @Override
        public void close() {}
    }
}
