package org.malote.session;

import org.malote.amtp.CodeClaim;
import org.malote.auth.Exchange;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailHost;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.ReversePath;

/// Where an inbound dialogue stands. Each state holds the facts that are true in it, and no others.
public sealed interface State {

    /// What the session has used of its limits.
    Tally tally();

    /// The peer is to send a command.
    sealed interface AwaitingCommand extends State {}

    /// The peer has our greeting and has not named itself, or must do so again after STARTTLS.
    record Greeted(Tally tally) implements AwaitingCommand {}

    /// The peer has named itself; no transaction is open.
    record Ready(Tally tally, Greeting greeting) implements AwaitingCommand {}

    /// A sender was accepted, and perhaps recipients.
    record Enveloping(Tally tally, Greeting greeting, Transaction transaction)
            implements AwaitingCommand {}

    /// A first chunk was taken and more are to come (RFC 3030).
    ///
    /// @param octets taken so far
    record Chunking(Tally tally, Greeting greeting, Transaction transaction, long octets)
            implements AwaitingCommand {}

    /// The peer is to send a response of an authentication, and no command (RFC 4954 §4).
    record Authenticating(Tally tally, Greeting greeting, Exchange.Listening exchange)
            implements State {}

    /// Something was asked; nothing is looked at until it is answered.
    sealed interface AwaitingAnswer extends State {}

    /// The authenticator was asked whether it is so.
    record AwaitingProof(Tally tally, Greeting greeting, Exchange.Asking exchange)
            implements AwaitingAnswer {}

    /// The policy was asked a question.
    sealed interface AwaitingVerdict extends AwaitingAnswer {}

    /// May this sender send?
    record AwaitingSenderVerdict(
            Tally tally,
            Greeting greeting,
            ReversePath from,
            MailParameters parameters,
            CodeClaim code)
            implements AwaitingVerdict {}

    /// May this recipient receive?
    record AwaitingRecipientVerdict(
            Enveloping before, ForwardPath to, RecipientParameters parameters)
            implements AwaitingVerdict {
        @Override
        public Tally tally() {
            return before.tally();
        }
    }

    /// The peer has named itself; who it is, is being found out.
    ///
    /// @param before where the dialogue goes on when the name is refused
    /// @param isExtended EHLO
    record AwaitingIdentity(AwaitingCommand before, MailHost name, boolean isExtended)
            implements AwaitingAnswer {
        @Override
        public Tally tally() {
            return before.tally();
        }
    }

    /// A message comes after DATA, or waits for its commit.
    record ReceivingData(Tally tally, Greeting greeting, Transaction transaction)
            implements State {}

    /// A chunk comes, or the message waits for its commit after the last one.
    ///
    /// @param octets taken by the chunks before
    record ReceivingChunk(
            Tally tally,
            Greeting greeting,
            Transaction transaction,
            long octets,
            long chunkOctets,
            boolean isLast)
            implements State {}
}
