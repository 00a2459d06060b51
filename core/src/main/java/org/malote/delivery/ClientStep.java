package org.malote.delivery;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is to be done next for a host.
sealed interface ClientStep {
    /// The state afterwards.
    ClientState next();

    /// Wait for what comes.
    record Await(ClientState next) implements ClientStep {}

    /// Send commands in one group (RFC 2920 §3.1), and octets of the message behind them.
    ///
    /// @param commands without their CRLF; may be empty when there is a payload
    record Send(List<String> commands, Payload payload, ClientState next) implements ClientStep {}

    /// Begin the TLS handshake (RFC 3207 §4).
    record Encrypt(ClientState.Encrypting next) implements ClientStep {}

    /// Read the first octets of the message, and look through it for 8-bit octets where the state
    /// says so.
    record Prepare(ClientState.Preparing next) implements ClientStep {}

    /// A transaction may begin.
    record Ready(ClientState.Idle next) implements ClientStep {}

    /// The transaction has ended.
    ///
    /// @param outcomes one for each recipient, in order
    /// @param commands to be sent now; with RSET the host is ready again when it has answered
    /// @param next idle, resetting, or closed: then the connection is closed
    record Finish(List<RecipientOutcome> outcomes, List<String> commands, ClientState next)
            implements ClientStep {}

    /// What the end of a connection has to do with TLS.
    enum Security {
        /// Nothing.
        ASIDE,
        /// The handshake failed, and the host may be tried again without one (RFC 7435 §3).
        CLEAR_WILL_DO,
        /// There is no TLS, or not with whom it must be, and nothing goes without.
        CLEAR_WILL_NOT_DO
    }

    /// Close the connection; no transaction was under way.
    ///
    /// @param failure why no transaction can begin; null when none was wanted
    record Close(@Nullable Failure failure, Security security) implements ClientStep {
        @Override
        public ClientState next() {
            return new ClientState.Closed();
        }
    }
}
