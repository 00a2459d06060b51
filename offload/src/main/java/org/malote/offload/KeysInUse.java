package org.malote.offload;

import java.util.concurrent.atomic.AtomicInteger;

/// Closes the keys when the contexts are closed and the last handshake that may need a signature
/// has ended.
final class KeysInUse {
    private final CertificateStore certificates;

    /// One for the contexts and one for each handshake; at zero the keys are closed for good.
    private final AtomicInteger holders = new AtomicInteger(1);

    KeysInUse(CertificateStore certificates) {
        this.certificates = certificates;
    }

    void retain() {
        if (holders.getAndUpdate(n -> n == 0 ? 0 : n + 1) == 0) {
            throw new IllegalStateException("these TLS contexts are closed");
        }
    }

    void release() {
        if (holders.decrementAndGet() == 0) {
            certificates.close();
        }
    }
}
