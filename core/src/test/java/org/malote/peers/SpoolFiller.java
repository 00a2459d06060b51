package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.malote.queue.CommitResult;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageWriter;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueLimits;
import org.malote.queue.QueueSettings;
import org.malote.queue.Recipient;

/// Puts many messages into a spool before its server starts, faster than they could be sent.
final class SpoolFiller {
    private static final int PENDING_MAX = 1000;
    private static final long RESERVE_BYTES = 1 << 20;

    private SpoolFiller() {}

    /// Adds messages.
    interface Work {
        void on(Filling queue);
    }

    /// A spool that is being filled.
    static final class Filling {
        private final MailQueue queue;
        private final Semaphore pending = new Semaphore(PENDING_MAX);
        private final AtomicReference<String> refusal = new AtomicReference<>("");

        private Filling(MailQueue queue) {
            this.queue = queue;
        }

        /// A message that [IdMail] can check.
        void add(long id, String address, int bodyOctets) {
            pending.acquireUninterruptibly();
            String domain = address.substring(address.indexOf('@') + 1);
            MessageWriter writer = queue.begin();
            String text = IdMail.compose(id, bodyOctets);
            writer.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
            writer.seal(
                    new Envelope(
                            "load@peer.test",
                            Map.of(),
                            List.of(new Recipient(address, domain, Map.of()))),
                    result -> {
                        if (!(result instanceof CommitResult.Committed)) {
                            refusal.set(result.toString());
                        }
                        pending.release();
                    });
        }

        private void end() {
            pending.acquireUninterruptibly(PENDING_MAX);
            if (!refusal.get().isEmpty()) {
                throw new AssertionError("the spool was not filled: " + refusal.get());
            }
        }
    }

    /// Opens the spool below a server's state, has it filled, and closes it.
    static void fill(Path state, Work work) {
        QueueSettings usual = QueueSettings.standard(state.resolve("spool"));
        QueueLimits limits = usual.limits().withFreeSpaceReserveBytes(RESERVE_BYTES);
        try (ExecutorService io = Executors.newSingleThreadExecutor();
                MailQueue queue =
                        MailQueue.open(
                                usual.withLimits(limits),
                                new QueueEnvironment(
                                        InstantSource.system(),
                                        System::nanoTime,
                                        new Random(1),
                                        Executors.defaultThreadFactory(),
                                        io,
                                        (_, _) -> {}))) {
            Filling filling = new Filling(queue);
            work.on(filling);
            filling.end();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
