package org.malote.session;

import org.malote.queue.Receipt;
import org.malote.queue.Refusal;

/// How the reception of a message ended.
public sealed interface MessageOutcome {

    /// The queue has it on stable storage: only the queue makes a receipt.
    record Kept(Receipt receipt) implements MessageOutcome {}

    /// The queue did not keep it.
    record NotKept(Refusal refusal) implements MessageOutcome {}

    /// It was not offered to the queue.
    record Spoiled(Fault fault) implements MessageOutcome {}

    /// What was wrong with a message that was read to its end and thrown away.
    enum Fault {
        /// More octets than the limit.
        TOO_BIG,
        /// A bare CR or LF: two servers could disagree on where it ends.
        BARE_LINE_END,
        /// As many Received headers as make a loop.
        LOOP,
        /// An `MPC:` header where only we may write one.
        CODE_HEADER,
        /// Recipients whose addresses and parameters take more than the queue can record as one.
        ENVELOPE_TOO_BIG
    }
}
