package org.malote.app;

import java.util.ArrayList;
import java.util.List;

/// What `malote tune` does in the time that it has.
///
/// @param keyRounds signatures, and handshakes of each kind, of each key in each pass
/// @param tlsSeconds expected of all keys with the engines that are inside the process
/// @param openSslSeconds expected of the engine of the system
/// @param diskSeconds for commits
/// @param trialSeconds for each trial of a server, its start included
/// @param trials which JVMs, in order; each round has all of them, and the second begins with the
///     last, so that a load that comes or goes meets all alike
record TunePlan(
        int keyRounds,
        double tlsSeconds,
        double openSslSeconds,
        double diskSeconds,
        double trialSeconds,
        List<TuneJvm> trials) {

    /// Under five minutes, with what a step may overrun.
    static final int SECONDS_MAX = 270;

    static final int SECONDS_DEFAULT = 240;

    /// A server starts, and answers some messages.
    static final int SECONDS_MIN = 5;

    /// A start and a warm-up take most of a shorter one.
    private static final double TRIAL_SECONDS_MIN = 6;

    /// With two one sees whether they agree.
    private static final int ROUNDS = 2;

    private static final double TLS_SHARE = 0.15;
    private static final double OPENSSL_SHARE = 0.07;
    private static final double DISK_SHARE = 0.1;

    /// The median of fewer says little; more change nothing.
    private static final int KEY_ROUNDS_MIN = 6;

    private static final int KEY_ROUNDS_MAX = 60;

    TunePlan {
        trials = List.copyOf(trials);
    }

    /// @param seconds for all of it
    static TunePlan of(int seconds, int processors) {
        double forTrials = seconds * (1 - TLS_SHARE - OPENSSL_SHARE - DISK_SHARE);
        List<TuneJvm> candidates = TuneJvm.candidates(processors);
        int fit = Math.max(1, (int) (forTrials / TRIAL_SECONDS_MIN));
        List<TuneJvm> trials = new ArrayList<>();
        if (fit >= ROUNDS * 2) {
            List<TuneJvm> some = candidates.subList(0, Math.min(candidates.size(), fit / ROUNDS));
            trials.addAll(some);
            trials.addAll(some.reversed());
        } else {
            trials.addAll(candidates.subList(0, Math.min(candidates.size(), fit)));
        }
        return new TunePlan(
                Math.clamp(seconds / 4, KEY_ROUNDS_MIN, KEY_ROUNDS_MAX),
                seconds * TLS_SHARE,
                seconds * OPENSSL_SHARE,
                seconds * DISK_SHARE,
                forTrials / trials.size(),
                trials);
    }

    /// Of all steps.
    double seconds() {
        return tlsSeconds + openSslSeconds + diskSeconds + trialSeconds * trials.size();
    }
}
