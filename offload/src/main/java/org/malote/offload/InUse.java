package org.malote.offload;

import java.util.concurrent.atomic.AtomicInteger;

/// Ends what contexts have when they are closed and the last that uses it has let go: keys with the
/// last handshake that may need a signature, an engine's contexts with the last peer that may still
/// begin one.
final class InUse {
    private final Runnable end;

    /// One for the contexts and one for each use; at zero it is ended for good.
    private final AtomicInteger holders = new AtomicInteger(1);

    InUse(Runnable end) {
        this.end = end;
    }

    void retain() {
        if (holders.getAndUpdate(n -> n == 0 ? 0 : n + 1) == 0) {
            throw new IllegalStateException("these TLS contexts are closed");
        }
    }

    void release() {
        if (holders.decrementAndGet() == 0) {
            end.run();
        }
    }
}
