package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.wire.ReplyParser;

/// What a transcript cannot say: floods, back-pressure, octets behind STARTTLS.
final class OutboundHandlerTest {
    private final List<String> heard = new ArrayList<>();
    private final List<OutboundHandler.End> ends = new ArrayList<>();
    private final OutboundHandler handler =
            new OutboundHandler(
                    new ClientSession(
                            "out.example",
                            Protocol.SMTP,
                            ClientSession.Encryption.WHEN_OFFERED,
                            "mx",
                            1 << 20,
                            false),
                    DeliveryTimeouts.defaults(),
                    PeerScript.security(),
                    Runnable::run,
                    new Owner());
    private final EmbeddedChannel channel = new EmbeddedChannel(handler);

    @AfterEach
    void giveBack() {
        boolean _ = channel.finishAndReleaseAll();
    }

    /// Check P04: the 220 and what claims to be said inside TLS come in one read.
    @Test
    void octetsInTheClearBehindTheReplyToStartTlsEndTheAttempt() {
        host("220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n");
        host("220 go\r\n250-mx\r\n250 SIZE 1\r\n");
        assertEquals(List.of("SPOKEN 4.7.0"), heard);
        assertFalse(channel.isOpen());
    }

    @Test
    void aHandshakeThatFailsMayBeTriedAgainInTheClear() {
        host("220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n", "250 clear text\r\n");
        assertEquals(List.of("HANDSHAKE 4.7.5"), heard);
        assertFalse(channel.isOpen());
    }

    @Test
    void anEndlessLineIsCutOffWhileItComes() {
        host("220 mx\r\n");
        ByteBuf flood =
                Unpooled.buffer()
                        .writeBytes("250-".repeat(250).getBytes(StandardCharsets.US_ASCII));
        int pieces = 0;
        while (channel.isOpen() && pieces < 1000) {
            boolean _ = channel.writeInbound(flood.retainedSlice());
            pieces++;
        }
        flood.release();
        assertTrue(pieces * 1000 <= ReplyParser.LINE_OCTETS_MAX + 1000);
        assertEquals(List.of("SPOKEN 4.5.0"), heard);
    }

    @Test
    void anEndlessReplyIsCutOffToo() {
        host("220 mx\r\n");
        for (int i = 0; i < 1000 && channel.isOpen(); i++) {
            host("250-again\r\n".repeat(10));
        }
        assertEquals(List.of("SPOKEN 4.5.0"), heard);
    }

    @Test
    void aHostThatDoesNotReadStopsTheReadingOfTheDisk() {
        AtomicLong read = new AtomicLong();
        int octets = 1 << 20;
        greet();
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        begin(octets, read);
        assertEquals(BodyPump.PIECE_OCTETS_MAX, read.get(), "one piece is read ahead");
        host("250 ok\r\n250 ok\r\n354 go\r\n");
        assertEquals(BodyPump.PIECE_OCTETS_MAX, read.get());
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, true);
        channel.runPendingTasks();
        assertEquals(octets, read.get());
        assertTrue(drop() > octets);
        host("250 taken\r\n");
        assertTrue(ends.getFirst().outcomes().getFirst() instanceof RecipientOutcome.Delivered);
    }

    @Test
    void aConnectionThatBreaksInMidMessageLeavesNothingBehind() {
        greet();
        begin(1 << 20, new AtomicLong());
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        host("250 ok\r\n250 ok\r\n354 go\r\n");
        var _ = channel.close();
        channel.runPendingTasks();
        drop();
        OutboundHandler.End end = ends.getFirst();
        assertEquals(OutboundHandler.Afterwards.CLOSED, end.afterwards());
        assertFalse(end.isUnheard());
        assertTrue(
                end.outcomes().getFirst() instanceof RecipientOutcome.Failed(Failure failure)
                        && !failure.isPermanent()
                        && failure.scope() == FailureScope.SESSION);
    }

    @Test
    void anAbortedConnectionTellsNobody() {
        greet();
        begin(100, new AtomicLong());
        handler.abort();
        channel.runPendingTasks();
        drop();
        assertEquals(List.of("ready"), heard);
        assertEquals(List.of(), ends);
    }

    private void greet() {
        host("220 mx\r\n", "250-mx\r\n250-8BITMIME\r\n250 PIPELINING\r\n");
        assertEquals(List.of("ready"), heard);
        drop();
    }

    private void begin(int octets, AtomicLong read) {
        BodySource body =
                () ->
                        new BodySource.Reader() {
                            @Override
                            public int read(ByteBuffer destination) {
                                int count = destination.remaining();
                                for (int i = 0; i < count; i++) {
                                    destination.put((byte) 'x');
                                }
                                read.addAndGet(count);
                                return count;
                            }

                            @Override
                            public void close() {}
                        };
        handler.begin(
                new OutboundTransaction(
                        "a@x.example",
                        MailParameters.fromAttributes(Map.of(), octets),
                        null,
                        List.of(
                                new OutboundTransaction.To(
                                        0, "b@y.example", RecipientParameters.NONE))),
                body,
                ends::add);
        channel.runPendingTasks();
    }

    private void host(String... replies) {
        for (String reply : replies) {
            if (channel.isOpen()) {
                boolean _ =
                        channel.writeInbound(
                                Unpooled.copiedBuffer(reply, StandardCharsets.US_ASCII));
            }
            channel.runPendingTasks();
        }
    }

    /// @return how many octets were sent since
    private long drop() {
        long octets = 0;
        for (ByteBuf sent = channel.readOutbound(); sent != null; sent = channel.readOutbound()) {
            octets += sent.readableBytes();
            sent.release();
        }
        return octets;
    }

    private final class Owner implements OutboundHandler.Owner {
        @Override
        public void ready(OutboundHandler connection) {
            heard.add("ready");
        }

        @Override
        public void closed(
                OutboundHandler connection,
                @Nullable Failure failure,
                OutboundHandler.Ending ending) {
            assertNotNull(failure);
            heard.add(ending + " " + failure.status());
        }
    }
}
