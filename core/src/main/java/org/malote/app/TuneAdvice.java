package org.malote.app;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.malote.config.Settings;
import org.malote.offload.TlsSettings;

/// What follows from the figures of a host: a function of them and of the settings that are there.
///
/// What is usual stays unless something else is better by more than [#MARGIN]: two runs of the same
/// thing differ by half of that. Of JVMs each round has to be better, too; engine and provider are
/// judged by the least of all passes, journals by their one run. And what is usual stays where
/// others used the host meanwhile, for then they decide.
///
/// @param toml lines for the configuration, each value with its figures
/// @param jvmArguments a file of arguments for the JVM, likewise
record TuneAdvice(String toml, String jvmArguments) {
    /// What has to be gained before the usual is left.
    private static final double MARGIN = 0.1;

    /// What has to be gained where there was one round alone.
    private static final double MARGIN_OF_ONE_ROUND = 0.25;

    /// What others may use of the processors meanwhile.
    private static final double FOREIGN_SHARE_MAX = 0.15;

    private static final long MIB = 1 << 20;

    /// Of an idle session inside TLS: benchmarks/history/idle.jsonl, 2026-11-26T12:11:27Z.
    private static final long SESSION_BYTES = 14_951;

    /// Of the memory, for sessions, and for the buffers outside of the heap.
    private static final int EIGHTH = 8;

    /// A JVM starts with less, and collects garbage all the time.
    private static final long HEAP_BYTES_MIN = 128 * MIB;

    /// The index of ten million messages fits, and a full collection stays short.
    private static final long HEAP_BYTES_MAX = 8L << 30;

    private static final long DIRECT_BYTES_MIN = 128 * MIB;
    private static final long DIRECT_BYTES_MAX = 4L << 30;
    private static final long INTAKE_BYTES_MAX = 1L << 30;

    /// The journal's files: as many as there is room for.
    private static final long SEGMENT_BYTES = 256 * MIB;

    /// Connections to hosts, files of messages, Maildirs and the journal.
    private static final int OTHER_DESCRIPTORS = 2048;

    private static final int SESSIONS_MIN = 10;

    /// A force of a disk that keeps what it has takes longer than this.
    private static final long FORCE_NANOS_MIN = 10_000;

    /// Each message of a peer that sends one after the other waits for so long.
    private static final long FORCE_NANOS_SLOW = 20_000_000;

    private static final String BORINGSSL = "boringssl";
    private static final Set<String> FILE_PROVIDERS = Set.of("native", "libcrypto");

    /// @param current what the advice is for: what it does not speak of stays
    static TuneAdvice of(TuneFigures figures, Settings current) {
        return new TuneAdvice(toml(figures, current), jvm(figures));
    }

    // ---- The configuration ------------------------------------------------------------------

    private static String toml(TuneFigures figures, Settings current) {
        List<String> lines = new ArrayList<>();
        lines.add("# By malote tune. Lines for the tables of the same names in malote.toml.");
        host(lines, figures);
        tls(lines, figures, current.tls());
        queue(lines, figures, current);
        limits(lines, figures.host(), current);
        return String.join("\n", lines) + "\n";
    }

    private static void host(List<String> lines, TuneFigures figures) {
        TuneFigures.Host host = figures.host();
        lines.add(
                String.format(
                        Locale.ROOT,
                        "# %d %s, %s of memory, %s, load %s, %s",
                        host.processors(),
                        host.processors() == 1 ? "processor" : "processors",
                        TuneFigures.bytes(host.memoryBytes()),
                        host.fileSystem(),
                        host.load() < 0
                                ? "not told"
                                : String.format(Locale.ROOT, "%.1f", host.load()),
                        host.jvm()));
        lines.add(
                "# Others used "
                        + (Double.isNaN(figures.foreignShare())
                                ? "nobody knows how much"
                                : Math.round(figures.foreignShare() * 100) + " %")
                        + " of the processors meanwhile"
                        + (isBusy(figures)
                                ? ": too much to compare. What is usual stays; measure again."
                                : "."));
        for (String note : figures.notes()) {
            lines.add("# Note: " + note.replaceAll("\\p{Cntrl}+", " "));
        }
    }

    private static boolean isBusy(TuneFigures figures) {
        return !(figures.foreignShare() <= FOREIGN_SHARE_MAX); // nor where it is not known
    }

