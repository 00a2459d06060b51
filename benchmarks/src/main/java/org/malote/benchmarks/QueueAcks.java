package org.malote.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.malote.queue.CommitResult;
import org.malote.queue.Durability;
import org.malote.queue.Envelope;
import org.malote.queue.JournalKind;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageWriter;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/// How long a client waits for the acknowledgement of its message when so many do, each sending its
/// next when it has that of the last; and so how many a second. The whole of the queue, without a
/// network.
@State(Scope.Benchmark)
@BenchmarkMode({Mode.Throughput, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 4, time = 2)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class QueueAcks {
    @Param({"1024", "8192", "102400"})
    int octets;

    @Param({"SEGMENT", "CHRONICLE"})
    JournalKind journal;

    @Param({"COMMIT", "RELAXED"})
    Durability durability;

    private final Envelope envelope = Scratch.envelope();
    private byte[] body = {};
    private Scratch scratch;
    private MailQueue queue;

    /// A new spool each time, so that it does not fill the disk.
    @Setup(Level.Iteration)
    public void open() throws IOException {
        body = Scratch.body(octets);
        scratch = new Scratch();
        queue = scratch.openQueue(journal, durability);
    }

    @TearDown(Level.Iteration)
    public void close() {
        queue.close();
        scratch.close();
    }

    private CommitResult send() {
        var result = new CompletableFuture<CommitResult>();
        MessageWriter writer = queue.begin();
        writer.write(ByteBuffer.wrap(body));
        writer.seal(envelope, result::complete);
        CommitResult outcome = result.join();
        Scratch.requireCommitted(outcome);
        return outcome;
    }

    @Benchmark
    @Threads(1)
    public CommitResult clients001() {
        return send();
    }

    @Benchmark
    @Threads(16)
    public CommitResult clients016() {
        return send();
    }

    @Benchmark
    @Threads(128)
    public CommitResult clients128() {
        return send();
    }

    @Benchmark
    @Threads(512)
    public CommitResult clients512() {
        return send();
    }
}
