package org.malote.peers;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A host that takes all mail and remembers it, octet by octet. What a test wants answered
/// differently, its script answers.
final class SinkServer implements AutoCloseable {
    /// A message that came.
    ///
    /// @param mail the MAIL command
    /// @param recipients the RCPT commands that were accepted
    /// @param wire its octets as they came after DATA, with the final dot; as BDAT brought them
    ///     otherwise
    /// @param content its octets with the dots undone
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares or changes them.
    record Message(String mail, List<String> recipients, byte[] wire, byte[] content) {
        String text() {
            return new String(content, StandardCharsets.ISO_8859_1);
        }
    }

    private final ServerSocket socket;
    private final List<String> extensions;
    private final Function<String, @Nullable String> script;
    private final List<Message> messages = new ArrayList<>();
    private final List<String> commands = new ArrayList<>();
    private final List<Socket> connections = new ArrayList<>();

    /// Guarded by the connections.
    private int connectionsPeak;

    private SinkServer(List<String> extensions, Function<String, @Nullable String> script)
            throws IOException {
        this.extensions = extensions;
        this.script = script;
        this.socket = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    }

    /// A host with these extensions that says yes to everything.
    static SinkServer start(String... extensions) {
        return start(_ -> null, extensions);
    }

    /// @param script a command line, or `.` for the end of a message, to the reply that it gets;
    ///     null for the usual one
    static SinkServer start(Function<String, @Nullable String> script, String... extensions) {
        try {
            SinkServer sink = new SinkServer(List.of(extensions), script);
            Thread.ofVirtual().start(sink::listen);
            return sink;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return socket.getLocalPort();
    }

    List<Message> messages() {
        synchronized (messages) {
            return List.copyOf(messages);
        }
    }

    /// The message that came as the `index`-th.
    Message message(int index) {
        synchronized (messages) {
            return messages.get(index);
        }
    }

    int count() {
        synchronized (messages) {
            return messages.size();
        }
    }

    /// Every command line that came.
    List<String> commands() {
        synchronized (commands) {
            return List.copyOf(commands);
        }
    }

    /// The most connections that were open at one time.
    int connectionsPeak() {
        synchronized (connections) {
            return connectionsPeak;
        }
    }

    /// Waits for so many messages.
    List<Message> await(int count, Duration limit) {
        Await.until(limit, () -> count() >= count, () -> count() + " of " + count + " messages");
        return messages();
    }

    private void listen() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                synchronized (connections) {
                    connections.add(connection);
                    connectionsPeak = Math.max(connectionsPeak, connections.size());
                }
                Thread.ofVirtual().start(() -> talk(connection));
            } catch (IOException _) {
                return; // Closed.
            }
        }
    }

    private void talk(Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            converse(
                    new BufferedInputStream(connection.getInputStream()),
                    connection.getOutputStream());
        } catch (IOException _) {
            // The other side went away, or the test ended: what had come before is remembered.
        } finally {
            synchronized (connections) {
                connections.remove(connection);
            }
        }
    }

    private void converse(InputStream in, OutputStream out) throws IOException {
        say(out, "220 sink.test ESMTP");
        String mail = "";
        List<String> recipients = new ArrayList<>();
        ByteArrayOutputStream chunks = new ByteArrayOutputStream();
        while (true) {
            String line = line(in);
            if (line == null) {
                return;
            }
            synchronized (commands) {
                commands.add(line);
            }
            String upper = line.toUpperCase(Locale.ROOT);
            String scripted = script.apply(line);
            if (upper.startsWith("BDAT ")) {
                chunks.write(in.readNBytes(Integer.parseInt(line.split(" ", -1)[1])));
            }
            if (scripted != null) {
                say(out, scripted);
                if (scripted.startsWith("421")) {
                    return;
                }
            } else if (upper.startsWith("EHLO")) {
                say(out, capabilities());
            } else if (upper.startsWith("MAIL")) {
                mail = line;
                recipients.clear();
                chunks.reset();
                say(out, "250 2.1.0 ok");
            } else if (upper.startsWith("RCPT")) {
                recipients.add(line);
                say(out, "250 2.1.5 ok");
            } else if (upper.equals("DATA") && recipients.isEmpty()) {
                say(out, "554 5.5.1 no recipients");
            } else if (upper.equals("DATA")) {
                say(out, "354 go ahead");
                byte[] wire = wire(in);
                keep(out, new Message(mail, List.copyOf(recipients), wire, undot(wire)));
                recipients.clear();
            } else if (upper.startsWith("BDAT") && !upper.endsWith("LAST")) {
                say(out, "250 2.0.0 chunk");
            } else if (upper.startsWith("BDAT")) {
                byte[] all = chunks.toByteArray();
                chunks.reset();
                keep(out, new Message(mail, List.copyOf(recipients), all, all));
                recipients.clear();
            } else if (upper.equals("QUIT")) {
                say(out, "221 2.0.0 bye");
                return;
            } else {
                say(out, "250 2.0.0 ok");
            }
        }
    }

    private void keep(OutputStream out, Message message) throws IOException {
        String scripted = script.apply(".");
        if (scripted == null) {
            synchronized (messages) {
                messages.add(message);
            }
        }
        say(out, scripted == null ? "250 2.0.0 kept" : scripted);
    }

    private String capabilities() {
        StringBuilder text = new StringBuilder("250");
        text.append(extensions.isEmpty() ? " " : "-").append("sink.test");
        for (int i = 0; i < extensions.size(); i++) {
            text.append("\r\n250").append(i == extensions.size() - 1 ? ' ' : '-');
            text.append(extensions.get(i));
        }
        return text.toString();
    }

    private static void say(OutputStream out, String reply) throws IOException {
        out.write((reply + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    /// A line without its LF and one CR before it; null at the end.
    private static @Nullable String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int octet = in.read(); octet >= 0; octet = in.read()) {
            if (octet == '\n') {
                int end = line.length();
                return end > 0 && line.charAt(end - 1) == '\r'
                        ? line.substring(0, end - 1)
                        : line.toString();
            }
            line.append((char) octet);
        }
        return null;
    }

    /// Everything up to CR LF . CR LF, with it.
    private static byte[] wire(InputStream in) throws IOException {
        ByteArrayOutputStream wire = new ByteArrayOutputStream();
        // The last five octets; DATA's own CRLF counts as the line end before the first line.
        long last = ('\r' << 8) | '\n';
        long end = 0x0D0A2E0D0AL;
        for (int octet = in.read(); octet >= 0; octet = in.read()) {
            wire.write(octet);
            last = (last << 8 | octet) & 0xFF_FFFF_FFFFL;
            if (last == end) {
                return wire.toByteArray();
            }
        }
        throw new IOException("cut in the message");
    }

    private static byte[] undot(byte[] wire) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        boolean atStart = true;
        for (int i = 0; i < wire.length - 3; i++) {
            boolean isDot = wire[i] == '.' && atStart;
            atStart = wire[i] == '\n' && i > 0 && wire[i - 1] == '\r';
            if (!isDot) {
                content.write(wire[i]);
            }
        }
        return content.toByteArray();
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
