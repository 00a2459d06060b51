package org.malote.policy;

import java.util.function.Consumer;
import org.malote.auth.User;
import org.malote.session.Question;
import org.malote.session.Verdict;
import org.malote.smtp.Reply;

/// Refuses a user a sender that is another's (RFC 6409 §6.1). Whose senders are not listed may have
/// any, and so may who is no user: what they may send is for other policies to say.
public final class OwnSenderPolicy implements Policy {
    private static final Reply NOT_YOURS =
            Reply.of(553, "5.7.1", "that sender is not among those of your account");

    private final Policy next;

    /// @param next asked for what this one does not refuse
    public OwnSenderPolicy(Policy next) {
        this.next = next;
    }

    @Override
    public void decide(Peer peer, Question question, Consumer<Verdict> answer) {
        if (question instanceof Question.MaySend maySend) {
            User user = maySend.greeting().user();
            if (user != null && !user.maySendAs(maySend.from())) {
                answer.accept(new Verdict.Refuse(NOT_YOURS));
                return;
            }
        }
        next.decide(peer, question, answer);
    }
}
