package org.malote.queue;

import org.jspecify.annotations.Nullable;

/// How a recipient stands, as a carried record keeps it.
///
/// @param state one of those of [LiveMessage]
/// @param dueMillis milliseconds since 1970
/// @param reply the last one; null before the first
record RecipientStatus(
        byte state,
        boolean isReleased,
        boolean isCondemned,
        int attempts,
        long dueMillis,
        @Nullable String reply) {}
