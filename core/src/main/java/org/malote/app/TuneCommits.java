package org.malote.app;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.malote.queue.JournalKind;
import org.malote.queue.journal.ChronicleJournal;
import org.malote.queue.journal.Frames;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.JournalSettings;
import org.malote.queue.journal.LocalDisk;
import org.malote.queue.journal.SegmentJournal;
import org.malote.queue.journal.SpoolJournal;

/// Commits of `malote tune`: groups of records that the journal puts on the spool's disk, as the
/// committer of a server does.
final class TuneCommits {
    private static final int RECORD_OCTETS = 8 << 10;
    private static final int HEAD_OCTETS = 100;
    private static final int[] GROUPS = {1, 16, 128};

    /// Smaller than the server's, so that spares are made in a moment on a slow disk too.
    private static final long FILE_BYTES = 64L << 20;

    private static final long SPARES_BYTES = 4 * FILE_BYTES;

    /// What the journals may fill: each its spares, and as much that is not yet drained.
    static final long BYTES_MAX = 2 * 2 * SPARES_BYTES;

    /// Enough for a median and a p99; the memory of a small host.
    private static final int SAMPLES_MAX = 1 << 18;

    private final Path scratch;
    private final double seconds;
    private final long reserveBytes;
    private final TuneTrial.Report report;

    /// The first file of the journal that is not drained.
    private int drained;

    /// @param reserveBytes that stay free on the disk
    TuneCommits(Path scratch, double seconds, long reserveBytes, TuneTrial.Report report) {
        this.scratch = scratch;
        this.seconds = seconds;
        this.reserveBytes = reserveBytes;
        this.report = report;
    }

    /// A host whose mail leaves has spares ready; without them one measures how they are made.
    void measure() throws IOException {
        for (JournalKind kind : JournalKind.values()) {
            drained = 0;
            Path spool = Files.createDirectory(scratch.resolve(kind.name()));
            ExecutorService io = Executors.newFixedThreadPool(2, Threads.factory("tune-io"));
            try (SpoolJournal journal = journal(kind, spool, io)) {
                double each = seconds / JournalKind.values().length / (GROUPS.length + 1);
                var _ = group(kind, journal, 1, each / 2);
                waitForSpares(spool.resolve("spares"), kind, each);
                for (int records : GROUPS) {
                    TuneFigures.Commit figure = group(kind, journal, records, each);
                    if (figure == null) {
                        report.note(
                                "journal "
                                        + name(kind)
                                        + ": the disk has too little space to measure");
                        break;
                    }
                    report.print(TuneTrial.COMMIT, figure);
                }
            } finally {
                io.shutdown();
            }
        }
    }

    private static String name(JournalKind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    private SpoolJournal journal(JournalKind kind, Path spool, ExecutorService io)
            throws IOException {
        LocalDisk disk = new LocalDisk();
        Random random = new Random(1);
        return switch (kind) {
            case SEGMENT ->
                    SegmentJournal.open(
                            disk,
                            spool,
                            new JournalSettings(FILE_BYTES, true, SPARES_BYTES, reserveBytes),
                            random,
                            io);
            case CHRONICLE ->
                    ChronicleJournal.open(
                            disk,
                            spool,
                            new JournalSettings(FILE_BYTES, true, 0, reserveBytes),
                            random,
                            io);
        };
    }

    private static void waitForSpares(Path spares, JournalKind kind, double secondsMax)
            throws IOException {
        long end = System.nanoTime() + (long) (secondsMax * 2e9);
        while (kind == JournalKind.SEGMENT && System.nanoTime() - end < 0) {
            try (Stream<Path> files = Files.list(spares)) {
                if (files.filter(file -> !file.toString().endsWith(".tmp")).count()
                        >= SPARES_BYTES / FILE_BYTES) {
                    return;
                }
            }
            TuneTrial.pause(20);
        }
    }

    /// As in a server whose mail moves on: all that came before the newest.
    private void drain(SpoolJournal journal) throws IOException {
        for (; drained < journal.currentFile(); drained++) {
            journal.delete(drained);
        }
    }

    /// @return null when the disk is full
    private TuneFigures.@Nullable Commit group(
            JournalKind kind, SpoolJournal journal, int records, double seconds)
            throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD_OCTETS);
        ByteBuffer body = ByteBuffer.allocateDirect(RECORD_OCTETS);
        long bytes = (long) records * (HEAD_OCTETS + RECORD_OCTETS + Frames.HEADER_BYTES);
        long[] nanos = new long[SAMPLES_MAX];
        int count = 0;
        long begin = System.nanoTime();
        long end = begin + (long) (seconds * 1e9);
        long last = begin;
        while (count < SAMPLES_MAX && (count < 2 || last - end < 0)) {
            if (!journal.reserve(bytes)) {
                return null;
            }
            for (int i = 0; i < records; i++) {
                long _ =
                        journal.append(
                                new JournalRecord(
                                        (byte) 1, head.duplicate(), List.of(body.duplicate())));
            }
            journal.force();
            long now = System.nanoTime();
            nanos[count++] = now - last;
            drain(journal);
            last = System.nanoTime();
        }
        Arrays.sort(nanos, 0, count);
        return new TuneFigures.Commit(
                name(kind),
                records,
                (long) (count * (long) records * 1e9 / (last - begin)),
                nanos[count / 2],
                nanos[count * 99 / 100]);
    }
}
