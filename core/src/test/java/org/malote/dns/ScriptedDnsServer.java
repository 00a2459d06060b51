package org.malote.dns;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// A name server on an ephemeral loopback port, over UDP and TCP, that says what it is told to say.
public final class ScriptedDnsServer implements AutoCloseable {
    /// What is said to a question: each element is one datagram, or one message over TCP; an empty
    /// list is silence.
    public interface Script {
        List<byte[]> answer(Message query, boolean isTcp) throws IOException;
    }

    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final Script script;
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

    private ScriptedDnsServer(DatagramSocket udp, ServerSocket tcp, Script script) {
        this.udp = udp;
        this.tcp = tcp;
        this.script = script;
    }

    public static ScriptedDnsServer start(Script script) throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        // Both protocols need one port: another process may have taken the second half.
        for (int attempt = 0; ; attempt++) {
            ServerSocket tcp = new ServerSocket(0, 5, loopback);
            try {
                DatagramSocket udp = new DatagramSocket(tcp.getLocalPort(), loopback);
                ScriptedDnsServer server = new ScriptedDnsServer(udp, tcp, script);
                Thread.ofVirtual().start(server::serveUdp);
                Thread.ofVirtual().start(server::serveTcp);
                return server;
            } catch (IOException e) {
                tcp.close();
                if (attempt == 20) {
                    throw e;
                }
            }
        }
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(udp.getLocalAddress(), udp.getLocalPort());
    }

    /// What was asked, as `udp MX isp.example`.
    List<String> asked() {
        return List.copyOf(asked);
    }

    /// An answer that a recursive server gives, made of records in zone-file form:
    /// `isp.example. 300 MX 10 mx.isp.example.`; those behind an empty text go to the authority
    /// section.
    public static Message reply(Message query, int rcode, String... records) throws IOException {
        Message reply = new Message(query.getHeader().getID());
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setFlag(Flags.RD);
        reply.getHeader().setFlag(Flags.RA);
        reply.getHeader().setRcode(rcode);
        Record question = query.getQuestion();
        reply.addRecord(question, Section.QUESTION);
        int section = Section.ANSWER;
        for (String record : records) {
            if (record.isEmpty()) {
                section = Section.AUTHORITY;
                continue;
            }
            String[] words = record.split(" ", 4);
            reply.addRecord(
                    Record.fromString(
                            Name.fromString(words[0]),
                            Type.value(words[2]),
                            DClass.IN,
                            Long.parseLong(words[1]),
                            words[3],
                            Name.root),
                    section);
        }
        return reply;
    }

    private void serveUdp() {
        byte[] buffer = new byte[4096];
        while (!udp.isClosed()) {
            try {
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                udp.receive(packet);
                Message query = new Message(java.util.Arrays.copyOf(buffer, packet.getLength()));
                note("udp", query);
                for (byte[] answer : script.answer(query, false)) {
                    udp.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                }
            } catch (IOException e) {
                complain(e);
            }
        }
    }

    private void serveTcp() {
        while (!tcp.isClosed()) {
            try (Socket socket = tcp.accept()) {
                DataInputStream in = new DataInputStream(socket.getInputStream());
                byte[] octets = new byte[in.readUnsignedShort()];
                in.readFully(octets);
                Message query = new Message(octets);
                note("tcp", query);
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                for (byte[] answer : script.answer(query, true)) {
                    out.writeShort(answer.length);
                    out.write(answer);
                }
            } catch (IOException e) {
                complain(e);
            }
        }
    }

    private void note(String protocol, Message query) {
        Record question = query.getQuestion();
        asked.add(
                protocol
                        + " "
                        + Type.string(question.getType())
                        + " "
                        + question.getName().toString(true).toLowerCase(Locale.ROOT));
    }

    private void complain(@Nullable IOException e) {
        if (!udp.isClosed() && e != null) {
            asked.add("fault " + e);
        }
    }

    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
    }
}
