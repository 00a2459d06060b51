package org.malote.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.malote.queue.JournalKind;
import org.malote.queue.journal.ChronicleJournal;
import org.malote.queue.journal.Frames;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.JournalSettings;
import org.malote.queue.journal.LocalDisk;
import org.malote.queue.journal.SegmentJournal;
import org.malote.queue.journal.SpoolJournal;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// One group of the committer, without anybody who waits for it: space reserved, records appended,
/// and forced when the journal is durable. The records of a second are counted beside the groups.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 4, time = 2)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class JournalCommit {
    private static final byte TYPE = 1;
    private static final int HEAD_OCTETS = 100;

    // Those of the server.
    private static final long FILE_BYTES = 256L << 20;
    private static final long SPARES_BYTES = 1L << 30;
    private static final long KEEP_FREE_BYTES = 512L << 20;

    @Param({"SEGMENT", "CHRONICLE"})
    JournalKind kind;

    @Param({"1", "16", "128"})
    int records;

    @Param({"1024", "8192"})
    int octets;

    @Param({"true", "false"})
    boolean durable;

    private ByteBuffer head = ByteBuffer.allocate(0);
    private ByteBuffer body = ByteBuffer.allocate(0);
    private Scratch scratch;
    private SpoolJournal journal;
    private int file;

    /// JMH adds them up.
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Appended {
        public long records;

        @Setup(Level.Iteration)
        public void clear() {
            records = 0;
        }
    }

    @Setup(Level.Iteration)
    public void open() throws IOException {
        head = ByteBuffer.wrap(Scratch.body(HEAD_OCTETS));
        body = ByteBuffer.allocateDirect(octets).put(Scratch.body(octets)).flip();
        scratch = new Scratch();
        var settings = new JournalSettings(FILE_BYTES, durable, SPARES_BYTES, KEEP_FREE_BYTES);
        var disk = new LocalDisk();
        var random = new Random(1);
        journal =
                switch (kind) {
                    case SEGMENT ->
                            SegmentJournal.open(
                                    disk, scratch.path(), settings, random, scratch.io());
                    case CHRONICLE ->
                            ChronicleJournal.open(
                                    disk, scratch.path(), settings, random, scratch.io());
                };
    }

    @TearDown(Level.Iteration)
    public void close() throws IOException {
        journal.close();
        scratch.close();
    }

    /// @return where the last record is
    @Benchmark
    public long commit(Appended appended) throws IOException {
        long bytes = (long) records * (HEAD_OCTETS + octets + Frames.HEADER_BYTES);
        if (!journal.reserve(bytes)) {
            throw new IOException("the disk is full");
        }
        long position = 0;
        for (int i = 0; i < records; i++) {
            position =
                    journal.append(
                            new JournalRecord(TYPE, head.duplicate(), List.of(body.duplicate())));
        }
        if (durable) {
            journal.force();
        }
        appended.records += records;
        // Drained, as in a server whose mail moves on.
        while (file < journal.currentFile()) {
            journal.delete(file++);
        }
        return position;
    }
}
