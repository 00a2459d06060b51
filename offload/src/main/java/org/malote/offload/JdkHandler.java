package org.malote.offload;

import io.netty.handler.ssl.SslHandler;
import javax.net.ssl.SSLEngine;

/// A handler of the JDK's engine that can tell whether its session was resumed.
final class JdkHandler extends SslHandler {
    private final FullHandshakes fullHandshakes;

    JdkHandler(SSLEngine engine, FullHandshakes fullHandshakes) {
        super(engine);
        this.fullHandshakes = fullHandshakes;
    }

    boolean isResumed() {
        return !fullHandshakes.happenedOn(engine());
    }
}
