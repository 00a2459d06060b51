package org.malote.delivery;

/// Octets of the message that follow a group of commands.
sealed interface Payload {
    /// No octets.
    record None() implements Payload {}

    /// The whole message with its dots doubled, and the final dot (RFC 5321 §4.1.1.4).
    record Data() implements Payload {}

    /// The next octets of the message as they are (RFC 3030 §2).
    ///
    /// @param octets 0 or more
    record Chunk(long octets) implements Payload {}

    Payload NONE = new None();
    Payload DATA = new Data();
}
