package org.malote.offload;

import java.util.concurrent.CompletionStage;

/// The operations of one private key that lives outside the TLS engine.
///
/// Threads: `sign` and `health` are called from event loops, many at a time, and never block: work
/// that takes time is handed to the provider's own bounded pool, and the stage completes from
/// there. The caller returns to its event loop by itself.
public interface PrivateKeyOps extends AutoCloseable {

    /// Signs a message (the message itself, not its digest).
    ///
    /// @return the signature as TLS carries it: RFC 8446 §4.2.3, so ECDSA as a DER sequence. A
    ///     stage that fails ends the handshake; the failure's message goes to the operator
    CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message);

    /// Whether a signature can be expected to succeed now.
    Health health();

    /// Signatures that are asked for and not begun: how long the queue is, for the meters.
    default int queued() {
        return 0;
    }

    /// Called once, when no handshake needs the key any more.
    @Override
    void close();

    /// The state of a key.
    sealed interface Health {
        /// Signatures succeed.
        record Well() implements Health {}

        /// Signatures fail.
        ///
        /// @param reason one sentence for the operator
        record Ailing(String reason) implements Health {}
    }
}
