package org.malote.offload;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// How sessions are resumed.
///
/// @param keyInterval how often a new session-ticket key is made
/// @param sessionLifetime how long a session can be resumed. RFC 8446 §4.6.1: at most 7 days
/// @param file keeps the keys across restarts, and for every server that has it; null: in memory
/// @param secret a file of at least 32 random bytes that seals that one; null: it is the owner's
///     alone, and not sealed
/// @param source what a vendor's [TicketKeyProvider] understands, `NAME:...`, in place of the file;
///     null: none
public record TicketSettings(
        Duration keyInterval,
        Duration sessionLifetime,
        @Nullable Path file,
        @Nullable Path secret,
        @Nullable String source) {

    /// Without a vendor.
    public TicketSettings(
            Duration keyInterval,
            Duration sessionLifetime,
            @Nullable Path file,
            @Nullable Path secret) {
        this(keyInterval, sessionLifetime, file, secret, null);
    }

    /// The same with keys of a vendor's.
    ///
    /// @param wanted such as `vault:mail/tickets`
    public TicketSettings withSource(String wanted) {
        return new TicketSettings(keyInterval, sessionLifetime, file, secret, wanted);
    }

    /// A stolen ticket key opens the TLS 1.2 sessions of its life, so that life is short: with the
    /// two defaults a key is in use for 6 hours and remembered for 6 more.
    public static final Duration DEFAULT_KEY_INTERVAL = Duration.ofHours(6);

    /// Senders that come back do so within the hour; see [#DEFAULT_KEY_INTERVAL] for why it is not
    /// longer.
    public static final Duration DEFAULT_SESSION_LIFETIME = Duration.ofHours(6);

    /// The default times, in memory.
    public static final TicketSettings DEFAULT =
            new TicketSettings(DEFAULT_KEY_INTERVAL, DEFAULT_SESSION_LIFETIME, null, null);
}
