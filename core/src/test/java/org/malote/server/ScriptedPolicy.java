package org.malote.server;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.policy.Peer;
import org.malote.policy.Policy;
import org.malote.queue.Refusal;
import org.malote.session.Question;
import org.malote.session.Replies;
import org.malote.session.Verdict;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Reply;

/// A policy that accepts, but for what a transcript told it.
final class ScriptedPolicy implements Policy {
    private final Map<String, Verdict> answers = new HashMap<>();
    private @Nullable Refusal refusal;

    /// Reads `recipient y@b.example -> 550 5.7.1 no relay`.
    void learn(String rule) {
        String[] sides = rule.split(" -> ", 2);
        if (sides[0].equals("queue")) {
            refusal = sides[1].equals("open") ? null : Refusal.valueOf(sides[1]);
            return;
        }
        String[] reply = sides[1].split(" ", 3);
        EnhancedStatus status = EnhancedStatus.parsePrefix(reply[1]);
        if (status == null) {
            throw new IllegalArgumentException("no enhanced status in: " + rule);
        }
        answers.put(
                sides[0],
                new Verdict.Refuse(Reply.of(Integer.parseInt(reply[0]), reply[1], reply[2])));
    }

    @Override
    public void decide(Peer peer, Question question, Consumer<Verdict> answer) {
        String asked =
                switch (question) {
                    case Question.MaySend maySend -> "sender " + maySend.from().text();
                    case Question.MayReceive mayReceive -> "recipient " + mayReceive.to().text();
                };
        if (question instanceof Question.MaySend && refusal != null) {
            answer.accept(Replies.notAdmitted(refusal));
            return;
        }
        answer.accept(answers.getOrDefault(asked, Verdict.ACCEPT));
    }
}
