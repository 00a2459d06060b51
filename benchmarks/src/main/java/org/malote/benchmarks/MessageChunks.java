package org.malote.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.malote.accept.Acceptance;
import org.malote.accept.Arrival;
import org.malote.accept.MessageIntake;
import org.malote.accept.TrustSettings;
import org.malote.amtp.CodeClaim;
import org.malote.policy.Peer;
import org.malote.queue.Durability;
import org.malote.queue.JournalKind;
import org.malote.queue.MailQueue;
import org.malote.session.Greeting;
import org.malote.session.SessionFacts;
import org.malote.session.SessionLimits;
import org.malote.session.Transaction;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Mailbox;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.ReversePath;
import org.malote.smtp.wire.EndOfDataScanner;
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

/// A message taken in up to its end and forgotten: trace header, scanner, header watch, the queue's
/// memory and its checksum. With `-prof gc` the difference between many chunks and one is what
/// chunks allocate, which is to be nothing.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class MessageChunks {
    private static final byte[] HEADER =
            "Subject: a chunk\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /// Up to ten are in the first list that a message makes for them.
    @Param({"1", "8"})
    int chunks;

    @Param ChunkText text;

    private Scratch scratch;
    private MailQueue queue;
    private Acceptance acceptance;
    private SessionFacts facts;
    private Peer peer;
    private Greeting greeting;
    private Transaction transaction;
    private ByteBuf first;
    private ByteBuf next;

    @Setup(Level.Trial)
    public void open() throws IOException {
        scratch = new Scratch();
        queue = scratch.openQueue(JournalKind.SEGMENT, Durability.COMMIT);
        var trust = TrustSettings.defaults("mx.test").at(false);
        acceptance = new Acceptance(queue, InstantSource.system(), () -> trust);
        facts = new SessionFacts(new DomainName("mx.test"), false, null, SessionLimits.defaults());
        InetAddress loopback = InetAddress.getLoopbackAddress();
        peer = new Peer(new InetSocketAddress(loopback, 2525), loopback);
        greeting = new Greeting(new DomainName("peer.example"), true);
        transaction =
                new Transaction(
                        new ReversePath.Sender(new Mailbox("load", new DomainName("peer.example"))),
                        MailParameters.NONE,
                        CodeClaim.NONE,
                        List.of(
                                new Transaction.Recipient(
                                        new ForwardPath.Recipient(
                                                new Mailbox("box", new DomainName("sink.example"))),
                                        RecipientParameters.NONE)));
        next = ByteBufAllocator.DEFAULT.directBuffer().writeBytes(text.chunk());
        first = next.copy().setBytes(0, HEADER);
    }

    @TearDown(Level.Trial)
    public void close() {
        first.release();
        next.release();
        queue.close();
        scratch.close();
    }

    /// @return octets of the message
    @Benchmark
    public long message() {
        MessageIntake intake =
                acceptance.begin("bench", facts, peer, Arrival.PLAIN, greeting, transaction);
        var scanner = new EndOfDataScanner();
        EndOfDataScanner.Sink sink = intake::inspect;
        for (int i = 0; i < chunks; i++) {
            ByteBuf chunk = i == 0 ? first : next;
            chunk.readerIndex(0);
            if (scanner.scan(chunk, sink) || scanner.hasBareLineEnd() || intake.isSpoiled()) {
                throw new IllegalStateException("the text is not one of a message");
            }
        }
        long octets = intake.storedOctets();
        intake.abandon();
        return octets;
    }
}