    private static void tls(List<String> lines, TuneFigures figures, TlsSettings current) {
        lines.add("");
        lines.add("[tls]");
        if (figures.tls().isEmpty()) {
            lines.add("# Nothing was measured: no advice.");
            return;
        }
        lines.add("# Microseconds: a signature; handshakes with ourselves, both ends together.");
        lines.add(
                String.format(
                        Locale.ROOT,
                        "# %-9s  %-9s  %-8s  %9s  %8s  %11s  %8s  %11s",
                        "engine",
                        "provider",
                        "key",
                        "signature",
                        "1.3 full",
                        "1.3 resumed",
                        "1.2 full",
                        "1.2 resumed"));
        for (TuneFigures.Tls row : figures.tls()) {
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "# %-9s  %-9s  %-8s  %9s  %8s  %11s  %8s  %11s%s",
                            row.engine(),
                            row.provider(),
                            row.keyType(),
                            micros(row.signatureNanos()) + (row.byJdk() ? "*" : " "),
                            micros(row.full13()),
                            micros(row.resumed13()),
                            micros(row.full12()),
                            micros(row.resumed12()),
                            row.own() ? "  (yours)" : ""));
        }
        if (figures.tls().stream().anyMatch(TuneFigures.Tls::byJdk)) {
            lines.add("# * by the JDK, to compare keys: in a handshake the engine itself signs");
        }
        Set<String> keys = keyTypes(figures);
        String engine = engine(lines, figures, keys, current);
        provider(lines, figures, keys, engine, current);
        certificates(lines, figures, engine, keys);
    }

    private static String micros(long nanos) {
        return nanos == 0 ? "-" : String.format(Locale.ROOT, "%,d", (nanos + 500) / 1000);
    }

    /// Of the operator's certificates; of the two kinds that mail servers have where there are
    /// none.
    private static Set<String> keyTypes(TuneFigures figures) {
        Set<String> own = new TreeSet<>();
        Set<String> made = new TreeSet<>();
        for (TuneFigures.Tls row : figures.tls()) {
            (row.own() ? own : made).add(row.keyType());
        }
        own.retainAll(made);
        return own.isEmpty() ? new TreeSet<>(List.of("P-256", "RSA-2048")) : own;
    }

    /// Of a full handshake, over kinds of keys; NaN where one was not measured.
    private static double cost(
            TuneFigures figures,
            String engine,
            String provider,
            Set<String> keys,
            ToDoubleFunction<TuneFigures.Tls> nanos) {
        double sum = 0;
        for (String key : keys) {
            sum +=
                    figures.tls().stream()
                            .filter(row -> !row.own())
                            .filter(row -> row.engine().equals(engine))
                            .filter(row -> row.provider().equals(provider))
                            .filter(row -> row.keyType().equals(key))
                            .mapToDouble(nanos)
                            .findFirst()
                            .orElse(Double.NaN);
        }
        return sum;
    }

    private static double full(TuneFigures.Tls row) {
        return row.full13() + row.full12();
    }

    private static String engine(
            List<String> lines, TuneFigures figures, Set<String> keys, TlsSettings current) {
        double boringSsl = cost(figures, BORINGSSL, "native", keys, TuneAdvice::full);
        double openSsl = cost(figures, "openssl", "native", keys, TuneAdvice::full);
        String chosen = BORINGSSL;
        if (figures.tls().stream().noneMatch(row -> row.engine().equals(BORINGSSL))) {
            chosen = Double.isNaN(openSsl) ? "jdk" : "openssl";
            lines.add("# BoringSSL did not serve here.");
        } else if (isBusy(figures)) {
            chosen = current.engine().settingName();
        } else if (openSsl < boringSsl * (1 - MARGIN)) {
            chosen = "openssl";
        }
        lines.add(
                "# Full handshakes with "
                        + String.join(" and ", keys)
                        + " keys: "
                        + chosen
                        + share(
                                cost(figures, chosen, "native", keys, TuneAdvice::full),
                                boringSsl,
                                BORINGSSL));
        lines.add("engine   = \"" + chosen + "\"");
        return chosen;
    }

    private static String share(double nanos, double base, String of) {
        return Double.isNaN(nanos) || Double.isNaN(base)
                ? ""
                : String.format(
                        Locale.ROOT, ", %,.0f µs, %.2f times %s's", nanos / 1000, nanos / base, of);
    }

    private static void provider(
            List<String> lines,
            TuneFigures figures,
            Set<String> keys,
            String engine,
            TlsSettings current) {
        if (!FILE_PROVIDERS.contains(current.provider())) {
            lines.add("# Your keys are with this provider, and stay there.");
            lines.add("provider = \"" + current.provider() + "\"");
            return;
        }
        double inEngine = cost(figures, engine, "native", keys, TuneAdvice::full);
        double outside = cost(figures, engine, "libcrypto", keys, TuneAdvice::full);
        boolean isOutside =
                isBusy(figures)
                        ? current.provider().equals("libcrypto")
                        : outside < inEngine * (1 - MARGIN);
        lines.add(
                Double.isNaN(outside)
                        ? "# libcrypto was not measured with this engine."
                        : "# The same with libcrypto" + share(outside, inEngine, "native"));
        lines.add(
                "provider = \"" + (isOutside ? "libcrypto" : TlsSettings.DEFAULT_PROVIDER) + "\"");
    }

    private static void certificates(
            List<String> lines, TuneFigures figures, String engine, Set<String> keys) {
        double curve = cost(figures, engine, "native", Set.of("P-256"), TuneFigures.Tls::full13);
        double rsa = cost(figures, engine, "native", Set.of("RSA-2048"), TuneFigures.Tls::full13);
        if (Double.isNaN(curve) || Double.isNaN(rsa)) {
            return;
        }
        lines.add(
                String.format(
                        Locale.ROOT,
                        "# certificates: a full handshake of TLS 1.3 with P-256 costs %.2f times"
                                + " that with RSA-2048.",
                        curve / rsa));
        boolean hasOwn = figures.tls().stream().anyMatch(TuneFigures.Tls::own);
        if (curve < rsa * (1 - MARGIN)) {
            lines.add(
                    !hasOwn || keys.contains("P-256")
                            ? "# Serve P-256 first, and RSA beside it for peers that need it."
                            : "# You serve none with P-256: get one, and keep the other beside it.");
        }
    }

    private static void queue(List<String> lines, TuneFigures figures, Settings current) {
        lines.add("");
        lines.add("[queue]");
        for (TuneFigures.Commit row : figures.commits()) {
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "# %-9s a commit of %3d x 8 KiB: p50 %s µs, p99 %s µs, %,d messages/s",
                            row.journal(),
                            row.records(),
                            micros(row.p50Nanos()),
                            micros(row.p99Nanos()),
                            row.perSecond()));
        }
        TuneFigures.Commit one = commit(figures, "segment", 1);
        if (one != null) {
            if (one.p50Nanos() < FORCE_NANOS_MIN) {
                lines.add("# A force is too fast for a disk: does this one keep what it says?");
            } else if (one.p50Nanos() > FORCE_NANOS_SLOW) {
                lines.add("# Slow: put the spool on a solid-state disk.");
            }
        }
        lines.add(
                "# A 250 promises that the message outlives a power cut: no figure changes that.");
        lines.add("durability    = \"commit\"");
        lines.add("journal       = \"" + journal(figures) + "\"");
        spares(lines, figures, current);
        long intake = intakeBytes(figures.host().memoryBytes());
        lines.add(
                "# A quarter of the buffers outside of the heap, "
                        + TuneFigures.bytes(directBytes(figures.host().memoryBytes())));
        lines.add("intake-memory = \"" + intake / MIB + "MiB\"");
    }

    private static TuneFigures.@Nullable Commit commit(
            TuneFigures figures, String journal, int records) {
        for (TuneFigures.Commit row : figures.commits()) {
            if (row.journal().equals(journal) && row.records() == records) {
                return row;
            }
        }
        return null;
    }

    private static String journal(TuneFigures figures) {
        TuneFigures.Commit segment = commit(figures, "segment", 16);
        TuneFigures.Commit chronicle = commit(figures, "chronicle", 16);
        boolean isChronicle =
                !isBusy(figures)
                        && segment != null
                        && chronicle != null
                        && chronicle.perSecond() * (1 - MARGIN) > segment.perSecond()
                        && chronicle.p99Nanos() < segment.p99Nanos() * (1 - MARGIN);
        return isChronicle ? "chronicle" : "segment";
    }

    private static void spares(List<String> lines, TuneFigures figures, Settings current) {
        long free =
                figures.host().diskFreeBytes() - current.queue().limits().freeSpaceReserveBytes();
        long room = Math.max(0, free / EIGHTH / SEGMENT_BYTES * SEGMENT_BYTES);
        long wanted = Math.max(current.queue().sparesBytes(), 1L << 30);
        long spares = Math.min(wanted, room);
        TuneFigures.Commit full = commit(figures, "segment", 128);
        lines.add(
                "# An eighth of the free space beside the reserve at most, "
                        + TuneFigures.bytes(room)
                        + (full == null || full.perSecond() == 0 || spares == 0
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        "; at the disk's full speed they last %.1f s",
                                        spares / (full.perSecond() * 8192.0))));
        lines.add("spares        = " + (spares == 0 ? "0" : "\"" + spares / MIB + "MiB\""));
    }

    private static void limits(List<String> lines, TuneFigures.Host host, Settings current) {
        long byMemory = host.memoryBytes() / EIGHTH / SESSION_BYTES;
        long byDescriptors = host.descriptorsMax() - OTHER_DESCRIPTORS;
        long wanted = current.limits().sessionsMax();
        long sessions = Math.max(SESSIONS_MIN, Math.min(wanted, Math.min(byMemory, byDescriptors)));
        lines.add("");
        lines.add("[limits]");
        lines.add(
                String.format(
                        Locale.ROOT,
                        "# You ask for %,d. An eighth of the memory holds %,d (15.0 KB each,"
                                + " measured elsewhere); descriptors, %,d,",
                        wanted,
                        byMemory,
                        host.descriptorsMax()));
        lines.add("# allow " + String.format(Locale.ROOT, "%,d.", Math.max(0, byDescriptors)));
        lines.add("sessions-max = " + sessions);
    }

    // ---- The JVM ----------------------------------------------------------------------------

    static long heapBytes(long memoryBytes) {
        return Math.clamp(memoryBytes / 4, HEAP_BYTES_MIN, HEAP_BYTES_MAX) / MIB * MIB;
    }

    static long directBytes(long memoryBytes) {
        return Math.clamp(memoryBytes / EIGHTH, DIRECT_BYTES_MIN, DIRECT_BYTES_MAX) / MIB * MIB;
    }

    static long intakeBytes(long memoryBytes) {
        return Math.min(INTAKE_BYTES_MAX, directBytes(memoryBytes) / 4) / MIB * MIB;
    }

    private static String jvm(TuneFigures figures) {
        TuneFigures.Host host = figures.host();
        TuneJvm usual = TuneJvm.usual(host.processors());
        List<String> lines = new ArrayList<>();
        lines.add("# By malote tune. MALOTE_JAVA_OPTIONS=@THIS-FILE makes the launcher use it.");
        lines.add("# A quarter of " + TuneFigures.bytes(host.memoryBytes()) + " of memory.");
        lines.add("-Xmx" + heapBytes(host.memoryBytes()) / MIB + "m");
        lines.add("# An eighth of it, for buffers of sessions and of unfinished messages.");
        lines.add("-XX:MaxDirectMemorySize=" + directBytes(host.memoryBytes()) / MIB + "m");
        trials(lines, figures);
        TuneJvm chosen = chosen(figures);
        lines.add("# Collector, headers and allocator: each tried with the others as usual.");
        if (!chosen.collector().equals(usual.collector())) {
            lines.add("-XX:-UseParallelGC");
        }
        lines.add("-XX:+Use" + chosen.collector() + "GC");
        lines.add(
                chosen.compactHeaders()
                        ? "-XX:+UseCompactObjectHeaders"
                        : "-XX:-UseCompactObjectHeaders");
        lines.add("-Dio.netty.allocator.type=" + chosen.allocator());
        if (chosen.processors() == host.processors()) {
            lines.add(
                    "# Event loops: one for each of "
                            + host.processors()
                            + (host.processors() == 1 ? " processor" : " processors")
                            + ", as without a flag.");
        } else {
            lines.add("# Event loops: other than one a processor.");
            lines.add("-XX:ActiveProcessorCount=" + chosen.processors());
        }
        return String.join("\n", lines) + "\n";
    }

    private static void trials(List<String> lines, TuneFigures figures) {
        if (figures.trials().isEmpty()) {
            lines.add("# No server was tried: what follows is as usual.");
            return;
        }
        lines.add("# Servers with 32 peers that share their processors, 4 KiB plain; medians:");
        lines.add(
                String.format(
                        Locale.ROOT,
                        "# %-20s  %6s  %14s  %10s  %8s  %s",
                        "JVM",
                        "rounds",
                        "CPU µs/message",
                        "messages/s",
                        "p99 µs",
                        "memory"));
        for (TuneJvm jvm :
                figures.trials().stream().map(TuneFigures.Trial::jvm).distinct().toList()) {
            List<TuneFigures.Trial> rounds = figures.trialsOf(jvm);
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "# %-20s  %6d  %14.0f  %,10.0f  %8s  %s",
                            jvm.text(figures.host().processors()),
                            rounds.size(),
                            median(rounds, TuneFigures.Trial::cpuNanos) / 1000,
                            median(rounds, TuneFigures.Trial::perSecond),
                            micros((long) median(rounds, TuneFigures.Trial::p99Nanos)),
                            TuneFigures.bytes(
                                    (long) median(rounds, TuneFigures.Trial::residentBytes))));
        }
    }

    private static double median(
            List<TuneFigures.Trial> rounds, ToDoubleFunction<TuneFigures.Trial> value) {
        return TuneFigures.median(rounds.stream().mapToDouble(value).boxed().toList());
    }

    /// The best of each thing that was tried alone.
    private static TuneJvm chosen(TuneFigures figures) {
        TuneJvm usual = TuneJvm.usual(figures.host().processors());
        ToDoubleFunction<TuneFigures.Trial> cpu = TuneFigures.Trial::cpuNanos;
        // More is better.
        ToDoubleFunction<TuneFigures.Trial> pace = trial -> 1 / trial.perSecond();
        return usual.withCollector(
                        best(figures, usual, jvm -> usual.withCollector(jvm.collector()), cpu)
                                .collector())
                .withAllocator(
                        best(figures, usual, jvm -> usual.withAllocator(jvm.allocator()), cpu)
                                .allocator())
                .withCompactHeaders(
                        best(
                                        figures,
                                        usual,
                                        jvm -> usual.withCompactHeaders(jvm.compactHeaders()),
                                        cpu)
                                .compactHeaders())
                .withProcessors(
                        best(figures, usual, jvm -> usual.withProcessors(jvm.processors()), pace)
                                .processors());
    }

    /// The JVM that differs from the usual one in one thing alone and is clearly better, or the
    /// usual one.
    ///
    /// @param thing the usual JVM with this thing of another
    /// @param cost less is better
    private static TuneJvm best(
            TuneFigures figures,
            TuneJvm usual,
            Function<TuneJvm, TuneJvm> thing,
            ToDoubleFunction<TuneFigures.Trial> cost) {
        List<TuneFigures.Trial> ofUsual = figures.trialsOf(usual);
        return figures.trials().stream()
                .map(TuneFigures.Trial::jvm)
                .distinct()
                .filter(jvm -> jvm.equals(thing.apply(jvm)))
                .filter(_ -> !isBusy(figures))
                .filter(jvm -> isClearlyBetter(figures.trialsOf(jvm), ofUsual, cost))
                .min(Comparator.comparingDouble(jvm -> median(figures.trialsOf(jvm), cost)))
                .orElse(usual);
    }

    /// Each round of one is better than each of the other, the medians by the margin, and nobody
    /// waits twice as long for it.
    private static boolean isClearlyBetter(
            List<TuneFigures.Trial> some,
            List<TuneFigures.Trial> usual,
            ToDoubleFunction<TuneFigures.Trial> cost) {
        if (some.isEmpty() || usual.isEmpty()) {
            return false;
        }
        double margin = Math.min(some.size(), usual.size()) > 1 ? MARGIN : MARGIN_OF_ONE_ROUND;
        double worst = some.stream().mapToDouble(cost).max().orElseThrow();
        double bestUsual = usual.stream().mapToDouble(cost).min().orElseThrow();
        return worst < bestUsual
                && median(some, cost) < median(usual, cost) * (1 - margin)
                && median(some, TuneFigures.Trial::p99Nanos)
                        <= 2 * median(usual, TuneFigures.Trial::p99Nanos);
    }
}
