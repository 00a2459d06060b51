package org.malote.session;

import org.malote.auth.Claim;
import org.malote.session.State.Authenticating;
import org.malote.session.State.AwaitingCommand;
import org.malote.session.State.AwaitingIdentity;
import org.malote.session.State.AwaitingProof;
import org.malote.session.State.AwaitingVerdict;
import org.malote.session.State.Greeted;
import org.malote.session.State.ReceivingChunk;
import org.malote.session.State.ReceivingData;
import org.malote.smtp.Reply;

/// What is to be done next: one reply, or one thing whose end yields it.
public sealed interface Step {

    /// Reply and go on.
    record Respond(Reply reply, AwaitingCommand next) implements Step {}

    /// Ask; the verdict yields the reply.
    record Ask(Question question, AwaitingVerdict next) implements Step {}

    /// Reply with a challenge; what the peer sends next is its response (RFC 4954 §4).
    record Challenge(Reply reply, Authenticating next) implements Step {}

    /// Ask the authenticator; its answer yields the reply.
    record Prove(Claim claim, AwaitingProof next) implements Step {}

    /// Find out who the peer is; the identity yields the reply.
    record Identify(AwaitingIdentity next) implements Step {}

    /// Reply 354 and take a message up to its final dot; its outcome yields the next reply.
    record Receive(Reply reply, ReceivingData next) implements Step {}

    /// Take a chunk; its end yields the reply.
    record ReceiveChunk(ReceivingChunk next) implements Step {}

    /// Throw a refused chunk's octets away, then reply (RFC 3030 §2).
    record SkipChunk(long octets, Reply reply, AwaitingCommand next) implements Step {}

    /// Reply, and speak TLS from then on (RFC 3207).
    record Upgrade(Reply reply, Greeted next) implements Step {}

    /// Reply and close.
    ///
    /// @param reason for the log
    record Close(Reply reply, String reason) implements Step {}
}
