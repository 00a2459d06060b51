package org.malote.bounce;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.RecipientParameters.OriginalRecipient;

/// What a notification says of one recipient (RFC 3464 §2.3).
///
/// @param address as it was in our queue
/// @param original as the first sender wrote it, when ORCPT told
/// @param status of RFC 3463
/// @param remoteHost the name of the host that was spoken to, or null
/// @param diagnostic what the host said, or what we say when no host spoke
/// @param retryUntil until when a delayed message is tried; null for the other actions
record ReportedRecipient(
        String address,
        @Nullable OriginalRecipient original,
        Action action,
        EnhancedStatus status,
        @Nullable String remoteHost,
        String diagnostic,
        @Nullable Instant retryUntil) {

    /// RFC 3464 §2.3.3. `expanded` does not occur here.
    enum Action {
        FAILED("failed"),
        DELAYED("delayed"),
        DELIVERED("delivered"),
        /// Handed to a host that does not report success: nobody will know more.
        RELAYED("relayed");

        private final String word;

        Action(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }
}
