package org.malote.app;

import org.jspecify.annotations.Nullable;

/// What commands share.
final class Commands {
    private Commands() {}

    /// What picocli has set before a command is called.
    static <T> T present(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("picocli sets this before the command runs");
        }
        return value;
    }
}
