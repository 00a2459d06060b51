package org.malote.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.malote.queue.QueueStats;

final class AdminServerTest {
    private final AtomicReference<@Nullable String> unready = new AtomicReference<>();
    private AdminServer server;

    @BeforeEach
    void start() throws IOException {
        server =
                AdminServer.start(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        unready::get,
                        () -> "malote_x 1\n",
                        new StatusPage(
                                "mx<1>.example",
                                "1.0",
                                0,
                                InstantSource.fixed(Instant.ofEpochSecond(7500)),
                                List.of("mx 127.0.0.1:25"),
                                () -> 3,
                                () ->
                                        new QueueStats(
                                                2, 4096, 1, 1, 0, 1, 1, 9, 7, 5, 5, 5, 5, 0, 0, 0,
                                                0, 0, 1 << 30, 1, null),
                                unready::get),
                        Runnable::run);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void saysWhetherItIsReady() throws IOException {
        assertTrue(get("/livez").endsWith("\r\n\r\nok\n"));
        assertTrue(get("/readyz").startsWith("HTTP/1.1 200 "));
        unready.set("the spool's file system is full");
        String answer = get("/readyz");
        assertTrue(answer.startsWith("HTTP/1.1 503 "), answer);
        assertTrue(answer.endsWith("\r\n\r\nthe spool's file system is full\n"), answer);
        assertTrue(get("/livez").startsWith("HTTP/1.1 200 "));
    }

    @Test
    void servesMetersAndAPage() throws IOException {
        assertTrue(get("/metrics").endsWith("malote_x 1\n"));
        String page = get("/");
        assertTrue(page.contains("<h1>mx&lt;1&gt;.example</h1>"), page);
        assertTrue(page.contains("<tr><th>Up</th><td>2h5m</td></tr>"), page);
        assertTrue(page.contains("2 messages, 4.0 KiB"), page);
    }

    @Test
    void changesNothingAndAnswersNoStrangers() throws IOException {
        assertTrue(ask("POST /readyz HTTP/1.1\r\nHost: localhost\r\n").startsWith("HTTP/1.1 405 "));
        assertTrue(ask("GET / HTTP/1.1\r\nHost: rebound.example\r\n").startsWith("HTTP/1.1 421 "));
        assertTrue(get("/queue").startsWith("HTTP/1.1 404 "));
        assertEquals(
                "",
                ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n").replaceFirst("(?s).*\r\n\r\n", ""));
    }

    private String get(String path) throws IOException {
        return ask("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:1\r\n");
    }

    private String ask(String head) throws IOException {
        try (Socket socket =
                new Socket(server.address().getAddress(), server.address().getPort())) {
            socket.getOutputStream()
                    .write(
                            (head + "Content-Length: 0\r\nConnection: close\r\n\r\n")
                                    .getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
