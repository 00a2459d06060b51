package org.malote.delivery;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.malote.smtp.Extension;
import org.malote.smtp.Reply;

/// Where an outbound dialogue stands. Each state holds the facts that are true in it, and no
/// others.
sealed interface ClientState {
    /// The host owes a reply.
    sealed interface AwaitingReply extends ClientState {}

    /// Connected; the 220 has not come.
    record AwaitingGreeting() implements AwaitingReply {}

    /// EHLO or LHLO was sent.
    record AwaitingEhlo(boolean isEncrypted) implements AwaitingReply {}

    /// The host did not know EHLO; HELO was sent.
    record AwaitingHelo(boolean isEncrypted) implements AwaitingReply {}

    /// STARTTLS was sent.
    record AwaitingStartTls(HostFacts host) implements AwaitingReply {}

    /// The handshake goes on.
    record Encrypting() implements ClientState {}

    /// Ready for a transaction.
    record Idle(HostFacts host) implements ClientState {}

    /// A transaction waits for the first octets of its message.
    ///
    /// @param inspects whether it also waits to know whether the message has 8-bit octets
    record Preparing(HostFacts host, OutboundTransaction transaction, boolean inspects)
            implements ClientState {}

    /// A transaction is under way. Its commands are numbered: 0 is MAIL, 1 to n the RCPTs, then
    /// DATA and the message's end, or the BDAT chunks. Two cursors chase each other over them.
    ///
    /// @param isEightBit whether MAIL says so
    /// @param sent how many commands were sent
    /// @param answers what was answered, in order; over LMTP the end of the message has an answer
    ///     for each accepted recipient (RFC 2033 §4.2)
    /// @param isStreaming whether octets of the message are still being written
    record Transacting(
            HostFacts host,
            OutboundTransaction transaction,
            boolean isEightBit,
            int sent,
            List<Reply> answers,
            boolean isStreaming)
            implements AwaitingReply {

        int recipients() {
            return transaction.recipients().size();
        }

        boolean usesChunks() {
            return host.offers(Extension.CHUNKING);
        }

        /// The number of the DATA command or of the first chunk.
        int bodyCommand() {
            return recipients() + 1;
        }

        int answered() {
            return answers.size();
        }

        boolean isMailRefused() {
            return answered() > 0 && !answers.getFirst().isPositive();
        }

        boolean isAccepted(int recipient) {
            return answered() > recipient + 1 && answers.get(recipient + 1).isPositive();
        }

        int accepted() {
            int accepted = 0;
            for (int i = 0; i < recipients(); i++) {
                if (isAccepted(i)) {
                    accepted++;
                }
            }
            return accepted;
        }

        /// Whether it is certain that nobody will get the message.
        boolean isDead() {
            return isMailRefused() || (answered() > recipients() && accepted() == 0);
        }

        Transacting answer(Reply reply) {
            List<Reply> longer = new ArrayList<>(answers.size() + 1);
            longer.addAll(answers);
            longer.add(reply);
            return new Transacting(
                    host,
                    transaction,
                    isEightBit,
                    sent,
                    Collections.unmodifiableList(longer),
                    isStreaming);
        }

        Transacting send(int commands, boolean streams) {
            return new Transacting(
                    host,
                    transaction,
                    isEightBit,
                    sent + commands,
                    answers,
                    isStreaming || streams);
        }

        Transacting written() {
            return new Transacting(host, transaction, isEightBit, sent, answers, false);
        }
    }

    /// RSET was sent to end a transaction that failed half-way.
    record Resetting(HostFacts host) implements AwaitingReply {}

    /// QUIT was sent.
    record Quitting() implements AwaitingReply {}

    /// Nothing more will be sent or read.
    record Closed() implements ClientState {}
}
