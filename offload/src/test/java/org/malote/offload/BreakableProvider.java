package org.malote.offload;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/// Signs with the JDK; one of its keys for so many times only.
final class BreakableProvider implements OffloadProvider {
    private final String breakable;
    private final AtomicInteger left = new AtomicInteger();

    /// @param breakable the file of that key
    BreakableProvider(String breakable) {
        this.breakable = breakable;
    }

    void signaturesLeft(int many) {
        left.set(many);
    }

    @Override
    public String name() {
        return "breakable";
    }

    @Override
    public List<String> missing() {
        return List.of();
    }

    @Override
    public String describe() {
        return "signs until it is told to stop";
    }

    @Override
    public OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems {
        boolean isBreakable = reference.location().equals(breakable);
        return new OpenedKey.Offloaded(
                new Signer(
                        new InProcessOps(
                                PemFile.read(Path.of(reference.location()), "key").privateKey()),
                        isBreakable ? left : new AtomicInteger(Integer.MAX_VALUE)));
    }

    private record Signer(InProcessOps key, AtomicInteger left) implements PrivateKeyOps {
        @Override
        public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
            return left.getAndDecrement() > 0
                    ? key.sign(scheme, message)
                    : CompletableFuture.failedFuture(new GeneralSecurityException("broken"));
        }

        @Override
        public Health health() {
            return new Health.Well();
        }

        @Override
        public void close() {}
    }
}
