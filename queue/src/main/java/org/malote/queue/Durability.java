package org.malote.queue;

/// What a [Receipt] promises.
public enum Durability {
    /// The message is on stable storage: it outlives a crash of the process, of the system and of
    /// the power.
    COMMIT,

    /// The message is in the page cache: it outlives a crash of the process only, until the queue
    /// is
    /// closed in order, which puts all on stable storage. Breaks the promise of RFC 5321 §6.1 when
    /// the machine stops.
    RELAXED
}
