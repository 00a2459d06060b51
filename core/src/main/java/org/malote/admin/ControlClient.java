package org.malote.admin;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
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
import java.util.function.Consumer;

/// Asks a running server over its control socket.
public final class ControlClient {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path socket;

    public ControlClient(Path socket) {
        this.socket = socket;
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
    /// @param each gets every object of the answer but the last
    /// @return how many messages were found or changed
    /// @throws IOException when no server answers, or it could not do what was asked; the message
    /// is one sentence for the operator
    public long ask(ControlRequest request, Consumer<JsonNode> each) throws IOException {
        try (SocketChannel connection = connect()) {
            ByteBuffer bytes =
                    ByteBuffer.wrap((request.toJson() + "\n").getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                connection.write(bytes);
            }
            BufferedReader lines =
                    new BufferedReader(
                            new InputStreamReader(
                                    Channels.newInputStream(connection), StandardCharsets.UTF_8));
            String line = lines.readLine();
            while (line != null) {
                JsonNode answer = JSON.readTree(line);
                if (answer.has("error")) {
                    throw new IOException(answer.path("error").asText());
                }
                if (answer.has("done")) {
                    return answer.path("done").asLong();
                }
                each.accept(answer);
                line = lines.readLine();
            }
            throw new IOException(
                    "the server ended the connection; it is stopping, or answers too many others");
        } catch (JacksonException _) {
            throw new IOException("the server answers in another form; is it another version?");
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
