package org.malote.session;

import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.ReversePath;

/// What the session asks the policy. The answer may come later, from any thread.
public sealed interface Question {

    /// May this peer open a transaction with this sender?
    record MaySend(Greeting greeting, ReversePath from, MailParameters parameters)
            implements Question {}

    /// May this peer send to this recipient?
    record MayReceive(
            Greeting greeting,
            Transaction transaction,
            ForwardPath to,
            RecipientParameters parameters)
            implements Question {}
}
