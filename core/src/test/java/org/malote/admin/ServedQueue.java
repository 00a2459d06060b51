package org.malote.admin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.malote.amtp.Observations;
import org.malote.queue.Claim;
import org.malote.queue.ClaimedRecipient;
import org.malote.queue.CommitResult;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MemorySpool;
import org.malote.queue.MessageId;
import org.malote.queue.MessageWriter;
import org.malote.queue.Recipient;
import org.malote.queue.Settlement;
import org.malote.queue.schedule.Feedback;

/// A queue in memory with a control socket, for tests of what an operator sees. Its clock stands
/// still until it is moved.
public final class ServedQueue implements AutoCloseable {
    private final MemorySpool spool = new MemorySpool();
    private final MailQueue queue = spool.open();
    private final Observations observations = new Observations(clock());
    private final Path socket;
    private final ControlServer server;

    private ServedQueue(Path socket) throws IOException {
        this.socket = socket;
        this.server =
                ControlServer.start(
                        socket,
                        queue,
                        observations,
                        () -> ReloadResult.taken(List.of("the routes changed")),
                        clock(),
                        Thread::new,
                        task -> Thread.ofVirtual().start(task));
    }

    /// @param state where its socket is made, as a server makes it
    public static ServedQueue open(Path state) {
        try {
            return new ServedQueue(Files.createDirectories(state).resolve("control.sock"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public MailQueue queue() {
        return queue;
    }

    public Observations observations() {
        return observations;
    }

    public Path socket() {
        return socket;
    }

    public ControlClient client() {
        return new ControlClient(socket);
    }

    public InstantSource clock() {
        return () -> Instant.ofEpochMilli(spool.nowMillis());
    }

    public void advance(Duration duration) {
        spool.advance(duration);
    }

    public MessageId append(String sender, String body, String... recipients) {
        return append(sender, body.getBytes(StandardCharsets.UTF_8), recipients);
    }

    public MessageId append(String sender, byte[] body, String... recipients) {
        MessageWriter writer = queue.begin();
        CompletableFuture<CommitResult> committed = seal(writer, sender, body, recipients);
        if (!(committed.join() instanceof CommitResult.Committed)) {
            throw new AssertionError("the message was not accepted: " + committed.join());
        }
        return writer.id();
    }

    /// A message of which more is known than where it came from.
    public MessageId append(
            String sender, Map<String, String> attributes, String body, String recipient) {
        MessageWriter writer = queue.begin();
        CompletableFuture<CommitResult> committed =
                seal(writer, sender, attributes, body.getBytes(StandardCharsets.UTF_8), recipient);
        if (!(committed.join() instanceof CommitResult.Committed)) {
            throw new AssertionError("the message was not accepted: " + committed.join());
        }
        return writer.id();
    }

    /// So many small messages to one recipient each, at a thousand destinations in turn.
    public void appendMany(int count) {
        CompletableFuture<CommitResult> last = CompletableFuture.completedFuture(null);
        for (int i = 0; i < count; i++) {
            String to = "recipient-" + i + "@destination-" + i % 1000 + ".example";
            last = seal(queue.begin(), "sender-" + i + "@b.example", new byte[] {'x'}, to);
            if (i % 1000 == 0) {
                last.join();
            }
        }
        last.join();
    }

    private static CompletableFuture<CommitResult> seal(
            MessageWriter writer, String sender, byte[] body, String... recipients) {
        return seal(writer, sender, Map.of("client", "192.0.2.1"), body, recipients);
    }

    private static CompletableFuture<CommitResult> seal(
            MessageWriter writer,
            String sender,
            Map<String, String> attributes,
            byte[] body,
            String... recipients) {
        writer.write(ByteBuffer.wrap(body));
        CompletableFuture<CommitResult> committed = new CompletableFuture<>();
        List<Recipient> to = new ArrayList<>();
        for (String address : recipients) {
            to.add(
                    new Recipient(
                            address, address.substring(address.lastIndexOf('@') + 1), Map.of()));
        }
        writer.seal(new Envelope(sender, attributes, to), committed::complete);
        return committed;
    }

    /// Makes the next attempt.
    ///
    /// @param outcome by the recipient's address
    public void attempt(Function<ClaimedRecipient, Settlement> outcome) {
        Claim claim = queue.claim(spool.nowMillis());
        if (claim == null) {
            throw new AssertionError("nothing is due");
        }
        CompletableFuture<Boolean> recorded = new CompletableFuture<>();
        claim.settle(
                claim.recipients().stream().map(outcome).toList(),
                new Feedback.None(),
                () -> recorded.complete(true));
        recorded.join();
    }

    /// Makes the next attempt, which fails for now, for an hour.
    public void defer(String reply) {
        long until = spool.nowMillis() + Duration.ofHours(1).toMillis();
        attempt(recipient -> new Settlement.Deferred(recipient.index(), until, reply));
    }

    @Override
    public void close() {
        server.close();
        queue.close();
        spool.close();
    }
}
