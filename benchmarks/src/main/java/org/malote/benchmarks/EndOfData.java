package org.malote.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import org.malote.smtp.wire.EndOfDataScanner;
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

/// One chunk of a message looked through for its end, stuffed dots taken out, and copied to where
/// it goes; beside it the plain copy. `octets` in ops/us are megabytes a second. With `-prof gc` it
/// says what a chunk allocates, which is to be nothing.
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class EndOfData {
    @Param ChunkText text;

    private final EndOfDataScanner scanner = new EndOfDataScanner();
    private ByteBuf chunk;
    private ByteBuf target;
    private EndOfDataScanner.Sink sink;

    /// JMH adds them up.
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Passed {
        public long octets;

        @Setup(Level.Iteration)
        public void clear() {
            octets = 0;
        }
    }

    @Setup
    public void make() {
        chunk = Unpooled.directBuffer(ChunkText.OCTETS).writeBytes(text.chunk());
        target = Unpooled.directBuffer(ChunkText.OCTETS);
        sink = (octets, index, length) -> target.writeBytes(octets, index, length);
    }

    @TearDown
    public void release() {
        chunk.release();
        target.release();
    }

    /// @return octets that remain of the chunk
    @Benchmark
    public int scan(Passed passed) {
        chunk.readerIndex(0);
        target.clear();
        if (scanner.scan(chunk, sink) || scanner.hasBareLineEnd()) {
            throw new IllegalStateException("the text has an end, or a line that has not");
        }
        passed.octets += ChunkText.OCTETS;
        return target.writerIndex();
    }

    /// @return octets of the chunk
    @Benchmark
    public int copy(Passed passed) {
        target.clear();
        target.writeBytes(chunk, 0, ChunkText.OCTETS);
        passed.octets += ChunkText.OCTETS;
        return target.writerIndex();
    }
}
