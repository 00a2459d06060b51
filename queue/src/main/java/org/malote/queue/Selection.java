package org.malote.queue;

import java.util.Map;
import java.util.Set;

/// Which messages, or recipients, an operator's command is for.
public sealed interface Selection {
    /// Every message in the queue.
    record All() implements Selection {}

    /// These, as far as they are in the queue.
    record Ids(Set<MessageId> ids) implements Selection {
        public Ids {
            ids = Set.copyOf(ids);
        }
    }

    /// These recipients of these messages, by their place in the envelope, as far as they are in
    /// the queue.
    record Recipients(Map<MessageId, Set<Integer>> byMessage) implements Selection {
        public Recipients {
            byMessage = Map.copyOf(byMessage);
        }
    }

    static Selection all() {
        return new All();
    }

    static Selection of(MessageId... ids) {
        return new Ids(Set.of(ids));
    }
}
