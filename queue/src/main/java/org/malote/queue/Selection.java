package org.malote.queue;

import java.util.Set;

/// Which messages an operator's command is for.
public sealed interface Selection {
    /// Every message in the queue.
    record All() implements Selection {}

    /// These, as far as they are in the queue.
    record Ids(Set<MessageId> ids) implements Selection {
        public Ids {
            ids = Set.copyOf(ids);
        }
    }

    static Selection all() {
        return new All();
    }

    static Selection of(MessageId... ids) {
        return new Ids(Set.of(ids));
    }
}
