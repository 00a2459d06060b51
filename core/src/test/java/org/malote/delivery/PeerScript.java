package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;
import org.malote.offload.TlsSummary;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;

/// Plays a `*.peer` file: the file is the remote host. Grammar, complete:
///
/// ```text
/// # free comment; the first line cites the rule
/// @ lmtp | @ amtp | @ clear | @ tls required | @ chunk 8 | @ quit on deny
///                                          settings: LMTP, AMTP inside TLS that stands, no
///                                          STARTTLS, nothing in the clear, the largest BDAT chunk,
///                                          leave where a code is denied
/// M| Subject: x\r\n\r\nhello\r\n           the message; each such line adds to it
/// > from a@x.example to b@y.example c@y.example body=EIGHT_BIT_MIME smtputf8=true
///                                          a transaction is wanted; attributes as the queue has
///                                          them; notify= and orcpt= go to every recipient
/// > quit                                   the connection is not wanted any more
/// S: 220 mx.y.example                      the host says, CRLF added
/// S| 220 go\r\nextra                       the host says, escaped octets, nothing added
/// C: EHLO out.example                      what we must have sent by now, CRLF added
/// C| raw\r\n                               the same, escaped octets
/// + 5m                                     time passes
/// ! host closes | ! disk fails             a fault
/// = b@y.example delivered 250 2.0.0 ok     what became of a recipient
/// = b@y.example permanent recipient 550 5.1.1 no
/// = ready | = resetting | = closed         what can be done with the connection
/// ```
///
/// Everything that we send must be named before the host speaks again, and everything that is
/// learned must be named by the end.
final class PeerScript {
    /// How the host's octets come.
    enum Split {
        WHOLE,
        LINES,
        OCTETS,
        RANDOM
    }

    private static final String DEFAULT_MESSAGE = "Subject: x\r\n\r\nhello\r\n";

    private final List<String> lines;
    private final Split split;
    private final RandomGenerator random;
    private final Deque<String> facts = new ArrayDeque<>();
    private final StringBuilder sent = new StringBuilder();
    private final StringBuilder said = new StringBuilder();
    private final StringBuilder message = new StringBuilder();
    private Protocol protocol = Protocol.SMTP;
    private boolean quitsOnDeny;
    private ClientSession.Encryption encryption = ClientSession.Encryption.WHEN_OFFERED;
    private int chunkOctetsMax = 1 << 20;
    private boolean diskFails;
    private @Nullable EmbeddedChannel channel;
    private @Nullable OutboundHandler handler;

    PeerScript(List<String> lines, Split split, RandomGenerator random) {
        this.lines = lines;
        this.split = split;
        this.random = random;
    }

