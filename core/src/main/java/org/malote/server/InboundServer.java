package org.malote.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.malote.amtp.CodeRules;
import org.malote.auth.AuthRules;
import org.malote.offload.PrivateKeyOps;
import org.malote.offload.TlsContexts;
import org.malote.policy.Peer;
import org.malote.session.Session;
import org.malote.session.SessionFacts;
import org.malote.smtp.IpAddresses;

/// Listens, and gives each connection its [InboundHandler]. One object serves all listeners.
public final class InboundServer implements AutoCloseable {
    /// Connections that the kernel completes before we accept them. Linux cuts it to
    /// net.core.somaxconn.
    private static final int BACKLOG = 4096;

    /// Replies that wait for a peer to take them before its commands are no longer looked at. Ours.
    private static final WriteBufferWaterMark REPLY_OCTETS =
            new WriteBufferWaterMark(16 * 1024, 64 * 1024);

    /// The largest PROXY version 2 header that is taken: addresses, and extensions of a TLS proxy.
    private static final int PROXY_HEADER_OCTETS_MAX = 1024;

    private final Reception reception;
    private final EventLoopGroup acceptors;
    private final EventLoopGroup loops;
    private final Class<? extends ServerChannel> channelType;
    private final SessionQuota quota;
    private final ChannelGroup sessions = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final List<Channel> listening = new ArrayList<>();
    private final AtomicLong nextSession;
    private volatile boolean isDraining;

    /// @param acceptors accepts connections where the loops cannot
    /// @param loops accepts and drives them
    /// @param channelType the listening channel of that kind of loop
    /// @param random where the first session's name comes from
    public InboundServer(
            Reception reception,
            EventLoopGroup acceptors,
            EventLoopGroup loops,
            Class<? extends ServerChannel> channelType,
            RandomGenerator random) {
        this.reception = reception;
        this.acceptors = acceptors;
        this.loops = loops;
        this.channelType = channelType;
        this.quota = new SessionQuota(reception.limits());
        // 36^7 and some: names have eight characters and hardly ever repeat over restarts.
        this.nextSession = new AtomicLong(78_364_164_096L + random.nextLong(1L << 40));
    }

    /// Starts to listen.
    ///
    /// @return each listener's name and where it listens
    /// @throws IOException when an address cannot be had; none is then listened on
    public Map<String, InetSocketAddress> start(List<ListenerSettings> listeners)
            throws IOException {
        reception.meters().watch("malote.sessions.active", "Inbound sessions now", quota::sessions);
        Map<String, InetSocketAddress> bound = new LinkedHashMap<>();
        for (ListenerSettings listener : listeners) {
            bound.put(listener.name(), listen(listener));
        }
        return bound;
    }

    /// Where the kernel shares an address out among sockets, each loop listens for itself: a
    /// session begins on the thread that accepted it, and none is woken for another (measured:
    /// benchmarks/NOTES.md).
    private InetSocketAddress listen(ListenerSettings listener) throws IOException {
        ServerBootstrap bootstrap = bootstrap(listener);
        if (!EpollServerSocketChannel.class.isAssignableFrom(channelType)) {
            return keep(bind(bootstrap.group(acceptors, loops), listener, listener.address()));
        }
        if (listener.address().getPort() != 0) {
            // Another server of this user could share the address without a word.
            bind(bootstrap.clone().group(acceptors, loops), listener, listener.address())
                    .close()
                    .awaitUninterruptibly();
        }
        InetSocketAddress address = listener.address();
        for (EventExecutor loop : loops) {
            address =
                    keep(
                            bind(
                                    bootstrap
                                            .clone()
                                            .group((EventLoop) loop)
                                            .option(UnixChannelOption.SO_REUSEPORT, true),
                                    listener,
                                    address));
        }
        return address;
    }

    private InetSocketAddress keep(Channel bound) {
        listening.add(bound);
        return (InetSocketAddress) bound.localAddress();
    }

    private Channel bind(
            ServerBootstrap bootstrap, ListenerSettings listener, InetSocketAddress address)
            throws IOException {
        var binding = bootstrap.bind(address).awaitUninterruptibly();
        if (!binding.isSuccess()) {
            close();
            throw new IOException(
                    "listener \""
                            + listener.name()
                            + "\": "
                            + cannotListen(address, binding.cause()),
                    binding.cause());
        }
        return binding.channel();
    }

