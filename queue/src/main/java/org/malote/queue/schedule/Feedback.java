package org.malote.queue.schedule;

/// What an attempt said of its site.
public sealed interface Feedback {
    /// A host answered, whatever it said of the message: the window may grow.
    record Answered() implements Feedback {}

    /// No host could be talked to, or it wanted no mail at all: the window shrinks.
    ///
    /// @param trouble one sentence, for what waits meanwhile
    record Failed(String trouble) implements Feedback {}

    /// Nothing: no host was asked.
    record None() implements Feedback {}
}
