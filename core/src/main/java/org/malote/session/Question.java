package org.malote.session;

import org.malote.amtp.CodeClaim;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.ReversePath;

/// What the session asks the policy. The answer may come later, from any thread.
public sealed interface Question {

    /// May this peer open a transaction with this sender?
    ///
    /// @param code what it says of the message
    record MaySend(Greeting greeting, ReversePath from, MailParameters parameters, CodeClaim code)
            implements Question {}

    /// May this peer send to this recipient?
    record MayReceive(
            Greeting greeting,
            Transaction transaction,
            ForwardPath to,
            RecipientParameters parameters)
            implements Question {}
}
