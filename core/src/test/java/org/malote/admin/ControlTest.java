package org.malote.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.queue.CommitResult;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageId;
import org.malote.queue.MessageWriter;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueSettings;
import org.malote.queue.Recipient;
import org.malote.queue.RecipientState;
import org.malote.queue.Selection;

final class ControlTest {
    private static final Instant NOW = Instant.parse("2026-11-23T18:00:00Z");

    @TempDir Path directory;

    private MailQueue queue;
    private ControlServer server;
    private Path socket;

    @BeforeEach
    void start() throws IOException {
        queue =
                MailQueue.open(
                        QueueSettings.standard(directory.resolve("spool")),
                        new QueueEnvironment(
                                InstantSource.fixed(NOW),
                                () -> 0L,
                                new SplittableRandom(1),
                                Thread::new,
                                Runnable::run,
                                (kind, detail) -> {}));
        socket = directory.resolve("control.sock");
        Files.writeString(socket, "left by a dead server");
        server =
                ControlServer.start(
                        socket,
                        queue,
                        () -> ReloadResult.taken(List.of("the routes changed")),
                        InstantSource.fixed(NOW.plusSeconds(90)),
                        Thread::new,
                        task -> Thread.ofVirtual().start(task));
    }

    @AfterEach
    void stop() {
        server.close();
        queue.close();
    }

    @Test
    void onlyItsOwnerMayOpenTheSocket() throws IOException {
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
    }

    @Test
    void listsAndChangesTheQueue() throws IOException {
        assertEquals(List.of(), ask(new ControlRequest.ListSome(QueueFilter.ALL), 0));
        MessageId id = append("a@b.example", "Subject: é\r\n\r\nhello\r\n", "x@y.example");
        List<String> listed = ask(new ControlRequest.ListSome(QueueFilter.ALL), 1);
        assertEquals(
                List.of(
                        "{\"id\":\""
                                + id
                                + "\",\"sender\":\"a@b.example\",\"size\":22,"
                                + "\"accepted\":\"2026-11-23T18:00:00Z\",\"ageSeconds\":90,"
                                + "\"state\":\"waiting\",\"nextAttempt\":\"2026-11-23T18:00:00Z\","
                                + "\"recipients\":[{\"address\":\"x@y.example\","
                                + "\"destination\":\"y.example\",\"state\":\"waiting\","
                                + "\"attempts\":0,\"nextAttempt\":\"2026-11-23T18:00:00Z\"}]}"),
                listed);

        change(ControlRequest.Verb.HOLD, Selection.all(), 1);
        String held = ask(new ControlRequest.Show(id, true), 1).getFirst();
        assertTrue(held.contains("\"state\":\"held\",\"heldBy\":\"operator\""), held);
        assertTrue(held.contains("\"client\":\"192.0.2.1\""), held);
        assertTrue(held.contains("\"body\":\"Subject: Ã©\\r\\n\\r\\nhello\\r\\n\""), held);

        change(ControlRequest.Verb.RELEASE, Selection.of(id), 1);
        change(ControlRequest.Verb.RELEASE, Selection.of(id), 0);
        change(ControlRequest.Verb.RETRY, Selection.all(), 1);
        change(ControlRequest.Verb.REMOVE, Selection.of(id), 1);
        assertEquals(List.of(), ask(new ControlRequest.ListSome(QueueFilter.ALL), 0));
        assertEquals(
                "message " + id + " is not in the queue; see malote queue list",
                assertThrows(IOException.class, () -> ask(new ControlRequest.Show(id, false), 0))
                        .getMessage());
    }

