package org.malote.offload;

import java.security.SignatureException;

/// A key cannot sign at the moment; another may, or this one later. Without a stack trace, since
/// there can be thousands a second.
public final class KeyUnavailable extends SignatureException {
    private static final long serialVersionUID = 1L;

    /// @param reason one sentence for the operator
    public KeyUnavailable(String reason) {
        super(reason);
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // there is nothing to guard
    public Throwable fillInStackTrace() {
        return this;
    }
}
