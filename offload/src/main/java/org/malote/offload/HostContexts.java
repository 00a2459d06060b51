package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/// The contexts for all ways to speak to hosts, as one reading of the files made them.
final class HostContexts implements AutoCloseable {
    /// The share of all sessions that the first way gets, which is the usual one: a half.
    private static final int FIRST_SHARE = 2;

    /// What a handler needs to be made, and to keep while its handshake goes on.
    ///
    /// @param scope the same for the same policy, authorities and certificates of ours
    private record Ready(EngineClient client, String scope, @Nullable InUse keys) {}

    private final HostTlsSettings settings;
    private final Map<HostWay, Ready> ready;
    private final List<CertificateStore> stores;
    private final List<InUse> keys;
    private volatile boolean isClosed;

    /// Clients that other contexts go on with. Guarded by this.
    private final Set<EngineClient> handedOver = new HashSet<>();

    private HostContexts(
            HostTlsSettings settings,
            Map<HostWay, Ready> ready,
            List<CertificateStore> stores,
            List<InUse> keys) {
        this.settings = settings;
        this.ready = ready;
        this.stores = stores;
        this.keys = keys;
    }

    /// @throws TlsProblems with everything that is wrong; then nothing is held
    static HostContexts open(HostTlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        Opening opening = new Opening(settings, environment);
        boolean isOpen = false;
        try {
            HostContexts contexts = opening.contexts();
            isOpen = true;
            return contexts;
        } finally {
            if (!isOpen) {
                opening.abandon();
            }
        }
    }

    /// @throws IllegalStateException after close, or for a way that is not in the settings
    SslHandler handler(ByteBufAllocator allocator, HostWay way, String host, int port) {
        Ready one = ready.get(way);
        if (one == null || isClosed) {
            throw new IllegalStateException(
                    isClosed
                            ? "these TLS contexts are closed"
                            : "the settings have no such way to speak to hosts");
        }
        InUse held = one.keys();
        SslHandler handler;
        if (held == null) {
            handler = one.client().handler(allocator, host, port);
        } else {
            held.retain();
            try {
                handler = one.client().handler(allocator, host, port);
            } catch (RuntimeException e) {
                held.release();
                throw e;
            }
            handler.handshakeFuture().addListener(_ -> held.release());
        }
        handler.setHandshakeTimeoutMillis(settings.tls().handshakeTimeout().toMillis());
        return handler;
    }

    /// Whether others do the same: then their sessions would be lost for nothing.
    boolean isLike(HostContexts other) {
        return settings.equals(other.settings)
                && ready.keySet().stream()
                        .allMatch(
                                way -> {
                                    Ready theirs = other.ready.get(way);
                                    Ready ours = ready.get(way);
                                    return ours != null
                                            && theirs != null
                                            && ours.scope().equals(theirs.scope());
                                });
    }

    /// Goes on with what others have for the same ways, with its sessions, where no key of ours is
    /// in it. Before any handler is made.
    void adopt(HostContexts others) {
        if (!settings.tls().equals(others.settings.tls())) {
            return;
        }
        ready.replaceAll(
                (way, mine) -> {
                    Ready theirs = others.ready.get(way);
                    if (theirs == null
                            || mine.keys() != null
                            || !mine.scope().equals(theirs.scope())) {
                        return mine;
                    }
                    others.handOver(theirs.client());
                    mine.client().close();
                    return theirs;
                });
    }

    private synchronized void handOver(EngineClient client) {
        handedOver.add(client);
    }

    /// What we show to hosts.
    List<CertificateInfo> certificates() {
        return stores.stream()
                .flatMap(store -> store.served().stream())
                .map(ServedCertificate::info)
                .toList();
    }

