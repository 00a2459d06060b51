package org.malote.offload;

import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;

/// A key whose signatures are watched.
record WatchedOps(
        PrivateKeyOps key,
        String provider,
        String keyType,
        LongSupplier nanoTime,
        SignatureWatch watch)
        implements PrivateKeyOps {
    @Override
    public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
        long begin = nanoTime.getAsLong();
        watch.asked(provider);
        return key.sign(scheme, message)
                .whenComplete(
                        (signature, _) ->
                                watch.answered(
                                        provider,
                                        keyType,
                                        nanoTime.getAsLong() - begin,
                                        signature != null));
    }

    @Override
    public Health health() {
        return key.health();
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
