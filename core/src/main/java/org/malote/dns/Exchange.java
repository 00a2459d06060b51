package org.malote.dns;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;

/// One question to one server, over UDP and, when the answer does not fit, over TCP. Blocks the
/// calling thread for at most the timeout over each.
final class Exchange {
    /// RFC 6891 §6.2.5 leaves it open; this one fits every link without fragments (the consensus of
    /// the DNS flag day of 2020).
    static final int EDNS_OCTETS = 1232;

    /// What is read of one datagram. Servers honour [#EDNS_OCTETS]; one that does not is asked
    /// again over TCP.
    private static final int DATAGRAM_OCTETS_MAX = 4096;

    /// Datagrams with another identifier or question that are passed over before we give up: a
    /// late answer is one, a flood is an attack.
    private static final int STRAY_DATAGRAMS_MAX = 32;

    private final LongSupplier nanoTime;
    private final Duration timeout;

    Exchange(LongSupplier nanoTime, Duration timeout) {
        this.nanoTime = nanoTime;
        this.timeout = timeout;
    }

    /// An answer and its size on the wire.
    record Response(Message message, int octets) {}

    /// Asks.
    ///
    /// @throws IOException when no answer came, or one that cannot be read; the message says which
    Response ask(InetSocketAddress server, Message query) throws IOException {
        byte[] question = query.toWire();
        byte @Nullable [] answer = overUdp(server, query, question);
        if (answer != null) {
            Message message = read(answer);
            if (!message.getHeader().getFlag(Flags.TC)) {
                return new Response(message, answer.length);
            }
        }
        byte[] whole = overTcp(server, question); // RFC 7766 §5
        Message message = read(whole);
        if (!isAnswerTo(query, message)) {
            throw new IOException("it answered another question over TCP");
        }
        return new Response(message, whole.length);
    }

    /// @return the answer, or null when it was longer than the buffer
    private byte @Nullable [] overUdp(InetSocketAddress server, Message query, byte[] question)
            throws IOException {
        long deadlineNanos = nanoTime.getAsLong() + timeout.toNanos();
        // A socket for each question, connected: the kernel picks an unforeseeable port and drops
        // what comes from elsewhere (RFC 5452 §9.2).
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(server);
            socket.send(new DatagramPacket(question, question.length));
            byte[] buffer = new byte[DATAGRAM_OCTETS_MAX];
            for (int strays = 0; strays < STRAY_DATAGRAMS_MAX; strays++) {
                socket.setSoTimeout(millisUntil(deadlineNanos));
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                socket.receive(packet);
                if (packet.getLength() == buffer.length) {
                    return null;
                }
                byte[] octets = Arrays.copyOf(buffer, packet.getLength());
                if (mayAnswer(query, octets)) {
                    return octets;
                }
            }
            throw new IOException("it sent answers to other questions only");
        }
    }

    /// Whether a datagram is worth an opinion: RFC 5452 §9.1, the identifier and the question must
    /// be ours. What has our identifier and cannot be read is the server's own nonsense, and ends
    /// the waiting.
    private static boolean mayAnswer(Message query, byte[] octets) {
        if (octets.length < 2
                || ((octets[0] & 0xff) << 8 | (octets[1] & 0xff)) != query.getHeader().getID()) {
            return false;
        }
        try {
            return isAnswerTo(query, read(octets));
        } catch (IOException e) {
            return true;
        }
    }

    private byte[] overTcp(InetSocketAddress server, byte[] question) throws IOException {
        long deadlineNanos = nanoTime.getAsLong() + timeout.toNanos();
        try (Socket socket = new Socket()) {
            socket.connect(server, millisUntil(deadlineNanos));
            socket.setTcpNoDelay(true);
            byte[] framed = new byte[question.length + 2]; // RFC 1035 §4.2.2
            framed[0] = (byte) (question.length >> 8);
            framed[1] = (byte) question.length;
            System.arraycopy(question, 0, framed, 2, question.length);
            OutputStream out = socket.getOutputStream();
            out.write(framed);
            out.flush();
            DataInputStream in = new DataInputStream(new Deadlined(socket, deadlineNanos));
            byte[] answer = new byte[in.readUnsignedShort()]; // at most 65,535 by its type
            in.readFully(answer);
            return answer;
        }
    }

    /// A stream in which a server that sends one octet at a time does not get a new timeout for
    /// each.
    private final class Deadlined extends InputStream {
        private final Socket socket;
        private final InputStream in;
        private final long deadlineNanos;

        Deadlined(Socket socket, long deadlineNanos) throws IOException {
            this.socket = socket;
            this.in = socket.getInputStream();
            this.deadlineNanos = deadlineNanos;
        }

        @Override
        public int read() throws IOException {
            socket.setSoTimeout(millisUntil(deadlineNanos));
            return in.read();
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            socket.setSoTimeout(millisUntil(deadlineNanos));
            return in.read(target, offset, length);
        }
    }

    private int millisUntil(long deadlineNanos) throws SocketTimeoutException {
        long millis = Duration.ofNanos(deadlineNanos - nanoTime.getAsLong()).toMillis();
        if (millis <= 0) {
            throw new SocketTimeoutException("it did not answer in time");
        }
        return (int) Math.min(millis, Integer.MAX_VALUE);
    }

    private static boolean isAnswerTo(Message query, Message message) {
        if (message.getHeader().getID() != query.getHeader().getID()
                || !message.getHeader().getFlag(Flags.QR)
                || message.getHeader().getOpcode() != Opcode.QUERY) {
            return false;
        }
        Record asked = query.getQuestion();
        Record repeated = message.getQuestion();
        // A server that could not read the question (FORMERR) may leave it out.
        return repeated == null
                ? message.getHeader().getRcode() != Rcode.NOERROR
                : repeated.getName().equals(asked.getName())
                        && repeated.getType() == asked.getType()
                        && repeated.getDClass() == asked.getDClass();
    }

    private static Message read(byte[] octets) throws IOException {
        try {
            return new Message(octets);
        } catch (IOException | RuntimeException e) {
            // dnsjava throws both for nonsense.
            throw new IOException("its answer cannot be read", e);
        }
    }
}
