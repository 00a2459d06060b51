package org.malote.queue.schedule;

import java.util.ArrayDeque;
import java.util.random.RandomGenerator;

/// The hosts that take the mail of one destination or of several, as one thing that is well or ill.
///
/// How many attempts it gets at a time follows how it fares, as in Postfix's queue manager
/// (SCHEDULER_README): a window of 5 to begin with, a bit more for each answer while the window is
/// full, one less for each failure. A windowful of failures in a row, and the site counts as down:
/// then a single attempt is made now and then to see whether it is back, from one minute to a
/// quarter of an hour apart. What waits for it meanwhile stays in line and costs nothing, but for
/// a few entries a second that are handed out to be told how it stands: so that each message, in
/// time, says why it waits, and one that has become too old is given up.
final class Site {
    /// Postfix's initial_destination_concurrency.
    static final int WINDOW_FIRST = 5;

    /// A host that did not answer is left alone for so long, twice as long each time. Ours: the
    /// time in which a host boots.
    static final long DOWN_FIRST_MILLIS = 60_000;

    /// Ours: mail must not wait much longer for a host that is back than for one retry.
    static final long DOWN_MAX_MILLIS = 15 * 60_000;

    /// What a site that sent nothing for a while may send at once beyond its rate.
    private static final double BURST_MILLIS = 100;

    private static final double SECOND_MILLIS = 1000;

    /// A wait varies by a tenth of it either way, so that sites that failed together are not tried
    /// together.
    private static final double JITTER = 0.1;

    final String key;
    SiteLimits limits;

    /// Lanes with a due entry, in turn.
    final ArrayDeque<Lane> turns = new ArrayDeque<>();

    /// Its place is in the line of sites, or among those that wait for a time.
    boolean inTurn;

    boolean isPaused;

    int lanes;
    int claims;

    private double window;

    /// Answers that count: as many as were under way when the window was last full. A window that
    /// is not used does not grow.
    private int growth;

    /// Since the last answer, and how many of them mean that the site is down.
    private int failures;

    private int failuresMax;
    private boolean isDown;
    private long downUntilMillis;
    private long downMillis;
    private String trouble = "";

    /// The attempt that finds out whether the site is back.
    int probe = EntryTable.NONE;

    /// The next attempt that the rate allows, fractions of milliseconds counted.
    private double allowedMillis;

    /// The next entry that is told that the site is down.
    private long tellMillis;

    private final TellingPace telling;

    Site(String key, SiteLimits limits, TellingPace telling) {
        this.key = key;
        this.limits = limits;
        this.telling = telling;
        this.window = Math.min(WINDOW_FIRST, limits.windowMax());
    }

    boolean isDown() {
        return isDown;
    }

    /// Of the last failure.
    String trouble() {
        return trouble;
    }

    int window() {
        return (int) window;
    }

    void setLimits(SiteLimits changed) {
        limits = changed;
        window = Math.min(window, changed.windowMax());
    }

    /// Whether an attempt more fits into the window; time is another matter.
    boolean hasRoom() {
        return claims < (isDown ? limits.windowMax() : window());
    }

    /// The time before which it gets no attempt; in the past when it may have one.
    long notBeforeMillis() {
        if (!isDown) {
            return (long) Math.ceil(allowedMillis);
        }
        return probe == EntryTable.NONE ? Math.min(tellMillis, downUntilMillis) : tellMillis;
    }

    /// An entry is handed out.
    ///
    /// @return whether it is only to be told that the site is down
    boolean began(int entry, long nowMillis) {
        if (isDown && (nowMillis < downUntilMillis || probe != EntryTable.NONE)) {
            tellMillis = telling.reserve(nowMillis);
            return true;
        }
        if (isDown) {
            probe = entry;
        } else if (claims >= window()) {
            growth = window();
        }
        if (limits.perSecond() > 0) {
            allowedMillis =
                    Math.max(allowedMillis, nowMillis - BURST_MILLIS)
                            + SECOND_MILLIS / limits.perSecond();
        }
        return false;
    }

    /// How an attempt ended.
    void ended(int entry, Feedback feedback, long nowMillis, RandomGenerator random) {
        boolean wasProbe = probe == entry;
        if (wasProbe) {
            probe = EntryTable.NONE;
        }
        switch (feedback) {
            case Feedback.None _ -> {}
            case Feedback.Answered _ -> {
                failures = 0;
                if (isDown) {
                    isDown = false;
                    downMillis = 0;
                    window = 1;
                } else if (growth > 0) {
                    growth--;
                    window = Math.min(limits.windowMax(), window + 1 / window);
                }
            }
            case Feedback.Failed(String sentence) -> {
                trouble = sentence;
                if (isDown) {
                    // Attempts from before say nothing new.
                    if (wasProbe) {
                        goDown(nowMillis, random);
                    }
                    return;
                }
                if (failures++ == 0) {
                    failuresMax = window();
                }
                window = Math.max(1, window - 1);
                if (failures >= failuresMax) {
                    goDown(nowMillis, random);
                }
            }
        }
    }

    private void goDown(long nowMillis, RandomGenerator random) {
        isDown = true;
        downMillis =
                downMillis == 0 ? DOWN_FIRST_MILLIS : Math.min(DOWN_MAX_MILLIS, 2 * downMillis);
        double jitter = 1 + JITTER * (2 * random.nextDouble() - 1);
        downUntilMillis = nowMillis + (long) (downMillis * jitter);
        tellMillis = telling.reserve(nowMillis);
    }

    /// The clock was set back: what was to be waited for by it is so no more.
    void rewind(long nowMillis) {
        allowedMillis = Math.min(allowedMillis, (double) nowMillis);
        tellMillis = Math.min(tellMillis, nowMillis);
        downUntilMillis = Math.min(downUntilMillis, nowMillis + DOWN_MAX_MILLIS);
    }
}
