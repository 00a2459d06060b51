package org.malote.offload;

import java.nio.file.Path;
import java.security.PrivateKey;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// A provider whose signatures wait until the test lets them go.
final class HeldSigner implements OffloadProvider {
    final Deque<Runnable> held = new ArrayDeque<>();
    boolean isHolding;
    boolean isFailing;
    int closed;

    @Override
    public String name() {
        return "held";
    }

    @Override
    public String describe() {
        return "signs when the test says so";
    }

    @Override
    public OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems {
        PrivateKey key = PemFile.read(Path.of(reference.location()), "key").privateKey();
        return new OpenedKey.Offloaded(new Ops(new InProcessOps(key)));
    }

    void letGo() {
        held.removeFirst().run();
    }

    private final class Ops implements PrivateKeyOps {
        private final InProcessOps key;

        private Ops(InProcessOps key) {
            this.key = key;
        }

        @Override
        public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
            if (isFailing) {
                return CompletableFuture.failedFuture(new KeyUnavailable("the card is gone"));
            }
            if (!isHolding) {
                return key.sign(scheme, message);
            }
            CompletableFuture<byte[]> answer = new CompletableFuture<>();
            held.addLast(
                    () ->
                            key.sign(scheme, message)
                                    .whenComplete((bytes, _) -> answer.complete(bytes)));
            return answer;
        }

        @Override
        public Health health() {
            return isFailing ? new Health.Ailing("the card is gone") : new Health.Well();
        }

        @Override
        public void close() {
            closed++;
        }
    }
}
