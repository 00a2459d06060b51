package org.malote.delivery;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// A remote host in this process, on a port of its own. It takes everything unless it is told
/// otherwise, and writes down what it was told.
final class FakeHost implements AutoCloseable {
    /// A reply that means: close without one.
    static final String CLOSE = "close";

    /// A reply that means: say nothing, for ever.
    static final String SILENCE = "silence";

    private final ServerSocket server;
    private final List<Socket> open = new CopyOnWriteArrayList<>();

    final AtomicInteger connections = new AtomicInteger();
    final List<String> commands = new CopyOnWriteArrayList<>();
    final List<String> messages = new CopyOnWriteArrayList<>();

    /// Who the messages were for.
    final List<String> recipients = new CopyOnWriteArrayList<>();

    /// What EHLO offers.
    volatile List<String> extensions = List.of("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN");

    /// From a command (or `greeting`, `end` and, over LMTP, `end ADDRESS`) to a reply; the empty
    /// string for the usual one.
    volatile UnaryOperator<String> says = _ -> "";

    volatile boolean isLmtp;
    volatile @Nullable SSLContext tls;

    /// Whether TLS begins with the first octet.
    volatile boolean isImplicit;

    /// Whether a certificate is asked for in the handshake, and must be there.
    volatile boolean needsCertificate;

    /// The subjects of the certificates that were shown, `none` where there was none.
    final List<String> identities = new CopyOnWriteArrayList<>();

    /// Where connections came from, and what they said in EHLO.
    final List<String> greeted = new CopyOnWriteArrayList<>();

    FakeHost() throws IOException {
        this("127.0.0.1", 0);
    }

    FakeHost(String address, int port) throws IOException {
        server = new ServerSocket();
        server.bind(new InetSocketAddress(InetAddress.getByName(address), port));
        var _ = Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /// Commands of this kind that came.
    long count(String verb) {
        return commands.stream().filter(c -> c.startsWith(verb)).count();
    }

    /// Drops the connections that are open, as a restart would.
    void dropConnections() throws IOException {
        for (Socket socket : open) {
            socket.close();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        dropConnections();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                connections.incrementAndGet();
                open.add(socket);
                var _ =
                        Thread.ofVirtual()
                                .start(
                                        () -> {
                                            try (socket) {
                                                new Dialogue(socket).run();
                                            } catch (IOException e) {
                                                // the other side is gone
                                            } finally {
                                                open.remove(socket);
                                            }
                                        });
            }
        } catch (IOException e) {
            // closed
        }
    }

    private final class Dialogue {
        private Socket socket;
        private InputStream in;
        private OutputStream out;
        private final List<String> to = new ArrayList<>();
        private boolean isEncrypted;
        private boolean isOver;

        Dialogue(Socket socket) throws IOException {
            this.socket = socket;
            this.in = new BufferedInputStream(socket.getInputStream());
            this.out = socket.getOutputStream();
        }

        void run() throws IOException {
            if (isImplicit) {
                encrypt();
            }
            reply("greeting", "220 fake.example ready");
            while (!isOver) {
                String line = line();
                if (line == null) {
                    return;
                }
                commands.add(line);
                on(line);
            }
        }

        private void on(String line) throws IOException {
            String verb = line.split("[ :]", 2)[0];
            switch (verb) {
                case "EHLO", "LHLO" -> {
                    greeted.add(
                            socket.getInetAddress().getHostAddress()
                                    + " "
                                    + line.substring("EHLO ".length()));
                    List<String> offered = new ArrayList<>(List.of("fake.example"));
                    offered.addAll(extensions);
                    if (tls != null && !isEncrypted) {
                        offered.add("STARTTLS");
                    }
                    StringBuilder text = new StringBuilder();
                    for (int i = 0; i < offered.size(); i++) {
                        text.append(i == 0 ? "" : "\r\n")
                                .append("250")
                                .append(i == offered.size() - 1 ? ' ' : '-')
                                .append(offered.get(i));
                    }
                    reply(line, text.toString());
                }
                case "STARTTLS" -> {
                    reply(line, "220 go");
                    if (!isOver) {
                        encrypt();
                    }
                }
                case "RCPT" -> {
                    String address = line.substring(line.indexOf('<') + 1, line.indexOf('>'));
                    if (reply(line, "250 2.1.5 ok").startsWith("250")) {
                        to.add(address);
                    }
                }
                case "DATA" -> {
                    if (reply(line, to.isEmpty() ? "503 5.5.1 nobody" : "354 go")
                            .startsWith("354")) {
                        data();
                    }
                }
                case "BDAT" -> {
                    int octets = Integer.parseInt(line.split(" ", -1)[1]);
                    messages.add(new String(in.readNBytes(octets), StandardCharsets.UTF_8));
                    end();
                }
                case "RSET", "MAIL" -> {
                    to.clear();
                    reply(line, "250 2.0.0 ok");
                }
                case "QUIT" -> {
                    reply(line, "221 bye");
                    isOver = true;
                }
                default -> reply(line, "500 what");
            }
        }

        private void data() throws IOException {
            StringBuilder text = new StringBuilder();
            for (String line = line(); line != null; line = line()) {
                if (line.equals(".")) {
                    messages.add(text.toString());
                    end();
                    return;
                }
                text.append(line.startsWith(".") ? line.substring(1) : line).append("\r\n");
            }
        }

        private void end() throws IOException {
            recipients.addAll(to);
            if (isLmtp) {
                for (String address : List.copyOf(to)) {
                    reply("end " + address, "250 2.0.0 taken for " + address);
                }
            } else {
                reply("end", "250 2.0.0 taken");
            }
            to.clear();
        }

        private String reply(String to, String usual) throws IOException {
            String said = says.apply(to);
            String reply = said.isEmpty() ? usual : said;
            if (reply.equals(CLOSE)) {
                isOver = true;
                return reply;
            }
            if (reply.equals(SILENCE)) {
                while (in.read() >= 0) {}
                isOver = true;
                return reply;
            }
            out.write((reply + "\r\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
            return reply;
        }

        private void encrypt() throws IOException {
            SSLContext context = tls;
            if (context == null) {
                throw new IOException("no TLS here");
            }
            SSLSocket secure =
                    (SSLSocket) context.getSocketFactory().createSocket(socket, null, 0, true);
            secure.setUseClientMode(false);
            if (needsCertificate) {
                secure.setNeedClientAuth(true);
            } else {
                secure.setWantClientAuth(true);
            }
            secure.startHandshake();
            try {
                identities.add(secure.getSession().getPeerPrincipal().getName());
            } catch (SSLPeerUnverifiedException e) {
                identities.add("none");
            }
            socket = secure;
            in = new BufferedInputStream(secure.getInputStream());
            out = secure.getOutputStream();
            isEncrypted = true;
        }

        private @Nullable String line() throws IOException {
            java.io.ByteArrayOutputStream text = new java.io.ByteArrayOutputStream();
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c == '\n') {
                    String line = text.toString(StandardCharsets.UTF_8);
                    if (!line.endsWith("\r")) {
                        commands.add("a bare line feed");
                    }
                    return line.substring(0, Math.max(0, line.length() - 1));
                }
                text.write(c);
            }
            return null;
        }
    }
}
