package org.malote.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.admin.ControlRequest.Change;
import org.malote.admin.ControlRequest.Choice;
import org.malote.admin.ControlRequest.ListSome;
import org.malote.admin.ControlRequest.Mode;
import org.malote.admin.ControlRequest.Verb;
import org.malote.queue.MessageId;
import org.malote.queue.RecipientState;

/// The control socket: what goes over it, and what it makes of those who misuse it.
final class ControlTest {
    private static final ListSome EVERYTHING = new ListSome(QueueFilter.ALL, 0, true);

    @TempDir Path directory;

    private ServedQueue served;

    @BeforeEach
    void start() throws IOException {
        Files.writeString(directory.resolve("control.sock"), "left by a dead server");
        served = ServedQueue.open(directory);
    }

    @AfterEach
    void stop() {
        served.close();
    }

    // ---- Requests ----

    @Test
    void everyRequestSurvivesItsJson() {
        QueueFilter filter =
                new QueueFilter(
                        "", "*@\u00fc.example", "b", RecipientState.HELD, 1L, 2L, "\u001b[2J");
        List<ControlRequest> requests = new ArrayList<>();
        requests.add(EVERYTHING);
        requests.add(new ListSome(filter, 10, false));
        requests.add(new ControlRequest.Shape(filter, 20));
        requests.add(new ControlRequest.Show(new MessageId(77), true));
        requests.add(new ControlRequest.Suspend("b\u00fccher.example"));
        requests.add(new ControlRequest.Resume("[192.0.2.1]"));
        requests.add(new ControlRequest.Suspended());
        requests.add(new ControlRequest.Reload());
        for (Verb verb : Verb.values()) {
            for (Mode mode : Mode.values()) {
                requests.add(new Change(verb, new Choice.Matching(filter), mode));
                requests.add(
                        new Change(
                                verb,
                                new Choice.Ids(Set.of(new MessageId(1), new MessageId(2))),
                                mode));
            }
        }
        for (ControlRequest request : requests) {
            assertEquals(request, ControlRequest.parse(request.toJson()));
        }
    }

    @Test
    void refusesWhatItDoesNotKnowWholly() throws IOException {
        String otherVersion =
                "the server runs another version of malote than this command; restart it, or use"
                        + " its own malote";
        assertRefused("{\"do\":\"list\"}", otherVersion);
        assertRefused("{\"version\":3,\"do\":\"list\"}", otherVersion);
        assertRefused("{\"version\":2}", "the request lacks \"do\"");
        assertRefused(
                "{\"version\":2,\"do\":\"remove\",\"mode\":\"act\"}", "the request lacks \"ids\"");
        assertRefused(
                "{\"version\":2,\"do\":\"remove\",\"mode\":\"act\",\"ids\":[]}",
                "\"ids\" is a list of message ids");
        assertRefused(
                "{\"version\":2,\"do\":\"remove\",\"mode\":\"act\",\"filter\":{\"sendr\":\"a\"}}",
                "the server does not know \"sendr\" in this request");
        assertRefused(
                "{\"version\":2,\"do\":\"remove\",\"mode\":\"act\",\"filter\":{\"sender\":1}}",
                "\"sender\" is a text");
        assertRefused(
                "{\"version\":2,\"do\":\"remove\",\"mode\":\"act\",\"filter\":{\"olderThanMillis\":-1}}",
                "\"olderThanMillis\" is a whole number from 0 on");
        assertRefused(
                "{\"version\":2,\"do\":\"remove\",\"mode\":\"act\",\"filter\":{},\"ids\":[\"23\"]}",
                "the server does not know \"ids\" in this request");
        assertRefused(
                "{\"version\":2,\"do\":\"list\",\"filter\":{},\"limit\":0,\"rows\":1}",
                "\"rows\" is true or false");
        assertRefused(
                "{\"version\":2,\"do\":\"explode\",\"mode\":\"act\",\"filter\":{}}",
                "the server does not know \"explode\"");
        String json = "a request is one JSON object on one line";
        assertRefused("list", json);
        assertRefused("[]", json);
        assertRefused("{\"version\":2,\"version\":2}", json);
        assertRefused("{\"version\":2,\"do\":\"reload\"} {}", json);
        assertRefused("[".repeat(100), json);
        assertRefused("x".repeat((1 << 20) - 1) + "y", "a request has at most 1 MiB");
    }

    private void assertRefused(String request, String sentence) throws IOException {
        assertEquals(
                List.of("{\"error\":\"" + sentence.replace("\"", "\\\"") + "\"}"), raw(request));
    }

    private List<String> raw(String request) throws IOException {
        try (SocketChannel connection = connect()) {
            send(connection, request + (request.length() < 1 << 20 ? "\n" : ""));
            return answer(connection);
        }
    }

    private SocketChannel connect() throws IOException {
        SocketChannel connection = SocketChannel.open(StandardProtocolFamily.UNIX);
        connection.connect(UnixDomainSocketAddress.of(served.socket()));
        return connection;
    }

