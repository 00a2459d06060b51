package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;

/// One engine's context for one way to speak to hosts. `handler` is for any thread.
sealed interface EngineClient permits NativeClient, JdkClient {
    /// @throws IllegalStateException after close
    SslHandler handler(ByteBufAllocator allocator, String host, int port);

    /// No new handlers after this; those that exist go on.
    void close();
}
