package org.malote.delivery;

import java.util.function.Consumer;
import org.malote.queue.Claim;

/// Tells senders what became of their mail (RFC 3461 §5.2). The seam between delivery, which knows
/// what happened, and the notifications, which know how to say it.
public interface Reports {
    /// An attempt has ended. Whoever implements this decides who wants to know: of permanent
    /// failures, of success at hosts that do not speak DSN, of delay.
    ///
    /// @param claim not settled yet
    /// @param result an outcome for each claimed recipient; one that is given up for its age is a
    ///     permanent failure here
    /// @param recorded told once, on any thread: true when every notification that is owed for a
    ///     failure is in the queue, or none is; false when the queue refused it. Then the failed
    ///     recipients stay in the queue
    void report(Claim claim, AttemptResult result, Consumer<Boolean> recorded);
}
