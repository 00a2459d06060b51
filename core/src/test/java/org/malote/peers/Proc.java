package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// What the kernel knows of a process.
final class Proc {
    private Proc() {}

    /// Its resident set, proc(5) `VmRSS`.
    static long residentBytes(long pid) {
        return bytes(pid, "VmRSS:");
    }

    /// Its resident set without the pages of files that it maps, such as the journal: `RssAnon`.
    static long anonymousBytes(long pid) {
        return bytes(pid, "RssAnon:");
    }

    /// The time that processors gave it, proc(5) `utime` and `stime`.
    static Duration cpu(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().totalCpuDuration())
                .orElseThrow(() -> new IllegalStateException("no CPU time for " + pid));
    }

    private static long bytes(long pid, String field) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
                if (line.startsWith(field)) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException("no " + field + " for " + pid);
    }
}
