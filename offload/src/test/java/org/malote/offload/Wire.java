package org.malote.offload;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLPeerUnverifiedException;

/// A TLS connection in memory: bytes go from side to side until both are silent.
final class Wire implements AutoCloseable {
    private final SslHandler serverTls;
    private final SslHandler clientTls;
    private final Sink serverSink = new Sink();
    private final Sink clientSink = new Sink();
    private final EmbeddedChannel server;
    private final EmbeddedChannel client;

    private Wire(SslHandler serverTls, SslHandler clientTls, boolean isGuarded) {
        this.serverTls = serverTls;
        this.clientTls = clientTls;
        server =
                isGuarded
                        ? new EmbeddedChannel(
                                new ClientHelloGuard(List.of()), serverTls, serverSink)
                        : new EmbeddedChannel(serverTls, serverSink);
        client = new EmbeddedChannel(clientTls, clientSink);
    }

    /// Connects and carries as far as it goes: a signature that is awaited leaves the handshake
    /// open.
    static Wire connect(SslHandler server, SslHandler client) {
        return connect(server, client, false);
    }

    private static Wire connect(SslHandler server, SslHandler client, boolean isGuarded) {
        Wire wire = new Wire(server, client, isGuarded);
        wire.carry();
        return wire;
    }

    /// Connects, and sends a word each way: TLS 1.3 tickets arrive with the first record.
    static Wire converse(SslHandler server, SslHandler client) {
        return converse(server, client, false);
    }

    /// @param isGuarded whether a guard reads the ClientHello before the server does
    static Wire converse(SslHandler server, SslHandler client, boolean isGuarded) {
        Wire wire = connect(server, client, isGuarded);
        if (wire.isUp()) {
            wire.say("ping");
        }
        return wire;
    }

    void carry() {
        boolean moved = true;
        while (moved) {
            server.runPendingTasks();
            client.runPendingTasks();
            moved = pour(client, server);
            moved |= pour(server, client);
        }
    }

    private static boolean pour(EmbeddedChannel from, EmbeddedChannel to) {
        boolean moved = false;
        for (Object bytes = from.readOutbound(); bytes != null; bytes = from.readOutbound()) {
            moved = true;
            if (to.isOpen()) {
                to.writeInbound(bytes);
            } else {
                ReferenceCountUtil.release(bytes);
            }
        }
        return moved;
    }

    /// Sends a word to the server and back.
    ///
    /// @return what came back
    String say(String word) {
        client.writeOutbound(ByteBufUtil.writeAscii(client.alloc(), word));
        carry();
        server.writeOutbound(ByteBufUtil.writeAscii(server.alloc(), serverSink.take()));
        carry();
        return clientSink.take();
    }

    boolean isUp() {
        return serverTls.handshakeFuture().isSuccess() && clientTls.handshakeFuture().isSuccess();
    }

    boolean isServerOpen() {
        return server.isOpen();
    }

    TlsSummary serverSummary() {
        return TlsContexts.summary(serverTls);
    }

    /// With the key type of the certificate that was served.
    TlsSummary serverSummary(TlsContexts contexts) {
        return contexts.serverSummary(serverTls);
    }

    /// Who the client is to the server.
    PeerIdentity peer(TlsContexts contexts) {
        return contexts.peer(serverTls);
    }

    TlsSummary clientSummary() {
        return TlsContexts.summary(clientTls);
    }

    /// What the client was shown: `EC` or `RSA`.
    String servedKey() throws SSLPeerUnverifiedException {
        Certificate[] chain = clientTls.engine().getSession().getPeerCertificates();
        return chain[0].getPublicKey().getAlgorithm();
    }

    List<String> serverFailures() {
        return serverSink.failures;
    }

    /// How the server's handshake failed.
    FailedHandshake serverFailure() {
        return FailedHandshake.of(serverTls, serverTls.handshakeFuture().cause());
    }

    /// Why the client's handshake failed.
    Throwable clientFailure() {
        Throwable cause = clientTls.handshakeFuture().cause();
        if (cause == null) {
            throw new IllegalStateException("it did not fail");
        }
        return cause;
    }

    /// The server closes first, as after a farewell.
    @Override
    public void close() {
        ChannelFuture farewell = server.close();
        carry();
        if (!farewell.isDone()) {
            server.unsafe().close(server.newPromise()); // no farewell in the middle of a handshake
        }
        server.finishAndReleaseAll();
        client.finishAndReleaseAll();
    }

    private static final class Sink extends ChannelInboundHandlerAdapter {
        private final StringBuilder text = new StringBuilder();
        private final List<String> failures = new ArrayList<>();

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            text.append(bytes.toString(StandardCharsets.US_ASCII));
            bytes.release();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            failures.add(String.valueOf(cause));
        }

        String take() {
            String taken = text.toString();
            text.setLength(0);
            return taken;
        }
    }
}
