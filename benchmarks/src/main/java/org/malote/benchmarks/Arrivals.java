package org.malote.benchmarks;

import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;

/// Which numbered messages came, by run. Any thread.
final class Arrivals {
    /// Ours: a sink sees one run, or a few after each other. Later ones are not counted.
    private static final int RUNS_MAX = 64;

    private final long expected;
    private final Map<Long, BitSet> runs = new LinkedHashMap<>();
    private long messages;
    private long octets;
    private long duplicates;
    private long broken;
    private long unnumbered;
    private long recipients;
    private long refused;

    /// @param expected how many different messages are to come, of all runs; 0 when that is not
    ///     known
    Arrivals(long expected) {
        this.expected = expected;
    }

    /// A numbered message came.
    synchronized void numbered(long run, int number, boolean isWhole, long length) {
        count(length);
        if (!isWhole) {
            broken++;
            return;
        }
        BitSet seen = runs.get(run);
        if (seen == null) {
            if (runs.size() == RUNS_MAX) {
                unnumbered++;
                return;
            }
            seen = new BitSet();
            runs.put(run, seen);
        }
        if (seen.get(number)) {
            duplicates++;
        }
        seen.set(number);
    }

    /// One came that is none of malote-blast's.
    synchronized void other(long length) {
        count(length);
        unnumbered++;
    }

    /// Whether the next recipient is refused: of each hundred in a row the share is.
    synchronized boolean isRecipientRefused(double share) {
        recipients++;
        boolean isRefused = Math.floor(recipients * share) > Math.floor((recipients - 1) * share);
        if (isRefused) {
            refused++;
        }
        return isRefused;
    }

    private void count(long length) {
        messages++;
        octets += length;
    }

    synchronized long messages() {
        return messages;
    }

    /// Whether nothing came twice or broken, and nothing is missing.
    synchronized boolean isSound() {
        return duplicates == 0 && broken == 0 && missing() == 0;
    }

    /// Of those expected, how many did not come. Where nobody knows how many: numbers below the
    /// highest of their run that did not come (malote-blast counts from 1). Then a lost tail is not
    /// seen, and a message that was refused after its text, as one of the last, is taken for lost.
    private long missing() {
        if (expected > 0) {
            long came = runs.values().stream().mapToLong(BitSet::cardinality).sum();
            return Math.max(0, expected - came);
        }
        return runs.values().stream()
                .mapToLong(seen -> seen.length() - 1 - seen.cardinality())
                .sum();
    }

    /// One object.
    synchronized String json() {
        return "{\"messages\":"
                + messages
                + ",\"octets\":"
                + octets
                + ",\"runs\":"
                + runs.size()
                + ",\"expected\":"
                + expected
                + ",\"missing\":"
                + missing()
                + ",\"duplicates\":"
                + duplicates
                + ",\"broken\":"
                + broken
                + ",\"unnumbered\":"
                + unnumbered
                + ",\"refused\":"
                + refused
                + "}";
    }
}
