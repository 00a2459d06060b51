package org.malote.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/// A server that says what a test wants it to, one connection on each thread.
final class ScriptedServer implements AutoCloseable {
    /// What a connection is told.
    interface Script {
        /// @param connection counted from 0
        /// @param command a line; "" before the first, "." for the end of a message
        /// @return the reply; null to be silent from now on
        @Nullable String reply(int connection, String command) throws InterruptedException;
    }

    private final ServerSocket listening;
    private final Script script;

    /// What was asked, by all connections.
    private final Queue<String> commands = new ConcurrentLinkedQueue<>();

    ScriptedServer(Script script) throws IOException {
        this.script = script;
        this.listening = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::serve);
    }

    int port() {
        return listening.getLocalPort();
    }

    List<String> commands() {
        return List.copyOf(commands);
    }

    private void serve() {
        for (int i = 0; ; i++) {
            int connection = i;
            try {
                Socket peer = listening.accept();
                Thread.ofVirtual().start(() -> serve(peer, connection));
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    private void serve(Socket peer, int connection) {
        try (peer) {
            InputStream in = new BufferedInputStream(peer.getInputStream());
            String command = "";
            while (command != null) {
                String reply = script.reply(connection, command);
                if (reply == null) {
                    var _ = in.transferTo(OutputStream.nullOutputStream());
                    return;
                }
                peer.getOutputStream().write((reply + "\r\n").getBytes(ISO_8859_1));
                if (reply.startsWith("354")) {
                    command = afterText(in);
                } else {
                    command = line(in);
                    if (command != null && command.startsWith("BDAT ")) {
                        in.skipNBytes(Long.parseLong(command.split(" ", -1)[1]));
                    }
                }
                if (command != null) {
                    commands.add(command);
                }
            }
        } catch (IOException _) {
            // the peer went
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static @Nullable String afterText(InputStream in) throws IOException {
        String line;
        do {
            line = line(in);
        } while (line != null && !line.equals("."));
        return line;
    }

    /// @return null at the end
    private static @Nullable String line(InputStream in) throws IOException {
        var text = new StringBuilder();
        for (int octet = in.read(); octet >= 0; octet = in.read()) {
            if (octet == '\n') {
                return text.toString().stripTrailing();
            }
            text.append((char) octet);
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
