package org.malote.queue.schedule;

/// How often entries of sites that are down are handed out to be told so, over all sites together.
final class TellingPace {
    /// Ours: 100,000 entries of one dead destination take a quarter of an hour, and they cost the
    /// others less than a hundredth of a processor.
    private static final int PER_SECOND = 100;

    private static final long INTERVAL_MILLIS = 1000 / PER_SECOND;

    private long reservedMillis;

    /// The next moment that nobody else has, in milliseconds since 1970.
    long reserve(long nowMillis) {
        reservedMillis = Math.max(reservedMillis, nowMillis) + INTERVAL_MILLIS;
        return reservedMillis;
    }

    /// The clock was set back.
    void rewind(long nowMillis) {
        reservedMillis = Math.min(reservedMillis, nowMillis);
    }
}
