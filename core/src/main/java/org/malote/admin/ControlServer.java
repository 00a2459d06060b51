package org.malote.admin;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageBody;
import org.malote.queue.QueueEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The unix-domain socket over which the operator changes the queue. Who may open it is decided by
/// the file system: the socket has mode 0600.
///
/// A connection sends one request on one line and gets lines of JSON: a message each for `list` and
/// `show`, and at the end `{"done":N}` or `{"error":"…"}`.
public final class ControlServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

    /// Requests at one time. Ours: an operator and a script or two.
    private static final int REQUESTS_MAX = 8;

    /// How long accepting rests after it failed. Ours.
    private static final long ACCEPT_PAUSE_MILLIS = 200;

    /// Room for 60,000 ids.
    private static final int REQUEST_BYTES_MAX = 1 << 20;

    /// What `show` gives of a message's bytes.
    private static final int BODY_BYTES_MAX = 16 << 20;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final ServerSocketChannel listening;
    private final Path socket;
    private final MailQueue queue;
    private final Supplier<ReloadResult> reload;
    private final InstantSource clock;
    private final Executor requests;
    private final Semaphore free = new Semaphore(REQUESTS_MAX);

    private ControlServer(
            ServerSocketChannel listening,
            Path socket,
            MailQueue queue,
            Supplier<ReloadResult> reload,
            InstantSource clock,
            Executor requests) {
        this.listening = listening;
        this.socket = socket;
        this.queue = queue;
        this.reload = reload;
        this.clock = clock;
        this.requests = requests;
    }

    /// Listens.
    ///
    /// @param socket the path; what a dead server left there is replaced. The caller holds the
    /// spool's lock, so no living server is disturbed
    /// @param reload reads the configuration again and says what came of it
    /// @param accepting makes the thread that accepts
    /// @param requests runs the requests; its tasks wait for the disk
    /// @throws IOException when the socket cannot be made; the message says why
    public static ControlServer start(
            Path socket,
            MailQueue queue,
            Supplier<ReloadResult> reload,
            InstantSource clock,
            ThreadFactory accepting,
            Executor requests)
            throws IOException {
        Files.deleteIfExists(socket);
        ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            listening.bind(UnixDomainSocketAddress.of(socket), REQUESTS_MAX);
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            listening.close();
            throw new IOException(
                    "cannot make the control socket "
                            + socket
                            + ": "
                            + e.getMessage()
                            + " (its path may have 100 bytes; a shorter \"state\" helps)",
                    e);
        }
        ControlServer server = new ControlServer(listening, socket, queue, reload, clock, requests);
        accepting.newThread(server::accept).start();
        return server;
    }

    private void accept() {
        while (listening.isOpen()) {
            try {
                SocketChannel connection = listening.accept();
                if (!free.tryAcquire()) {
                    connection.close();
                    continue;
                }
                requests.execute(() -> serve(connection));
            } catch (ClosedChannelException | RejectedExecutionException _) {
                return; // the server is stopping
            } catch (IOException e) {
                // Such as no free descriptor: the operator will need this socket all the more.
                LOG.warn("the control socket does not accept: {}", e.getMessage());
                try {
                    TimeUnit.MILLISECONDS.sleep(ACCEPT_PAUSE_MILLIS);
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    private void serve(SocketChannel connection) {
        try (connection;
                Writer out =
                        new BufferedWriter(
                                new OutputStreamWriter(
                                        Channels.newOutputStream(connection),
                                        StandardCharsets.UTF_8))) {
            ObjectNode last = JsonNodeFactory.instance.objectNode();
            try {
                answer(ControlRequest.parse(request(connection)), out, last);
            } catch (IllegalArgumentException e) {
                last.put("error", e.getMessage());
            } catch (JacksonException _) {
                last.put("error", "a request is one JSON object on one line");
            } catch (QueueFailure e) {
                last.put("error", e.getMessage());
            }
            line(out, last);
        } catch (IOException e) {
            LOG.debug("a control connection ended: {}", e.getMessage());
        } finally {
            free.release();
        }
    }

    /// What the queue could not do, told to the operator; unlike a lost connection.
    private static final class QueueFailure extends Exception {
        private static final long serialVersionUID = 1L;

        QueueFailure(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private static JsonNode request(SocketChannel connection) throws IOException {
        InputStream in = Channels.newInputStream(connection);
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        while (line.size() < REQUEST_BYTES_MAX) {
            int count = in.read(buffer);
            if (count < 0) {
                break;
            }
            line.write(buffer, 0, count);
            if (buffer[count - 1] == '\n') {
                return JSON.readTree(line.toByteArray());
            }
        }
        throw new IllegalArgumentException("a request ends with a line feed, within 1 MiB");
    }

    private void answer(ControlRequest request, Writer out, ObjectNode last)
            throws IOException, QueueFailure {
        switch (request) {
            case ControlRequest.ListSome(QueueFilter filter) -> {
                long now = clock.millis();
                long count = 0;
                try (Stream<QueueEntry> entries = queue.list()) {
                    Iterator<QueueEntry> each = entries.filter(filter.at(now)).iterator();
                    for (; each.hasNext(); count++) {
                        line(out, QueueJson.of(each.next(), now));
                    }
                }
                last.put("done", count);
            }
            case ControlRequest.Shape _ -> {
                try (Stream<QueueEntry> entries = queue.list()) {
                    List<ObjectNode> lines = QueueShape.of(entries, clock.millis()).lines();
                    for (ObjectNode line : lines) {
                        line(out, line);
                    }
                    last.put("done", lines.size());
                }
            }
            case ControlRequest.Show show -> {
                QueueEntry entry = queue.find(show.id());
                if (entry == null) {
                    last.put(
                            "error",
                            "message " + show.id() + " is not in the queue; see malote queue list");
                    return;
                }
                ObjectNode json = QueueJson.withAttributes(entry, clock.millis());
                if (show.withBody()) {
                    json.put("body", body(show));
                }
                line(out, json);
                last.put("done", 1);
            }
            case ControlRequest.Change change -> {
                try {
                    int count =
                            switch (change.verb()) {
                                case RETRY -> queue.retry(change.selection());
                                case HOLD -> queue.hold(change.selection());
                                case RELEASE -> queue.release(change.selection());
                                case REMOVE -> queue.remove(change.selection());
                            };
                    LOG.info("an operator's {} changed {} messages", change.verb().word(), count);
                    last.put("done", count);
                } catch (IOException e) {
                    throw new QueueFailure(e);
                }
            }
            case ControlRequest.Reload _ -> {
                ReloadResult result = reload.get();
                for (String text : result.lines()) {
                    line(out, JsonNodeFactory.instance.objectNode().put("reload", text));
                }
                if (result.isTaken()) {
                    last.put("done", 1);
                } else {
                    last.put("error", "the running configuration goes on; mend the file first");
                }
            }
        }
    }

    private String body(ControlRequest.Show show) throws QueueFailure {
        try (MessageBody body = queue.body(show.id())) {
            if (body.size() > BODY_BYTES_MAX) {
                throw new QueueFailure(new IOException("the message is too large to be shown"));
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) body.size());
            while (bytes.hasRemaining() && body.read(bytes) >= 0) {
                // Reading on.
            }
            // A byte a character, so that 8-bit mail arrives as it is.
            return new String(bytes.array(), 0, bytes.position(), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new QueueFailure(e);
        }
    }

    private static void line(Writer out, ObjectNode json) throws IOException {
        out.write(JSON.writeValueAsString(json));
        out.write('\n');
    }

    @Override
    public void close() {
        try {
            listening.close();
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.warn("the control socket could not be removed: {}", e.getMessage());
        }
    }
}
