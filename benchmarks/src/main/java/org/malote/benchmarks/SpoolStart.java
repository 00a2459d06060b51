package org.malote.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.malote.queue.Durability;
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
import org.openjdk.jmh.annotations.Warmup;

/// A start on a spool: every frame is read from the disk, whether the page cache has it or not,
/// found and checked, and the index is filled. For a start of the process, not of the parts:
/// `-wi 0`.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 5)
@Measurement(iterations = 10)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class SpoolStart {
    private static final int PENDING_MAX = 1000;

    @Param({"20000", "100000"})
    int messages;

    @Param({"1024"})
    int octets;

    @Param({"SEGMENT", "CHRONICLE"})
    JournalKind journal;

    private Scratch scratch;

    @Setup(Level.Trial)
    public void fill() throws IOException {
        scratch = new Scratch();
        byte[] body = Scratch.body(octets);
        var pending = new Semaphore(PENDING_MAX);
        try (MailQueue queue = scratch.openQueue(journal, Durability.RELAXED)) {
            for (int i = 0; i < messages; i++) {
                pending.acquireUninterruptibly();
                MessageWriter writer = queue.begin();
                writer.write(ByteBuffer.wrap(body));
                writer.seal(
                        Scratch.envelope(),
                        result -> {
                            Scratch.requireCommitted(result);
                            pending.release();
                        });
            }
            pending.acquireUninterruptibly(PENDING_MAX);
        }
    }

    @TearDown(Level.Trial)
    public void delete() {
        scratch.close();
    }

    /// @return how many messages were found
    @Benchmark
    public long start() throws IOException {
        try (MailQueue queue = scratch.openQueue(journal, Durability.COMMIT)) {
            long found = queue.stats().recovered();
            if (found != messages) {
                throw new IllegalStateException(found + " of " + messages + " were found");
            }
            return found;
        }
    }
}
