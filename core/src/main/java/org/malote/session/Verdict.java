package org.malote.session;

import org.malote.smtp.Reply;

/// The policy's answer.
public sealed interface Verdict {

    /// Yes.
    record Accept() implements Verdict {}

    /// Yes, though a rule that is only watched says no.
    ///
    /// @param watched the reply that it would have given, for the log
    record AcceptWatched(Reply watched) implements Verdict {}

    /// No, or not now.
    ///
    /// @param reply 4xx or 5xx
    record Refuse(Reply reply) implements Verdict {
        public Refuse {
            if (!reply.isTransient() && !reply.isPermanent()) {
                throw new IllegalArgumentException("a refusal is 4xx or 5xx: " + reply);
            }
        }
    }

    /// Go away: the reply is sent and the session closed.
    ///
    /// @param reply 421, or 554 where nothing will ever be taken
    record Dismiss(Reply reply) implements Verdict {}

    /// The one acceptance.
    Verdict ACCEPT = new Accept();
}
