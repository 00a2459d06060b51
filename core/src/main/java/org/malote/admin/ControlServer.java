package org.malote.admin;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.malote.amtp.Observations;
import org.malote.amtp.Observations.Row;
import org.malote.queue.MailQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The unix-domain socket over which the operator changes the queue. Who may open it is decided by
/// the file system: the socket has mode 0600.
///
/// A connection sends one request on one line, see [ControlRequest], and gets lines with an object
/// of one field each: `message`, `recipient`, `shape`, `bytes` (a piece of a message in Base64),
/// `cutAt`, `suspended`, `reload`, `peer` (see [ObservedJson]), and `progress` now and then; at the
/// end `done` with how many
/// `messages` and `recipients` it was about, or `error` with a sentence. A client that goes away
/// ends what it asked for: a change then stays as far as it went.
public final class ControlServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);

    /// Requests at one time. Ours: an operator and a script or two.
    private static final int REQUESTS_MAX = 8;

    /// How long accepting rests after it failed. Ours.
    private static final long ACCEPT_PAUSE_MILLIS = 200;

    /// Room for 60,000 ids.
    static final int REQUEST_BYTES_MAX = 1 << 20;

    private final ServerSocketChannel listening;
    private final Path socket;
    private final QueueDesk desk;
    private final Observations observations;
    private final Supplier<ReloadResult> reload;
    private final Executor requests;
    private final Semaphore free = new Semaphore(REQUESTS_MAX);

    private ControlServer(
            ServerSocketChannel listening,
            Path socket,
            QueueDesk desk,
            Observations observations,
            Supplier<ReloadResult> reload,
            Executor requests) {
        this.listening = listening;
        this.socket = socket;
        this.desk = desk;
        this.observations = observations;
        this.reload = reload;
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
            Observations observations,
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
        ControlServer server =
                new ControlServer(
                        listening,
                        socket,
                        new QueueDesk(queue, clock),
                        observations,
                        reload,
                        requests);
        accepting.newThread(server::accept).start();
        return server;
    }

    private void accept() {
        while (listening.isOpen()) {
            try {
                SocketChannel connection = listening.accept();
                if (!free.tryAcquire()) {
                    refuse(connection);
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

    /// Tells a client that it is one too many. Does not wait for it: the line fits into the socket.
    private static void refuse(SocketChannel connection) {
        try (connection) {
            new ControlAnswer(Channels.newOutputStream(connection))
                    .error(
                            "the server answers "
                                    + REQUESTS_MAX
                                    + " other commands; end one of them, such as a list in a pager");
        } catch (IOException e) {
            LOG.debug("a control connection ended: {}", e.getMessage());
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            ControlAnswer out = new ControlAnswer(Channels.newOutputStream(connection));
            try {
                out.done(answer(ControlRequest.parse(request(connection)), out));
            } catch (JacksonException _) {
                out.error("a request is one JSON object on one line");
            } catch (ControlAnswer.ClientGoneException e) {
                throw e;
            } catch (IllegalArgumentException | IOException e) {
                out.error(String.valueOf(e.getMessage()));
            } catch (RuntimeException e) {
                LOG.error("a bug: a control request failed", e);
                out.error("a bug in malote, please report it: " + e);
            }
        } catch (IOException e) {
            LOG.debug("a control connection ended: {}", e.getMessage());
        } finally {
            free.release();
        }
    }

    private static JsonNode request(SocketChannel connection) throws IOException {
        InputStream in = Channels.newInputStream(connection);
        byte[] line = new byte[8192];
        int size = 0;
        while (true) {
            int count = in.read(line, size, line.length - size);
            if (count < 0) {
                throw new IllegalArgumentException("a request ends with a line feed");
            }
            size += count;
            if (line[size - 1] == '\n') {
                return JsonLines.read(line, size);
            }
            if (size == line.length) {
                if (size >= REQUEST_BYTES_MAX) {
                    throw new IllegalArgumentException("a request has at most 1 MiB");
                }
                line = Arrays.copyOf(line, size * 2);
            }
        }
    }

    private Counts answer(ControlRequest request, ControlAnswer out) throws IOException {
        return switch (request) {
            case ControlRequest.ListSome list -> desk.list(list, out);
            case ControlRequest.Shape shape -> desk.shape(shape, out);
            case ControlRequest.Show show -> desk.show(show, out);
            case ControlRequest.Change change -> desk.change(change, out);
            case ControlRequest.Suspend(String domain) -> desk.suspend(domain);
            case ControlRequest.Resume(String domain) -> desk.resume(domain);
            case ControlRequest.Suspended _ -> desk.suspended(out);
            case ControlRequest.Reload _ -> {
                ReloadResult result = reload.get();
                for (String text : result.lines()) {
                    out.line("reload", JsonNodeFactory.instance.textNode(text));
                }
                if (!result.isTaken()) {
                    throw new IOException("the running configuration goes on; mend the file first");
                }
                yield new Counts(0, 0);
            }
            case ControlRequest.Peers _ -> {
                List<Row> rows = observations.rows();
                for (Row row : rows) {
                    out.line("peer", ObservedJson.write(row));
                }
                yield new Counts(rows.size(), 0);
            }
        };
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
