package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.ReferenceCountedOpenSslContext;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/// The system's OpenSSL through netty-tcnative, with the providers and engines of its own
/// configuration.
///
/// Of two certificates OpenSSL chooses, by all that the peer says: P-256 where that is verified.
///
/// Ticket keys are those that a context was made with. New ones make new contexts, and the old end
/// with their last connection: the newest library that can be had (2.0.81) frees a key that is
/// exchanged while a handshake may still seal with it.
///
/// A server that asks for certificates gives no tickets: of a resumed session OpenSSL knows the
/// peer's certificate, and no longer those between it and the authority.
final class OpenSslContexts implements EngineContexts {
    /// As [BoringSslContexts#GROUPS]; before 3.5 OpenSSL has no post-quantum group.
    private static final List<String> CLASSICAL_GROUPS = List.of("X25519", "P-256", "P-384");

    private static final OpenSslSessionTicketKey[] NO_KEYS = {};

    private final SystemOpenSsl system;
    private final List<List<ServedCertificate>> sets;
    private final NativeContexts.Server server;
    private final ReferenceCountedOpenSslContext client;

    /// One for each set of certificates; none when closed. Written by one thread at a time.
    private volatile List<ReferenceCountedOpenSslContext> servers;

    private OpenSslContexts(
            SystemOpenSsl system,
            List<List<ServedCertificate>> sets,
            NativeContexts.Server server,
            List<ReferenceCountedOpenSslContext> servers,
            ReferenceCountedOpenSslContext client) {
        this.system = system;
        this.sets = sets;
        this.server = server;
        this.servers = servers;
        this.client = client;
    }

    static OpenSslContexts open(
            SystemOpenSsl system,
            List<List<ServedCertificate>> sets,
            List<String> protocols,
            ClientCertificates.Demand demand,
            int sessionSeconds,
            OpenSslSessionTicketKey[] keys)
            throws SSLException {
        List<String> groups = groups(system);
        var server = new NativeContexts.Server(protocols, demand, sessionSeconds, groups);
        List<ReferenceCountedOpenSslContext> servers = openServers(system, server, sets, keys);
        boolean isOpened = false;
        try {
            ReferenceCountedOpenSslContext client =
                    BoringSslContexts.openClient(sessionSeconds, groups);
            isOpened = true;
            return new OpenSslContexts(system, sets, server, servers, client);
        } finally {
            if (!isOpened) {
                servers.forEach(ReferenceCountedOpenSslContext::release);
            }
        }
    }

    static List<String> groups(SystemOpenSsl system) {
        return system.hasPostQuantum() ? BoringSslContexts.GROUPS : CLASSICAL_GROUPS;
    }

    private static List<ReferenceCountedOpenSslContext> openServers(
            SystemOpenSsl system,
            NativeContexts.Server server,
            List<List<ServedCertificate>> sets,
            OpenSslSessionTicketKey[] keys)
            throws SSLException {
        List<ReferenceCountedOpenSslContext> opened = new ArrayList<>();
        boolean isOpened = false;
        try {
            for (List<ServedCertificate> served : sets) {
                ReferenceCountedOpenSslContext context =
                        server.build(
                                SslContextBuilder.forServer(ServerKeys.ofEngine(served))
                                        .option(OpenSslContextOption.USE_TASKS, false),
                                isResuming(server) ? keys : NO_KEYS);
                opened.add(context);
                use(system, context, served);
            }
            isOpened = true;
            return List.copyOf(opened);
        } finally {
            if (!isOpened) {
                opened.forEach(ReferenceCountedOpenSslContext::release);
            }
        }
    }

    private static boolean isResuming(NativeContexts.Server server) {
        return server.demand() == ClientCertificates.Demand.NO;
    }

    @SuppressWarnings("deprecation") // the address may be used as long as the context lives
    private static void use(
            SystemOpenSsl system,
            ReferenceCountedOpenSslContext context,
            List<ServedCertificate> served)
            throws SSLException {
        system.renewTickets(context.sslCtxPointer());
        for (ServedCertificate one : served) {
            if (one.key() instanceof OpenedKey.InProcess(var privateKey)) {
                system.use(context.sslCtxPointer(), one.chainArray(), privateKey);
            }
        }
    }

    @Override
    public SslHandler server(ByteBufAllocator allocator, int set) {
        while (true) {
            List<ReferenceCountedOpenSslContext> current = servers;
            if (current.isEmpty()) {
                throw new IllegalStateException("these TLS contexts are closed");
            }
            SslHandler handler = NativeContexts.handler(current.get(set), allocator);
            if (handler != null) {
                if (!isResuming()
                        && handler.engine() instanceof ReferenceCountedOpenSslEngine engine) {
                    // Netty allows tickets in each new engine.
                    system.withholdTickets(engine.sslPointer());
                }
                return handler;
            }
            // Exchanged at this moment: the next look finds the others.
        }
    }

    @Override
    public SslHandler client(ByteBufAllocator allocator, String host, int port) {
        return BoringSslContexts.client(client, allocator, host, port);
    }

    @Override
    public List<String> groups() {
        return server.groups();
    }

    @Override
    public boolean isResuming() {
        return isResuming(server);
    }

    @Override
    public void withholdTickets(long ssl) {
        system.withholdTickets(ssl);
    }

    /// @throws IllegalStateException when the contexts, which were made of the same before, cannot
    ///     be made; those of before go on
    @Override
    public void useTicketKeys(OpenSslSessionTicketKey[] keys) {
        List<ReferenceCountedOpenSslContext> old = servers;
        try {
            servers = openServers(system, server, sets, keys);
        } catch (SSLException e) {
            throw new IllegalStateException("OpenSSL refuses what it took before", e);
        }
        old.forEach(ReferenceCountedOpenSslContext::release);
    }

    @Override
    public void close() {
        List<ReferenceCountedOpenSslContext> old = servers;
        servers = List.of();
        Stream.concat(old.stream(), Stream.of(client))
                .forEach(ReferenceCountedOpenSslContext::release);
    }
}
