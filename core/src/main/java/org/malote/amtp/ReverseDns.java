package org.malote.amtp;

import java.util.List;

/// What reverse DNS says of an address (RFC 8601 §3, `iprev`). Names are in lower case without the
/// final dot.
public sealed interface ReverseDns {

    /// It was not asked.
    record Unasked() implements ReverseDns {}

    /// Names that the address has and that have the address: `pass`.
    record Confirmed(List<String> names) implements ReverseDns {
        public Confirmed {
            names = List.copyOf(names);
        }
    }

    /// Names that the address has, none of which has the address: `fail`.
    record Unconfirmed(List<String> names) implements ReverseDns {
        public Unconfirmed {
            names = List.copyOf(names);
        }
    }

    /// The address has no name: `permerror`.
    record Nameless() implements ReverseDns {}

    /// No answer came, or an error: `temperror`.
    ///
    /// @param reason for the operator
    record TryLater(String reason) implements ReverseDns {}
}
