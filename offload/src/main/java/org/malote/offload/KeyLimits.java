package org.malote.offload;

import java.time.Duration;

/// What the signatures of one key may use, where they are made outside the TLS engine by something
/// that takes its time.
///
/// @param threads signatures at the same time; a token needs as many sessions
/// @param queueMax signatures that wait for a thread; one more fails at once
/// @param timeout from when a thread takes the request to the signature, after which the key is
///     taken for dead; and how long a request waits for a thread, after which it fails alone
/// @param healthInterval how often an idle key is tried with a signature
public record KeyLimits(int threads, int queueMax, Duration timeout, Duration healthInterval) {

    /// More than a card does at once, and few of the sessions that a network module sells.
    public static final int DEFAULT_THREADS = 4;

    /// The most that may be asked for: each has a stack and a session.
    public static final int THREADS_MAX = 256;

    /// Two seconds of signatures at 500 a second.
    public static final int DEFAULT_QUEUE_MAX = 1000;

    /// A hundred times a slow card's signature; a peer waits longer than this for a greeting.
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(2);

    /// A card that dies in an idle hour is known before the next peer comes.
    public static final Duration DEFAULT_HEALTH_INTERVAL = Duration.ofSeconds(5);

    public static final KeyLimits DEFAULT =
            new KeyLimits(
                    DEFAULT_THREADS, DEFAULT_QUEUE_MAX, DEFAULT_TIMEOUT, DEFAULT_HEALTH_INTERVAL);

    /// @throws IllegalArgumentException for what is not positive
    public KeyLimits {
        if (threads < 1
                || threads > THREADS_MAX
                || queueMax < 1
                || !timeout.isPositive()
                || !healthInterval.isPositive()) {
            throw new IllegalArgumentException("limits of a key are above zero");
        }
    }
}
