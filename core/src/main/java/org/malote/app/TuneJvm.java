package org.malote.app;

import java.util.ArrayList;
import java.util.List;

/// What of a JVM `malote tune` tries one against the other.
///
/// @param collector `Parallel`, `Serial` or `G1`
/// @param allocator of Netty's buffers: `adaptive` or `pooled`
/// @param compactHeaders whether objects have headers of 8 bytes
/// @param processors that the JVM believes in, and so the event loops
record TuneJvm(String collector, String allocator, boolean compactHeaders, int processors) {

    /// What the launcher gives `malote serve`, and Netty its buffers.
    static TuneJvm usual(int processors) {
        return new TuneJvm("Parallel", "adaptive", true, processors);
    }

    /// The usual one first, then each that differs from it in one thing; what promises most first,
    /// for a run that has no time for all.
    static List<TuneJvm> candidates(int processors) {
        TuneJvm usual = usual(processors);
        List<TuneJvm> all = new ArrayList<>();
        all.add(usual);
        all.add(usual.withCollector("G1"));
        all.add(usual.withAllocator("pooled"));
        all.add(usual.withCollector("Serial"));
        all.add(usual.withProcessors(2 * processors));
        if (processors > 1) {
            all.add(usual.withProcessors(processors / 2));
        }
        all.add(usual.withCompactHeaders(false));
        return all;
    }

    TuneJvm withCollector(String other) {
        return new TuneJvm(other, allocator, compactHeaders, processors);
    }

    TuneJvm withAllocator(String other) {
        return new TuneJvm(collector, other, compactHeaders, processors);
    }

    TuneJvm withCompactHeaders(boolean other) {
        return new TuneJvm(collector, allocator, other, processors);
    }

    TuneJvm withProcessors(int other) {
        return new TuneJvm(collector, allocator, compactHeaders, other);
    }

    /// How it differs from the usual one, in words.
    String text(int hostProcessors) {
        TuneJvm usual = usual(hostProcessors);
        if (equals(usual)) {
            return "as usual";
        }
        List<String> parts = new ArrayList<>();
        if (!collector.equals(usual.collector)) {
            parts.add(collector + " collector");
        }
        if (!allocator.equals(usual.allocator)) {
            parts.add(allocator + " allocator");
        }
        if (compactHeaders != usual.compactHeaders) {
            parts.add("headers of 12 bytes");
        }
        if (processors != usual.processors) {
            parts.add(processors + (processors == 1 ? " event loop" : " event loops"));
        }
        return String.join(", ", parts);
    }

    /// Its flags, to stand behind those of the launcher: a second collector is refused while the
    /// first is on.
    List<String> flags() {
        List<String> flags = new ArrayList<>();
        if (!collector.equals("Parallel")) {
            flags.add("-XX:-UseParallelGC");
        }
        flags.add("-XX:+Use" + collector + "GC");
        flags.add(compactHeaders ? "-XX:+UseCompactObjectHeaders" : "-XX:-UseCompactObjectHeaders");
        flags.add("-Dio.netty.allocator.type=" + allocator);
        flags.add("-XX:ActiveProcessorCount=" + processors);
        return flags;
    }
}