    /// Why an address cannot be had, and what to do, in one sentence.
    public static String cannotListen(InetSocketAddress address, Throwable cause) {
        // Netty puts the system call and the number of the error before its words.
        String words = String.valueOf(cause.getMessage()).replaceFirst(".*\\): ", "");
        String hint = "";
        if (address.getPort() < 1024 && words.toLowerCase(Locale.ROOT).contains("denied")) {
            hint = "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
        } else if (words.contains("in use")) {
            hint = "; stop who has it (ss -ltnp tells), or choose another port";
        }
        return "cannot listen on "
                + IpAddresses.format(address.getAddress())
                + " port "
                + address.getPort()
                + ": "
                + words
                + hint;
    }

    /// RFC 3207 §4: what cannot be done now is not offered.
    private boolean isTlsServed() {
        TlsContexts tls = reception.tls().get();
        return tls != null && tls.health() instanceof PrivateKeyOps.Health.Well;
    }

    /// The inbound machines of one listener, made anew when the Mail Policy Codes that are taken,
    /// or the rules for users, have changed. For any thread: who comes late makes the same ones
    /// again.
    private final class Machines {
        private record Made(CodeRules rules, AuthRules auth, Session session, Session ailing) {}

        private final ListenerSettings listener;
        private volatile Made made;

        Machines(ListenerSettings listener) {
            this.listener = listener;
            this.made = make(rules(), auth());
        }

        /// For a connection that begins now.
        Session now() {
            Made current = made;
            CodeRules rules = rules();
            AuthRules auth = auth();
            if (!current.rules().equals(rules) || !current.auth().equals(auth)) {
                current = make(rules, auth);
                made = current;
            }
            return isTlsServed() ? current.session() : current.ailing();
        }

        private CodeRules rules() {
            return listener.codeRules(reception.codes().get());
        }

        private AuthRules auth() {
            return listener.authRules(reception.authenticator().settings());
        }

        private Made make(CodeRules rules, AuthRules auth) {
            SessionFacts facts =
                    new SessionFacts(
                                    reception.hostname(),
                                    listener.tls() == TlsMode.STARTTLS,
                                    null,
                                    reception.limits())
                            .withCodes(rules)
                            .withAuth(auth)
                            .withIdentity(listener.identityRules());
            Session session = new Session(facts);
            return new Made(
                    rules,
                    auth,
                    session,
                    facts.offersStartTls() ? new Session(facts.withTlsAiling()) : session);
        }
    }

    private ServerBootstrap bootstrap(ListenerSettings listener) {
        Machines machines = new Machines(listener);
        return new ServerBootstrap()
                .channel(channelType)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, REPLY_OCTETS)
                .childHandler(
                        new ChannelInitializer<Channel>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                begin(channel, listener, machines.now());
                            }
                        });
    }

    private void begin(Channel channel, ListenerSettings listener, Session session) {
        if (!(channel.remoteAddress() instanceof InetSocketAddress remote)
                || !(channel.localAddress() instanceof InetSocketAddress local)) {
            var _ = channel.close(); // reset before it was accepted
            return;
        }
        sessions.add(channel);
        if (isDraining) {
            var _ = channel.close(); // accepted while the listener was being closed
            return;
        }
        if (!listener.proxyNetworks().isEmpty()) {
            channel.pipeline().addLast(new HAProxyMessageDecoder(PROXY_HEADER_OCTETS_MAX, true));
        }
        String name = Long.toString(nextSession.getAndIncrement(), 36).toLowerCase(Locale.ROOT);
        channel.pipeline()
                .addLast(
                        new InboundHandler(
                                reception,
                                listener,
                                quota,
                                session,
                                new Peer(remote, local.getAddress(), listener.reach()),
                                name));
    }

    /// Sessions at this moment.
    public int sessions() {
        return quota.sessions();
    }

    /// Stops listening, sends 421 to the idle sessions, lets the others finish what they are in the
    /// middle of, and closes what is left at the deadline. Blocks until then; not for an event
    /// loop.
    public void drain(Duration patience) {
        isDraining = true;
        stopListening();
        tellSessions(InboundHandler::drain);
        try {
            quota.awaitNone(patience);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        tellSessions(InboundHandler::dismiss);
        sessions.close().awaitUninterruptibly(1000);
    }

    private void tellSessions(Consumer<InboundHandler> message) {
        for (Channel channel : sessions) {
            channel.eventLoop()
                    .execute(
                            () -> {
                                InboundHandler handler =
                                        channel.pipeline().get(InboundHandler.class);
                                if (handler != null) {
                                    message.accept(handler);
                                }
                            });
        }
    }

    private void stopListening() {
        for (Channel channel : listening) {
            channel.close().awaitUninterruptibly();
        }
        listening.clear();
    }

    /// Stops at once.
    @Override
    public void close() {
        stopListening();
        sessions.close().awaitUninterruptibly(1000);
    }
}
