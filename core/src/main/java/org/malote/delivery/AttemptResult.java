package org.malote.delivery;

import java.util.List;

/// What an attempt meant for each of its recipients.
public record AttemptResult(List<Entry> entries) {
    /// One recipient's outcome.
    ///
    /// @param recipient its index in the envelope
    public record Entry(int recipient, RecipientOutcome outcome) {}

    public AttemptResult {
        entries = List.copyOf(entries);
    }
}
