package org.malote.delivery;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.offload.CertificateRefused;
import org.malote.offload.HostTls;
import org.malote.offload.HostWay;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsSummary;
import org.malote.smtp.IpAddresses;
import org.malote.telemetry.Meters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The connections to hosts: bounded for each address, used again while they are warm. Remembers
/// for a short time who did not answer and whose TLS failed. Everything here belongs to the agent
/// thread; connections report to it by tasks.
final class ConnectionPool {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionPool.class);

    /// Addresses that are remembered. Ours: more hosts are seldom down at one time, and the oldest
    /// goes first.
    private static final int MEMORY_MAX = 4096;

    /// In the log, of a connection without TLS.
    private static final String CLEAR = "none";

    /// What became of a wish for a connection.
    sealed interface Lease {}

    /// It may be used for one transaction and is then released.
    ///
    /// @param isReused whether it carried a transaction before
    record Leased(Connection connection, boolean isReused) implements Lease {}

    /// There is none to be had.
    ///
    /// @param isUnreached whether the host said nothing: there was no TCP, no TLS, or silence
    record Unavailable(Failure failure, boolean isUnreached) implements Lease {}

    private enum Phase {
        CONNECTING,
        LEASED,
        RESETTING,
        IDLE,
        LEAVING,
        GONE
    }

    /// One address and what goes on with it.
    private static final class Line {
        final InetSocketAddress address;
        final Deque<Connection> idle = new ArrayDeque<>();
        final Deque<Waiter> waiting = new ArrayDeque<>();
        int open;
        int openMax;

        Line(InetSocketAddress address, int openMax) {
            this.address = address;
            this.openMax = openMax;
        }
    }

    /// Who wants a connection. Several names can lead to one address, and TLS is for a name.
    private record Waiter(Hop hop, Site site, Consumer<Lease> taken) {
        Terms terms() {
            return site.terms().towards(hop);
        }
    }

    /// What is remembered of an address holds for the terms on which it was learned.
    private record Approach(InetSocketAddress address, Terms terms) {}

    /// The hosts of a destination together.
    ///
    /// @param connectionsMax at one time, over all their addresses; whoever asks sees to it that no
    ///     more are at work, and idle ones are closed for them
    /// @param terms on which they are spoken to
    record Site(String key, int connectionsMax, Terms terms) {}

    /// One connection, as the agent sees it.
    final class Connection implements OutboundHandler.Owner {
        private final Line line;
        private final Hop hop;
        private final Site site;
        private final Terms terms;
        private final ClientSession.Encryption encryption;
        private final long startedNanos = environment.nanoTime().getAsLong();
        private @Nullable Consumer<Lease> taker;
        private @Nullable Channel channel;
        private @Nullable OutboundHandler handler;
        private HostFacts facts = HostFacts.PLAIN;
        private String security = CLEAR;
        private boolean isForName;
        private Phase phase = Phase.CONNECTING;
        private int transactions;
        private long idleSinceNanos;

        private Connection(Line line, ClientSession.Encryption encryption, Waiter waiter) {
            this.line = line;
            this.hop = waiter.hop();
            this.site = waiter.site();
            this.terms = waiter.terms();
            this.encryption = encryption;
            this.taker = waiter.taken();
        }

        /// What the host said of itself.
        HostFacts facts() {
            return facts;
        }

        /// What secures it, for the log.
        String security() {
            return security;
        }

        /// Sends a message.
        ///
        /// @param ended told once, on the agent
        void begin(
                OutboundTransaction transaction,
                BodySource body,
                Consumer<OutboundHandler.End> ended) {
            OutboundHandler open = handler;
            transactions++;
            if (open == null) {
                throw new IllegalStateException("a leased connection has its handler");
            }
            onEventLoop(
                    () -> open.begin(transaction, body, end -> onAgent(() -> ended.accept(end))));
        }

        @Override
        public void ready(OutboundHandler connection) {
            HostFacts said = connection.facts();
            TlsSummary summary = connection.tlsSummary();
            onAgent(() -> onReady(this, said, summary));
        }

        @Override
        public void closed(
                OutboundHandler connection,
                @Nullable Failure failure,
                OutboundHandler.Ending ending) {
            String fault = connection.handshakeFault();
            onAgent(() -> onClosed(this, failure, ending, fault));
        }

        private void onEventLoop(Runnable task) {
            if (channel != null) {
                channel.eventLoop().execute(task);
            }
        }
    }

    private final DeliverySettings settings;
    private final DeliveryEnvironment environment;
    private final @Nullable HostTls tls;
    private final BooleanSupplier quitsOnDeny;
    private final Bootstrap bootstrap;
    private final Map<InetSocketAddress, Line> lines = new HashMap<>();
    private final Set<Connection> connections = new LinkedHashSet<>();
    private final Map<Approach, Long> deadUntilNanos = memory();
    private final Map<Approach, Long> clearUntilNanos = memory();
    private @Nullable Future<?> sweeper;
    private boolean isDraining;

    /// @param tls null: nothing is encrypted
    /// @param quitsOnDeny asked for each connection, as [AmtpSending] has it
    ConnectionPool(
            DeliverySettings settings,
            DeliveryEnvironment environment,
            @Nullable HostTls tls,
            BooleanSupplier quitsOnDeny) {
        this.settings = settings;
        this.environment = environment;
        this.tls = tls;
        this.quitsOnDeny = quitsOnDeny;
        Bootstrap connecting =
                new Bootstrap()
                        .group(environment.eventLoops())
                        .channel(environment.channelType())
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(
                                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                                (int)
                                        Math.min(
                                                settings.timeouts().connect().toMillis(),
                                                Integer.MAX_VALUE));
        // ip(7): a source's port is chosen for its destination. Without that a source has as many
        // connections, with those of the last minute, as there are ports: 28,000.
        this.bootstrap =
                EpollSocketChannel.class.isAssignableFrom(environment.channelType())
                        ? connecting.option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true)
                        : connecting;
    }

    /// Asks for a connection.
    ///
    /// @param taken told once, on the agent, perhaps before this method returns
    void acquire(Hop hop, Site site, Consumer<Lease> taken) {
        Line line =
                lines.computeIfAbsent(
                        hop.address(), a -> new Line(a, settings.connectionsPerHostMax()));
        Waiter waiter = new Waiter(hop, site, taken);
        Connection warm = pollIdle(line, waiter);
        if (warm != null) {
            lease(warm, taken);
            return;
        }
        makeRoom(site);
        line.waiting.add(waiter);
        Connection other = line.open < line.openMax ? null : line.idle.pollFirst();
        if (other != null) {
            quit(other); // idle under another name: its place is wanted
        } else {
            serve(line);
        }
    }

    /// Closes what is idle at other addresses of a site that has as many connections as it may.
    private void makeRoom(Site site) {
        int open = 0;
        Connection oldest = null;
        for (Connection connection : connections) {
            if (connection.site.key().equals(site.key())) {
                open++;
                if (connection.phase == Phase.IDLE
                        && (oldest == null
                                || connection.idleSinceNanos - oldest.idleSinceNanos < 0)) {
                    oldest = connection;
                }
            }
        }
        if (oldest != null && open >= site.connectionsMax()) {
            oldest.line.idle.remove(oldest);
            quit(oldest);
        }
    }

    /// The idle connection to this hop, on these terms, that was used last.
    private static @Nullable Connection pollIdle(Line line, Waiter waiter) {
        for (Iterator<Connection> idle = line.idle.descendingIterator(); idle.hasNext(); ) {
            Connection connection = idle.next();
            if (isFor(connection, waiter)) {
                idle.remove();
                return connection;
            }
        }
        return null;
    }

    private static boolean isFor(Connection connection, Waiter waiter) {
        return connection.terms.equals(waiter.terms())
                && (connection.isForName
                        ? connection.hop.isSameHost(waiter.hop())
                        : connection.hop.equals(waiter.hop()));
    }

    /// Opens connections for those who wait, as far as there is room. Where the host is known to
    /// be dead all of them are told at once: nobody else would come to do it.
    private void serve(Line line) {
        while (line.open < line.openMax) {
            Waiter next = line.waiting.poll();
            if (next == null) {
                break;
            }
            connect(line, next);
        }
        forgetUnused(line);
    }

    /// Gives a connection back after a transaction.
    void release(Connection connection, OutboundHandler.Afterwards afterwards) {
        switch (afterwards) {
            case READY -> offer(connection);
            case RESETTING -> connection.phase = Phase.RESETTING;
            case LEAVING -> {
                connection.phase = Phase.LEAVING;
                Channel channel = connection.channel;
                if (channel == null) {
                    forget(connection);
                } else {
                    channel.closeFuture().addListener(_ -> onAgent(() -> forget(connection)));
                }
            }
            case CLOSED -> forget(connection);
        }
    }

    /// Keeps no connection that is not at work.
    void drain() {
        isDraining = true;
        for (Connection connection : List.copyOf(connections)) {
            if (connection.phase == Phase.IDLE) {
                connection.line.idle.remove(connection);
                quit(connection);
            }
        }
    }

    /// Drops everything. Whoever waits is not told.
    void close() {
        isDraining = true;
        for (Connection connection : List.copyOf(connections)) {
            OutboundHandler open = connection.handler;
            connection.phase = Phase.GONE;
            if (open != null) {
                connection.onEventLoop(open::abort);
            }
        }
        connections.clear();
        lines.clear();
        if (sweeper != null) {
            sweeper.cancel(false);
            sweeper = null;
        }
    }

    private void lease(Connection connection, Consumer<Lease> taken) {
        boolean isReused = connection.transactions > 0;
        connection.phase = Phase.LEASED;
        environment.meters().outboundConnection(isReused ? "reused" : "new");
        taken.accept(new Leased(connection, isReused));
    }

    private void connect(Line line, Waiter waiter) {
        Approach approach = new Approach(line.address, waiter.terms());
        if (isRemembered(deadUntilNanos, approach)) {
            waiter.taken()
                    .accept(
                            new Unavailable(
                                    Trouble.unreachable(
                                            waiter.hop().label(), "it did not answer a moment ago"),
                                    true));
            return;
        }
        line.open++;
        open(new Connection(line, encryption(approach), waiter));
    }

    private ClientSession.Encryption encryption(Approach approach) {
        return switch (approach.terms().tls().use()) {
            case NONE -> ClientSession.Encryption.NEVER;
            case OPPORTUNISTIC ->
                    tls == null || isRemembered(clearUntilNanos, approach)
                            ? ClientSession.Encryption.NEVER
                            : ClientSession.Encryption.WHEN_OFFERED;
            case REQUIRED, VERIFIED, AMTP -> ClientSession.Encryption.ALWAYS;
        };
    }

    private void open(Connection connection) {
        Hop hop = connection.hop;
        Source source = connection.terms.source();
        connections.add(connection);
        ClientSession session =
                new ClientSession(
                        source == null ? settings.heloName() : source.heloName(),
                        hop.protocol(),
                        connection.encryption,
                        hop.label(),
                        settings.chunkOctetsMax(),
                        quitsOnDeny.getAsBoolean());
        OutboundHandler handler =
                new OutboundHandler(
                        session,
                        settings.timeouts(),
                        new Security(connection),
                        environment.io(),
                        connection);
        connection.handler = handler;
        ChannelFuture connected =
                bootstrap.clone().handler(handler).connect(hop.address(), local(connection));
        connection.channel = connected.channel();
        connected.addListener(
                future -> {
                    if (!future.isSuccess()) {
                        onAgent(() -> onRefused(connection, future.cause()));
                    }
                });
    }

    /// TLS as the terms of a connection have it.
    private final class Security implements HostSecurity {
        private final Connection connection;

        Security(Connection connection) {
            this.connection = connection;
        }

        @Override
        public ChannelHandler handler(ByteBufAllocator allocator) {
            HostTls contexts = tls;
            HostWay way = connection.terms.way();
            if (contexts == null || way == null) {
                throw new IllegalStateException("no TLS was configured");
            }
            Hop hop = connection.hop;
            return contexts.handler(allocator, way, hop.name(), hop.address().getPort());
        }

        /// RFC 9525 §6: the name that the SRV record gave, or the domain that was asked for. The
        /// first is as good as the DNS that gave it; a session is only ever resumed with the same
        /// host, and its certificate looked at again.
        @Override
        public @Nullable TlsSummary established(ChannelHandler handler) throws CertificateRefused {
            if (!(handler instanceof SslHandler ssl)) {
                throw new IllegalStateException("TLS is from here");
            }
            Hop hop = connection.hop;
            if (connection.terms.tls().use() == TlsUse.AMTP
                    && connection.terms.tls().names().isEmpty()) {
                HostTls.requireName(ssl, hop.names());
                boolean isForName = HostTls.isFor(ssl, List.of(hop.name()));
                onAgent(() -> connection.isForName = isForName);
            }
            return TlsContexts.summary(ssl);
        }
    }

    /// Where a connection begins; null for what the system chooses.
    private static @Nullable InetSocketAddress local(Connection connection) {
        Source source = connection.terms.source();
        InetAddress address =
                source == null ? null : source.towards(connection.line.address.getAddress());
        return address == null ? null : new InetSocketAddress(address, 0);
    }

    /// TCP came to nothing.
    private void onRefused(Connection connection, Throwable cause) {
        if (connection.phase != Phase.CONNECTING) {
            return;
        }
        Approach approach = new Approach(connection.line.address, connection.terms);
        String words;
        switch (cause) {
            case ConnectTimeoutException _ -> {
                words = "connection timed out";
                remember(deadUntilNanos, approach, settings.deadHostMemory().toNanos());
            }
            case NoRouteToHostException _ -> {
                words = "no route to host";
                remember(deadUntilNanos, approach, settings.deadHostMemory().toNanos());
            }
            case java.net.ConnectException _ -> words = "connection refused";
            default ->
                    words =
                            cause.getMessage() == null
                                    ? cause.getClass().getSimpleName()
                                    : cause.getMessage();
        }
        InetSocketAddress local = local(connection);
        fail(
                connection,
                Trouble.unreachable(
                        connection.hop.label(),
                        local == null
                                ? words
                                : words + " (from " + IpAddresses.format(local.getAddress()) + ")"),
                true);
    }

    private void onReady(Connection connection, HostFacts facts, @Nullable TlsSummary summary) {
        switch (connection.phase) {
            case CONNECTING -> {
                connection.facts = facts;
                connection.security = security(connection.terms, summary);
                environment
                        .log()
                        .connected(
                                connection.hop.label(),
                                connection.security,
                                sourceName(connection.terms));
                if (summary != null) {
                    environment
                            .meters()
                            .outboundHandshake(
                                    connection.terms.tls().use().word(),
                                    sourceName(connection.terms),
                                    summary.resumed());
                    environment
                            .meters()
                            .handshake(
                                    Meters.Direction.OUTBOUND,
                                    summary,
                                    null,
                                    environment.nanoTime().getAsLong() - connection.startedNanos);
                }
                Consumer<Lease> taker = connection.taker;
                connection.taker = null;
                if (taker == null) {
                    throw new IllegalStateException("a new connection has a taker");
                }
                lease(connection, taker);
            }
            case RESETTING -> offer(connection);
            case LEASED, IDLE, LEAVING, GONE -> {}
        }
    }

    /// `verified/TLSv1.3/TLS_AES_128_GCM_SHA256/X25519/resumed`
    private static String security(Terms terms, @Nullable TlsSummary summary) {
        return summary == null ? CLEAR : terms.tls().use().word() + "/" + summary.text();
    }

    private static @Nullable String sourceName(Terms terms) {
        Source source = terms.source();
        return source == null ? null : source.name();
    }

    /// @param fault why the handshake failed; null when it did not
    private void onClosed(
            Connection connection,
            @Nullable Failure failure,
            OutboundHandler.Ending ending,
            @Nullable String fault) {
        if (connection.phase == Phase.CONNECTING && fault != null) {
            environment.meters().handshakeFailed(fault);
            environment
                    .log()
                    .handshakeFailed(
                            connection.hop.label(),
                            connection.terms.tls().use().word(),
                            sourceName(connection.terms),
                            fault,
                            failure == null ? "" : failure.detail());
        }
        switch (connection.phase) {
            case CONNECTING -> onUnusable(connection, failure, ending);
            case IDLE -> {
                connection.line.idle.remove(connection);
                forget(connection);
            }
            case RESETTING -> forget(connection);
            case LEASED, LEAVING, GONE -> {} // the transaction that finds it closed gives it back
        }
    }

    private void onUnusable(
            Connection connection, @Nullable Failure failure, OutboundHandler.Ending ending) {
        Line line = connection.line;
        Consumer<Lease> taker = connection.taker;
        Hop hop = connection.hop;
        Approach approach = new Approach(line.address, connection.terms);
        Failure why =
                failure == null ? Trouble.unreachable(hop.label(), "lost connection") : failure;
        switch (ending) {
            case HANDSHAKE -> {
                remember(clearUntilNanos, approach, settings.tlsFailureMemory().toNanos());
                if (taker != null && !isDraining) {
                    connection.phase = Phase.GONE;
                    connections.remove(connection);
                    // in the same place, without TLS
                    open(
                            new Connection(
                                    line,
                                    ClientSession.Encryption.NEVER,
                                    new Waiter(hop, connection.site, taker)));
                    return;
                }
            }
            case SILENT -> remember(deadUntilNanos, approach, settings.deadHostMemory().toNanos());
            case INSECURE -> {} // never in the clear: the next attempt may do better
            case SPOKEN -> {
                if (taker != null && why.reply().isTransient() && line.open > 1 && !isDraining) {
                    // The host takes no more at one time than it has: wait for one of those.
                    connection.phase = Phase.GONE;
                    connections.remove(connection);
                    line.open--;
                    line.openMax = line.open;
                    Waiter waiter = new Waiter(hop, connection.site, taker);
                    Connection warm = pollIdle(line, waiter);
                    if (warm == null) {
                        line.waiting.addFirst(waiter);
                    } else {
                        lease(warm, taker);
                    }
                    return;
                }
            }
        }
        boolean isUnreached =
                switch (ending) {
                    case SILENT, INSECURE -> true;
                    case SPOKEN, HANDSHAKE -> false;
                };
        fail(connection, why, isUnreached);
    }

    private void fail(Connection connection, Failure failure, boolean isUnreached) {
        environment.meters().outboundConnectionFailed();
        Consumer<Lease> taker = connection.taker;
        connection.taker = null;
        forget(connection);
        if (taker != null) {
            taker.accept(new Unavailable(failure, isUnreached));
        }
    }

    /// A connection that can take another transaction goes to whoever waits, or waits itself.
    private void offer(Connection connection) {
        Line line = connection.line;
        int said = connection.facts.transactionsMax();
        int transactionsMax =
                said == 0
                        ? settings.transactionsPerConnectionMax()
                        : Math.min(said, settings.transactionsPerConnectionMax()); // RFC 9422 §4
        if (isDraining || connection.transactions >= transactionsMax) {
            quit(connection);
            return;
        }
        for (Iterator<Waiter> waiting = line.waiting.iterator(); waiting.hasNext(); ) {
            Waiter next = waiting.next();
            if (isFor(connection, next)) {
                waiting.remove();
                lease(connection, next.taken());
                return;
            }
        }
        if (!line.waiting.isEmpty()) {
            quit(connection); // its place is wanted under another name, or on other terms
            return;
        }
        if (settings.idleConnectionTimeout().isZero()) {
            quit(connection);
            return;
        }
        connection.phase = Phase.IDLE;
        connection.idleSinceNanos = environment.nanoTime().getAsLong();
        line.idle.addLast(connection);
        sweepLater();
    }

    /// Says goodbye. Until the connection is closed its place is taken: the host counts it, too.
    private void quit(Connection connection) {
        OutboundHandler open = connection.handler;
        Channel channel = connection.channel;
        if (open == null || channel == null) {
            forget(connection);
            return;
        }
        connection.phase = Phase.LEAVING;
        channel.closeFuture().addListener(_ -> onAgent(() -> forget(connection)));
        connection.onEventLoop(open::quit);
    }

    private void forget(Connection connection) {
        if (connection.phase == Phase.GONE) {
            return;
        }
        connection.phase = Phase.GONE;
        connections.remove(connection);
        Line line = connection.line;
        line.open--;
        serve(line);
    }

    private void forgetUnused(Line line) {
        if (line.open == 0 && line.waiting.isEmpty()) {
            lines.remove(line.address, line);
        }
    }

    private void sweepLater() {
        if (sweeper == null) {
            try {
                sweeper =
                        environment
                                .agent()
                                .schedule(
                                        this::sweep,
                                        settings.idleConnectionTimeout().toNanos(),
                                        TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException e) {
                sweeper = null; // the agent has stopped; close() drops them
            }
        }
    }

    private void sweep() {
        sweeper = null;
        long now = environment.nanoTime().getAsLong();
        long timeoutNanos = settings.idleConnectionTimeout().toNanos();
        boolean someStay = false;
        for (Line line : new ArrayList<>(lines.values())) {
            for (Iterator<Connection> idle = line.idle.iterator(); idle.hasNext(); ) {
                Connection connection = idle.next();
                if (now - connection.idleSinceNanos >= timeoutNanos) {
                    idle.remove();
                    quit(connection);
                } else {
                    someStay = true;
                }
            }
        }
        if (someStay) {
            sweepLater();
        }
    }

    private boolean isRemembered(Map<Approach, Long> memory, Approach approach) {
        Long untilNanos = memory.get(approach);
        if (untilNanos == null) {
            return false;
        }
        if (environment.nanoTime().getAsLong() - untilNanos < 0) {
            return true;
        }
        memory.remove(approach);
        return false;
    }

    private void remember(Map<Approach, Long> memory, Approach approach, long nanos) {
        if (nanos > 0) {
            memory.put(approach, environment.nanoTime().getAsLong() + nanos);
        }
    }

    private static Map<Approach, Long> memory() {
        return new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Approach, Long> eldest) {
                return size() > MEMORY_MAX;
            }
        };
    }

    private void onAgent(Runnable task) {
        try {
            environment
                    .agent()
                    .execute(
                            () -> {
                                try {
                                    task.run();
                                } catch (RuntimeException | OutOfMemoryError e) {
                                    // The agent's edge: the executor would keep it to itself.
                                    LOG.error("a connection ended by a fault of ours", e);
                                }
                            });
        } catch (RejectedExecutionException e) {
            // The server has stopped; nobody waits for this any more.
        }
    }
}
