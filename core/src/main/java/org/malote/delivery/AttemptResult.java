package org.malote.delivery;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an attempt meant for each of its recipients.
public record AttemptResult(List<Entry> entries) {
    /// One recipient's outcome.
    ///
    /// @param recipient its index in the envelope
    /// @param tls what secured the connection that it was tried on, for the log; `none` in the
    ///     clear, null where there was no connection
    public record Entry(int recipient, RecipientOutcome outcome, @Nullable String tls) {
        /// Without a connection.
        public Entry(int recipient, RecipientOutcome outcome) {
            this(recipient, outcome, null);
        }
    }

    public AttemptResult {
        entries = List.copyOf(entries);
    }
}
