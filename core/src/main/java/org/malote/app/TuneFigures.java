package org.malote.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What `malote tune` has seen of a host. Time is in nanoseconds; a list is empty where nothing was
/// measured, and `notes` says why.
///
/// @param foreignShare of the processors, what others than the measurements used meanwhile: 0 to 1,
///     NaN where no measurement came to its end
/// @param notes in sentences: what could not be measured, and what must be known of the rest
record TuneFigures(
        Host host,
        List<Tls> tls,
        List<Commit> commits,
        List<Trial> trials,
        double foreignShare,
        List<String> notes) {

    TuneFigures {
        tls = List.copyOf(tls);
        commits = List.copyOf(commits);
        trials = List.copyOf(trials);
        notes = List.copyOf(notes);
    }

    /// What the system tells.
    ///
    /// @param processors that this process may use: of its control group, if it is in one
    /// @param memoryBytes that this process may use, likewise
    /// @param diskFreeBytes of the file system of the spool
    /// @param descriptorsMax that a process of this user may open
    /// @param load the load average of a minute before the run; below zero where it is not told
    record Host(
            int processors,
            long memoryBytes,
            long diskFreeBytes,
            String fileSystem,
            long descriptorsMax,
            double load,
            String jvm) {}

    /// A key, with an engine and a provider.
    ///
    /// @param own whether it is of the operator's configuration, and not one that was made to
    ///     measure
    /// @param byJdk whether the time of the signature is the JDK's, since the engine signs by
    ///     itself in a handshake
    /// @param full13 a full handshake of TLS 1.3, both ends together
    /// @param resumed13 0 where sessions are not resumed
    record Tls(
            String engine,
            String provider,
            String keyType,
            boolean own,
            long signatureNanos,
            boolean byJdk,
            long full13,
            long resumed13,
            long full12,
            long resumed12) {

        /// Whether this is the same thing, measured once more.
        boolean isOfSame(Tls other) {
            return engine.equals(other.engine)
                    && provider.equals(other.provider)
                    && keyType.equals(other.keyType)
                    && own == other.own;
        }

        /// The smaller of each figure: what a loaded host adds is never below zero.
        Tls least(Tls other) {
            return new Tls(
                    engine,
                    provider,
                    keyType,
                    own,
                    Math.min(signatureNanos, other.signatureNanos),
                    byJdk,
                    Math.min(full13, other.full13),
                    leastMeasured(resumed13, other.resumed13),
                    Math.min(full12, other.full12),
                    leastMeasured(resumed12, other.resumed12));
        }

        /// A pass in which nothing was resumed says nothing of what that costs.
        private static long leastMeasured(long some, long other) {
            return some == 0 || other == 0 ? Math.max(some, other) : Math.min(some, other);
        }
    }

    /// Groups of records of 8 KiB, put on stable storage by the journal.
    ///
    /// @param journal as the configuration names it
    /// @param records of one group
    record Commit(String journal, int records, long perSecond, long p50Nanos, long p99Nanos) {}

    /// A server with peers that send as fast as they get acknowledgements, in a JVM of its own.
    ///
    /// @param cpuNanos of server and peers for one message
    /// @param p99Nanos from a message's last octet to its 250
    record Trial(TuneJvm jvm, double perSecond, long cpuNanos, long p99Nanos, long residentBytes) {}

    /// The trials of some flags, in the order in which they were.
    List<Trial> trialsOf(TuneJvm jvm) {
        return trials.stream().filter(trial -> trial.jvm().equals(jvm)).toList();
    }

    /// The middle of some values, or the mean of the two; NaN of none.
    static double median(List<Double> values) {
        if (values.isEmpty()) {
            return Double.NaN;
        }
        List<Double> sorted = new ArrayList<>(values);
        sorted.sort(null);
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(half)
                : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    /// `8.0 GiB`, `256 MiB`.
    static String bytes(long bytes) {
        return bytes < 1L << 30
                ? (bytes >> 20) + " MiB"
                : String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }
}
