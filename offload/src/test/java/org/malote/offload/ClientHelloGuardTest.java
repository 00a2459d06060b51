package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class ClientHelloGuardTest {
    private static final List<String> OURS = List.of("smtp");

    @Test
    void onlyForeignProtocolsAreUnwelcome() {
        assertTrue(isWelcome());
        assertTrue(isWelcome("smtp"));
        assertTrue(isWelcome("h2", "smtp"));
        assertFalse(isWelcome("h2"));
        assertFalse(isWelcome("http/1.1", "imap", "smtps"));
    }

    /// However the octets are cut, what comes out is what came in, or the alert and the end.
    @Test
    void segmentationNeverMatters() {
        byte[] ours = record(hello("smtp"));
        byte[] foreign = record(hello("h2"));
        for (int size = 1; size < ours.length + 1; size++) {
            EmbeddedChannel channel = new EmbeddedChannel(new ClientHelloGuard(OURS));
            feed(channel, ours, size);
            assertArrayEquals(ours, inbound(channel));
            assertTrue(channel.isOpen());
            assertNull(channel.pipeline().get(ClientHelloGuard.class));
            channel.finishAndReleaseAll();
        }
        for (int size = 1; size < foreign.length + 1; size++) {
            EmbeddedChannel channel = new EmbeddedChannel(new ClientHelloGuard(OURS));
            feed(channel, foreign, size);
            assertArrayEquals(new byte[] {21, 3, 3, 0, 2, 2, 120}, outbound(channel));
            assertFalse(channel.isOpen());
            channel.finishAndReleaseAll();
        }
    }

    @Test
    void whatIsNoTlsIsLeftToTheTlsHandler() {
        EmbeddedChannel channel = new EmbeddedChannel(new ClientHelloGuard(OURS));
        byte[] text = "EHLO a.example\r\n".getBytes(StandardCharsets.US_ASCII);
        channel.writeInbound(Unpooled.wrappedBuffer(text));
        assertArrayEquals(text, inbound(channel));
        channel.finishAndReleaseAll();
    }

    /// Before the alert can end the connection, so that it is not taken for the peer's leaving.
    @Test
    void whyAPeerIsTurnedAwayIsTold() {
        for (byte[] octets : List.of(record(hello("h2")), tooLong())) {
            List<String> told = new ArrayList<>();
            EmbeddedChannel channel =
                    new EmbeddedChannel(
                            new ClientHelloGuard(OURS),
                            new ChannelInboundHandlerAdapter() {
                                @Override
                                public void userEventTriggered(
                                        ChannelHandlerContext context, Object event) {
                                    if (event instanceof SslHandshakeCompletionEvent ended) {
                                        told.add(HandshakeFault.of(ended.cause()));
                                    }
                                }

                                @Override
                                public void exceptionCaught(
                                        ChannelHandlerContext context, Throwable cause) {
                                    // The event has told.
                                }
                            });
            channel.writeInbound(Unpooled.wrappedBuffer(octets));
            assertEquals(List.of(octets.length < 1000 ? "alpn" : "protocol"), told);
            channel.finishAndReleaseAll();
        }
    }

    private static byte[] tooLong() {
        return ByteBufUtil.getBytes(
                Unpooled.buffer()
                        .writeByte(22)
                        .writeShort(0x0301)
                        .writeShort(1000)
                        .writeByte(1)
                        .writeMedium(17_000)
                        .writeZero(996));
    }

    /// Nobody makes us hold what is no hello of this world.
    @Test
    void aHelloThatIsTooLongEndsTheConnection() {
        EmbeddedChannel channel = new EmbeddedChannel(new ClientHelloGuard(OURS));
        ByteBuf record = Unpooled.wrappedBuffer(tooLong());
        assertThrows(DecoderException.class, () -> channel.writeInbound(record));
        assertFalse(channel.isOpen());
        channel.finishAndReleaseAll();
    }

    /// Neither a short nor a damaged one makes the parser throw.
    @Test
    void noHelloMakesItThrow() {
        byte[] whole = ByteBufUtil.getBytes(hello("h2"));
        for (int length = 0; length < whole.length; length++) {
            assertTrue(
                    ClientHelloGuard.read(Unpooled.wrappedBuffer(whole, 0, length), OURS)
                            .isWelcome());
        }
        SplittableRandom random = new SplittableRandom(25);
        int unwelcome = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] damaged = whole.clone();
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            if (!ClientHelloGuard.read(Unpooled.wrappedBuffer(damaged), OURS).isWelcome()) {
                unwelcome++;
            }
        }
        assertTrue(unwelcome > 0);
    }

    private static boolean isWelcome(String... protocols) {
        return ClientHelloGuard.read(hello(protocols), OURS).isWelcome();
    }

    private static void feed(EmbeddedChannel channel, byte[] bytes, int size) {
        for (int at = 0; at < bytes.length && channel.isOpen(); at += size) {
            channel.writeInbound(
                    Unpooled.copiedBuffer(bytes, at, Math.min(size, bytes.length - at)));
        }
    }

    private static byte[] inbound(EmbeddedChannel channel) {
        List<ByteBuf> all = new ArrayList<>();
        for (ByteBuf next = channel.readInbound(); next != null; next = channel.readInbound()) {
            all.add(next);
        }
        return join(all);
    }

    private static byte[] outbound(EmbeddedChannel channel) {
        List<ByteBuf> all = new ArrayList<>();
        for (ByteBuf next = channel.readOutbound(); next != null; next = channel.readOutbound()) {
            all.add(next);
        }
        return join(all);
    }

    private static byte[] join(List<ByteBuf> parts) {
        ByteBuf whole = Unpooled.wrappedBuffer(parts.toArray(ByteBuf[]::new));
        byte[] bytes = ByteBufUtil.getBytes(whole);
        whole.release();
        return bytes;
    }

    /// RFC 8446 §5.1: a handshake record, with a ClientHello alone.
    private static byte[] record(ByteBuf hello) {
        int length = hello.readableBytes();
        ByteBuf record =
                Unpooled.buffer()
                        .writeByte(22)
                        .writeShort(0x0301)
                        .writeShort(length + 4)
                        .writeByte(1)
                        .writeMedium(length)
                        .writeBytes(hello);
        assertEquals(length + 9, record.readableBytes());
        return ByteBufUtil.getBytes(record);
    }

    /// RFC 8446 §4.1.2, with another extension before.
    private static ByteBuf hello(String... protocols) {
        ByteBuf names = Unpooled.buffer();
        for (String protocol : protocols) {
            names.writeByte(protocol.length())
                    .writeCharSequence(protocol, StandardCharsets.US_ASCII);
        }
        ByteBuf extensions = Unpooled.buffer().writeShort(23).writeShort(0);
        if (protocols.length > 0) {
            extensions
                    .writeShort(16)
                    .writeShort(names.readableBytes() + 2)
                    .writeShort(names.readableBytes())
                    .writeBytes(names);
        }
        return Unpooled.buffer()
                .writeShort(0x0303)
                .writeZero(32)
                .writeByte(3)
                .writeZero(3)
                .writeShort(4)
                .writeInt(0x13011302)
                .writeByte(1)
                .writeByte(0)
                .writeShort(extensions.readableBytes())
                .writeBytes(extensions);
    }
}
