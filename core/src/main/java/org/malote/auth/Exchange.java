package org.malote.auth;

import org.malote.amtp.HopNetwork;
import org.malote.offload.PeerIdentity;

/// An authentication on its way (RFC 4422 §3): pure, as the session that it is part of.
public sealed interface Exchange {

    /// The peer is to send a response.
    sealed interface Listening extends Exchange
            permits PlainExchange.Start,
                    ExternalExchange.Start,
                    ScramExchange.Start,
                    ScramExchange.Challenged,
                    ScramExchange.Told {
        /// A response came.
        ///
        /// @param response decoded from base64 and from UTF-8
        Move on(String response);
    }

    /// The authenticator is to answer.
    sealed interface Asking extends Exchange
            permits Asked, ScramExchange.Named, ScramExchange.Proved {
        /// It did.
        Move on(Answer answer);
    }

    /// The one question of a mechanism was asked: its answer is the end.
    record Asked(Mechanism mechanism) implements Asking {
        @Override
        public Move on(Answer answer) {
            return ended(answer);
        }
    }

    /// What is to be done next.
    sealed interface Move {
        /// Send a challenge.
        ///
        /// @param text to be encoded in base64
        record Challenge(String text, Listening next) implements Move {}

        /// Ask.
        record Ask(Claim claim, Asking next) implements Move {}

        /// It is this user.
        record Succeed(User user) implements Move {}

        /// It is nobody.
        record Fail(Fault fault) implements Move {}
    }

    /// Why not.
    enum Fault {
        /// The response is not what the mechanism defines.
        MALFORMED,
        /// The proof is wrong.
        REFUSED,
        /// Another time.
        BUSY,
        /// Never more in this session.
        BLOCKED
    }

    /// By what the user is to be known.
    Mechanism mechanism();

    /// The beginning. In every mechanism of ours the peer speaks first.
    ///
    /// @param peer who it is by its certificate
    /// @param network whose word that rests on
    static Listening begin(Mechanism mechanism, PeerIdentity peer, HopNetwork network) {
        return switch (mechanism) {
            case PLAIN -> new PlainExchange.Start();
            case SCRAM_SHA_256 -> new ScramExchange.Start();
            case EXTERNAL -> new ExternalExchange.Start(peer, network);
        };
    }

    /// What an answer means that ends every exchange.
    static Move ended(Answer answer) {
        return switch (answer) {
            case Answer.Proven(var user) -> new Move.Succeed(user);
            case Answer.Refused _ -> new Move.Fail(Fault.REFUSED);
            case Answer.Busy _ -> new Move.Fail(Fault.BUSY);
            case Answer.Blocked _ -> new Move.Fail(Fault.BLOCKED);
            case Answer.Verifiable _ ->
                    throw new IllegalStateException("nobody asked for a verifier");
        };
    }
}
