package org.malote.policy;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.CodePolicies;
import org.malote.amtp.MailPolicyCode;
import org.malote.dns.Idna;
import org.malote.session.Question;
import org.malote.session.Replies;
import org.malote.session.Verdict;
import org.malote.smtp.Ascii;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.Mailbox;
import org.malote.smtp.Reply;

/// Refuses messages by their Mail Policy Code: for all at MAIL, for one recipient at RCPT
/// (draft-weinman-amtp-03 §4.4.3). Where codes are only watched it says what it would have refused.
/// A message without a code is as good as any other.
public final class MailCodePolicy implements Policy {
    private final Policy next;
    private final CodePolicies policies;
    private final Mailbox postmaster;

    /// @param next asked for what this one does not refuse
    /// @param hostname ours, to which `<Postmaster>` belongs
    public MailCodePolicy(Policy next, CodePolicies policies, DomainName hostname) {
        this.next = next;
        this.policies = policies;
        this.postmaster = new Mailbox("postmaster", hostname);
    }

    @Override
    public void decide(Peer peer, Question question, Consumer<Verdict> answer) {
        CodeClaim claim =
                switch (question) {
                    case Question.MaySend maySend -> maySend.code();
                    case Question.MayReceive mayReceive -> mayReceive.transaction().code();
                };
        switch (claim) {
            case CodeClaim.None _ -> next.decide(peer, question, answer);
            case CodeClaim.Stated(var code, var isEnforced) -> {
                Reply refusal = isAllowed(code, question) ? null : Replies.CODE_REFUSED;
                decide(refusal, isEnforced, peer, question, answer);
            }
            case CodeClaim.Faulty(var fault, var isEnforced) -> {
                // Said once, at MAIL: the message has no code that a recipient could deny.
                Reply refusal = question instanceof Question.MaySend ? Replies.faulty(fault) : null;
                decide(refusal, isEnforced, peer, question, answer);
            }
        }
    }

    private void decide(
            @Nullable Reply refusal,
            boolean isEnforced,
            Peer peer,
            Question question,
            Consumer<Verdict> answer) {
        if (refusal == null) {
            next.decide(peer, question, answer);
        } else if (isEnforced) {
            answer.accept(new Verdict.Refuse(refusal));
        } else {
            next.decide(
                    peer,
                    question,
                    verdict ->
                            answer.accept(
                                    verdict instanceof Verdict.Accept
                                            ? new Verdict.AcceptWatched(refusal)
                                            : verdict));
        }
    }

    private boolean isAllowed(MailPolicyCode code, Question question) {
        return switch (question) {
            case Question.MaySend _ -> policies.allows(code);
            case Question.MayReceive mayReceive -> {
                Mailbox recipient =
                        switch (mayReceive.to()) {
                            case ForwardPath.Recipient(var mailbox) -> mailbox;
                            case ForwardPath.Postmaster _ -> postmaster; // RFC 5321 §4.5.1
                        };
                yield policies.allows(code, inALabels(recipient.host().text()), recipient);
            }
        };
    }

    /// RFC 5890 §2.3.2.1: both forms of a name are one domain.
    private static String inALabels(String domain) {
        if (Ascii.isAscii(domain)) {
            return domain;
        }
        String ascii = Idna.toAscii(domain);
        return ascii == null ? domain : ascii;
    }
}