    /// What an operator must see to, though it can be used: validity.
    List<String> warnings() {
        return stores.stream().flatMap(store -> store.warnings().stream()).toList();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            for (Ready one : ready.values()) {
                if (!handedOver.contains(one.client())) {
                    one.client().close();
                }
            }
            keys.forEach(InUse::release);
        }
    }

    /// The opening of everything, which finds all problems before it gives up.
    private static final class Opening {
        private final HostTlsSettings settings;
        private final TlsEnvironment environment;
        private final TlsContexts.Footing footing;
        private final Instant now;
        private final List<String> problems = new ArrayList<>();
        private final Map<HostWay, Ready> clients = new LinkedHashMap<>();
        private final Map<String, CertificateStore> stores = new LinkedHashMap<>();
        private final Map<String, InUse> keys = new LinkedHashMap<>();
        private final Map<@Nullable Path, Authorities> authorities = new HashMap<>();

        Opening(HostTlsSettings settings, TlsEnvironment environment) {
            this.settings = settings;
            this.environment = environment;
            this.footing = TlsContexts.Footing.of(settings.tls().engine(), problems);
            this.now = environment.clock().instant();
        }

        HostContexts contexts() throws TlsProblems {
            problems.addAll(TlsContexts.faults(settings.tls()));
            for (HostIdentity identity : settings.identities()) {
                CertificateStore store =
                        CertificateStore.load(
                                settings.tls().withCertificates(identity.certificates()),
                                now,
                                environment);
                stores.put(identity.name(), store);
                problems.addAll(store.problems());
                problems.addAll(TlsContexts.mismatches(footing.engine(), store));
            }
            for (HostWay way : settings.ways()) {
                readAuthorities(way.policy());
            }
            requireNone();
            for (HostWay way : settings.ways()) {
                if (!clients.containsKey(way)) {
                    open(way);
                }
            }
            requireNone();
            stores.forEach(this::keysOf);
            return new HostContexts(
                    settings,
                    new HashMap<>(clients),
                    List.copyOf(stores.values()),
                    List.copyOf(keys.values()));
        }

        private void requireNone() throws TlsProblems {
            if (!problems.isEmpty()) {
                throw new TlsProblems(problems.stream().distinct().toList());
            }
        }

        private void readAuthorities(HostPolicy policy) {
            if (!policy.hasAuthorities() || authorities.containsKey(policy.authorities())) {
                return;
            }
            try {
                authorities.put(policy.authorities(), Authorities.read(policy.authorities()));
            } catch (TlsProblems e) {
                problems.addAll(e.problems());
            }
        }

        private void open(HostWay way) {
            HostPolicy policy = way.policy();
            String identity = way.identity();
            CertificateStore store = identity == null ? null : stores.get(identity);
            if (identity != null && store == null) {
                throw new IllegalArgumentException("there is no identity " + identity);
            }
            List<ServedCertificate> own = store == null ? List.of() : store.served();
            Authorities believed =
                    policy.hasAuthorities() ? authorities.get(policy.authorities()) : null;
            try {
                clients.put(
                        way,
                        new Ready(
                                client(policy, believed, own),
                                scope(policy, believed, own),
                                identity == null || store == null
                                        ? null
                                        : keysOf(identity, store)));
            } catch (SSLException | CertificateEncodingException | IllegalStateException e) {
                problems.add(
                        String.format(
                                "the TLS engine %s refuses what is to be shown to hosts (%s): try"
                                        + " other certificates, or another engine",
                                footing.engine().settingName(), PemFile.firstLine(e.getMessage())));
            }
        }

        private InUse keysOf(String identity, CertificateStore store) {
            return keys.computeIfAbsent(identity, _ -> new InUse(store::close));
        }

        private EngineClient client(
                HostPolicy policy, @Nullable Authorities believed, List<ServedCertificate> own)
                throws SSLException {
            FullHandshakes full = new FullHandshakes();
            X509ExtendedTrustManager trust =
                    believed == null
                            ? new AnyCertificate(full::mark)
                            : new VerifiedCertificate(
                                    new HostJudge(believed),
                                    policy.trust() == HostPolicy.Trust.VERIFIED,
                                    policy.names(),
                                    environment.clock(),
                                    full::mark);
            return switch (footing) {
                case TlsContexts.Footing.OfBoringSsl _ ->
                        NativeClient.open(
                                trust,
                                policy.asksForStatus(),
                                own,
                                limits(),
                                BoringSslContexts.GROUPS);
                // netty-tcnative has no such call for OpenSSL ("OCSP is not supported").
                case TlsContexts.Footing.OfOpenSsl(var system) ->
                        NativeClient.open(
                                trust, false, own, limits(), OpenSslContexts.groups(system));
                case TlsContexts.Footing.OfJdk _ -> JdkClient.open(trust, full, own, limits());
                case TlsContexts.Footing.None(var wanted) ->
                        throw new SSLException(wanted.settingName() + " cannot be had");
            };
        }

        private SessionLimits limits() {
            int others = settings.ways().size() - 1;
            int most = EngineContexts.CLIENT_SESSIONS_MAX;
            int share = most / FIRST_SHARE;
            int sessionsMax =
                    others == 0 ? most : clients.isEmpty() ? share : Math.max(1, share / others);
            return new SessionLimits(
                    sessionsMax,
                    Math.toIntExact(settings.tls().tickets().sessionLifetime().toSeconds()));
        }

        /// The same text for the same policy, authorities and certificates of ours, and no other:
        /// whatever was in the files, not their names.
        private static String scope(
                HostPolicy policy, @Nullable Authorities believed, List<ServedCertificate> own)
                throws CertificateEncodingException {
            List<byte[]> parts = new ArrayList<>();
            parts.add(policy.trust().name().getBytes(StandardCharsets.UTF_8));
            if (believed != null) {
                policy.names().stream()
                        .sorted()
                        .forEach(name -> parts.add(name.getBytes(StandardCharsets.UTF_8)));
                parts.add(new byte[0]);
                List<byte[]> anchors = new ArrayList<>();
                for (X509Certificate one : believed.certificates()) {
                    anchors.add(digest(one.getEncoded()));
                }
                anchors.sort(Arrays::compareUnsigned);
                parts.addAll(anchors);
            }
            parts.add(new byte[0]);
            for (ServedCertificate one : own) {
                parts.add(digest(one.leaf().getEncoded()));
            }
            StringBuilder all = new StringBuilder();
            parts.forEach(part -> all.append(HexFormat.of().formatHex(part)).append('/'));
            return HexFormat.of()
                    .formatHex(digest(all.toString().getBytes(StandardCharsets.US_ASCII)));
        }

        private static byte[] digest(byte[] bytes) {
            return SignatureScheme.Digest.SHA256.of(bytes);
        }

        void abandon() {
            clients.values().forEach(one -> one.client().close());
            stores.values().forEach(CertificateStore::close);
        }
    }
}
