package org.malote.queue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullMarked;
import org.malote.queue.journal.JournalRecord;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What a record costs the thread that makes it, its checksum included, and what it costs a start
/// to read one. In the package of what it measures, which nobody else may call.
@NullMarked
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class RecordEncode {
    private static final long NOW_MILLIS = 1_795_000_000_000L;

    @Param({"1", "50"})
    int recipients;

    @Param({"1024", "8192", "102400"})
    int octets;

    private final MessageId id = MessageId.of(1, 1);
    private Envelope envelope;
    private ByteBuffer body;
    private ByteBuffer accepted;
    private List<Settlement> settlements;

    @Setup
    public void make() {
        envelope =
                new Envelope(
                        "load@peer.example",
                        Map.of("body", "8bitmime"),
                        IntStream.range(0, recipients)
                                .mapToObj(
                                        i ->
                                                new Recipient(
                                                        "box" + i + "@sink.example",
                                                        "sink.example",
                                                        Map.of()))
                                .toList());
        byte[] bytes = new byte[octets];
        new Random(1).nextBytes(bytes);
        body = ByteBuffer.allocateDirect(octets).put(bytes).flip();
        accepted = Records.accepted(id, NOW_MILLIS, octets, 0, false, envelope);
        settlements =
                IntStream.range(0, recipients)
                        .mapToObj(i -> (Settlement) new Settlement.Delivered(i, "250 2.0.0 kept"))
                        .toList();
    }

    /// @return a message's record
    @Benchmark
    public JournalRecord accepted() {
        ByteBuffer head = Records.accepted(id, NOW_MILLIS, octets, 0, false, envelope);
        return new JournalRecord(Records.ACCEPTED, head, List.of(body));
    }

    /// @return the record of what became of all of its recipients
    @Benchmark
    public JournalRecord settled() {
        return Records.settled(id, settlements);
    }

    /// @return the envelope of a record, as a start and each claim read it
    @Benchmark
    public AcceptedRecord read() throws Exception {
        return Records.readAccepted(accepted.duplicate());
    }
}
