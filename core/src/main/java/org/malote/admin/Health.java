package org.malote.admin;

import org.jspecify.annotations.Nullable;

/// Whether the server should get work.
@FunctionalInterface
public interface Health {
    /// Why no mail is taken now, in one sentence, or null when it is.
    @Nullable String unreadyReason();
}
