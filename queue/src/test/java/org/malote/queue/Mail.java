package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.malote.queue.schedule.Feedback;

/// Short ways to say what tests say often.
final class Mail {
    private Mail() {}

    static Envelope to(String... addresses) {
        return new Envelope(
                "sender@a.example",
                Map.of("body", "8bitmime"),
                Arrays.stream(addresses)
                        .map(
                                address ->
                                        new Recipient(
                                                address,
                                                address.substring(address.indexOf('@') + 1),
                                                Map.of()))
                        .toList());
    }

    /// Seals and returns at once.
    static CompletableFuture<CommitResult> send(MailQueue queue, Envelope envelope, byte[] body) {
        MessageWriter writer = queue.begin();
        writer.write(ByteBuffer.wrap(body));
        return seal(writer, envelope);
    }

    static CompletableFuture<CommitResult> seal(MessageWriter writer, Envelope envelope) {
        var result = new CompletableFuture<CommitResult>();
        writer.seal(
                envelope,
                outcome -> {
                    if (!result.complete(outcome)) {
                        throw new AssertionError("told twice how the commit ended");
                    }
                });
        return result;
    }

    /// Waits for the receipt.
    static MessageId accept(MailQueue queue, Envelope envelope, byte[] body) {
        CommitResult result = send(queue, envelope, body).join();
        if (result instanceof CommitResult.Committed(Receipt receipt)) {
            return receipt.messageId();
        }
        throw new AssertionError("the message was not accepted: " + result);
    }

    static MessageId accept(MailQueue queue, String... addresses) {
        return accept(queue, to(addresses), text("hello"));
    }

    static Refusal refusal(CompletableFuture<CommitResult> result) {
        if (result.join() instanceof CommitResult.Refused(Refusal refusal)) {
            return refusal;
        }
        throw new AssertionError("the message was accepted");
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] random(long seed, int size) {
        var bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static byte[] read(MessageBody body) throws IOException {
        try (body) {
            var bytes = ByteBuffer.allocate(Math.toIntExact(body.size()) + 1);
            while (body.read(bytes) >= 0) {}
            return Arrays.copyOf(bytes.array(), bytes.position());
        }
    }

    static List<Settlement> delivered(Claim claim) {
        return claim.recipients().stream()
                .map(r -> (Settlement) new Settlement.Delivered(r.index(), "250 ok"))
                .toList();
    }

    static List<Settlement> deferred(Claim claim, long untilMillis) {
        return claim.recipients().stream()
                .map(r -> (Settlement) new Settlement.Deferred(r.index(), untilMillis, "450 no"))
                .toList();
    }

    /// Settles and waits until it is recorded, which a queue that stopped never says.
    static void settle(Claim claim, List<Settlement> settlements) {
        var recorded = new CompletableFuture<Boolean>();
        claim.settle(settlements, new Feedback.Answered(), () -> recorded.complete(true));
        recorded.orTimeout(1, TimeUnit.MINUTES).join();
    }
}
