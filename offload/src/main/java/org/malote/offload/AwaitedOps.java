package org.malote.offload;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A key that could not sign when it was opened, while its fallback does. It is taken for dead
/// until a signature of it has been verified: before that nobody knows whether it is that of the
/// certificate. That is tried when somebody asks for its health, which each handshake does.
final class AwaitedOps implements PrivateKeyOps {
    private static final Logger LOG = LoggerFactory.getLogger(AwaitedOps.class);

    private final PrivateKeyOps key;
    private final KeyProof proof;

    /// Why it is not used; null once it is.
    private volatile @Nullable String doubt;

    /// One at a time, and none after one that proved it another's.
    private final AtomicBoolean isBeingTried = new AtomicBoolean();

    /// @param doubt why it could not sign
    AwaitedOps(PrivateKeyOps key, KeyProof proof, String doubt) {
        this.key = key;
        this.proof = proof;
        this.doubt = doubt;
    }

    @Override
    public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
        String reason = doubt;
        return reason == null
                ? key.sign(scheme, message)
                : CompletableFuture.failedFuture(new KeyUnavailable(reason));
    }

    @Override
    public Health health() {
        Health health = key.health();
        String reason = doubt;
        if (reason == null || health instanceof Health.Ailing) {
            return health;
        }
        tryProof();
        return new Health.Ailing(reason);
    }

    private void tryProof() {
        if (isBeingTried.compareAndSet(false, true)) {
            key.sign(proof.scheme(), KeyProof.message())
                    .whenComplete((signature, failure) -> judge(signature, failure));
        }
    }

    private void judge(byte @Nullable [] signature, @Nullable Throwable failure) {
        if (signature == null) {
            doubt = proof.cannotSign(failure);
            isBeingTried.set(false);
        } else if (proof.isVerified(signature)) {
            doubt = null;
            LOG.info("key {} signs, its fallback is not needed any more", proof.location());
        } else {
            doubt = proof.isAnothers();
            LOG.error("{}; its fallback goes on", doubt);
        }
    }

    @Override
    public int queued() {
        return key.queued();
    }

    @Override
    public void close() {
        key.close();
    }
}
