package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// T03: handshakes that are begun and not ended.
@Tag("peers")
@Timeout(240)
final class HandshakeFloodTest {
    private static final int CONNECTIONS = 5000;
    private static final int PER_NETWORK_MAX = 3000;
    private static final int ANSWER_MILLIS_MAX = 30_000;

    /// Ours: six times a full handshake, and none is done here; the rest is for the compiler.
    private static final Duration CPU_PER_CONNECTION_MAX = Duration.ofMillis(5);

    /// Of each half-open session, with its socket and the TLS engine. Ours: four times what an idle
    /// session with TLS takes.
    private static final long BYTES_PER_SESSION_MAX = 64 << 10;

    /// RFC 8446 §5.1: a record of one byte, the first of a ClientHello.
    private static final byte[] FIRST_BYTE = {22, 3, 1, 0, 1, 1};

    private static final int RECORD_HEADER_BYTES = 5;

    private static Folder folder;
    private static Toml toml;
    private static MaloteServer server;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        Path mail = folder.path().resolve("mail");
        toml =
                Toml.withoutRelay(
                                folder,
                                Certificate.make(folder),
                                """
                        [queue]
                        durability = "relaxed"
                        [limits]
                        sessions-per-network-max = %d
                        [[route]]
                        domain = "box.test"
                        via = "maildir:%s/{local}"
                        """
                                        .formatted(PER_NETWORK_MAX, mail))
                        .withTls("handshake-timeout = \"10s\"");
        server = MaloteServer.start(folder, toml.text());
        servesAnotherNetwork();
    }

    @AfterAll
    static void stop() {
        try (var _ = folder;
                var _ = server) {}
    }

    private static void servesAnotherNetwork() {
        try (Smtp smtp = Smtp.openTlsFrom("127.0.9.1", toml.port())) {
            smtp.expect(
                    "250 2.0.0 queued",
                    smtp.mail("a@peer.test", "good@box.test", "Subject: x\r\n\r\nx\r\n"));
        }
    }

    @Test
    void holdsSoManyHalfOpenHandshakesAndServesOthers() throws IOException {
        long bytesBefore = server.residentBytes();
        Duration cpuBefore = Proc.cpu(server.pid());
        List<Socket> open = new ArrayList<>();
        int refused = 0;
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                Socket socket = new Socket();
                socket.setSoTimeout(ANSWER_MILLIS_MAX);
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                socket.connect(Ports.address(toml.port()));
                open.add(socket);
                if (beginsTls(socket)) {
                    socket.getOutputStream().write(FIRST_BYTE);
                } else {
                    refused++;
                }
                if (i % 1000 == 999) {
                    servesAnotherNetwork();
                }
            }
            // Those of the beginning may have met their time limit.
            assertTrue(refused > 0, "nobody was turned away");
            servesAnotherNetwork();
            Duration cpu = Proc.cpu(server.pid()).minus(cpuBefore);
            assertTrue(
                    cpu.compareTo(CPU_PER_CONNECTION_MAX.multipliedBy(CONNECTIONS)) < 0,
                    () -> cpu + " of CPU for " + CONNECTIONS + " connections");
            long bytes = server.residentBytes() - bytesBefore;
            assertTrue(
                    bytes < PER_NETWORK_MAX * BYTES_PER_SESSION_MAX + (256 << 20),
                    () -> bytes + " bytes for " + CONNECTIONS + " connections");
            for (Socket socket : open) {
                assertEquals(-1, endOf(socket), "the time limit ends each");
            }
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
        server.assertQuiet();
    }

    /// A ClientHello in records of one byte each is slow to come and no more: it is answered or
    /// refused, and costs the others nothing.
    @Test
    void survivesAClientHelloInRecordsOfOneByte() throws IOException {
        byte[] hello = clientHello();
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(ANSWER_MILLIS_MAX);
            socket.setTcpNoDelay(true);
            socket.bind(new InetSocketAddress("127.0.8.1", 0));
            socket.connect(Ports.address(toml.port()));
            assertTrue(beginsTls(socket));
            try {
                for (int i = RECORD_HEADER_BYTES; i < hello.length; i++) {
                    socket.getOutputStream().write(new byte[] {22, 3, 1, 0, 1, hello[i]});
                }
            } catch (SocketException e) {
                // It was refused before its end.
            }
            int first = firstOf(socket);
            assertTrue(
                    first == 22 || first == 21 || first == -1,
                    () -> "neither a handshake, nor an alert, nor the end: " + first);
        }
        servesAnotherNetwork();
        server.assertQuiet();
    }

    private static byte[] clientHello() throws SSLException {
        SSLEngine engine = Smtp.trusting().createSSLEngine("mx.test", 25);
        engine.setUseClientMode(true);
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), record);
        byte[] bytes = new byte[record.flip().remaining()];
        record.get(bytes);
        return bytes;
    }

    /// Speaks up to the handshake.
    ///
    /// @return false when the server turned it away
    private static boolean beginsTls(Socket socket) throws IOException {
        for (String command : List.of("", "EHLO peer.test\r\n", "STARTTLS\r\n")) {
            socket.getOutputStream().write(command.getBytes(StandardCharsets.US_ASCII));
            if (!reply(socket.getInputStream()).startsWith("2")) {
                return false;
            }
        }
        return true;
    }

    private static String reply(InputStream in) throws IOException {
        while (true) {
            var line = new StringBuilder();
            for (int c = in.read(); c != '\n'; c = in.read()) {
                if (c < 0) {
                    return "closed";
                }
                line.append((char) c);
            }
            if (line.length() < 4 || line.charAt(3) != '-') {
                return line.toString();
            }
        }
    }

    private static int firstOf(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read();
        } catch (SocketException e) {
            return -1; // reset
        }
    }

    /// Reads what still comes, an alert maybe.
    private static int endOf(Socket socket) throws IOException {
        int last;
        do {
            last = firstOf(socket);
        } while (last >= 0);
        return last;
    }
}
