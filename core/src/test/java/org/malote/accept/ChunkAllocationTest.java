package org.malote.accept;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.CodeClaim;
import org.malote.policy.Peer;
import org.malote.queue.MailQueue;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueSettings;
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
import org.malote.smtp.wire.ChunkScanner;
import org.malote.smtp.wire.EndOfDataScanner;

/// What reaches a message from the socket, a record of TLS at a time, makes no object on its way
/// into the queue's memory: the scanner, the un-stuffing, the header watch, the border filter, the
/// writer and its checksum.
final class ChunkAllocationTest {
    private static final DomainName NAME = new DomainName("mx.example");
    /// Of text; long, stuffed and above 127; nothing but a dot, and nothing.
    private static final List<String> LINES =
            List.of("x".repeat(76), "..x" + "\u00e9".repeat(990), "..", "");

    private static final int CHUNK_OCTETS = 16 << 10;

    /// With the first, which holds the header. They stay below the size from which a message goes
    /// to a file.
    private static final int CHUNKS = 7;

    private static final int MESSAGES = 100;
    private static final int PASSES_MAX = 10;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir Path folder;

    /// How a chunk comes in.
    private interface Way {
        void take(ByteBuf chunk, MessageIntake intake);
    }

    @Test
    void aChunkOfDataMakesNoObject() throws Exception {
        for (String line : LINES) {
            var scanner = new EndOfDataScanner[1];
            assertNothingMade(
                    line,
                    intake -> {
                        scanner[0] = new EndOfDataScanner();
                        EndOfDataScanner.Sink sink = intake::inspect;
                        return (chunk, _) -> assertFalse(scanner[0].scan(chunk, sink));
                    });
            assertFalse(scanner[0].hasBareLineEnd());
        }
    }

    @Test
    void aChunkOfBdatMakesNoObject() throws Exception {
        for (String line : LINES) {
            var scanner = new ChunkScanner[1];
            assertNothingMade(
                    line,
                    _ -> {
                        scanner[0] = new ChunkScanner();
                        return (chunk, taking) -> {
                            int length = chunk.readableBytes();
                            scanner[0].inspect(chunk, chunk.readerIndex(), length);
                            taking.inspect(chunk, chunk.readerIndex(), length);
                            chunk.skipBytes(length);
                        };
                    });
            assertFalse(scanner[0].hasBareLineEnd(true));
        }
    }

    private interface Ways {
        Way of(MessageIntake intake);
    }

    private void assertNothingMade(String line, Ways ways) throws Exception {
        // Without Netty's watch for leaks, whose records would be seen.
        var allocator = new UnpooledByteBufAllocator(true, true);
        ByteBuf first = chunk(allocator, "Subject: x\r\n\r\n", line);
        ByteBuf next = chunk(allocator, "", line);
        try (MailQueue queue = queue()) {
            var trust = TrustSettings.defaults("mx.example").at(false);
            var acceptance = new Acceptance(queue, InstantSource.system(), () -> trust);
            long _ = take(acceptance, ways, first, next, MESSAGES);
            // What happens once, as when compiled code is left, is not of the chunks.
            long made = Long.MAX_VALUE;
            for (int i = 0; i < PASSES_MAX && made > 0; i++) {
                made = Math.min(made, take(acceptance, ways, first, next, MESSAGES));
            }
            assertEquals(0, made, MESSAGES * (CHUNKS - 1) + " chunks of lines of " + line.length());
        } finally {
            first.release();
            next.release();
        }
    }

    /// @return octets that were allocated on the heap for all chunks but the first of each message
    private static long take(
            Acceptance acceptance, Ways ways, ByteBuf first, ByteBuf next, int messages)
            throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        var peer = new Peer(new InetSocketAddress(loopback, 2525), loopback);
        var facts = new SessionFacts(NAME, false, null, SessionLimits.defaults());
        var transaction =
                new Transaction(
                        ReversePath.NULL,
                        MailParameters.NONE,
                        CodeClaim.NONE,
                        List.of(
                                new Transaction.Recipient(
                                        new ForwardPath.Recipient(new Mailbox("box", NAME)),
                                        RecipientParameters.NONE)));
        long made = 0;
        for (int message = 0; message < messages; message++) {
            MessageIntake intake =
                    acceptance.begin(
                            "s1",
                            facts,
                            peer,
                            Arrival.PLAIN,
                            new Greeting(NAME, true),
                            transaction);
            Way way = ways.of(intake);
            way.take(first.readerIndex(0), intake);
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 1; i < CHUNKS; i++) {
                way.take(next.readerIndex(0), intake);
            }
            made += THREADS.getCurrentThreadAllocatedBytes() - before;
            assertFalse(intake.isSpoiled());
            intake.abandon();
        }
        return made;
    }

    /// Of whole lines, the last of which may be of another length.
    private static ByteBuf chunk(UnpooledByteBufAllocator allocator, String header, String line) {
        ByteBuf chunk = allocator.directBuffer(CHUNK_OCTETS);
        chunk.writeCharSequence(header, StandardCharsets.US_ASCII);
        byte[] octets = (line + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
        while (chunk.writableBytes() >= octets.length + 2) {
            chunk.writeBytes(octets);
        }
        chunk.writeBytes("x".repeat(chunk.writableBytes() - 2).getBytes(StandardCharsets.US_ASCII));
        chunk.writeCharSequence("\r\n", StandardCharsets.US_ASCII);
        return chunk;
    }

    private MailQueue queue() throws Exception {
        return MailQueue.open(
                QueueSettings.standard(folder.resolve("spool")),
                new QueueEnvironment(
                        InstantSource.system(),
                        System::nanoTime,
                        new Random(1),
                        Executors.defaultThreadFactory(),
                        Runnable::run,
                        (_, _) -> {}));
    }
}
