package org.malote.bounce;

import java.time.Duration;
import org.malote.queue.RetrySchedule;

/// How senders are told.
///
/// @param hostname our name, in the From header and as the reporting MTA
/// @param retry the queue's schedule: until when a delayed message is tried
/// @param delayAfter the age at which a sender is told that a message still waits
/// @param tellsDelayByDefault whether senders that did not use NOTIFY are told of delays; RFC 3461
///     §4.1 leaves it to us
/// @param returnedOctetsMax the largest message that is returned whole; of larger ones the header
///     section is returned
/// @param headerOctetsMax the most that is returned of a header section
public record BounceSettings(
        String hostname,
        RetrySchedule retry,
        Duration delayAfter,
        boolean tellsDelayByDefault,
        int returnedOctetsMax,
        int headerOctetsMax) {
    public BounceSettings {
        if (hostname.isEmpty()) {
            throw new IllegalArgumentException("notifications need our host name");
        }
        if (delayAfter.isNegative() || returnedOctetsMax < 0 || headerOctetsMax < 0) {
            throw new IllegalArgumentException("a limit of notifications must not be negative");
        }
    }

    /// Safe for a host of any size.
    ///
    /// @param hostname our name
    /// @param retry the queue's schedule
    public static BounceSettings defaults(String hostname, RetrySchedule retry) {
        return new BounceSettings(
                hostname,
                retry,
                Duration.ofHours(4), // what sendmail made usual
                true,
                1 << 20, // a notification must not fill its reader's mailbox
                64 * 1024);
    }
}
