package org.malote.offload;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslClientHelloHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Reads a peer's ClientHello before a handshake costs anything, goes, and leaves it to the TLS
/// handler behind it.
///
/// It turns away a peer that wants to speak another protocol. RFC 7301 §3.2: a server that has none
/// of the protocols that a peer offers ends the handshake with the alert `no_application_protocol`.
/// Without that, a browser that is led to this port gets a valid certificate, and what is said here
/// can be taken for an answer to it (ALPACA, USENIX Security 2021). A peer that offers no protocol
/// at all, as mail servers do, is served.
///
/// And where the certificates depend on the name that the peer asks for (RFC 6066 §3), it is the
/// guard that has the TLS handler made.
final class ClientHelloGuard extends SslClientHelloHandler<ClientHelloGuard.Hello> {
    /// What is of interest in a ClientHello.
    ///
    /// @param isWelcome whether it offers none, or one of our protocols
    /// @param name of the host that it asks for; null for none, or no understanding it
    /// @param verified the schemes that it lists, of those that are served
    record Hello(boolean isWelcome, @Nullable String name, Set<SignatureScheme> verified) {
        /// None, or one that cannot be understood.
        static final Hello UNREAD = new Hello(true, null, Set.of());
    }

    /// What may be held of a peer before its handshake begins. Ours: ten times one with
    /// post-quantum
    /// key shares.
    private static final int HELLO_BYTES_MAX = 16 << 10;

    /// RFC 8446 §6: fatal, no_application_protocol(120), in a record of version 3.3.
    private static final byte[] ALERT = {21, 3, 3, 0, 2, 2, 120};

    /// RFC 6066 §3, and its kind of name.
    private static final int NAME_EXTENSION = 0;

    private static final int HOST_NAME = 0;

    /// RFC 7301 §3.1.
    private static final int ALPN_EXTENSION = 16;

    /// RFC 8446 §4.2.3.
    private static final int SIGNATURE_ALGORITHMS_EXTENSION = 13;

    /// Version and random: RFC 8446 §4.1.2.
    private static final int FIXED_BYTES = 2 + 32;

    private final List<String> ours;
    private final @Nullable Function<@Nullable String, SslHandler> handlers;
    private final Duration timeout;
    private final Runnable end;
    private @Nullable Future<?> deadline;
    private boolean isRefused;

    /// In front of a TLS handler, which has a deadline of its own.
    ///
    /// @param ours the protocols that are spoken here; empty for all
    ClientHelloGuard(List<String> ours) {
        this(ours, null, Duration.ZERO, () -> {});
    }

    /// Has the TLS handler made that follows.
    ///
    /// @param ours the protocols that are spoken here; empty for all
    /// @param handlers makes it, for a peer that asks for this name
    /// @param timeout for the ClientHello
    /// @param end runs once, when no handler will be asked for any more
    ClientHelloGuard(
            List<String> ours,
            @Nullable Function<@Nullable String, SslHandler> handlers,
            Duration timeout,
            Runnable end) {
        super(HELLO_BYTES_MAX);
        this.ours = ours;
        this.handlers = handlers;
        this.timeout = timeout;
        this.end = end;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) throws Exception {
        super.handlerAdded(context);
        if (handlers != null) {
            deadline =
                    context.executor()
                            .schedule(
                                    () -> fail(context, "no ClientHello within " + timeout),
                                    timeout.toMillis(),
                                    TimeUnit.MILLISECONDS);
        }
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext context) throws Exception {
        if (deadline != null) {
            deadline.cancel(false);
        }
        end.run();
        super.handlerRemoved0(context);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for it
    private static void fail(ChannelHandlerContext context, String reason) {
        if (!context.isRemoved()) {
            context.fireUserEventTriggered(
                    new SslHandshakeCompletionEvent(new SslHandshakeTimeoutException(reason)));
            context.close();
        }
    }

    @Override
    protected Future<Hello> lookup(ChannelHandlerContext context, @Nullable ByteBuf hello) {
        return context.executor()
                .newSucceededFuture(hello == null ? Hello.UNREAD : read(hello.slice(), ours));
    }

    /// One that cannot be understood is the TLS engine's to refuse.
    static Hello read(ByteBuf hello, List<String> ours) {
        boolean isWelcome = true;
        String name = null;
        Set<SignatureScheme> verified = Set.of();
        if (!skip(hello, FIXED_BYTES)
                || !skipVector(hello, 1) // session id
                || !skipVector(hello, 2) // cipher suites
                || !skipVector(hello, 1) // compression methods
                || !skip(hello, 2)) { // the length of the extensions, which end with the message
            return Hello.UNREAD;
        }
        while (hello.readableBytes() >= 4) {
            int type = hello.readUnsignedShort();
            int length = hello.readUnsignedShort();
            if (length > hello.readableBytes()) {
                break;
            }
            ByteBuf content = hello.readSlice(length);
            switch (type) {
                case ALPN_EXTENSION -> isWelcome = isWelcome(content, ours);
                case NAME_EXTENSION -> name = name(content);
                case SIGNATURE_ALGORITHMS_EXTENSION -> verified = schemes(content);
                default -> {}
            }
        }
        return new Hello(isWelcome, name, verified);
    }

    private static boolean isWelcome(ByteBuf alpn, List<String> ours) {
        if (ours.isEmpty() || !skip(alpn, 2)) {
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

    private static Set<SignatureScheme> schemes(ByteBuf codes) {
        Set<SignatureScheme> schemes = EnumSet.noneOf(SignatureScheme.class);
        if (skip(codes, 2)) {
            while (codes.readableBytes() >= 2) {
                SignatureScheme scheme = SignatureScheme.ofCode(codes.readUnsignedShort());
                if (scheme != null) {
                    schemes.add(scheme);
                }
            }
        }
        return schemes;
    }

    /// The first name of the list, of which RFC 6066 allows one.
    private static @Nullable String name(ByteBuf names) {
        if (!skip(names, 2) || names.readableBytes() < 3 || names.readByte() != HOST_NAME) {
            return null;
        }
        int length = names.readUnsignedShort();
        return length > names.readableBytes()
                ? null
                : names.readSlice(length).toString(StandardCharsets.US_ASCII);
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
    protected void onLookupComplete(ChannelHandlerContext context, Future<Hello> read)
            throws SSLException {
        Hello hello = read.getNow();
        if (isRefused) {
            return; // what is held is looked at again when the connection ends
        }
        if (!hello.isWelcome()) {
            isRefused = true;
            context.writeAndFlush(Unpooled.wrappedBuffer(ALERT))
                    .addListener(ChannelFutureListener.CLOSE);
            context.fireUserEventTriggered(
                    new SslHandshakeCompletionEvent(
                            new ForeignProtocol("the peer offers other protocols by ALPN")));
            return;
        }
        if (handlers != null) {
            context.pipeline().addAfter(context.name(), null, handlers.apply(hello.name()));
        }
        SslHandler handler = context.pipeline().get(SslHandler.class);
        // The JDK's session is another one when the handshake has begun.
        if (handler != null
                && handler.engine() instanceof ReferenceCountedOpenSslEngine engine
                && !hello.equals(Hello.UNREAD)) {
            // The session forgets all values when its handshake begins.
            engine.beginHandshake();
            ServerKeys.note(engine.getSession(), hello.verified());
        }
        context.pipeline().remove(this);
    }
}
