package org.malote.offload;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslClientHelloHandler;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Turns away a peer that wants to speak another protocol, before a handshake costs anything: it
/// stands in front of the TLS handler, reads the ClientHello, and goes.
///
/// RFC 7301 §3.2: a server that has none of the protocols that a peer offers ends the handshake
/// with
/// the alert `no_application_protocol`. Without that, a browser that is led to this port gets a
/// valid certificate, and what is said here can be taken for an answer to it (ALPACA, USENIX
/// Security 2021). A peer that offers no protocol at all, as mail servers do, is served.
final class ClientHelloGuard extends SslClientHelloHandler<Boolean> {
    /// What may be held of a peer before its handshake begins. Ours: ten times one with
    /// post-quantum
    /// key shares.
    private static final int HELLO_BYTES_MAX = 16 << 10;

    /// RFC 8446 §6: fatal, no_application_protocol(120), in a record of version 3.3.
    private static final byte[] ALERT = {21, 3, 3, 0, 2, 2, 120};

    /// RFC 7301 §3.1.
    private static final int ALPN_EXTENSION = 16;

    /// Version and random: RFC 8446 §4.1.2.
    private static final int FIXED_BYTES = 2 + 32;

    private final List<String> ours;

    /// @param ours the protocols that are spoken here
    ClientHelloGuard(List<String> ours) {
        super(HELLO_BYTES_MAX);
        this.ours = ours;
    }

    @Override
    protected Future<Boolean> lookup(ChannelHandlerContext context, @Nullable ByteBuf hello) {
        return context.executor()
                .newSucceededFuture(hello == null || isWelcome(hello.slice(), ours));
    }

    /// Whether a ClientHello offers none, or one of ours. One that cannot be understood is the TLS
    /// engine's to refuse.
    static boolean isWelcome(ByteBuf hello, List<String> ours) {
        ByteBuf alpn = alpn(hello);
        if (alpn == null) {
            return true;
        }
        while (alpn.isReadable()) {
            int length = alpn.readUnsignedByte();
            if (length > alpn.readableBytes()) {
                return true;
            }
            String name = alpn.readSlice(length).toString(StandardCharsets.US_ASCII);
            if (ours.contains(name)) {
                return true;
            }
        }
        return false;
    }

    /// The names of the extension, or null when there is none, or no understanding it.
    private static @Nullable ByteBuf alpn(ByteBuf hello) {
        if (!skip(hello, FIXED_BYTES)
                || !skipVector(hello, 1) // session id
                || !skipVector(hello, 2) // cipher suites
                || !skipVector(hello, 1) // compression methods
                || !skip(hello, 2)) { // the length of the extensions, which end with the message
            return null;
        }
        while (hello.readableBytes() >= 4) {
            int type = hello.readUnsignedShort();
            int length = hello.readUnsignedShort();
            if (length > hello.readableBytes()) {
                return null;
            }
            ByteBuf content = hello.readSlice(length);
            if (type == ALPN_EXTENSION) {
                return skip(content, 2) ? content : null;
            }
        }
        return null;
    }

    private static boolean skip(ByteBuf bytes, int length) {
        if (bytes.readableBytes() < length) {
            return false;
        }
        bytes.skipBytes(length);
        return true;
    }

    /// @param lengthBytes of the number in front of the vector: 1 or 2
    private static boolean skipVector(ByteBuf bytes, int lengthBytes) {
        if (bytes.readableBytes() < lengthBytes) {
            return false;
        }
        int length = lengthBytes == 1 ? bytes.readUnsignedByte() : bytes.readUnsignedShort();
        return skip(bytes, length);
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // the listener closes, whatever becomes of it
    protected void onLookupComplete(ChannelHandlerContext context, Future<Boolean> welcome) {
        if (welcome.getNow()) {
            context.pipeline().remove(this);
        } else {
            context.writeAndFlush(Unpooled.wrappedBuffer(ALERT))
                    .addListener(ChannelFutureListener.CLOSE);
        }
    }
}
