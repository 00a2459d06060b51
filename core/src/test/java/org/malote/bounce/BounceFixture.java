package org.malote.bounce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.malote.delivery.AttemptResult;
import org.malote.delivery.Failure;
import org.malote.delivery.FailureScope;
import org.malote.delivery.RecipientOutcome;
import org.malote.queue.Claim;
import org.malote.queue.CommitResult;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MemorySpool;
import org.malote.queue.MessageBody;
import org.malote.queue.MessageWriter;
import org.malote.queue.Recipient;
import org.malote.queue.RetrySchedule;
import org.malote.queue.Settlement;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.Reply;
import org.malote.telemetry.DeliveryLog;

/// A queue with a writer of notifications on it.
final class BounceFixture implements AutoCloseable {
    static final String MESSAGE = "From: ann@a.example\r\nSubject: hello\r\n\r\nBody\r\n.dot\r\n";

    final MemorySpool spool = new MemorySpool();
    final MailQueue queue = spool.open();
    final ExecutorService io = Executors.newSingleThreadExecutor();
    final BounceWriter writer;

    BounceFixture() {
        this(64 * 1024, 64 * 1024);
    }

    BounceFixture(int returnedOctetsMax, int headerOctetsMax) {
        this(returnedOctetsMax, headerOctetsMax, false);
    }

    /// @param hasCode whether notifications get a Mail Policy Code
    BounceFixture(int returnedOctetsMax, int headerOctetsMax, boolean hasCode) {
        BounceSettings usual = BounceSettings.defaults("mx1.isp.example", RetrySchedule.standard());
        writer =
                new BounceWriter(
                        queue,
                        new BounceSettings(
                                usual.hostname(),
                                usual.retry(),
                                usual.delayAfter(),
                                usual.tellsDelayByDefault(),
                                returnedOctetsMax,
                                headerOctetsMax),
                        hasCode,
                        () -> Instant.ofEpochMilli(spool.nowMillis()),
                        new Random(3),
                        io,
                        new DeliveryLog());
    }

    static Recipient to(String address, RecipientParameters parameters) {
        return new Recipient(address, "isp.example", parameters.toAttributes());
    }

    static Recipient to(String address) {
        return to(address, RecipientParameters.NONE);
    }

    Claim claim(String sender, MailParameters parameters, String message, Recipient... to) {
        MessageWriter open = queue.begin();
        open.write(ByteBuffer.wrap(message.getBytes(StandardCharsets.ISO_8859_1)));
        CompletableFuture<CommitResult> committed = new CompletableFuture<>();
        open.seal(
                new Envelope(sender, parameters.toAttributes(), Arrays.asList(to)),
                committed::complete);
        assertInstanceOf(CommitResult.Committed.class, committed.join());
        Claim claim = queue.claim(spool.nowMillis());
        assertNotNull(claim);
        return claim;
    }

    static RecipientOutcome failed(boolean isPermanent, Reply reply) {
        return new RecipientOutcome.Failed(
                new Failure(
                        FailureScope.RECIPIENT,
                        isPermanent,
                        reply,
                        reply.oneLine(),
                        "mx.x.example[192.0.2.9]:25"));
    }

    /// The same outcome for each recipient.
    boolean report(Claim claim, RecipientOutcome outcome) throws Exception {
        return report(
                claim,
                claim.recipients().stream()
                        .map(r -> new AttemptResult.Entry(r.index(), outcome))
                        .toList());
    }

    /// Whether it is recorded.
    boolean report(Claim claim, List<AttemptResult.Entry> entries) throws Exception {
        List<Boolean> answers = new ArrayList<>();
        CompletableFuture<Boolean> recorded = new CompletableFuture<>();
        writer.report(
                claim,
                new AttemptResult(entries),
                answer -> {
                    synchronized (answers) {
                        answers.add(answer);
                    }
                    recorded.complete(answer);
                });
        boolean answer = recorded.get(30, TimeUnit.SECONDS);
        synchronized (answers) {
            assertEquals(1, answers.size());
        }
        return answer;
    }

    /// The notification that waits in the queue.
    Claim notification() {
        Claim claim = queue.claim(spool.nowMillis());
        assertNotNull(claim, "no notification was queued");
        return claim;
    }

    void assertNoNotification() {
        assertNull(queue.claim(spool.nowMillis()));
    }

    ParsedReport parsed() throws IOException {
        return ParsedReport.parse(text(notification()));
    }

    static String text(Claim claim) throws IOException {
        try (MessageBody body = claim.body()) {
            ByteBuffer octets = ByteBuffer.allocate((int) body.size());
            while (octets.hasRemaining() && body.read(octets) >= 0) {}
            return new String(octets.array(), StandardCharsets.ISO_8859_1);
        }
    }

    static void settle(Claim claim) {
        claim.settle(
                claim.recipients().stream()
                        .map(r -> (Settlement) new Settlement.Delivered(r.index(), "250 ok"))
                        .toList());
    }

    @Override
    public void close() {
        io.shutdownNow();
        queue.close();
        spool.close();
    }
}
