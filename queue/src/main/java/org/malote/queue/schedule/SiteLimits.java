package org.malote.queue.schedule;

/// What bounds the attempts at one site.
///
/// @param windowMax attempts at a time; the window grows up to it
/// @param perSecond attempts begun in a second; 0 for no bound
public record SiteLimits(int windowMax, double perSecond) {
    public SiteLimits {
        if (windowMax < 1) {
            throw new IllegalArgumentException("a window must let one attempt through");
        }
        if (!(perSecond >= 0) || Double.isInfinite(perSecond)) {
            throw new IllegalArgumentException("a rate must be a number from 0 on");
        }
    }

    /// No rate, and this window.
    public static SiteLimits window(int max) {
        return new SiteLimits(max, 0);
    }
}
