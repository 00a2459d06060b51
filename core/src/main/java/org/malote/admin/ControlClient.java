package org.malote.admin;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Asks a running server over its control socket.
public final class ControlClient {
    /// Of one line of an answer. The longest are of a message with its attributes, of a recipient
    /// with a reply of 1024 characters, and of a piece of a message: some ten thousand bytes each.
    private static final int LINE_BYTES_MAX = 1 << 20;

    private final Path socket;

    public ControlClient(Path socket) {
        this.socket = socket;
    }

    /// Gets an answer line by line.
    public interface Listener {
        /// @param kind what it is, see [ControlServer]
        /// @throws IOException to end the request
        void on(String kind, JsonNode value) throws IOException;
    }

    /// Whether a server answers there.
    public boolean isServed() {
        try (SocketChannel connection = connect()) {
            return connection.isConnected();
        } catch (IOException _) {
            return false;
        }
    }

    /// Asks, and waits for the end of the answer.
    ///
    /// @param listener gets every line but the last
    /// @return how many messages and recipients were found or changed
    /// @throws IOException when no server answers, or it could not do what was asked, with a
    ///     sentence for the operator; or what the listener threw
    public Counts ask(ControlRequest request, Listener listener) throws IOException {
        byte[] line = (JsonLines.write(request.toJson()) + "\n").getBytes(StandardCharsets.UTF_8);
        if (line.length > ControlServer.REQUEST_BYTES_MAX) {
            throw new IOException("name fewer messages at one time: 60,000 are always possible");
        }
        try (SocketChannel connection = connect()) {
            send(connection, line);
            Lines lines = new Lines(Channels.newInputStream(connection));
            for (JsonNode answer = lines.next(); answer != null; answer = lines.next()) {
                for (Map.Entry<String, JsonNode> field : answer.properties()) {
                    JsonNode value = field.getValue();
                    switch (field.getKey()) {
                        case "error" -> throw new IOException(value.asText());
                        case "done" -> {
                            return new Counts(
                                    value.path("messages").asLong(),
                                    value.path("recipients").asLong());
                        }
                        default -> listener.on(field.getKey(), value);
                    }
                }
            }
            throw ended();
        }
    }

    private static void send(SocketChannel connection, byte[] line) throws IOException {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(line);
            while (bytes.hasRemaining()) {
                connection.write(bytes);
            }
        } catch (IOException _) {
            // It may have said why before it went.
        }
    }

    private static IOException ended() {
        return new IOException(
                "the server ended the connection before its answer was whole; is it stopping?");
    }

    /// The lines of an answer, one at a time in one buffer.
    private static final class Lines {
        private final InputStream in;
        private byte[] buffer = new byte[64 << 10];
        private int from;
        private int to;

        Lines(InputStream in) {
            this.in = in;
        }

        /// @return null at the end
        @Nullable JsonNode next() throws IOException {
            int scanned = from;
            while (true) {
                for (; scanned < to; scanned++) {
                    if (buffer[scanned] == '\n') {
                        byte[] line = Arrays.copyOfRange(buffer, from, scanned);
                        from = scanned + 1;
                        return parse(line);
                    }
                }
                scanned -= from;
                if (!fill()) {
                    return null;
                }
                scanned += from;
            }
        }

        private boolean fill() throws IOException {
            System.arraycopy(buffer, from, buffer, 0, to - from);
            to -= from;
            from = 0;
            if (to == buffer.length) {
                if (to >= LINE_BYTES_MAX) {
                    throw strange();
                }
                buffer = Arrays.copyOf(buffer, to * 2);
            }
            int count;
            try {
                count = in.read(buffer, to, buffer.length - to);
            } catch (IOException e) {
                throw new IOException(ended().getMessage(), e);
            }
            to += Math.max(count, 0);
            return count >= 0;
        }

        private static JsonNode parse(byte[] line) throws IOException {
            try {
                return JsonLines.read(line, line.length);
            } catch (JacksonException _) {
                throw strange();
            }
        }

        private static IOException strange() {
            return new IOException("the server answers in another form; is it another version?");
        }
    }

    private SocketChannel connect() throws IOException {
        SocketChannel connection = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            connection.connect(UnixDomainSocketAddress.of(socket));
            return connection;
        } catch (IOException e) {
            connection.close();
            if (Files.exists(socket) && !Files.isWritable(socket)) {
                throw new IOException(
                        "this user may not use " + socket + "; run it as the server's user", e);
            }
            throw new IOException(
                    "no server answers at "
                            + socket
                            + "; start one with malote serve, or name its file with --config",
                    e);
        }
    }
}
