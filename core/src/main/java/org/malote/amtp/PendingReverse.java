package org.malote.amtp;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A finding that is asked for when a connection begins, and wanted when its peer has said EHLO.
/// For any thread.
final class PendingReverse implements Consumer<ReverseFinding> {
    // Guarded by this.
    private @Nullable ReverseFinding found;
    private @Nullable Consumer<ReverseFinding> waiting;

    @Override
    public void accept(ReverseFinding finding) {
        Consumer<ReverseFinding> told;
        synchronized (this) {
            found = finding;
            told = waiting;
            waiting = null;
        }
        if (told != null) {
            told.accept(finding);
        }
    }

    /// @param wanted told once, at once when it is there already; of two that wait, the later
    void whenFound(Consumer<ReverseFinding> wanted) {
        ReverseFinding finding;
        synchronized (this) {
            finding = found;
            if (finding == null) {
                waiting = wanted;
            }
        }
        if (finding != null) {
            wanted.accept(finding);
        }
    }
}
