package org.malote.peers;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/// A client that sends exactly the octets that a test wants sent. Text is ISO 8859-1, so that a
/// character is an octet.
final class Smtp implements AutoCloseable {
    /// How long a test waits for one reply.
    private static final int REPLY_MILLIS_MAX = 30_000;

    private Socket socket;
    private InputStream in;
    private OutputStream out;

    private Smtp(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
        this.out = socket.getOutputStream();
    }

    /// A connection; the greeting is not yet read.
    static Smtp connect(int port) {
        return connect("127.0.0.1", port);
    }

    /// A connection from this address of the host, greeted and past EHLO, with TLS.
    static Smtp openTlsFrom(String source, int port) {
        return secured(greeted(connect(source, port)));
    }

    private static Smtp connect(String source, int port) {
        try {
            Socket socket = new HalfClosing();
            socket.bind(new InetSocketAddress(source, 0));
            socket.setSoTimeout(REPLY_MILLIS_MAX);
            socket.setTcpNoDelay(true);
            socket.connect(Ports.address(port), REPLY_MILLIS_MAX);
            return new Smtp(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A connection that has been greeted and has said EHLO.
    static Smtp open(int port) {
        return greeted(connect(port));
    }

    private static Smtp greeted(Smtp smtp) {
        smtp.expect("220", smtp.reply());
        smtp.expect("250", smtp.ask("EHLO peer.test"));
        return smtp;
    }

    /// The same with STARTTLS and a second EHLO.
    static Smtp openTls(int port) {
        return secured(open(port));
    }

    private static Smtp secured(Smtp smtp) {
        smtp.expect("220", smtp.ask("STARTTLS"));
        smtp.handshake();
        smtp.expect("250", smtp.ask("EHLO peer.test"));
        return smtp;
    }

    /// Becomes the client of a TLS handshake.
    void handshake() {
        try {
            SSLSocket tls =
                    (SSLSocket)
                            trusting()
                                    .getSocketFactory()
                                    .createSocket(socket, "localhost", socket.getPort(), true);
            tls.startHandshake();
            if (socket instanceof HalfClosing below) {
                below.isBelowTls = true;
            }
            socket = tls;
            in = new BufferedInputStream(tls.getInputStream());
            out = tls.getOutputStream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Lines, each ended by CRLF.
    static String lines(String... lines) {
        return String.join("\r\n", lines) + "\r\n";
    }

    /// Octets, nothing added.
    void send(String octets) {
        send(octets.getBytes(StandardCharsets.ISO_8859_1));
    }

    void send(byte[] octets) {
        try {
            out.write(octets);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Sends, unless the other side has closed.
    ///
    /// @return false when it has
    boolean trySend(byte[] octets) {
        try {
            out.write(octets);
            out.flush();
            return true;
        } catch (SocketException | SSLException _) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A line and its reply.
    String ask(String line) {
        send(line + "\r\n");
        return reply();
    }

    /// One whole reply, its lines joined by LF; empty when the other side has closed.
    String reply() {
        StringBuilder reply = new StringBuilder();
        while (true) {
            String line = line();
            if (line.isEmpty()) {
                return reply.toString();
            }
            reply.append(reply.isEmpty() ? "" : "\n").append(line);
            if (line.length() < 4 || line.charAt(3) != '-') {
                return reply.toString();
            }
        }
    }

    /// One line without its CRLF; empty at the end.
    private String line() {
        StringBuilder line = new StringBuilder();
        try {
            for (int octet = in.read(); octet >= 0; octet = in.read()) {
                if (octet == '\n') {
                    return line.substring(0, Math.max(0, line.length() - 1));
                }
                line.append((char) octet);
            }
        } catch (SocketException | SSLException _) {
            return ""; // A reset is a close.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "";
    }

    /// Everything until the other side closes.
    String rest() {
        StringBuilder rest = new StringBuilder();
        try {
            for (int octet = in.read(); octet >= 0; octet = in.read()) {
                rest.append((char) octet);
            }
        } catch (SocketException | SSLException _) {
            return rest.toString(); // A reset is a close.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return rest.toString();
    }

    /// Opens a transaction and sends a message.
    ///
    /// @param data with CRLF line ends and dots doubled, without the final dot
    /// @return the reply to it
    String mail(String from, String to, String data) {
        expect("250", ask("MAIL FROM:<" + from + ">"));
        expect("250", ask("RCPT TO:<" + to + ">"));
        expect("354", ask("DATA"));
        send(data + ".\r\n");
        return reply();
    }

    void expect(String code, String reply) {
        if (!reply.startsWith(code)) {
            throw new AssertionError("expected " + code + ", got: " + reply);
        }
    }

    /// Whether a line has a control character in it but for the tab: C0, DEL or NEL.
    static boolean hasControls(String line) {
        return line.chars().anyMatch(c -> (c < ' ' && c != '\t') || c == 0x7f || c == 0x85);
    }

    /// No more from us; we still read.
    void shutdownOutput() {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// For octets that go below TLS.
    Socket socket() {
        return socket;
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (SocketException | SSLException _) {
            // It is closed all the same.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Below TLS, the end of the output is close_notify alone: a test may have more to say in clear
    /// text.
    private static final class HalfClosing extends Socket {
        private boolean isBelowTls;

        @Override
        public void shutdownOutput() throws IOException {
            if (!isBelowTls) {
                super.shutdownOutput();
            }
        }
    }

    /// A context that trusts everybody: the tests look at mail, not at names.
    static SSLContext trusting() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new Anybody()}, new SecureRandom());
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class Anybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
