package org.malote.delivery;

import org.malote.smtp.Reply;

/// What an attempt meant for one recipient.
public sealed interface RecipientOutcome {
    /// The next host, or the mailbox, has taken responsibility.
    ///
    /// @param host where, as `mx1.isp.example[192.0.2.1]:25` or `maildir`
    /// @param reply what it said
    /// @param hostSpeaksDsn whether it took over the sender's wish to be told of success (RFC 3461
    ///     §5.2.2); when not, we report it as relayed
    record Delivered(String host, Reply reply, boolean hostSpeaksDsn) implements RecipientOutcome {}

    /// It has not.
    record Failed(Failure failure) implements RecipientOutcome {}
}
