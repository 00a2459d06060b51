package org.malote.app;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.malote.accept.Acceptance;
import org.malote.admin.AdminServer;
import org.malote.admin.ControlServer;
import org.malote.admin.Health;
import org.malote.admin.ObservedFile;
import org.malote.admin.ReloadResult;
import org.malote.admin.StatusPage;
import org.malote.amtp.CodePolicies;
import org.malote.amtp.Hops;
import org.malote.amtp.Observations;
import org.malote.amtp.TrustBase;
import org.malote.auth.AuthEnvironment;
import org.malote.auth.Authenticator;
import org.malote.auth.UserFile;
import org.malote.auth.Users;
import org.malote.config.ConfigFile;
import org.malote.config.Problem;
import org.malote.config.Settings;
import org.malote.delivery.DeliveryEngine;
import org.malote.dns.Dns;
import org.malote.dns.DnsjavaDns;
import org.malote.offload.CertificateSettings;
import org.malote.offload.HostTls;
import org.malote.offload.LiveTls;
import org.malote.offload.OffloadProviders;
import org.malote.offload.PrivateKeyOps;
import org.malote.offload.SelfSigned;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.malote.policy.MailCodePolicy;
import org.malote.policy.NullMxPolicy;
import org.malote.policy.OwnSenderPolicy;
import org.malote.policy.Policy;
import org.malote.policy.RelayPolicy;
import org.malote.policy.ReverseLookups;
import org.malote.queue.MailQueue;
import org.malote.queue.QueueAlarm;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.Refusal;
import org.malote.server.InboundServer;
import org.malote.server.ListenerSettings;
import org.malote.server.Reception;
import org.malote.server.TicketPolicy;
import org.malote.server.TlsMode;
import org.malote.smtp.IpAddresses;
import org.malote.telemetry.LogPipe;
import org.malote.telemetry.Meters;
import org.malote.telemetry.SessionLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The running server: puts the parts together, in the order in which mail meets them, and takes
/// them apart again. Its constructor is the documentation of who is given what.
final class Malote implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Malote.class);

    /// How often ticket keys are looked at: far below their shortest interval.
    private static final Duration TLS_TICK = Duration.ofMinutes(1);

    /// How often what was seen of peers is kept. What a crash loses of it is worth little.
    private static final Duration OBSERVED_SAVE = Duration.ofMinutes(5);

    private final Supplier<ConfigFile.Result> reread;
    private final Clock clock = Clock.systemUTC();
    private final SecureRandom secureRandom = new SecureRandom();
    private final OffloadProviders providers = KeyProviders.installed(secureRandom);
    private final Meters meters = Meters.withProcess();

    /// Closed from the last to the first.
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private final AtomicReference<Settings> settings;
    private final AtomicReference<Policy> policy = new AtomicReference<>();
    private final AtomicReference<Users> users = new AtomicReference<>(Users.NONE);
    private final LiveTls tls;
    private final HostTls hostTls;
    private final Executor waiting;
    private final MailQueue queue;
    private final Observations observations = new Observations(clock);
    private final Dns senderDns;
    private final NullMxPolicy.Timer policyTimer;
    private final Authenticator authenticator;
    private final AtomicReference<TrustBase> trust = new AtomicReference<>(TrustBase.NONE);
    private final ReverseLookups reverse;
    private final TicketPolicy tickets;
    private final InboundServer inbound;
    private final DeliveryEngine deliveries;
    private final String readyLine;
    private volatile boolean isDraining;

    private Malote(
            Settings settings, Supplier<ConfigFile.Result> reread, Threads threads, LogPipe log)
            throws CommandFailure {
        this.settings = new AtomicReference<>(settings);
        this.reread = reread;
        this.waiting = threads.waiting();
        try {
            SplittableRandom random = new SplittableRandom(secureRandom.nextLong());
            makePrivateDirectory(settings.state());

            TlsEnvironment tlsEnvironment =
                    KeyProviders.environment(clock, secureRandom, providers, meters.signatures());
            tls = LiveTls.open(tlsSettings(settings), tlsEnvironment);
            parts.push(tls);
            hostTls = HostTls.open(Deliveries.hostTls(settings), tlsEnvironment);
            parts.push(hostTls);
            long tick = TLS_TICK.toMillis();
            var _ =
                    threads.housekeeping()
                            .scheduleAtFixedRate(
                                    // A token may take its time.
                                    () -> threads.waiting().execute(this::tickTls),
                                    tick,
                                    tick,
                                    TimeUnit.MILLISECONDS);

            queue =
                    MailQueue.open(
                            settings.queue(),
                            new QueueEnvironment(
                                    clock,
                                    System::nanoTime,
                                    random.split(),
                                    Threads.factory("commit"),
                                    threads.io(),
                                    Malote::onAlarm));
            parts.push(queue);
            meters.watchQueue(queue::stats);
            watchTls();
            meters.watchCount("malote.log.dropped", "Log lines dropped", log::dropped);

            senderDns =
                    new DnsjavaDns(
                            settings.dns().withoutWaiting(), threads.waiting(), System::nanoTime);
            policyTimer = later(threads)::accept;
            users.set(users(settings));
            authenticator =
                    new Authenticator(
                            () -> this.settings.get().auth(),
                            users::get,
                            client -> this.settings.get().relay().contains(client),
                            new AuthEnvironment(
                                    threads.hashing(),
                                    later(threads)::accept,
                                    System::nanoTime,
                                    secureRandom));
            policy.set(policy(settings));
            trust.set(TrustFiles.read(settings, clock.instant()));
            // One of its own: those who make senders up must not stop those who come by AMTP.
            reverse =
                    new ReverseLookups(
                            new DnsjavaDns(
                                    settings.dns().withoutWaiting(),
                                    threads.waiting(),
                                    System::nanoTime),
                            policyTimer);
            meters.watch(
                    "malote.amtp.reverse.active",
                    "Addresses whose names are being looked up",
                    reverse::inFlight);
            keepObservations(new ObservedFile(settings.state()), threads);
            tickets = new TicketPolicy(settings.senderNetworks(), System::nanoTime);
            meters.watch(
                    "malote.network.tickets.off",
                    "Client networks without session tickets, for having ended right after one",
                    tickets::networksOff);
            inbound =
                    new InboundServer(
                            new Reception(
                                    settings.hostname(),
                                    settings.limits(),
                                    policy::get,
                                    new Acceptance(queue, clock, () -> this.settings.get().trust()),
                                    tls::contexts,
                                    tickets,
                                    () -> this.settings.get().codes(),
                                    authenticator,
                                    Hops.of(trust::get, reverse, clock),
                                    client -> this.settings.get().relay().contains(client),
                                    observations,
                                    new SessionLog(),
                                    meters),
                            threads.acceptors(),
                            threads.loops(),
                            threads.serverChannel(),
                            random.split());
            parts.push(inbound);
            Map<String, InetSocketAddress> bound = inbound.start(settings.listeners());

            deliveries =
                    Deliveries.engine(
                            settings,
                            bound.values(),
                            queue,
                            hostTls,
                            threads,
                            clock,
                            random.split(),
                            meters);
            parts.push(deliveries);
            deliveries.start();

            List<String> listeners = new ArrayList<>();
            for (ListenerSettings listener : settings.listeners()) {
                InetSocketAddress address = bound.get(listener.name());
                listeners.add(
                        listener.name()
                                + " "
                                + text(address == null ? listener.address() : address)
                                + " "
                                + listener.tls().name().toLowerCase(Locale.ROOT));
            }
            String admin = startAdmin(settings, listeners, threads);
            ControlServer control =
                    ControlServer.start(
                            settings.controlSocket(),
                            queue,
                            observations,
                            this::reload,
                            clock,
                            Threads.factory("control"),
                            threads.waiting());
            parts.push(control);
            readyLine =
                    "malote "
                            + MaloteCommand.Version.text()
                            + " ready: "
                            + String.join(", ", listeners)
                            + admin;
        } catch (IOException e) {
            close();
            throw new CommandFailure(String.valueOf(e.getMessage()), e);
        } catch (TlsProblems e) {
            close();
            throw new CommandFailure(String.join("\n", e.problems()), e);
        } catch (RuntimeException | CommandFailure e) {
            close();
            throw e;
        }
    }

    /// Starts everything.
    ///
    /// @param reread reads the configuration again
    /// @throws CommandFailure with what is in the way; then nothing runs
    static Malote start(
            Settings settings, Supplier<ConfigFile.Result> reread, Threads threads, LogPipe log)
            throws CommandFailure {
        return new Malote(settings, reread, threads, log);
    }

    /// `malote 0.1.0 ready: mx 127.0.0.1:2525 starttls; admin http://127.0.0.1:9125/`
    String readyLine() {
        return readyLine;
    }

    /// What was seen of peers goes on from one start to the next.
    private void keepObservations(ObservedFile file, Threads threads) {
        observations.add(file.load());
        parts.push(() -> file.save(observations.rows()));
        long millis = OBSERVED_SAVE.toMillis();
        var _ =
                threads.housekeeping()
                        .scheduleAtFixedRate(
                                () ->
                                        threads.waiting()
                                                .execute(() -> file.save(observations.rows())),
                                millis,
                                millis,
                                TimeUnit.MILLISECONDS);
    }

    private void tickTls() {
        tls.tick();
        hostTls.tick();
    }

    private void watchTls() {
        meters.watch(
                "malote.tls.certificate.seconds",
                "Seconds until the first certificate expires",
                () -> {
                    Duration served = tls.validity();
                    Duration shown = hostTls.validity(); // to hosts, by [[source]]
                    if (served == null || shown == null) {
                        Duration only = served == null ? shown : served;
                        return only == null ? Double.NaN : only.toSeconds();
                    }
                    return Math.min(served.toSeconds(), shown.toSeconds());
                });
        meters.watch(
                "malote.tls.keys.well",
                "1 while a private key can sign, 0 while none can and STARTTLS is not offered",
                () -> tls.contexts().health() instanceof PrivateKeyOps.Health.Well ? 1 : 0);
        meters.watch(
                "malote.signatures.queued",
                "Signatures that wait for a thread of their key",
                () -> tls.contexts().queuedSignatures());
    }

    /// Those of the file, with a certificate of our own making where it has none.
    private TlsSettings tlsSettings(Settings wanted) throws IOException {
        TlsSettings settings = wanted.tls();
        boolean isServed = wanted.listeners().stream().anyMatch(l -> l.tls() != TlsMode.NONE);
        if (settings.certificates().isEmpty() && isServed) {
            CertificateSettings own =
                    SelfSigned.ensure(
                            wanted.generatedKeys(), wanted.hostname().text(), clock, secureRandom);
            settings =
                    settings.withCertificates(List.of(own))
                            .withProvider(TlsSettings.DEFAULT_PROVIDER);
        }
        return settings;
    }

    private Policy policy(Settings wanted) {
        Policy relaying =
                new RelayPolicy(
                        wanted.hostname(),
                        wanted.relay(),
                        wanted.routes()::isRouted,
                        wanted.amtp().isRelayStrict() ? wanted.routes()::isInward : null,
                        queue::admission);
        Policy ofSenders =
                wanted.senders().refusesNullMx()
                        ? new NullMxPolicy(relaying, wanted.relay(), senderDns, policyTimer)
                        : relaying;
        return new MailCodePolicy(
                new OwnSenderPolicy(ofSenders),
                new CodePolicies(wanted.codes()),
                wanted.hostname());
    }

    private static Users users(Settings wanted) throws CommandFailure {
        return switch (UserFile.read(wanted.auth().users())) {
            case UserFile.Result.Valid(Users read) -> read;
            case UserFile.Result.Invalid(var problems) ->
                    throw new CommandFailure(String.join("\n", problems));
        };
    }

    private static BiConsumer<Duration, Runnable> later(Threads threads) {
        return (delay, task) -> {
            var _ = threads.housekeeping().schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
        };
    }

    private String startAdmin(Settings settings, List<String> listeners, Threads threads)
            throws IOException {
        InetSocketAddress address = settings.admin().address();
        if (address == null) {
            return "";
        }
        Health health = this::unreadyReason;
        AdminServer admin =
                AdminServer.start(
                        address,
                        health,
                        meters::scrape,
                        new StatusPage(
                                settings.hostname().text(),
                                MaloteCommand.Version.text(),
                                clock.millis(),
                                clock,
                                listeners,
                                inbound::sessions,
                                queue::stats,
                                health),
                        threads.waiting());
        parts.push(admin);
        return "; admin http://" + text(admin.address()) + "/";
    }

    private @Nullable String unreadyReason() {
        if (isDraining) {
            return "the server is stopping";
        }
        Refusal refusal = queue.stats().refusal();
        return refusal == null ? null : refusal.sentence();
    }

    /// Reads the configuration again and takes over what can change while mail flows. When anything
    /// in it is wrong, everything stays as it is.
    synchronized ReloadResult reload() {
        ReloadResult result =
                switch (reread.get()) {
                    case ConfigFile.Result.Invalid(var problems) ->
                            ReloadResult.refused(problems.stream().map(Problem::toString).toList());
                    case ConfigFile.Result.Valid(Settings wanted) -> takeOver(wanted);
                };
        result.lines().forEach(line -> LOG.info("reload: {}", line));
        return result;
    }

    private ReloadResult takeOver(Settings wanted) {
        Settings running = settings.get();
        Settings next = withChangeable(running, wanted);
        Users known;
        switch (UserFile.read(next.auth().users())) {
            case UserFile.Result.Valid(Users read) -> known = read;
            case UserFile.Result.Invalid(var problems) -> {
                return ReloadResult.refused(problems);
            }
        }
        TrustBase believed;
        try (HostTls.Prepared hosts = hostTls.prepare(Deliveries.hostTls(next))) {
            believed = TrustFiles.read(next, clock.instant());
            tls.reload(tlsSettings(next));
            hosts.use();
        } catch (TlsProblems e) {
            return ReloadResult.refused(e.problems());
        } catch (IOException e) {
            return ReloadResult.refused(List.of(String.valueOf(e.getMessage())));
        }
        List<String> results = new ArrayList<>();
        results.add("certificates were read again");
        users.set(known);
        if (next.auth().users() != null) {
            results.add("the users were read again: " + known.size());
        }
        trust.set(believed);
        if (!believed.equals(TrustBase.NONE)) {
            results.add("who vouches for peers, and who is denied, was read again");
        }
        policy.set(policy(next));
        if (!next.relay().equals(running.relay())) {
            results.add("the relay networks changed");
        }
        tickets.use(next.senderNetworks());
        if (!next.senderNetworks().equals(running.senderNetworks())) {
            results.add("the sender networks changed");
        }
        if (!next.senders().equals(running.senders())) {
            results.add("the rules for senders changed");
        }
        deliveries.useAmtp(next.delivery().amtp());
        if (!next.amtp().equals(running.amtp())
                || !next.delivery().amtp().equals(running.delivery().amtp())) {
            results.add("the rules for AMTP changed");
        }
        if (!next.codes().equals(running.codes())) {
            results.add("the mail policy codes that are taken changed");
        }
        if (!next.trust().equals(running.trust())) {
            results.add("what is told of peers to filters changed");
        }
        if (!next.routes().equals(running.routes())) {
            results.add(reroute(next));
        }
        if (!next.sources().equals(running.sources())) {
            results.add("the sources changed");
        }
        if (!next.sites().equals(running.sites())) {
            deliveries.limitSites(next.sites());
            results.add("the rules for sites changed");
        }
        String restart = needRestart(running, wanted);
        if (!restart.isEmpty()) {
            results.add("a restart is needed for what changed in " + restart);
        }
        settings.set(next);
        return ReloadResult.taken(results);
    }

    /// The running settings with what can change while mail flows. Nothing else of the new ones is
    /// used: a name or a listener is the same for all parts, until the next start.
    private static Settings withChangeable(Settings running, Settings wanted) {
        return new Settings(
                running.hostname(),
                running.state(),
                running.listeners(),
                wanted.tls(),
                wanted.senderNetworks(),
                running.queue(),
                running.limits(),
                wanted.relay(),
                wanted.senders(),
                wanted.auth(),
                wanted.codes(),
                wanted.amtp(),
                wanted.trust(),
                wanted.routes(),
                wanted.sites(),
                wanted.sources(),
                running.delivery().with(wanted.delivery().amtp()),
                running.bounce(),
                running.dns(),
                running.admin());
    }

    private String reroute(Settings wanted) {
        try {
            deliveries.reload(Deliveries.routes(wanted));
            return "the routes changed";
        } catch (IOException e) {
            return "the routes changed; held mail stays held: " + e.getMessage();
        }
    }

    private static String needRestart(Settings running, Settings wanted) {
        List<String> parts = new ArrayList<>();
        addIfChanged(parts, "hostname", running.hostname(), wanted.hostname());
        addIfChanged(parts, "state", running.state(), wanted.state());
        addIfChanged(parts, "[[listener]]", running.listeners(), wanted.listeners());
        addIfChanged(parts, "[queue]", running.queue(), wanted.queue());
        addIfChanged(parts, "[limits]", running.limits(), wanted.limits());
        addIfChanged(
                parts,
                "[delivery]",
                running.delivery().with(wanted.delivery().amtp()),
                wanted.delivery());
        addIfChanged(parts, "[bounce]", running.bounce(), wanted.bounce());
        addIfChanged(parts, "[dns]", running.dns(), wanted.dns());
        addIfChanged(parts, "[admin]", running.admin(), wanted.admin());
        return String.join(", ", parts);
    }

    private static void addIfChanged(
            List<String> parts, String name, Object running, Object wanted) {
        if (!running.equals(wanted)) {
            parts.add(name);
        }
    }

    /// Takes no new sessions and claims nothing more, lets what is under way finish, and returns at
    /// the latest when the patience is over.
    void drain(Duration patience) {
        isDraining = true;
        CountDownLatch delivered = new CountDownLatch(1);
        waiting.execute(
                () -> {
                    try {
                        var _ = deliveries.drain(patience);
                    } finally {
                        delivered.countDown();
                    }
                });
        inbound.drain(patience);
        try {
            delivered.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Stops at once. What was acknowledged is in the queue.
    @Override
    public void close() {
        isDraining = true;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                LOG.error("a part could not be closed", e);
            }
        }
    }

    private static void onAlarm(QueueAlarm.Kind kind, String detail) {
        switch (kind) {
            case STOPPED, UNREADABLE -> LOG.error("queue: {}", detail);
            case QUARANTINED, SPACE_LOW -> LOG.warn("queue: {}", detail);
        }
    }

    private static void makePrivateDirectory(Path directory) throws CommandFailure {
        try {
            Path parent = directory.getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            Files.createDirectory(
                    directory,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException _) {
            if (!Files.isDirectory(directory)) {
                throw new CommandFailure(
                        "the state directory " + directory + " is a file; name another");
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    "the state directory "
                            + directory
                            + " cannot be made: "
                            + e.getMessage()
                            + "; run as another user, or name another with \"state\"",
                    e);
        }
    }

    private static String text(InetSocketAddress address) {
        String host = IpAddresses.format(address.getAddress());
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }
}