    @Test
    void listsWhatTheOperatorAsksFor() throws IOException {
        append("Boss@a.example", "x\r\n", "one@isp.example");
        append("", "x\r\n", "two@other.example");
        MessageId held = append("c@a.example", "x\r\n", "three@isp.example");
        change(ControlRequest.Verb.HOLD, Selection.of(held), 1);
        assertEquals(
                List.of("one@isp.example"),
                listed(new QueueFilter("boss@*", null, null, null, null, null, null)));
        assertEquals(
                List.of("two@other.example"),
                listed(new QueueFilter("", null, null, null, null, null, null)));
        assertEquals(
                List.of("one@isp.example", "three@isp.example"),
                listed(new QueueFilter(null, null, "ISP.example", null, null, null, null)));
        assertEquals(
                List.of("three@isp.example"),
                listed(
                        new QueueFilter(
                                null, "t*", "isp.*", RecipientState.HELD, null, null, null)));
        assertEquals(
                3, listed(new QueueFilter(null, null, null, null, 89_000L, 91_000L, null)).size());
        assertEquals(
                List.of(), listed(new QueueFilter(null, null, null, null, 90_000L, null, null)));
        assertEquals(
                List.of(), listed(new QueueFilter(null, null, null, null, null, null, "full")));
    }

    private List<String> listed(QueueFilter filter) throws IOException {
        List<String> recipients = new ArrayList<>();
        long _ =
                new ControlClient(socket)
                        .ask(
                                new ControlRequest.ListSome(filter),
                                line ->
                                        recipients.add(
                                                line.path("recipients")
                                                        .path(0)
                                                        .path("address")
                                                        .asText()));
        return recipients;
    }

    @Test
    void showsTheShapeOfTheQueue() throws IOException {
        append("a@b.example", "x\r\n", "x@small.example");
        append("a@b.example", "x\r\n", "x@large.example");
        append("a@b.example", "x\r\n", "y@large.example");
        assertEquals(
                List.of(
                        "{\"destination\":\"large.example\",\"total\":2,\"ages\":[2,0,0,0,0,0,0,0,0,0]}",
                        "{\"destination\":\"small.example\",\"total\":1,\"ages\":[1,0,0,0,0,0,0,0,0,0]}"),
                ask(new ControlRequest.Shape(), 2));
    }

    @Test
    void reloads() throws IOException {
        assertEquals(
                List.of("{\"reload\":\"the routes changed\"}"),
                ask(new ControlRequest.Reload(), 1));
    }

    @Test
    void listsMoreThanOneBuffer() throws IOException {
        for (int i = 0; i < 300; i++) {
            append("sender-" + i + "@b.example", "x\r\n", "x@y.example");
        }
        assertEquals(300, ask(new ControlRequest.ListSome(QueueFilter.ALL), 300).size());
    }

    @Test
    void saysThatNoServerRuns() {
        server.close();
        assertFalse(Files.exists(socket));
        ControlClient client = new ControlClient(socket);
        assertFalse(client.isServed());
        assertEquals(
                "no server answers at "
                        + socket
                        + "; start one with malote serve, or name its file with --config",
                assertThrows(
                                IOException.class,
                                () ->
                                        client.ask(
                                                new ControlRequest.ListSome(QueueFilter.ALL),
                                                _ -> {}))
                        .getMessage());
    }

    private List<String> ask(ControlRequest request, long count) throws IOException {
        List<String> lines = new ArrayList<>();
        assertEquals(
                count,
                new ControlClient(socket)
                        .ask(request, (JsonNode line) -> lines.add(line.toString())));
        return lines;
    }

    private void change(ControlRequest.Verb verb, Selection selection, long count)
            throws IOException {
        assertEquals(List.of(), ask(new ControlRequest.Change(verb, selection), count));
    }

    private MessageId append(String sender, String body, String recipient) {
        MessageWriter writer = queue.begin();
        writer.write(ByteBuffer.wrap(body.getBytes(StandardCharsets.UTF_8)));
        CompletableFuture<CommitResult> committed = new CompletableFuture<>();
        writer.seal(
                new Envelope(
                        sender,
                        Map.of("client", "192.0.2.1"),
                        List.of(
                                new Recipient(
                                        recipient,
                                        recipient.substring(recipient.indexOf('@') + 1),
                                        Map.of()))),
                committed::complete);
        assertTrue(committed.join() instanceof CommitResult.Committed);
        return writer.id();
    }
}
