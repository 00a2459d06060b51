package org.malote.server;

import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;
import org.malote.offload.KeyUnavailable;

/// Why a handshake failed, in one word of few, for the meters.
final class HandshakeFault {
    /// Causes of causes are looked at so far.
    private static final int DEPTH_MAX = 8;

    private HandshakeFault() {}

    /// `timeout`, `closed` by the peer, `key` that could not sign, or `protocol`: all that one side
    /// did not like of the other.
    static String of(@Nullable Throwable cause) {
        Throwable one = cause;
        for (int depth = 0; one != null && depth < DEPTH_MAX; depth++) {
            switch (one) {
                case SslHandshakeTimeoutException _ -> {
                    return "timeout";
                }
                case ClosedChannelException _ -> {
                    return "closed";
                }
                case KeyUnavailable _ -> {
                    return "key";
                }
                default -> one = one.getCause();
            }
        }
        return "protocol";
    }
}
