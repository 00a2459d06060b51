package org.malote.policy;

import java.util.function.Consumer;
import org.malote.session.Question;
import org.malote.session.Verdict;

/// Decides what sessions ask.
public interface Policy {

    /// Answers a question exactly once, now or later, on any thread. Never blocks. The session may
    /// be gone when the answer comes.
    void decide(Peer peer, Question question, Consumer<Verdict> answer);
}
