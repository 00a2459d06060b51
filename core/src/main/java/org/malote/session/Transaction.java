package org.malote.session;

import java.util.ArrayList;
import java.util.List;
import org.malote.amtp.CodeClaim;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.ReversePath;

/// An open mail transaction (RFC 5321 §3.3): who sends, and who was accepted so far.
///
/// @param code what the sender says of the message
public record Transaction(
        ReversePath from, MailParameters parameters, CodeClaim code, List<Recipient> recipients) {

    /// One accepted recipient.
    public record Recipient(ForwardPath to, RecipientParameters parameters) {}

    public Transaction {
        recipients = List.copyOf(recipients);
    }

    static Transaction open(ReversePath from, MailParameters parameters, CodeClaim code) {
        return new Transaction(from, parameters, code, List.of());
    }

    /// The transaction with one more recipient; one that is there already is not added twice.
    Transaction with(ForwardPath to, RecipientParameters parameters) {
        Recipient added = new Recipient(to, parameters);
        if (recipients.contains(added)) {
            return this;
        }
        List<Recipient> more = new ArrayList<>(recipients.size() + 1);
        more.addAll(recipients);
        more.add(added);
        return new Transaction(from, this.parameters, code, more);
    }
}
