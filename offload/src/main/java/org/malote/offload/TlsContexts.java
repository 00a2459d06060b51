package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslHandler;
import io.netty.internal.tcnative.SSL;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything that TLS connections share: certificates, keys, ticket keys, the sessions of hosts
/// that we send to.
///
/// Threads: all methods may be called from any thread. `tick` is to be called now and then, once a
/// minute is plenty. After `close` no handlers are made; connections that exist go on, and memory
/// is freed with the last of them.
public final class TlsContexts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TlsContexts.class);

    /// RFC 8446 §4.6.1.
    private static final Duration SESSION_LIFETIME_MAX = Duration.ofDays(7);

    private final TlsSettings settings;
    private final TlsEnvironment environment;
    private final Footing footing;
    private final Engine engine;
    private final CertificateStore certificates;
    private final NamedCertificates named;
    private final EngineContexts contexts;
    private final InUse keysInUse;
    private final InUse contextsInUse;
    private final PeerJudge judge;

    /// Of handlers that serve another set of certificates than the first; handlers do not define
    /// equality.
    private final Map<SslHandler, Integer> setsServed =
            Collections.synchronizedMap(new WeakHashMap<>());

    // Guarded by this.
    private TicketKeySource ticketKeys;
    private List<TicketKey> keysInForce;
    private String lastComplaint = "";

    // Written under this; read anywhere.
    private volatile boolean isClosed;

    private TlsContexts(
            TlsSettings settings,
            TlsEnvironment environment,
            Footing footing,
            CertificateStore certificates,
            NamedCertificates named,
            EngineContexts contexts,
            TicketKeySource ticketKeys,
            List<TicketKey> keysInForce,
            PeerJudge judge) {
        this.judge = judge;
        this.keysInForce = keysInForce;
        this.settings = settings;
        this.environment = environment;
        this.footing = footing;
        this.engine = footing.engine();
        this.certificates = certificates;
        this.named = named;
        this.contexts = contexts;
        this.ticketKeys = ticketKeys;
        this.keysInUse = new InUse(certificates::close);
        this.contextsInUse = new InUse(contexts::close);
    }

    /// Reads certificates, opens keys, and makes the contexts. A certificate that is not valid now
    /// is logged and served: most senders do not look, and those that do are no worse off than
    /// without TLS.
    ///
    /// @throws TlsProblems with everything that is wrong, not only the first
    public static TlsContexts open(TlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        return open(settings, environment, sourceFor(settings, environment));
    }

    /// With ticket keys that others have, too.
    static TlsContexts open(
            TlsSettings settings, TlsEnvironment environment, TicketKeySource ticketKeys)
            throws TlsProblems {
        List<String> problems = new ArrayList<>(faults(settings));
        Instant now = environment.clock().instant();
        Footing footing = Footing.of(settings.engine(), problems);
        Engine engine = footing.engine();
        CertificateStore certificates = CertificateStore.load(settings, now, environment);
        problems.addAll(certificates.problems());
        problems.addAll(mismatches(engine, certificates));
        PeerJudge judge = judge(settings.clientCertificates(), problems);
        if (judge == null || !problems.isEmpty()) {
            certificates.close();
            throw new TlsProblems(problems);
        }
        certificates.warnings().forEach(LOG::warn);
        return make(footing, settings, environment, certificates, ticketKeys, judge);
    }

    /// @param certificates those of the contexts, or closed when there are none
    private static TlsContexts make(
            Footing footing,
            TlsSettings settings,
            TlsEnvironment environment,
            CertificateStore certificates,
            TicketKeySource ticketKeys,
            PeerJudge judge)
            throws TlsProblems {
        Instant now = environment.clock().instant();
        Engine engine = footing.engine();
        try {
            List<TicketKey> keys = ticketKeys.keys(now).forEngine(now);
            NamedCertificates named = new NamedCertificates(certificates.served());
            EngineContexts contexts =
                    makeContexts(
                            footing, settings, environment.protocols(), named, forEngine(keys));
            return new TlsContexts(
                    settings,
                    environment,
                    footing,
                    certificates,
                    named,
                    contexts,
                    ticketKeys,
                    keys,
                    judge);
        } catch (SSLException | IllegalStateException e) {
            certificates.close();
            throw PemFile.problem(refusal(engine, e));
        } catch (IOException e) {
            certificates.close();
            throw ticketProblem(settings.tickets(), e);
        } catch (TlsProblems e) {
            certificates.close();
            throw e;
        }
    }

    /// Null when it cannot be had, and the problems are told.
    private static @Nullable PeerJudge judge(ClientCertificates settings, List<String> problems) {
        try {
            return PeerJudge.of(settings);
        } catch (TlsProblems e) {
            problems.addAll(e.problems());
            return null;
        }
    }

    private static String refusal(Engine engine, Exception e) {
        return String.format(
                "the TLS engine %s refuses these certificates (%s): try others, or another engine",
                engine.settingName(), PemFile.firstLine(e.getMessage()));
    }

    private static List<String> sourceProblems(TlsSettings settings, TlsEnvironment environment) {
        try {
            return sourceFor(settings, environment).problems();
        } catch (TlsProblems e) {
            return e.problems();
        }
    }

    /// Does all that a start does, handshakes with ourselves too, and lets go of it again. Nothing
    /// is written.
    ///
    /// @return every problem, and every certificate that is not valid now; nothing when all is well
    public static List<String> check(TlsSettings settings, TlsEnvironment environment) {
        List<String> found = new ArrayList<>(faults(settings));
        Instant now = environment.clock().instant();
        Footing footing = Footing.of(settings.engine(), found);
        Engine engine = footing.engine();
        CertificateStore certificates = CertificateStore.load(settings, now, environment);
        found.addAll(certificates.problems());
        found.addAll(mismatches(engine, certificates));
        PeerJudge judge = judge(settings.clientCertificates(), found);
        if (judge != null && found.isEmpty()) {
            found.addAll(sourceProblems(settings, environment));
            found.addAll(handshakeProblems(footing, settings, environment, certificates, judge));
        } else {
            certificates.close();
        }
        found.addAll(certificates.warnings());
        return List.copyOf(found);
    }

    /// With ticket keys of its own, which are written nowhere.
    ///
    /// @param certificates closed in any case
    private static List<String> handshakeProblems(
            Footing footing,
            TlsSettings settings,
            TlsEnvironment environment,
            CertificateStore certificates,
            PeerJudge judge) {
        try (TlsContexts contexts =
                make(
                        footing,
                        settings,
                        environment,
                        certificates,
                        TicketKeySource.InMemory.of(settings, environment),
                        judge)) {
            OwnHandshakes.prove(contexts, environment);
            return List.of();
        } catch (TlsProblems e) {
            return e.problems();
        }
    }

    /// A handler for a peer that connects to us, not yet handshaken: TLS 1.2 and 1.3, tickets, the
    /// timeout of the settings. It serves the certificates for peers that ask for no name.
    ///
    /// @throws IllegalStateException after close
    public SslHandler serverHandler(ByteBufAllocator allocator) {
        return serverHandler(allocator, 0);
    }

    /// @param set the number of the certificates to serve
    SslHandler serverHandler(ByteBufAllocator allocator, int set) {
        requireOpen();
        return heldHandler(allocator, set);
    }

    /// While these contexts are open, or held for it.
    private SslHandler heldHandler(ByteBufAllocator allocator, int set) {
        if (!hasServer()) {
            throw new IllegalStateException("no certificate, so no TLS server");
        }
        keysInUse.retain();
        SslHandler handler;
        try {
            handler = contexts.server(allocator, set);
        } catch (RuntimeException e) {
            keysInUse.release();
            throw e;
        }
        handler.handshakeFuture().addListener(_ -> keysInUse.release());
        if (set != 0) {
            setsServed.put(handler, set);
        }
        return timed(handler);
    }

    /// How many sets of certificates there are to choose from by name.
    int certificateSets() {
        return named.sets().size();
    }

    /// The certificates of a set, one of each kind of key.
    List<ServedCertificate> certificateSet(int set) {
        return named.sets().get(set);
    }

    /// Whether a peer without a certificate is refused.
    boolean demandsCertificates() {
        return settings.clientCertificates().demand() == ClientCertificates.Demand.REQUIRE;
    }

    /// A client of the same engine, which believes every certificate.
    ///
    /// @param own what it shows to a server that asks; none to show none
    EngineClient openClient(List<ServedCertificate> own, SessionLimits limits) throws TlsProblems {
        FullHandshakes full = new FullHandshakes();
        AnyCertificate trust = new AnyCertificate(full::mark);
        try {
            return switch (footing) {
                case Footing.OfBoringSsl _, Footing.OfOpenSsl _ ->
                        NativeClient.open(trust, false, own, limits, groups());
                case Footing.OfJdk _ -> JdkClient.open(trust, full, own, limits);
                case Footing.None(var wanted) ->
                        throw new IllegalStateException(wanted + " is not there, which was told");
            };
        } catch (SSLException e) {
            throw PemFile.problem(refusal(engine, e));
        }
    }

    /// The same, with session tickets as by the settings.
    ///
    /// @throws IllegalStateException after close; then nothing was added
    public void addServerHandlers(ChannelHandlerContext before) {
        addServerHandlers(before, true);
    }

    /// Adds what a server needs for a peer in front of a handler of its pipeline: what turns
    /// foreign protocols away, and the TLS handler of [#serverHandler] behind it. Where there are
    /// certificates for several names the TLS handler comes when the peer has said its ClientHello,
    /// within the timeout of the settings.
    ///
    /// @param hasTickets false for a peer that is to get none, and to bring none: its sessions are
    ///     not resumed. The JDK's engine has no choice but to give them
    /// @throws IllegalStateException after close; then nothing was added
    public void addServerHandlers(ChannelHandlerContext before, boolean hasTickets) {
        addServerHandlers(before, hasTickets, false);
    }

    /// The same for a listener that may ask its peers for more than others do.
    ///
    /// @param wantsCertificate whether a certificate is asked for, and a peer without one served,
    ///     though the settings ask nobody. OpenSSL then gives no tickets, as [OpenSslContexts] says
    /// @throws IllegalStateException after close; then nothing was added
    public void addServerHandlers(
            ChannelHandlerContext before, boolean hasTickets, boolean wantsCertificate) {
        List<String> protocols = environment.protocols();
        if (certificateSets() > 1) {
            hold();
            before.pipeline()
                    .addBefore(
                            before.name(),
                            null,
                            new ClientHelloGuard(
                                    protocols,
                                    name ->
                                            ready(
                                                    heldHandler(before.alloc(), named.setFor(name)),
                                                    hasTickets,
                                                    wantsCertificate),
                                    settings.handshakeTimeout(),
                                    this::letGo));
            return;
        }
        SslHandler handler = ready(serverHandler(before.alloc()), hasTickets, wantsCertificate);
        before.pipeline().addBefore(before.name(), null, handler);
        if (!protocols.isEmpty()) {
            String name = before.pipeline().context(handler).name();
            before.pipeline().addBefore(name, null, new ClientHelloGuard(protocols));
        }
    }

    /// For a peer that has not said yet what it wants: it is served by these contexts though others
    /// take their place meanwhile.
    private synchronized void hold() {
        requireOpen();
        contextsInUse.retain();
        keysInUse.retain();
    }

    private void letGo() {
        keysInUse.release();
        contextsInUse.release();
    }

    private SslHandler ready(SslHandler handler, boolean hasTickets, boolean wantsCertificate) {
        boolean isAskedHere =
                wantsCertificate
                        && settings.clientCertificates().demand() == ClientCertificates.Demand.NO;
        if (isAskedHere) {
            handler.engine().setWantClientAuth(true);
        }
        boolean isResumable = hasTickets && !(isAskedHere && engine == Engine.OPENSSL);
        if (!isResumable && handler.engine() instanceof ReferenceCountedOpenSslEngine engine) {
            SSL.setOptions(engine.sslPointer(), SSL.SSL_OP_NO_TICKET);
            contexts.withholdTickets(engine.sslPointer());
        }
        return handler;
    }

    /// A handler for a host that we connect to, opportunistic: neither chain nor name is verified
    /// (RFC 7435 §3). Sessions are resumed for the same host and port.
    ///
    /// @param host the name of the host, which goes into SNI unless it is an address
    /// @param port as connected to
    /// @throws IllegalStateException after close
    public SslHandler clientHandler(ByteBufAllocator allocator, String host, int port) {
        requireOpen();
        return timed(contexts.client(allocator, host, port));
    }

    private void requireOpen() {
        if (isClosed) {
            throw new IllegalStateException("these TLS contexts are closed");
        }
    }

    private SslHandler timed(SslHandler handler) {
        handler.setHandshakeTimeoutMillis(settings.handshakeTimeout().toMillis());
        return handler;
    }

    /// Makes a new ticket key when it is time, and forgets those that no live session needs.
    public void tick() {
        synchronized (this) {
            if (isClosed) {
                return;
            }
            Instant now = environment.clock().instant();
            try {
                use(ticketKeys.keys(now).forEngine(now));
                lastComplaint = "";
            } catch (IOException e) {
                complain(ticketProblem(settings.tickets(), e));
            } catch (TlsProblems e) {
                complain(e);
            }
        }
    }

    private void use(List<TicketKey> keys) {
        if (!isSame(keys, keysInForce)) {
            contexts.useTicketKeys(forEngine(keys));
            keysInForce = keys;
        }
    }

    /// Takes its ticket keys from elsewhere from now on.
    void moveTo(TicketKeySource others) throws IOException, TlsProblems {
        synchronized (this) {
            Instant now = environment.clock().instant();
            use(others.keys(now).forEngine(now));
            ticketKeys = others;
        }
    }

    TicketKeys keysInForce() {
        synchronized (this) {
            return new TicketKeys(keysInForce);
        }
    }

    /// Once for each sentence: the keys of before go on.
    private void complain(TlsProblems e) {
        String sentence = String.valueOf(e.getMessage());
        if (!sentence.equals(lastComplaint)) {
            lastComplaint = sentence;
            LOG.warn("ticket keys are not renewed: {}", sentence);
        }
    }

    private static boolean isSame(List<TicketKey> some, List<TicketKey> others) {
        if (some.size() != others.size()) {
            return false;
        }
        for (int i = 0; i < some.size(); i++) {
            if (!some.get(i).isSame(others.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static OpenSslSessionTicketKey[] forEngine(List<TicketKey> keys) {
        return keys.stream().map(TicketKey::forEngine).toArray(OpenSslSessionTicketKey[]::new);
    }

    static TlsProblems ticketProblem(TicketSettings tickets, IOException e) {
        if (tickets.source() == null) {
            return ticketProblem(e);
        }
        return PemFile.problem(
                String.format(
                        "the ticket keys of %s cannot be had (%s: %s): see to what keeps them",
                        tickets.source(),
                        e.getClass().getSimpleName(),
                        PemFile.firstLine(e.getMessage())));
    }

    static TlsProblems ticketProblem(IOException e) {
        return PemFile.problem(
                String.format(
                        "the ticket keys cannot be kept (%s: %s): make their directory writable",
                        e.getClass().getSimpleName(), PemFile.firstLine(e.getMessage())));
    }

    /// Where the settings want the ticket keys to be.
    static TicketKeySource sourceFor(TlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        TicketSettings tickets = settings.tickets();
        String source = tickets.source();
        if (source != null && !settings.certificates().isEmpty()) {
            return environment.providers().openTicketKeys(source, tickets, environment.random());
        }
        Path file = tickets.file();
        return file == null || settings.certificates().isEmpty()
                ? TicketKeySource.InMemory.of(settings, environment)
                : new TicketKeyFile(
                        file,
                        tickets.secret(),
                        tickets.keyInterval(),
                        tickets.sessionLifetime(),
                        environment.random());
    }

    /// The ticket keys: when each begins, or began, to seal. The first seals now.
    public List<Instant> ticketKeys() {
        synchronized (this) {
            return keysInForce.stream().map(TicketKey::sealsFrom).toList();
        }
    }

    /// Who the peer of a server is.
    ///
    /// @param handshaken a handler of [#serverHandler] of any contexts, whose handshake has
    ///     succeeded, on its event loop, before the connection is closed
    public PeerIdentity peer(SslHandler handshaken) {
        if (settings.clientCertificates().demand() == ClientCertificates.Demand.NO) {
            return new PeerIdentity.Unknown();
        }
        List<X509Certificate> chain = shown(handshaken);
        return chain.isEmpty()
                ? new PeerIdentity.Unknown()
                : judge.judge(chain, environment.clock().instant());
    }

    /// The certificates that a peer has shown, the leaf first; in a resumed session those of the
    /// session that it resumes. None of them is judged.
    ///
    /// @param handshaken as of [#peer]
    /// @return empty when it showed none
    public static List<X509Certificate> shown(SslHandler handshaken) {
        List<X509Certificate> chain = new ArrayList<>();
        try {
            for (Certificate one : handshaken.engine().getSession().getPeerCertificates()) {
                if (one instanceof X509Certificate certificate) {
                    chain.add(certificate);
                }
            }
        } catch (SSLPeerUnverifiedException _) {
            return List.of();
        }
        return chain;
    }

    /// What a handshake with a peer of ours agreed on, with the key type of our certificate.
    ///
    /// @param handshaken a handler of [#serverHandler] of these contexts whose handshake has
    /// succeeded, on its event
    ///     loop, before the connection is closed
    public TlsSummary serverSummary(SslHandler handshaken) {
        TlsSummary summary = summary(handshaken);
        return summary.resumed() || summary.keyType() != null
                ? summary
                : summary.withKeyType(keyTypeServed(handshaken, summary));
    }

    /// A native engine does not say which of its certificates it took; it takes that of an elliptic
    /// curve where it may.
    private @Nullable String keyTypeServed(SslHandler handshaken, TlsSummary summary) {
        List<ServedCertificate> set = setServed(handshaken);
        ServedCertificate ec = find(set, SignatureScheme.Family.EC);
        ServedCertificate rsa = find(set, SignatureScheme.Family.RSA);
        boolean isEc =
                ec != null
                        && (summary.version().equals("TLSv1.2")
                                ? summary.cipher().contains("ECDSA")
                                : ServerKeys.isVerifiable(
                                        ec.usualScheme(), handshaken.engine().getSession()));
        ServedCertificate taken = isEc || rsa == null ? ec : rsa;
        return taken == null ? null : ServedCertificate.keyType(taken.leaf().getPublicKey());
    }

    private List<ServedCertificate> setServed(SslHandler handler) {
        return certificateSet(setsServed.getOrDefault(handler, 0));
    }

    private static @Nullable ServedCertificate find(
            List<ServedCertificate> set, SignatureScheme.Family family) {
        for (ServedCertificate one : set) {
            if (one.family() == family) {
                return one;
            }
        }
        return null;
    }

    /// What a handshake agreed on.
    ///
    /// @param handshaken a handler whose handshake has succeeded, on its event loop, before the
    ///     connection is closed
    public static TlsSummary summary(SslHandler handshaken) {
        SSLSession session = handshaken.engine().getSession();
        String cipher = session.getCipherSuite();
        boolean isResumed = isResumed(handshaken);
        return new TlsSummary(
                session.getProtocol(),
                cipher,
                cipherBits(cipher),
                group(handshaken),
                isResumed ? null : keyType(handshaken),
                isResumed);
    }

    private static @Nullable String group(SslHandler handshaken) {
        if (handshaken instanceof JdkHandler) {
            return null; // it has no way to ask
        }
        long pointer = ((ReferenceCountedOpenSslEngine) handshaken.engine()).sslPointer();
        if (pointer == 0) {
            return null;
        }
        try {
            return plain(SSL.getGroupName(pointer));
        } catch (Exception _) {
            // Its signature says so: an engine without that.
            return null;
        }
    }

    /// BoringSSL's names, for meters and logs: OpenSSL writes some in another way.
    private static @Nullable String plain(@Nullable String group) {
        return switch (group) {
            case "x25519" -> "X25519";
            case "secp256r1" -> "P-256";
            case "secp384r1" -> "P-384";
            case null, default -> group;
        };
    }

    private static @Nullable String keyType(SslHandler handshaken) {
        SSLSession session = handshaken.engine().getSession();
        Certificate[] chain;
        if (handshaken.engine().getUseClientMode()) {
            try {
                chain = session.getPeerCertificates();
            } catch (SSLPeerUnverifiedException _) {
                return null;
            }
        } else {
            chain = session.getLocalCertificates();
        }
        return chain == null || chain.length == 0
                ? null
                : ServedCertificate.keyType(chain[0].getPublicKey());
    }

    /// The name of the provider that has the key of the certificate that a peer of ours was shown;
    /// `fallback` while that one signs in its place.
    ///
    /// @param handshaken as of [#serverSummary]
    /// @param keyType as of its summary; null when the session was resumed
    /// @return null when none was shown
    public @Nullable String provider(SslHandler handshaken, @Nullable String keyType) {
        return signer(setServed(handshaken), keyType);
    }

    static @Nullable String signer(List<ServedCertificate> set, @Nullable String keyType) {
        for (ServedCertificate one : set) {
            if (ServedCertificate.keyType(one.leaf().getPublicKey()).equals(keyType)) {
                return one.signer();
            }
        }
        return null;
    }

    private static boolean isResumed(SslHandler handshaken) {
        if (handshaken instanceof JdkHandler jdk) {
            return jdk.isResumed();
        }
        // The session context's own counters always say zero.
        long pointer = ((ReferenceCountedOpenSslEngine) handshaken.engine()).sslPointer();
        return pointer != 0 && SSL.isSessionReused(pointer);
    }

    /// The secret bits of the ciphers of [EngineContexts#CIPHERS]: AES-128 has 128, AES-256 and
    /// ChaCha20 have 256.
    private static int cipherBits(String cipher) {
        return cipher.contains("AES_128") ? 128 : 256;
    }

    /// Whether new handshakes can be served: some key signs, or another does in its place. Resumed
    /// ones need none.
    public PrivateKeyOps.Health health() {
        PrivateKeyOps.Health worst = new PrivateKeyOps.Health.Well();
        for (ServedCertificate one : certificates.served()) {
            PrivateKeyOps.Health health = one.operations().health();
            if (health instanceof PrivateKeyOps.Health.Well || one.fallback() != null) {
                return new PrivateKeyOps.Health.Well();
            }
            worst = health;
        }
        return worst;
    }

    /// Signatures of all keys that are asked for and not begun.
    public int queuedSignatures() {
        int queued = 0;
        for (ServedCertificate one : certificates.served()) {
            queued += one.operations().queued();
        }
        return queued;
    }

    /// The engine in use: the JDK's where BoringSSL was asked for and does not load.
    public Engine engine() {
        return engine;
    }

    /// The library under the engine, such as `OpenSSL 3.5.9 29 Sep 2026`; null where the engine is
    /// all
    /// there is to say.
    public @Nullable String library() {
        return engine == Engine.OPENSSL ? OpenSsl.versionString() : null;
    }

    /// Whether there is a certificate to serve.
    public boolean hasServer() {
        return !certificates.served().isEmpty();
    }

    /// Whether a peer that comes back with a ticket resumes.
    boolean isResuming() {
        return contexts.isResuming();
    }

    List<ServedCertificate> served() {
        return certificates.served();
    }

    /// The groups for key agreement, the best first, as they are offered and taken.
    public List<String> groups() {
        return contexts.groups();
    }

    /// The certificates that are served, in the order of the settings.
    public List<CertificateInfo> certificates() {
        return certificates.served().stream().map(ServedCertificate::info).toList();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            contextsInUse.release();
            keysInUse.release();
        }
    }

    private static EngineContexts makeContexts(
            Footing footing,
            TlsSettings settings,
            List<String> protocols,
            NamedCertificates named,
            OpenSslSessionTicketKey[] ticketKeys)
            throws SSLException {
        List<List<ServedCertificate>> sets =
                settings.certificates().isEmpty() ? List.of() : named.sets();
        int sessionSeconds = Math.toIntExact(settings.tickets().sessionLifetime().toSeconds());
        ClientCertificates.Demand demand = settings.clientCertificates().demand();
        return switch (footing) {
            case Footing.OfOpenSsl(var system) ->
                    OpenSslContexts.open(
                            system, sets, protocols, demand, sessionSeconds, ticketKeys);
            case Footing.OfBoringSsl() ->
                    BoringSslContexts.open(sets, protocols, demand, sessionSeconds, ticketKeys);
            case Footing.OfJdk() -> JdkContexts.open(sets, protocols, demand, sessionSeconds);
            case Footing.None(var wanted) ->
                    throw new IllegalStateException(wanted + " is not there, which was told");
        };
    }

    /// What an engine stands on.
    sealed interface Footing {
        Engine engine();

        record OfBoringSsl() implements Footing {
            @Override
            public Engine engine() {
                return Engine.BORINGSSL;
            }
        }

        record OfOpenSsl(SystemOpenSsl system) implements Footing {
            @Override
            public Engine engine() {
                return Engine.OPENSSL;
            }
        }

        record OfJdk() implements Footing {
            @Override
            public Engine engine() {
                return Engine.JDK;
            }
        }

        /// It cannot be had, and the problem is told.
        record None(Engine engine) implements Footing {}

        static Footing of(Engine wanted, List<String> problems) {
            try {
                return switch (wanted) {
                    case BORINGSSL -> boringSslOrJdk();
                    case OPENSSL -> new OfOpenSsl(EngineLibrary.requireOpenSsl());
                    case JDK -> new OfJdk();
                };
            } catch (TlsProblems e) {
                problems.addAll(e.problems());
                return new None(wanted);
            }
        }

        private static Footing boringSslOrJdk() throws TlsProblems {
            EngineLibrary.requireBoringSsl();
            if (OpenSsl.isAvailable()) {
                return new OfBoringSsl();
            }
            LOG.warn(
                    "BoringSSL does not load here ({}): the JDK's engine serves TLS, at several times"
                            + " the cost",
                    PemFile.firstLine(OpenSsl.unavailabilityCause().getMessage()));
            return new OfJdk();
        }
    }

    /// Ours: half of the 16 KiB of unsent handshake messages above which the library for OpenSSL
    /// (2.0.81) can write beyond its buffer, mended in 2.0.84.
    private static final int OPENSSL_CHAIN_OCTETS_MAX = 8 << 10;

    static List<String> mismatches(Engine engine, CertificateStore certificates) {
        List<String> mismatches = new ArrayList<>();
        for (ServedCertificate one : certificates.served()) {
            int octets = one.chainOctets();
            if (engine == Engine.OPENSSL && octets > OPENSSL_CHAIN_OCTETS_MAX) {
                mismatches.add(
                        String.format(
                                "engine \"openssl\" takes chains of up to %d octets, and %s has %d:"
                                        + " leave out what peers do not need, or choose engine"
                                        + " \"boringssl\"",
                                OPENSSL_CHAIN_OCTETS_MAX, one.file(), octets));
            }
            if (one.key() instanceof OpenedKey.InProcess) {
                continue;
            }
            switch (engine) {
                case BORINGSSL -> {}
                case OPENSSL ->
                        mismatches.add(
                                String.format(
                                        "engine \"openssl\" cannot use the key of certificate %s"
                                                + " with provider \"%s\", it signs by itself:"
                                                + " choose engine \"boringssl\" or provider"
                                                + " \"native\"",
                                        one.file(), one.provider()));
                case JDK ->
                        mismatches.add(
                                String.format(
                                        "engine \"jdk\" cannot use the key of certificate %s outside"
                                                + " of the JDK: choose engine \"boringssl\" or"
                                                + " provider \"native\"",
                                        one.file()));
            }
        }
        return mismatches;
    }

    static List<String> faults(TlsSettings settings) {
        List<String> faults = new ArrayList<>();
        Duration interval = settings.tickets().keyInterval();
        Duration lifetime = settings.tickets().sessionLifetime();
        boolean isTimed = true;
        if (interval.compareTo(Duration.ofSeconds(1)) < 0) {
            faults.add("the ticket key interval must be at least one second");
            isTimed = false;
        }
        if (lifetime.compareTo(Duration.ofSeconds(1)) < 0
                || lifetime.compareTo(SESSION_LIFETIME_MAX) > 0) {
            faults.add("the session lifetime must be between one second and seven days");
            isTimed = false;
        }
        if (isTimed && TicketKeys.keysKept(interval, lifetime) > TicketKeys.KEYS_MAX) {
            faults.add(
                    String.format(
                            "the session lifetime %s needs more than %d ticket keys at an interval of"
                                    + " %s: make the interval longer",
                            lifetime, TicketKeys.KEYS_MAX, interval));
        }
        if (settings.handshakeTimeout().compareTo(Duration.ofSeconds(1)) < 0) {
            faults.add("the TLS handshake timeout must be at least one second");
        }
        return faults;
    }
}
