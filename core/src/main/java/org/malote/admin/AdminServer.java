package org.malote.admin;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The loopback HTTP face. Nothing can be changed through it.
public final class AdminServer implements AutoCloseable {
    /// Connections that wait to be accepted. Ours: a scraper, a probe and a browser.
    private static final int BACKLOG = 16;

    private static final String TEXT = "text/plain; charset=utf-8";

    private final HttpServer server;
    private final Health health;
    private final Supplier<String> metrics;
    private final StatusPage page;

    private AdminServer(
            HttpServer server, Health health, Supplier<String> metrics, StatusPage page) {
        this.server = server;
        this.health = health;
        this.metrics = metrics;
        this.page = page;
    }

    /// Binds and serves.
    ///
    /// @param address on loopback; port 0 takes any free one
    /// @param metrics the meters in Prometheus's text form
    /// @param requests runs the requests; its tasks may wait for the disk
    /// @throws IOException when the address cannot be had; the message names it
    public static AdminServer start(
            InetSocketAddress address,
            Health health,
            Supplier<String> metrics,
            StatusPage page,
            Executor requests)
            throws IOException {
        HttpServer http;
        try {
            http = HttpServer.create(address, BACKLOG);
        } catch (IOException e) {
            throw new IOException(
                    "cannot serve the metrics on " + text(address) + ": " + e.getMessage(), e);
        }
        AdminServer server = new AdminServer(http, health, metrics, page);
        http.setExecutor(requests);
        http.createContext("/", server::answer);
        http.start();
        return server;
    }

    /// Where it listens.
    public InetSocketAddress address() {
        return server.getAddress();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String method = exchange.getRequestMethod();
            if (!method.equals("GET") && !method.equals("HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                send(exchange, 405, TEXT, "only GET: nothing is changed here; see malote queue\n");
                return;
            }
            if (!isForLoopback(exchange.getRequestHeaders().getFirst("Host"))) {
                // A page elsewhere whose name was made to point to 127.0.0.1 must not read this.
                send(exchange, 421, TEXT, "ask for 127.0.0.1, [::1] or localhost\n");
                return;
            }
            switch (exchange.getRequestURI().getPath()) {
                case "/livez" -> send(exchange, 200, TEXT, "ok\n");
                case "/readyz" -> {
                    String reason = health.unreadyReason();
                    send(
                            exchange,
                            reason == null ? 200 : 503,
                            TEXT,
                            (reason == null ? "ok" : reason) + "\n");
                }
                case "/metrics" ->
                        send(
                                exchange,
                                200,
                                "text/plain; version=0.0.4; charset=utf-8",
                                metrics.get());
                case "/" -> send(exchange, 200, "text/html; charset=utf-8", page.html());
                default -> send(exchange, 404, TEXT, "here are /, /livez, /readyz and /metrics\n");
            }
        }
    }

    private static boolean isForLoopback(@Nullable String host) {
        return host == null || host.matches("(127\\.0\\.0\\.1|\\[::1]|localhost)(:[0-9]{1,5})?");
    }

    private static void send(HttpExchange exchange, int status, String type, String text)
            throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
        } else {
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static String text(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
