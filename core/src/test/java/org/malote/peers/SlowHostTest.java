package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// O04: a host that takes connections and says nothing costs the others next to nothing; and when
/// a host comes back, it is not run over.
@Tag("peers")
final class SlowHostTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /// Other domains, each with a host of its own.
    private static final int OTHERS = 20;

    private static final int MESSAGES_OF_EACH = 150;
    private static final int MESSAGES_OF_THE_HOLE = 100_000;
    private static final int ROUNDS = 8;
    private static final double SHARE_MIN = 0.9;

    /// A round ends when the number of those that wait has not grown for so long. The length of
    /// the test depends on it, and nothing else, unless the server gets no processor all that time.
    private static final Duration STEADY = Duration.ofMillis(1500);

    /// Throughput without a clock: the hosts answer no final dot before no further message comes,
    /// and then all. What they hold then is what the server has on its way to them at one time, and
    /// the mail that a number of such rounds moves is the throughput where hosts are what is slow.
    private static final class Rounds {
        private int waiting;
        private long round;

        synchronized @Nullable String answer(String line) {
            if (line.equals(".")) {
                waiting++;
                long mine = round;
                try {
                    while (mine == round) {
                        wait();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException(e);
                }
            }
            return null;
        }

        synchronized int waiting() {
            return waiting;
        }

        synchronized int release() {
            int released = waiting;
            waiting = 0;
            round++;
            notifyAll();
            return released;
        }

        /// Waits until the number does not grow, and lets them go.
        int next(MaloteServer server) {
            int[] seen = {0};
            long[] sinceNanos = {System.nanoTime()};
            Await.until(
                    LIMIT,
                    () -> {
                        int now = waiting();
                        if (now != seen[0]) {
                            seen[0] = now;
                            sinceNanos[0] = System.nanoTime();
                        }
                        return now > 0 && System.nanoTime() - sinceNanos[0] > STEADY.toNanos();
                    },
                    server::log);
            return release();
        }
    }

    @Test
    void aBlackHoleCostsOthersATenthAtMost() {
        List<Integer> without = rounds(0);
        List<Integer> with = rounds(MESSAGES_OF_THE_HOLE);
        int control = without.stream().mapToInt(Integer::intValue).sum();
        int delivered = with.stream().mapToInt(Integer::intValue).sum();
        // The control: it is the server's own bounds that end a round, not the mail that is there.
        assertTrue(control < OTHERS * MESSAGES_OF_EACH, without::toString);
        assertTrue(
                delivered >= SHARE_MIN * control,
                () -> "with a black hole " + with + ", without " + without);
    }

    /// How many messages each round moved to the other hosts.
    private static List<Integer> rounds(int messagesOfTheHole) {
        Rounds rounds = new Rounds();
        List<SinkServer> sinks = new ArrayList<>();
        try (Folder folder = Folder.create();
                BlackHole hole = BlackHole.open()) {
            StringBuilder routes =
                    new StringBuilder(
                            """
                            [queue]
                            free-space-reserve = "1MiB"
                            [delivery.timeouts]
                            greeting = "2s"
                            """);
            routes.append(route("hole.test", hole.port()));
            for (int i = 0; i < OTHERS; i++) {
                sinks.add(SinkServer.start(rounds::answer, "PIPELINING"));
                routes.append(route("d" + i + ".test", sinks.getLast().port()));
            }
            Toml toml = Toml.of(folder, Certificate.make(folder), routes.toString());
            SpoolFiller.fill(
                    folder.sub("state"),
                    queue -> {
                        for (int i = 0; i < messagesOfTheHole; i++) {
                            queue.add(i, "x@hole.test", 100);
                        }
                        for (int i = 0; i < OTHERS * MESSAGES_OF_EACH; i++) {
                            queue.add(i, "x@d" + i % OTHERS + ".test", 100);
                        }
                    });
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                List<Integer> moved = new ArrayList<>();
                for (int i = 0; i < ROUNDS; i++) {
                    moved.add(rounds.next(server));
                }
                assertEquals(messagesOfTheHole > 0, hole.connections() > 0);
                rounds.release();
                server.assertQuiet();
                server.kill(); // It has nothing to tell any more.
                return moved;
            } finally {
                rounds.release();
            }
        } finally {
            sinks.forEach(SinkServer::close);
        }
    }

    private static String route(String domain, int port) {
        return "[[route]]\ndomain = \"%s\"\nvia = \"smtp:127.0.0.1:%d\"\n".formatted(domain, port);
    }

    /// Takes connections and never says a word.
    private static final class BlackHole implements AutoCloseable {
        private final ServerSocket socket;
        private final List<Socket> connections = new ArrayList<>();
        private final AtomicInteger count = new AtomicInteger();

        private BlackHole(ServerSocket socket) {
            this.socket = socket;
        }

        static BlackHole open() {
            try {
                BlackHole hole =
                        new BlackHole(new ServerSocket(0, 500, InetAddress.getLoopbackAddress()));
                Thread.ofVirtual().start(hole::listen);
                return hole;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void listen() {
            while (true) {
                try {
                    Socket connection = socket.accept();
                    count.incrementAndGet();
                    synchronized (connections) {
                        connections.add(connection);
                    }
                } catch (IOException _) {
                    return; // Closed.
                }
            }
        }

        int port() {
            return socket.getLocalPort();
        }

        int connections() {
            return count.get();
        }

        @Override
        public void close() {
            try {
                socket.close();
                synchronized (connections) {
                    for (Socket connection : connections) {
                        connection.close();
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final int MESSAGES_OF_THE_OUTAGE = 400;
    private static final int WINDOW = 7;
    private static final int RETRY_FIRST_SECONDS = 500;

    /// Of the retry delay, to each side.
    private static final double JITTER = 0.2;

    /// The delays are spread over 200 seconds. Of 400 messages, 20 are in a slice of ten in the
    /// mean; 60 are not, but for a coin that falls on one side 30 times.
    private static final int SLICE_SECONDS = 10;

    private static final int MESSAGES_OF_A_SLICE_MAX = 60;

    @Test
    void aHostThatComesBackIsNotRunOver() {
        AtomicBoolean isOut = new AtomicBoolean(true);
        try (Folder folder = Folder.create();
                SinkServer sink =
                        SinkServer.start(
                                line ->
                                        line.startsWith("RCPT") && isOut.get()
                                                ? "450 4.2.0 not now"
                                                : null,
                                "PIPELINING")) {
            Toml toml =
                    Toml.of(
                            folder,
                            Certificate.make(folder),
                            """
                            [queue]
                            retry-first = "%ds"
                            retry-jitter = %s
                            attempts-per-destination-max = %d
                            [delivery]
                            connections-per-host-max = %d
                            """
                                            .formatted(RETRY_FIRST_SECONDS, JITTER, WINDOW, WINDOW)
                                    + route("out.test", sink.port()));
            SpoolFiller.fill(
                    folder.sub("state"),
                    queue -> {
                        for (int i = 0; i < MESSAGES_OF_THE_OUTAGE; i++) {
                            queue.add(i, "x@out.test", 100);
                        }
                    });
            try (MaloteServer server = MaloteServer.start(folder, toml.text())) {
                List<Long> due = new ArrayList<>();
                Await.until(
                        LIMIT,
                        () -> {
                            due.clear();
                            due.addAll(dueSeconds(server));
                            return due.size() == MESSAGES_OF_THE_OUTAGE;
                        },
                        () -> due.size() + " have been tried");
                // All were put off within seconds. That they come back is spread.
                for (long start : due) {
                    long inSlice =
                            due.stream()
                                    .filter(second -> second >= start)
                                    .filter(second -> second < start + SLICE_SECONDS)
                                    .count();
                    assertTrue(inSlice <= MESSAGES_OF_A_SLICE_MAX, due::toString);
                }
                // And when an operator makes all of them due at one time, the window holds.
                isOut.set(false);
                server.run("queue", "retry", "--all", "--config", "malote.toml");
                sink.await(MESSAGES_OF_THE_OUTAGE, LIMIT);
                assertTrue(
                        sink.connectionsPeak() <= WINDOW,
                        () -> sink.connectionsPeak() + " connections at one time");
                assertTrue(sink.connectionsPeak() > 1, "one after the other proves nothing");
                server.assertQuiet();
            }
        }
    }

    /// When those that have been tried are due again.
    private static List<Long> dueSeconds(MaloteServer server) {
        List<Long> due = new ArrayList<>();
        String list = server.run("queue", "list", "--json", "--config", "malote.toml");
        for (String line : list.lines().filter(text -> text.startsWith("{")).toList()) {
            try {
                JsonNode recipient = new ObjectMapper().readTree(line).path("recipients").path(0);
                if (recipient.path("attempts").asInt() > 0) {
                    due.add(Instant.parse(recipient.path("nextAttempt").asText()).getEpochSecond());
                }
            } catch (JsonProcessingException e) {
                throw new AssertionError(line, e);
            }
        }
        return due;
    }
}