    void play() {
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String where = "line " + (i + 1) + ": " + line;
            char kind = line.charAt(0);
            if (kind != 'S') {
                say(where);
            }
            String rest = line.substring(Math.min(line.length(), 2)).stripLeading();
            switch (kind) {
                case '@' -> set(rest);
                case 'M' -> message.append(unescape(rest));
                case 'S' -> {
                    assertEquals("", show(sent.toString()), where + ": not named before");
                    said.append(line.charAt(1) == ':' ? rest + "\r\n" : unescape(rest));
                }
                case 'C' ->
                        expectSent(line.charAt(1) == ':' ? rest + "\r\n" : unescape(rest), where);
                case '>' -> wish(rest);
                case '+' -> pass(rest);
                case '!' -> fault(rest);
                case '=' -> {
                    assertTrue(!facts.isEmpty(), where + ": nothing was learned");
                    assertEquals(rest, facts.poll(), where);
                }
                default -> throw new IllegalArgumentException(where);
            }
        }
        say("end");
        assertEquals("", show(sent.toString()), "sent and not named");
        assertEquals(List.of(), List.copyOf(facts), "learned and not named");
        boolean _ = channel().finishAndReleaseAll();
        assertTrue(facts.isEmpty() || facts.peek().startsWith("gone"), "learned after the end");
    }

    private void set(String setting) {
        if (setting.equals("lmtp")) {
            protocol = Protocol.LMTP;
        } else if (setting.equals("amtp")) {
            protocol = Protocol.AMTP;
        } else if (setting.equals("quit on deny")) {
            quitsOnDeny = true;
        } else if (setting.equals("clear")) {
            encryption = ClientSession.Encryption.NEVER;
        } else if (setting.equals("tls required")) {
            encryption = ClientSession.Encryption.ALWAYS;
        } else if (setting.startsWith("chunk ")) {
            chunkOctetsMax = Integer.parseInt(setting.substring(6));
        } else {
            throw new IllegalArgumentException(setting);
        }
    }

    private EmbeddedChannel channel() {
        EmbeddedChannel open = channel;
        if (open == null) {
            ClientSession session =
                    new ClientSession(
                            "out.example", protocol, encryption, "mx", chunkOctetsMax, quitsOnDeny);
            handler =
                    new OutboundHandler(
                            session,
                            DeliveryTimeouts.defaults(),
                            protocol == Protocol.AMTP ? security(standing()) : security(),
                            Runnable::run,
                            new Facts());
            open = new EmbeddedChannel();
            open.freezeTime();
            open.pipeline().addLast(handler);
            channel = open;
        }
        return open;
    }

    private void say(String where) {
        if (said.isEmpty()) {
            return;
        }
        byte[] octets = said.toString().getBytes(StandardCharsets.UTF_8);
        said.setLength(0);
        int at = 0;
        while (at < octets.length) {
            int end =
                    switch (split) {
                        case WHOLE -> octets.length;
                        case OCTETS -> at + 1;
                        case RANDOM -> Math.min(octets.length, at + 1 + random.nextInt(20));
                        case LINES -> {
                            int lf = at;
                            while (lf < octets.length && octets[lf] != '\n') {
                                lf++;
                            }
                            yield Math.min(octets.length, lf + 1);
                        }
                    };
            if (channel().isOpen()) {
                boolean _ = channel().writeInbound(Unpooled.copiedBuffer(octets, at, end - at));
            }
            collect();
            at = end;
        }
        assertTrue(channel != null, where);
    }

    private void collect() {
        EmbeddedChannel open = channel();
        open.runPendingTasks();
        for (ByteBuf octets = open.readOutbound(); octets != null; octets = open.readOutbound()) {
            sent.append(octets.toString(StandardCharsets.UTF_8));
            octets.release();
        }
    }

    private void expectSent(String expected, String where) {
        collect();
        String actual = sent.substring(0, Math.min(sent.length(), expected.length()));
        assertEquals(show(expected), show(actual), where + " of " + show(sent.toString()));
        sent.delete(0, expected.length());
    }

    private void wish(String rest) {
        if (rest.equals("quit")) {
            handler().quit();
            collect();
            return;
        }
        String[] words = rest.split(" ", -1);
        Map<String, String> mail = new HashMap<>();
        Map<String, String> each = new HashMap<>();
        List<String> addresses = new ArrayList<>();
        String sender = "";
        for (int i = 0; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            if (words[i].equals("from")) {
                sender = words[++i];
            } else if (words[i].startsWith("notify=") || words[i].startsWith("orcpt=")) {
                each.put(words[i].substring(0, equals), words[i].substring(equals + 1));
            } else if (equals > 0) {
                mail.put(words[i].substring(0, equals), words[i].substring(equals + 1));
            } else if (!words[i].equals("to")) {
                addresses.add(words[i]);
            }
        }
        byte[] octets =
                (message.isEmpty() ? DEFAULT_MESSAGE : message.toString())
                        .getBytes(StandardCharsets.UTF_8);
        List<OutboundTransaction.To> to = new ArrayList<>();
        for (int i = 0; i < addresses.size(); i++) {
            to.add(
                    new OutboundTransaction.To(
                            i, addresses.get(i), RecipientParameters.fromAttributes(each)));
        }
        MailPolicyCode code = MailPolicyCode.ofAttributes(mail);
        Attempt.Message whole =
                new Attempt.Message(
                        MailParameters.fromAttributes(mail, octets.length),
                        source(octets),
                        code,
                        code,
                        false);
        HostFacts facts = handler().facts();
        OutboundTransaction transaction =
                whole.to(protocol, facts, sender.equals("<>") ? "" : sender, to);
        handler().begin(transaction, whole.body(protocol, facts), end -> learned(transaction, end));
        collect();
    }

    private OutboundHandler handler() {
        EmbeddedChannel _ = channel();
        OutboundHandler open = handler;
        if (open == null) {
            throw new IllegalStateException("the channel has its handler");
        }
        return open;
    }

    private BodySource source(byte[] octets) {
        return () -> {
            ByteBuffer left = ByteBuffer.wrap(octets);
            return new BodySource.Reader() {
                @Override
                public int read(ByteBuffer destination) throws IOException {
                    if (diskFails) {
                        throw new IOException("Input/output error");
                    }
                    if (!left.hasRemaining()) {
                        return -1;
                    }
                    int count = Math.min(destination.remaining(), left.remaining());
                    destination.put(left.slice(left.position(), count));
                    left.position(left.position() + count);
                    return count;
                }

                @Override
                public void close() {}
            };
        };
    }

    private void learned(OutboundTransaction transaction, OutboundHandler.End end) {
        for (int i = 0; i < end.outcomes().size(); i++) {
            facts.add(
                    transaction.recipients().get(i).address() + " " + show(end.outcomes().get(i)));
        }
        facts.add(
                end.afterwards().name().toLowerCase(Locale.ROOT)
                        + (end.isUnheard() ? " unheard" : ""));
    }

    private static String show(RecipientOutcome outcome) {
        return switch (outcome) {
            case RecipientOutcome.Delivered(_, var reply, boolean hostSpeaksDsn) ->
                    "delivered " + reply.oneLine() + (hostSpeaksDsn ? " dsn" : "");
            case RecipientOutcome.Failed(Failure failure) -> show(failure);
        };
    }

    private static String show(Failure failure) {
        return (failure.isPermanent() ? "permanent " : "temporary ")
                + failure.scope().name().toLowerCase(Locale.ROOT)
                + " "
                + failure.reply().oneLine();
    }

    private void pass(String time) {
        Duration duration = Duration.parse("PT" + time.toUpperCase(Locale.ROOT));
        channel().advanceTimeBy(duration.toMillis(), TimeUnit.MILLISECONDS);
        channel().runScheduledPendingTasks();
        collect();
    }

    private void fault(String fault) {
        switch (fault) {
            case "host closes" -> {
                var _ = channel().close();
                collect();
            }
            case "disk fails" -> diskFails = true;
            default -> throw new IllegalArgumentException(fault);
        }
    }

    private static String unescape(String text) {
        return text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
    }

    private static String show(String text) {
        return text.replace("\r", "\\r").replace("\n", "\\n");
    }

    /// Writes down what the owner of a connection hears.
    private final class Facts implements OutboundHandler.Owner {
        @Override
        public void ready(OutboundHandler connection) {
            facts.add("ready");
        }

        @Override
        public void closed(
                OutboundHandler connection,
                @Nullable Failure failure,
                OutboundHandler.Ending ending) {
            facts.add(
                    failure == null
                            ? "gone"
                            : "unusable "
                                    + ending.name().toLowerCase(Locale.ROOT)
                                    + " "
                                    + show(failure));
        }
    }

    /// TLS whose handshake never ends.
    static HostSecurity security() {
        return security(clientTls());
    }

    private static HostSecurity security(ChannelHandler handler) {
        return new HostSecurity() {
            @Override
            public ChannelHandler handler(ByteBufAllocator allocator) {
                return handler;
            }

            @Override
            public @Nullable TlsSummary established(ChannelHandler established) {
                return null;
            }
        };
    }

    /// What is behind a handshake.
    private static ChannelHandler standing() {
        return new ChannelHandlerAdapter() {
            @Override
            public void handlerAdded(ChannelHandlerContext context) {
                context.fireUserEventTriggered(SslHandshakeCompletionEvent.SUCCESS);
            }
        };
    }

    static SslHandler clientTls() {
        try {
            SSLEngine engine = SSLContext.getDefault().createSSLEngine("mx", 25);
            engine.setUseClientMode(true);
            return new SslHandler(engine);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has TLS", e);
        }
    }
}
