package org.malote.offload;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import javax.net.ssl.SSLEngine;

/// Tells a full handshake of the JDK's engine from a resumed one, which has no method for that.
/// Only a full handshake asks for a certificate, so whoever is asked marks the engine.
///
/// The mark is not a value of the session: the JDK makes no TLS 1.2 ticket for a session with
/// values.
///
/// Threads: any.
final class FullHandshakes {
    /// Weak, and by identity, as engines do not define equality.
    private final Set<SSLEngine> engines =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    void mark(SSLEngine engine) {
        engines.add(engine);
    }

    boolean happenedOn(SSLEngine engine) {
        return engines.contains(engine);
    }
}
