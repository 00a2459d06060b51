package org.malote.benchmarks;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/// What came of a load. Belongs to one event loop; read when that has ended.
final class Tally {
    /// Longer is counted as this. Ours: RFC 5321 §4.5.3.2.6 lets a final reply take as long.
    private static final long MICROS_MAX = 600_000_000;

    /// Ours: two servers never fail in so many ways.
    private static final int FAILURE_KINDS_MAX = 20;

    private static final int DIGITS = 3;

    private final Histogram connectionMicros = new Histogram(MICROS_MAX, DIGITS);
    private final Histogram messageMicros = new Histogram(MICROS_MAX, DIGITS);
    private final Map<Integer, Long> refusals = new TreeMap<>();
    private final Map<String, Long> failures = new TreeMap<>();

    // Read by the progress line.
    private volatile long connections;
    private volatile long messages;

    private long resumed;
    private long refused;
    private long failed;
    private long begun;
    private long late;
    private long unbegun;
    private double rate;
    private long firstNanos;
    private long lastBegunNanos;
    private long lastNanos;

    /// @param askedRate connections that are due in a second; 0 for no rate
    void begin(long nowNanos, double askedRate) {
        rate = askedRate;
        firstNanos = nowNanos;
        lastBegunNanos = nowNanos;
        lastNanos = nowNanos;
    }

    /// A connection, whatever becomes of it.
    void begun(long nowNanos) {
        begun++;
        lastBegunNanos = nowNanos;
    }

    /// A connection that begins had to wait for a session.
    void late() {
        late++;
    }

    /// A connection was due, and never began. It is timed as if it had been made at the end of its
    /// waiting, which is the least that it would have taken.
    ///
    /// @param hasMessage whether a message was due with it
    void unbegun(long waitedNanos, boolean hasMessage) {
        late++;
        unbegun++;
        connectionMicros.recordValue(micros(waitedNanos));
        if (hasMessage) {
            messageMicros.recordValue(micros(waitedNanos));
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void connected(long tookNanos, long nowNanos) {
        connectionMicros.recordValue(micros(tookNanos));
        connections++;
        lastNanos = nowNanos;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void accepted(long tookNanos, long nowNanos) {
        messageMicros.recordValue(micros(tookNanos));
        messages++;
        lastNanos = nowNanos;
    }

    void resumed() {
        resumed++;
    }

    /// A message, or a connection that was sent away.
    void refused(int code) {
        refused++;
        refusals.merge(code, 1L, Long::sum);
    }

    void failed(String what) {
        failed++;
        if (failures.containsKey(what) || failures.size() < FAILURE_KINDS_MAX) {
            failures.merge(what, 1L, Long::sum);
        }
    }

    long connections() {
        return connections;
    }

    long messages() {
        return messages;
    }

    long resumedSessions() {
        return resumed;
    }

    long refusals() {
        return refused;
    }

    long failures() {
        return failed;
    }

    /// Connections begun late, or due and never begun.
    long lateConnections() {
        return late;
    }

    long unbegunConnections() {
        return unbegun;
    }

    /// Connections begun in a second, until the last that was due. Like the rate that was asked for
    /// when none is late.
    private double begunPerSecond() {
        long due = begun + unbegun;
        double seconds = Math.max((lastBegunNanos - firstNanos) / 1e9, due / rate);
        return rate == 0 || due == 0 ? 0 : begun / seconds;
    }

    private double seconds() {
        return Math.max((lastNanos - firstNanos) / 1e9, 1e-9);
    }

    private static long micros(long nanos) {
        return Math.clamp(nanos / 1000, 0, MICROS_MAX);
    }

    /// One object. `perSecond` and the percentiles are of messages, where any came.
    String json() {
        boolean isMail = messages > 0;
        return String.format(
                Locale.ROOT,
                "{\"connections\":%d,\"messages\":%d,\"resumed\":%d,\"refused\":%d,\"failed\":%d,"
                        + "\"seconds\":%.3f,\"perSecond\":%.0f,\"p50Micros\":%d,\"p99Micros\":%d,"
                        + "\"askedPerSecond\":%.3f,\"begunPerSecond\":%.3f,\"late\":%d,\"unbegun\":%d,"
                        + "\"connectionMicros\":%s,\"messageMicros\":%s,"
                        + "\"refusals\":%s,\"failures\":%s}",
                connections,
                messages,
                resumed,
                refused,
                failed,
                seconds(),
                (isMail ? messages : connections) / seconds(),
                (isMail ? messageMicros : connectionMicros).getValueAtPercentile(50),
                (isMail ? messageMicros : connectionMicros).getValueAtPercentile(99),
                rate,
                begunPerSecond(),
                late,
                unbegun,
                percentiles(connectionMicros),
                percentiles(messageMicros),
                members(refusals),
                members(failures));
    }

    private static String percentiles(Histogram micros) {
        return String.format(
                Locale.ROOT,
                "{\"p50\":%d,\"p90\":%d,\"p99\":%d,\"p999\":%d,\"max\":%d}",
                micros.getValueAtPercentile(50),
                micros.getValueAtPercentile(90),
                micros.getValueAtPercentile(99),
                micros.getValueAtPercentile(99.9),
                micros.getMaxValue());
    }

    private static String members(Map<?, Long> counts) {
        var text = new StringBuilder("{");
        counts.forEach(
                (name, count) ->
                        text.append(text.length() > 1 ? "," : "")
                                .append('"')
                                .append(String.valueOf(name).replaceAll("[\"\\\\\\p{Cntrl}]", "'"))
                                .append("\":")
                                .append(count));
        return text.append('}').toString();
    }

    /// For people.
    String text() {
        var text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "%,d connections, %,d messages in %.1f s: %,.0f and %,.0f a second%n",
                        connections,
                        messages,
                        seconds(),
                        connections / seconds(),
                        messages / seconds()));
        if (resumed > 0) {
            text.append(String.format("%,d TLS sessions resumed%n", resumed));
        }
        if (rate > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%,.1f connections a second asked for, %,.1f begun: %,d late, %,d of them"
                                    + " never begun%n",
                            rate,
                            begunPerSecond(),
                            late,
                            unbegun));
        }
        row(text, "connection, ms", connectionMicros);
        row(text, "message, ms", messageMicros);
        refusals.forEach(
                (code, n) -> text.append(String.format("refused with %d: %,d%n", code, n)));
        failures.forEach((what, n) -> text.append(String.format("failed: %s: %,d%n", what, n)));
        return text.toString();
    }

    private static void row(StringBuilder text, String name, Histogram micros) {
        if (micros.getTotalCount() > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%-15s p50 %8.2f   p90 %8.2f   p99 %8.2f   p99.9 %8.2f   max %8.2f%n",
                            name,
                            micros.getValueAtPercentile(50) / 1e3,
                            micros.getValueAtPercentile(90) / 1e3,
                            micros.getValueAtPercentile(99) / 1e3,
                            micros.getValueAtPercentile(99.9) / 1e3,
                            micros.getMaxValue() / 1e3));
        }
    }
}