    private static void send(SocketChannel connection, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            connection.write(bytes);
        }
    }

    private static List<String> answer(SocketChannel connection) throws IOException {
        return new BufferedReader(
                        new InputStreamReader(
                                Channels.newInputStream(connection), StandardCharsets.UTF_8))
                .lines()
                .toList();
    }

    @Test
    void aRequestMayComeInPieces() throws IOException {
        try (SocketChannel connection = connect()) {
            for (char each : (JsonLines.write(EVERYTHING.toJson()) + "\n").toCharArray()) {
                send(connection, String.valueOf(each));
            }
            assertEquals(
                    List.of("{\"done\":{\"messages\":0,\"recipients\":0}}"), answer(connection));
        }
    }

    @Test
    void saysThatIdsAreTooMany() {
        Set<MessageId> ids = new HashSet<>();
        for (long i = 0; i < 100_000; i++) {
            ids.add(new MessageId((1L << 40) + i));
        }
        assertEquals(
                "name fewer messages at one time: 60,000 are always possible",
                assertThrows(
                                IOException.class,
                                () ->
                                        served.client()
                                                .ask(
                                                        new Change(
                                                                Verb.HOLD,
                                                                new Choice.Ids(ids),
                                                                Mode.ACT),
                                                        (_, _) -> {}))
                        .getMessage());
    }

    // ---- Answers ----

    @Test
    void onlyItsOwnerMayOpenTheSocket() throws IOException {
        assertEquals(
                "rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(served.socket())));
    }

    @Test
    void tellsOfMessagesAndThenOfTheirRecipients() throws IOException {
        assertEquals(List.of(), ask(EVERYTHING, 0, 0));
        MessageId id = served.append("a@b.example", "x\r\n", "x@y.example", "z@y.example");
        String accepted = served.clock().instant().toString();
        served.advance(Duration.ofSeconds(90));
        String recipient =
                "@y.example\",\"destination\":\"y.example\",\"state\":\"waiting\",\"attempts\":0,"
                        + "\"nextAttempt\":\""
                        + accepted
                        + "\"}";
        assertEquals(
                List.of(
                        "message {\"id\":\""
                                + id
                                + "\",\"sender\":\"a@b.example\",\"size\":3,\"accepted\":\""
                                + accepted
                                + "\",\"ageSeconds\":90,\"state\":\"waiting\",\"nextAttempt\":\""
                                + accepted
                                + "\"}",
                        "recipient {\"address\":\"x" + recipient,
                        "recipient {\"address\":\"z" + recipient),
                ask(EVERYTHING, 1, 2));
        assertEquals(List.of(), ask(new ListSome(QueueFilter.ALL, 0, false), 1, 2));
    }

    @Test
    void nothingThatStrangersWroteEndsALineOrReachesATerminal() throws IOException {
        String sender = "\u001b]0;owned\u0007\n\u009b\u007f\u202e\u00fc@b.example";
        served.append(sender, "x\r\n", "x@y.example");
        String reply = "450 \r\n\u001b[2J";
        served.defer(reply);
        for (String line : raw(JsonLines.write(EVERYTHING.toJson()))) {
            assertTrue(line.matches("[ -~]*"), line);
        }
        served.client()
                .ask(
                        EVERYTHING,
                        (kind, value) -> {
                            assertEquals(reply, value.path("lastReply").asText());
                            if (kind.equals("message")) {
                                assertEquals(sender, value.path("sender").asText());
                            }
                        });
    }

    @Test
    void showsAHeaderSectionOrAWholeMessage() throws IOException {
        String header = "Subject: \u00e9\r\nX: " + "y".repeat(40_000) + "\r\n";
        MessageId id = served.append("a@b.example", header + "\r\nhello\r\n", "x@y.example");
        assertEquals(header + "\r\n", bytes(new ControlRequest.Show(id, false)));
        assertEquals(header + "\r\nhello\r\n", bytes(new ControlRequest.Show(id, true)));
        MessageId bare = served.append("a@b.example", "no header at all", "x@y.example");
        assertEquals("no header at all", bytes(new ControlRequest.Show(bare, false)));
        MessageId endless = served.append("a@b.example", "x".repeat(200_000), "x@y.example");
        assertEquals(
                "x".repeat(64 << 10) + "|65536", bytes(new ControlRequest.Show(endless, false)));
        MessageId gone = new MessageId(77);
        assertEquals(
                "message " + gone + " is not in the queue; see malote queue list",
                assertThrows(IOException.class, () -> bytes(new ControlRequest.Show(gone, false)))
                        .getMessage());
    }

    private String bytes(ControlRequest request) throws IOException {
        StringBuilder text = new StringBuilder();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        served.client()
                .ask(
                        request,
                        (kind, value) -> {
                            if (kind.equals("bytes")) {
                                whole.write(value.binaryValue());
                            } else if (kind.equals("cutAt")) {
                                text.append('|').append(value.asInt());
                            }
                        });
        return whole.toString(StandardCharsets.UTF_8) + text;
    }

    @Test
    void findsTheEndOfAHeaderSectionHoweverItIsCut() {
        String[] messages = {
            "a: b\r\n\r\nc", "\r\nc", "a: b\n\nc", "a: b\r\n", "", "a\r\r\n\r\n", "\n"
        };
        String[] headers = {
            "a: b\r\n\r\n", "\r\n", "a: b\n\n", "a: b\r\n", "", "a\r\r\n\r\n", "\n"
        };
        for (int i = 0; i < messages.length; i++) {
            byte[] message = messages[i].getBytes(StandardCharsets.US_ASCII);
            for (int piece = 1; piece <= message.length; piece++) {
                QueueDesk.HeaderEnd end = new QueueDesk.HeaderEnd();
                StringBuilder header = new StringBuilder();
                for (int from = 0; from < message.length && !end.isFound(); from += piece) {
                    byte[] bytes =
                            Arrays.copyOfRange(
                                    message, from, Math.min(message.length, from + piece));
                    header.append(messages[i], from, from + end.find(bytes, bytes.length));
                }
                assertEquals(headers[i], header.toString());
                assertEquals(i != 3, end.isFound());
            }
        }
    }

    @Test
    void reloads() throws IOException {
        assertEquals(
                List.of("reload \"the routes changed\""), ask(new ControlRequest.Reload(), 0, 0));
    }

    // ---- Many messages, and clients that go away ----

    @Test
    void streamsAHundredThousandMessages() throws IOException {
        streams(100_000);
    }

    @Test
    @Tag("long")
    void streamsAMillionMessages() throws IOException {
        streams(1_000_000);
    }

    private void streams(int count) throws IOException {
        served.appendMany(count);
        long[] rows = new long[2];
        String[] last = {""};
        Counts found =
                served.client()
                        .ask(
                                EVERYTHING,
                                (kind, value) -> {
                                    switch (kind) {
                                        case "message" -> {
                                            String id = value.path("id").asText();
                                            rows[0] += id.compareTo(last[0]) > 0 ? 1 : 0;
                                            last[0] = id;
                                        }
                                        case "recipient" -> rows[1]++;
                                        default -> assertEquals("progress", kind);
                                    }
                                });
        assertEquals(new Counts(count, count), found);
        assertEquals(count, rows[0], "each once, oldest first");
        assertEquals(count, rows[1]);
        ask(change(Verb.HOLD, QueueFilter.ALL, Mode.COUNT), count, count);
        ask(change(Verb.HOLD, QueueFilter.ALL, Mode.ACT), count, count);
        ask(change(Verb.HOLD, QueueFilter.ALL, Mode.ACT), 0, 0);
        QueueFilter one =
                new QueueFilter(null, null, "destination-7.example", null, null, null, null);
        ask(change(Verb.RELEASE, one, Mode.ACT), count / 1000, count / 1000);
        ask(change(Verb.REMOVE, QueueFilter.ALL, Mode.ACT), count, count);
        assertEquals(0, served.queue().stats().messages());
    }

    private static Change change(Verb verb, QueueFilter filter, Mode mode) {
        return new Change(verb, new Choice.Matching(filter), mode);
    }

    @Test
    void aClientThatGoesAwayEndsWhatItAskedFor() throws IOException {
        served.appendMany(5_000);
        // As many as are answered at one time; each waits with its socket full.
        List<SocketChannel> stuck = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            SocketChannel connection = connect();
            send(connection, JsonLines.write(EVERYTHING.toJson()) + "\n");
            ByteBuffer first = ByteBuffer.allocate(1);
            assertEquals(1, connection.read(first));
            stuck.add(connection);
        }
        String busy =
                "the server answers 8 other commands; end one of them, such as a list in a pager";
        assertEquals(busy, failure(EVERYTHING));
        for (SocketChannel connection : stuck) {
            connection.close();
        }
        // Their places are free when the server has noticed.
        String failure = failure(EVERYTHING);
        while (failure.equals(busy)) {
            Thread.onSpinWait();
            failure = failure(EVERYTHING);
        }
        assertEquals("", failure);
        assertEquals(5000, served.queue().stats().messages());
    }

    /// Why it fails, or nothing.
    private String failure(ControlRequest request) {
        try {
            Counts _ = served.client().ask(request, (_, _) -> {});
            return "";
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void saysThatNoServerRuns() {
        served.close();
        assertFalse(Files.exists(served.socket()));
        ControlClient client = served.client();
        assertFalse(client.isServed());
        assertEquals(
                "no server answers at "
                        + served.socket()
                        + "; start one with malote serve, or name its file with --config",
                assertThrows(IOException.class, () -> client.ask(EVERYTHING, (_, _) -> {}))
                        .getMessage());
    }

    private List<String> ask(ControlRequest request, long messages, long recipients)
            throws IOException {
        List<String> lines = new ArrayList<>();
        assertEquals(
                new Counts(messages, recipients),
                served.client()
                        .ask(
                                request,
                                (String kind, JsonNode line) -> {
                                    if (!kind.equals("progress")) {
                                        lines.add(kind + " " + line);
                                    }
                                }));
        return lines;
    }
}
