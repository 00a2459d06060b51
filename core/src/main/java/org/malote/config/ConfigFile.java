package org.malote.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.malote.accept.TrustSettings;
import org.malote.amtp.AmtpSettings;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.CommonNames;
import org.malote.amtp.Dial;
import org.malote.amtp.ForeignHeaders;
import org.malote.amtp.IdentitySettings;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.PolicyDeclarations;
import org.malote.amtp.ReverseRule;
import org.malote.auth.AuthSettings;
import org.malote.auth.Mechanism;
import org.malote.bounce.BounceSettings;
import org.malote.config.Section.Notes;
import org.malote.delivery.AmtpSending;
import org.malote.delivery.DeliverySettings;
import org.malote.delivery.DeliveryTimeouts;
import org.malote.delivery.DomainPattern;
import org.malote.delivery.Route;
import org.malote.delivery.RouteTable;
import org.malote.delivery.SiteRule;
import org.malote.delivery.SiteTable;
import org.malote.delivery.Source;
import org.malote.delivery.Terms;
import org.malote.delivery.TlsPolicy;
import org.malote.delivery.TlsUse;
import org.malote.delivery.Via;
import org.malote.dns.DnsSettings;
import org.malote.dns.Idna;
import org.malote.offload.CertificateSettings;
import org.malote.offload.ClientCertificates;
import org.malote.offload.Engine;
import org.malote.offload.KeyLimits;
import org.malote.offload.PeerTrust;
import org.malote.offload.TicketSettings;
import org.malote.offload.TlsSettings;
import org.malote.policy.Network;
import org.malote.policy.RelaySettings;
import org.malote.policy.SenderSettings;
import org.malote.queue.Durability;
import org.malote.queue.Envelope;
import org.malote.queue.JournalKind;
import org.malote.queue.QueueLimits;
import org.malote.queue.QueueSettings;
import org.malote.queue.RetrySchedule;
import org.malote.queue.schedule.SiteLimits;
import org.malote.server.ListenerSettings;
import org.malote.server.Profile;
import org.malote.server.SenderNetwork;
import org.malote.server.SenderNetworks;
import org.malote.server.TicketUse;
import org.malote.server.TlsMode;
import org.malote.session.SessionLimits;
import org.malote.smtp.Ascii;
import org.malote.smtp.DomainName;
import org.malote.smtp.Mailbox;
import org.malote.smtp.Printable;
import org.malote.smtp.wire.AddressParser;

/// Reads the configuration file. The names of keys are the operator's interface: they change with
/// the version of the file's format, never by the way.
public final class ConfigFile {
    /// Ours: a thousand times an ordinary file.
    private static final long FILE_BYTES_MAX = 1 << 20;

    /// Where the state is kept when the file does not say.
    private static final String STATE = "/var/lib/malote";

    /// Where session-ticket keys are kept, relative to the state.
    private static final String TICKET_KEYS = "keys/tickets";

    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration WEEK = Duration.ofDays(7);
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final Path base;
    private final DomainName systemHostname;

    ConfigFile(Path base, DomainName systemHostname) {
        this.base = base.toAbsolutePath().normalize();
        this.systemHostname = systemHostname;
    }

    /// What reading a file gives.
    public sealed interface Result {
        /// It is valid.
        record Valid(Settings settings) implements Result {}

        /// It is not.
        ///
        /// @param problems at least one, in the order of their lines
        record Invalid(List<Problem> problems) implements Result {
            public Invalid {
                problems = problems.stream().sorted().distinct().toList();
            }
        }
    }

    /// Reads a file. Relative paths in it are relative to its directory.
    ///
    /// @param systemHostname our name when the file does not say
    public static Result read(Path path, DomainName systemHostname) {
        String text;
        try {
            if (Files.size(path) > FILE_BYTES_MAX) {
                return unreadable(path, "a configuration has at most 1 MiB");
            }
            text = Files.readString(path);
        } catch (NoSuchFileException _) {
            return unreadable(path, "there is no such file; name one with --config FILE");
        } catch (AccessDeniedException _) {
            return unreadable(path, "this user may not read the file; see ls -l");
        } catch (CharacterCodingException _) {
            return unreadable(path, "the file is not UTF-8 text");
        } catch (IOException e) {
            return unreadable(path, "the file cannot be read: " + e.getMessage());
        }
        Path directory = path.toAbsolutePath().getParent();
        return parse(
                text,
                path.toString(),
                directory == null ? Path.of("/") : directory,
                systemHostname);
    }

    /// Reads a text.
    ///
    /// @param file what problems call it
    /// @param base what relative paths are relative to
    public static Result parse(String text, String file, Path base, DomainName systemHostname) {
        JsonNode root;
        try {
            root = new TomlMapper().readTree(text);
        } catch (JacksonException e) {
            return new Result.Invalid(List.of(syntax(file, e)));
        } catch (RuntimeException e) {
            // The parser's own bugs, on a text that is no TOML: the operator's cure is the same.
            return new Result.Invalid(
                    List.of(new Problem(file, 1, "this is not TOML: " + e.getMessage())));
        }
        Notes notes = new Notes(file, Lines.of(text));
        Settings settings =
                new ConfigFile(base, systemHostname).settings(Section.root(root, notes));
        return notes.problems().isEmpty()
                ? new Result.Valid(settings)
                : new Result.Invalid(notes.problems());
    }

    private static Result unreadable(Path path, String sentence) {
        return new Result.Invalid(List.of(new Problem(path.toString(), 1, sentence)));
    }

    private static Problem syntax(String file, JacksonException e) {
        JsonLocation location = e.getLocation();
        int line = location == null ? 1 : Math.max(1, location.getLineNr());
        String message = e.getOriginalMessage();
        if (location != null
                && location.getColumnNr() <= 1
                && line > 1
                && "Duplicate key".equals(message)) {
            line--; // the parser notices when it has read on to the next line
        }
        String sentence = message == null ? "" : Printable.escape(message.strip());
        return new Problem(file, line, "this is not TOML: " + sentence);
    }

    Settings settings(Section root) {
        DomainName hostname =
                root.text("hostname", systemHostname, "mx1.isp.example", ConfigFile::hostname);
        Path state = root.text("state", base.resolve(STATE), STATE, this::path);
        List<ListenerSettings> listeners = listeners(root);
        Section tlsSection = root.section("tls");
        SenderNetworks senderNetworks = senderNetworks(tlsSection);
        TlsSettings tls = tls(tlsSection, state);
        QueueSettings queue = queue(root.section("queue"), state);
        SessionLimits limits = limits(root.section("limits"));
        RelaySettings relay = relay(root.section("relay"));
        SenderSettings senders = senders(root.section("policy"));
        AuthSettings auth = auth(root.section("auth"));
        requireUsers(root, listeners, auth);
        CodeSettings codes = codes(root.section("mpc"));
        TrustSettings trust =
                trust(root.section("trust"), hostname)
                        .at(listeners.stream().anyMatch(each -> each.amtp() != Dial.OFF));
        List<Source> sources = sources(root, hostname);
        Section deliverySection = root.section("delivery");
        Section amtpSection = root.section("amtp");
        HowSpokenTo usual = usualTerms(deliverySection, amtpSection, sources);
        AmtpSettings amtp = amtp(amtpSection);
        AmtpSending sending = sending(amtpSection, amtp.isRelayStrict());
        amtpSection.end();
        RouteTable routes = routes(root, usual.terms());
        SiteTable sites = sites(root, queue.limits().laneConcurrencyMax(), usual, sources);
        DeliverySettings delivery = delivery(deliverySection, hostname, sending);
        BounceSettings bounce = bounce(root.section("bounce"), hostname, queue.retry());
        DnsSettings dns = dns(root.section("dns"));
        AdminSettings admin = admin(root.section("admin"));
        root.end();
        return new Settings(
                hostname,
                state,
                listeners,
                tls,
                senderNetworks,
                queue,
                limits,
                relay,
                senders,
                auth,
                codes,
                amtp,
                trust,
                routes,
                sites,
                sources,
                delivery,
                bounce,
                dns,
                admin);
    }

    private List<ListenerSettings> listeners(Section root) {
        List<ListenerSettings> listeners = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Set<InetSocketAddress> addresses = new HashSet<>();
        List<Section> sections = root.sections("listener", "[[listener]]");
        for (Section section : sections) {
            int number = listeners.size() + 1;
            String name =
                    section.text(
                            "name",
                            number == 1 ? "mx" : "listener-" + number,
                            "mx",
                            text -> text.matches("[A-Za-z0-9_.-]{1,32}") ? text : null);
            InetSocketAddress address =
                    section.requiredText(
                            "address", "0.0.0.0:25", text -> Units.parseAddress(text, -1));
            Profile profile = section.word("profile", Profile.MX, PROFILES);
            TlsMode tls =
                    section.word(
                            "tls",
                            profile.isAmtp() ? TlsMode.IMPLICIT : TlsMode.STARTTLS,
                            TLS_MODES);
            switch (profile) {
                case MX -> {}
                case SUBMISSION -> requireTls(section, tls);
                case AMTP_PUBLIC, AMTP_PRIVATE -> requireImplicitTls(section, tls);
            }
            // draft-weinman-amtp-03 §4.4.3: a code is a duty there
            Dial codes = section.word("mpc", profile.isAmtp() ? Dial.ENFORCE : Dial.OFF, DIALS);
            IdentitySettings identity = identity(section, profile, tls);
            List<Network> proxies =
                    section.texts("proxy-networks", List.of(), "10.0.0.0/8", ConfigFile::network);
            section.end();
            if (!names.add(name)) {
                section.problem(
                        "name", "two listeners are named \"" + name + "\"; name each its own way");
            }
            if (address == null) {
                address = new InetSocketAddress(SMTP_PORT);
            } else if (address.getPort() != 0 && !addresses.add(address)) {
                section.problem(
                        "address", "two listeners have the address " + Units.format(address));
            }
            listeners.add(
                    new ListenerSettings(name, address, profile, tls, codes, identity, proxies));
        }
        if (sections.isEmpty()) {
            listeners.add(
                    new ListenerSettings(
                            "mx",
                            new InetSocketAddress(SMTP_PORT),
                            Profile.MX,
                            TlsMode.STARTTLS,
                            Dial.OFF,
                            List.of()));
        }
        return listeners;
    }

    /// RFC 8314 §3: passwords do not go in the clear.
    private static void requireTls(Section section, TlsMode tls) {
        if (tls == TlsMode.NONE) {
            section.problem(
                    "tls",
                    "users send their passwords here, so \"tls\" is \"implicit\" or"
                            + " \"starttls\"");
        }
    }

    private static void requireImplicitTls(Section section, TlsMode tls) {
        if (tls != TlsMode.IMPLICIT) {
            section.problem(
                    "tls",
                    "AMTP is inside TLS from the first octet; write tls = \"implicit\", or leave"
                            + " it out");
        }
    }

    /// RFC 6409 §4.3: a server for users knows who they are. A network whose clients need not say
    /// so belongs to `[relay]`, at another listener.
    private static void requireUsers(
            Section root, List<ListenerSettings> listeners, AuthSettings auth) {
        for (int i = 0; i < listeners.size(); i++) {
            if (listeners.get(i).profile() == Profile.SUBMISSION && auth.users() == null) {
                root.problem(
                        "listener[" + i + "].profile",
                        "this listener must know its users: write users = \"FILE\" below [auth],"
                                + " with lines of malote password in the file");
            }
        }
    }

    /// How a listener finds out who its peers are: at those of AMTP always, at others when it is
    /// asked for.
    private IdentitySettings identity(Section section, Profile profile, TlsMode tls) {
        Dial dial = section.word("amtp", profile.isAmtp() ? Dial.ENFORCE : Dial.OFF, DIALS);
        List<String> trust =
                section.texts(
                        "trust",
                        List.of(),
                        "authorities.pem",
                        text -> text.equals(PeerTrust.SYSTEM) || path(text) != null ? text : null);
        ReverseRule reverse = section.word("rdns", ReverseRule.FCRDNS, REVERSE_RULES);
        boolean trustsSystem = trust.contains(PeerTrust.SYSTEM);
        if (profile.isAmtp() && trust.isEmpty()) {
            section.problem(
                    "trust",
                    "a listener for AMTP says who may vouch for its peers; write trust ="
                            + " [\"authorities.pem\"], a PEM file");
        }
        if (profile == Profile.AMTP_PRIVATE && trustsSystem) {
            // draft-weinman-amtp-03 §1.2
            section.problem(
                    "trust",
                    "the system's authorities vouch for everybody; name the one of your private"
                            + " network");
        }
        if (!profile.isAmtp() && dial == Dial.OFF && !trust.isEmpty()) {
            section.problem("trust", "\"trust\" needs amtp = \"observe\" or \"enforce\"");
        }
        if (dial != Dial.OFF && tls == TlsMode.NONE) {
            section.problem(
                    "amtp", "who a peer is shows inside TLS alone; write tls = \"starttls\"");
        }
        return new IdentitySettings(
                dial,
                trust.stream()
                        .filter(text -> !text.equals(PeerTrust.SYSTEM))
                        .map(text -> base.resolve(text).normalize())
                        .toList(),
                trustsSystem || (dial != Dial.OFF && trust.isEmpty()),
                dial == Dial.OFF || profile == Profile.AMTP_PRIVATE
                        ? ReverseRule.UNASKED
                        : reverse);
    }

    private AmtpSettings amtp(Section section) {
        AmtpSettings usual = AmtpSettings.defaults();
        boolean isRelayStrict = section.yesOrNo("strict-relay", usual.isRelayStrict());
        Path deny = pathOrNone(section, "deny", "/etc/malote/deny");
        List<Path> revocationLists =
                section.texts("crls", usual.revocationLists(), "/etc/malote/ca.crl", this::path);
        CommonNames commonNames = section.word("common-names", usual.commonNames(), COMMON_NAMES);
        boolean acceptsServerUse = section.yesOrNo("server-use", usual.acceptsServerUse());
        return new AmtpSettings(
                isRelayStrict, deny, revocationLists, commonNames, acceptsServerUse);
    }

    private static SenderNetworks senderNetworks(Section section) {
        List<SenderNetwork> named = new ArrayList<>();
        Set<String> names = new HashSet<>(Set.of(SenderNetworks.OTHER));
        for (Section network : section.sections("network", "[[tls.network]]")) {
            String name =
                    network.requiredText(
                            "name",
                            "outlook",
                            text -> text.matches("[a-z0-9-]{1,32}") ? text : null);
            List<Network> addresses =
                    network.texts("addresses", List.of(), "40.92.0.0/15", ConfigFile::network);
            TicketUse tickets = network.word("tickets", TicketUse.AUTO, TICKET_USES);
            if (addresses.isEmpty()) {
                network.problem("addresses", "\"addresses\" names the networks: give one at least");
            }
            if (name != null && !names.add(name)) {
                network.problem("name", "the name \"" + name + "\" is taken: choose another");
            }
            if (named.size() == SenderNetworks.NAMED_MAX) {
                network.problem(
                        "name", "there are more than " + SenderNetworks.NAMED_MAX + " networks");
            }
            network.end();
            if (name != null) {
                named.add(new SenderNetwork(name, addresses, tickets));
            }
        }
        return SenderNetworks.of(named, section.word("tickets", TicketUse.AUTO, TICKET_USES));
    }

    private TlsSettings tls(Section section, Path state) {
        Engine engine = section.word("engine", Engine.BORINGSSL, ENGINES);
        String provider =
                section.text(
                        "provider",
                        TlsSettings.DEFAULT_PROVIDER,
                        TlsSettings.DEFAULT_PROVIDER,
                        text -> text.matches("[a-z0-9-]{1,32}") ? text : null);
        List<CertificateSettings> certificates = certificates(section);
        KeyLimits keyLimits = keyLimits(section);
        Duration ticketKeyInterval =
                section.duration(
                        "ticket-key-interval",
                        TicketSettings.DEFAULT_KEY_INTERVAL,
                        Duration.ofMinutes(1),
                        WEEK);
        Duration sessionLifetime =
                section.duration(
                        "session-lifetime",
                        TicketSettings.DEFAULT_SESSION_LIFETIME,
                        SECOND,
                        WEEK); // RFC 8446 §4.6.1
        Duration handshakeTimeout =
                section.duration(
                        "handshake-timeout",
                        TlsSettings.DEFAULT_HANDSHAKE_TIMEOUT,
                        SECOND,
                        Duration.ofMinutes(10));
        TicketSettings tickets =
                new TicketSettings(
                        ticketKeyInterval,
                        sessionLifetime,
                        ticketKeyFile(section, state),
                        ticketKeySecret(section),
                        ticketKeySource(section));
        ClientCertificates clientCertificates = clientCertificates(section);
        section.end();
        return new TlsSettings(
                engine,
                provider,
                certificates,
                keyLimits,
                tickets,
                clientCertificates,
                handshakeTimeout);
    }

    private List<CertificateSettings> certificates(Section section) {
        List<CertificateSettings> certificates = new ArrayList<>();
        for (Section certificate :
                section.sections(
                        "certificates",
                        "certificates = [{ chain = \"mx.pem\", key = \"mx.key\" }]")) {
            Path chain = certificate.requiredText("chain", "mx.pem", this::path);
            String key = certificate.requiredText("key", "mx.key", this::key);
            Path fallback = fallbackKey(certificate);
            certificate.end();
            if (chain != null && key != null) {
                certificates.add(
                        new CertificateSettings(
                                chain, key, fallback == null ? null : fallback.toString()));
            }
        }
        return certificates;
    }

    /// The same key in a file, for while the first cannot sign; null for nothing.
    private @Nullable Path fallbackKey(Section certificate) {
        Path file = certificate.optionalText("fallback-key", "mx.key", this::path);
        boolean isFallback = certificate.word("on-failure", file != null, ON_FAILURE);
        if (isFallback && file == null) {
            certificate.problem(
                    "on-failure",
                    "on-failure = \"fallback\" needs the same key in a file; write fallback-key ="
                            + " \"mx.key\"");
        } else if (!isFallback && file != null) {
            certificate.problem(
                    "on-failure",
                    "with on-failure = \"closed\" nothing signs with fallback-key; take one of them"
                            + " away");
        }
        return file;
    }

    private @Nullable Path ticketKeySecret(Section section) {
        return pathOrNone(section, "ticket-key-secret", "/etc/malote/secret");
    }

    /// Null for an empty text, the default.
    private static @Nullable String ticketKeySource(Section section) {
        String source =
                section.text(
                        "ticket-key-source",
                        "",
                        "vault:mail/tickets",
                        text ->
                                text.isEmpty() || text.matches("[a-z][a-z0-9-]{0,31}:.{1,1024}")
                                        ? text
                                        : null);
        return source.isEmpty() ? null : source;
    }

    private ClientCertificates clientCertificates(Section section) {
        return new ClientCertificates(
                section.word("client-certificates", ClientCertificates.Demand.NO, DEMANDS),
                pathOrNone(section, "client-authorities", "/etc/malote/authorities.pem"),
                section.yesOrNo("client-server-use", false));
    }

    /// Null for an empty text, the default.
    private @Nullable Path pathOrNone(Section section, String key, String example) {
        String file =
                section.text(
                        key,
                        "",
                        example,
                        text -> text.isEmpty() || path(text) != null ? text : null);
        return file.isEmpty() ? null : path(file);
    }

    /// Null for `memory`.
    private @Nullable Path ticketKeyFile(Section section, Path state) {
        Path file =
                section.text(
                        "ticket-key-file",
                        state.resolve(TICKET_KEYS),
                        TICKET_KEYS,
                        text -> {
                            Path path = plainPath(text);
                            return path == null ? null : state.resolve(path).normalize();
                        });
        return file.equals(state.resolve("memory")) ? null : file;
    }

    private static KeyLimits keyLimits(Section section) {
        return new KeyLimits(
                section.count("key-threads", KeyLimits.DEFAULT_THREADS, 1, KeyLimits.THREADS_MAX),
                section.count("key-queue-max", KeyLimits.DEFAULT_QUEUE_MAX, 1, 1_000_000),
                section.duration("key-timeout", KeyLimits.DEFAULT_TIMEOUT, MILLISECOND, MINUTE),
                section.duration(
                        "key-health-interval", KeyLimits.DEFAULT_HEALTH_INTERVAL, SECOND, DAY));
    }

    private QueueSettings queue(Section section, Path state) {
        Path directory =
                section.text(
                        "directory",
                        state.resolve("spool"),
                        "spool",
                        text -> {
                            Path path = plainPath(text);
                            return path == null ? null : state.resolve(path).normalize();
                        });
        Durability durability = section.word("durability", Durability.COMMIT, DURABILITIES);
        QueueSettings standard = QueueSettings.standard(directory);
        JournalKind journal = section.word("journal", standard.journal(), JOURNALS);
        long spares = section.size("spares", standard.sparesBytes(), 0, 1L << 40);
        RetrySchedule usual = RetrySchedule.standard();
        Duration first = section.duration("retry-first", usual.first(), MILLISECOND, DAY);
        Duration max = section.duration("retry-max", usual.max(), MILLISECOND, WEEK);
        double factor = section.share("retry-factor", usual.factor(), 1, 10);
        double jitter = section.share("retry-jitter", usual.jitter(), 0, 0.9);
        Duration giveUp =
                section.duration("give-up", usual.giveUp(), Duration.ZERO, DAY.multipliedBy(60));
        Duration giveUpNullSender =
                section.duration(
                        "give-up-null-sender",
                        usual.giveUpNullSender(),
                        Duration.ZERO,
                        DAY.multipliedBy(60));
        if (max.compareTo(first) < 0) {
            section.problem("retry-max", "\"retry-max\" must not be below \"retry-first\"");
            max = first;
        }
        QueueLimits limits = queueLimits(section);
        section.end();
        return new QueueSettings(
                directory,
                durability,
                journal,
                spares,
                new RetrySchedule(first, max, factor, jitter, giveUp, giveUpNullSender),
                limits);
    }

    private static QueueLimits queueLimits(Section section) {
        QueueLimits usual = QueueLimits.standard();
        long reserve =
                section.size(
                        "free-space-reserve", usual.freeSpaceReserveBytes(), 1 << 20, 1L << 50);
        int messages = section.count("messages-max", usual.messagesMax(), 1, 100_000_000);
        int attempts = section.count("attempts-max", usual.attemptsMax(), 1, 100_000);
        int lane =
                section.count(
                        "attempts-per-destination-max", usual.laneConcurrencyMax(), 1, 10_000);
        long intake = section.size("intake-memory", usual.intakeBytesMax(), 1 << 20, 1L << 40);
        int bodyFile =
                (int)
                        section.size(
                                "body-file-threshold", usual.bodyFileThresholdBytes(), 0, 4 << 20);
        return usual.withFreeSpaceReserveBytes(reserve)
                .withMessagesMax(messages)
                .withConcurrency(lane, attempts)
                .withIntake(bodyFile, intake, usual.writerPendingBytesMax());
    }

    private static SessionLimits limits(Section section) {
        SessionLimits usual = SessionLimits.defaults();
        SessionLimits limits =
                new SessionLimits(
                        (int)
                                section.size(
                                        "command-line-octets-max",
                                        usual.commandLineOctetsMax(),
                                        512, // RFC 5321 §4.5.3.1.4
                                        1 << 20),
                        section.size(
                                "message-octets-max",
                                usual.messageOctetsMax(),
                                64 << 10, // RFC 5321 §4.5.3.1.7
                                4L << 30),
                        // RFC 5321 §4.5.3.1.8
                        section.count(
                                "recipients-max",
                                usual.recipientsMax(),
                                100,
                                Envelope.RECIPIENTS_MAX),
                        section.count("messages-max", usual.messagesMax(), 1, 1_000_000),
                        section.count("commands-max", usual.commandsMax(), 10, 1_000_000),
                        section.count("errors-max", usual.errorsMax(), 1, 100_000),
                        section.count("rejections-max", usual.rejectionsMax(), 1, 100_000),
                        // RFC 5321 §6.3
                        section.count(
                                "received-headers-max", usual.receivedHeadersMax(), 100, 10_000),
                        section.duration("idle-timeout", usual.idleTimeout(), SECOND, DAY),
                        section.duration("command-timeout", usual.commandTimeout(), SECOND, DAY),
                        section.duration("data-idle-timeout", usual.dataIdleTimeout(), SECOND, DAY),
                        section.count(
                                "data-octets-per-second-min",
                                usual.dataOctetsPerSecondMin(),
                                0,
                                1 << 30),
                        section.duration("data-rate-grace", usual.dataRateGrace(), SECOND, DAY),
                        section.duration(
                                "greeting-delay",
                                usual.greetingDelay(),
                                Duration.ZERO,
                                Duration.ofMinutes(1)),
                        section.count("sessions-max", usual.sessionsMax(), 1, 1_000_000),
                        section.count(
                                "sessions-per-network-max",
                                usual.sessionsPerNetworkMax(),
                                1,
                                1_000_000));
        if (limits.commandsMax() <= limits.recipientsMax()) {
            section.problem(
                    "commands-max",
                    "\"commands-max\" must be above \"recipients-max\": each recipient is a command");
        }
        section.end();
        return limits;
    }

    private static RelaySettings relay(Section section) {
        List<Network> networks =
                section.texts(
                        "networks",
                        RelaySettings.defaults().networks(),
                        "10.0.0.0/8",
                        ConfigFile::network);
        section.end();
        return new RelaySettings(networks);
    }

    private static SenderSettings senders(Section section) {
        SenderSettings usual = SenderSettings.defaults();
        boolean refusesNullMx = section.yesOrNo("refuse-null-mx-senders", usual.refusesNullMx());
        section.end();
        return new SenderSettings(refusesNullMx);
    }

    private AuthSettings auth(Section section) {
        AuthSettings usual = AuthSettings.defaults();
        Path users = pathOrNone(section, "users", "/etc/malote/users");
        List<Mechanism> mechanisms =
                section.texts("mechanisms", List.of(Mechanism.values()), "PLAIN", Mechanism::of);
        if (mechanisms.isEmpty()) {
            section.problem(
                    "mechanisms", "\"mechanisms\" names one at least; leave it out for all");
            mechanisms = List.of(Mechanism.values());
        }
        AuthSettings auth =
                new AuthSettings(
                        users,
                        EnumSet.copyOf(mechanisms),
                        section.count(
                                "failures-per-session-max", usual.failuresPerSessionMax(), 0, 1000),
                        section.count(
                                "failures-per-network-max",
                                usual.failuresPerNetworkMax(),
                                1,
                                1_000_000),
                        section.duration("failure-window", usual.failureWindow(), SECOND, DAY),
                        section.duration(
                                "failure-delay", usual.failureDelay(), Duration.ZERO, MINUTE));
        section.end();
        return auth;
    }

    private static CodeSettings codes(Section section) {
        CodeSettings usual = CodeSettings.defaults();
        PolicyDeclarations site = declarations(section, "site");
        boolean isRequired =
                section.word("absent", usual.isRequired(), words("allow", false, "refuse", true));
        ForeignHeaders foreignHeaders =
                section.word("foreign-header", usual.foreignHeaders(), FOREIGN_HEADERS);
        Section domainSection = section.section("domains");
        Map<String, PolicyDeclarations> domains = new LinkedHashMap<>();
        for (String key : domainSection.keys()) {
            PolicyDeclarations declarations = declarations(domainSection, key);
            DomainName name = DomainName.parse(key);
            String ascii = name == null ? null : Idna.toAscii(name.text());
            if (ascii == null) {
                domainSection.problem(
                        key, "\"" + Printable.escape(key) + "\" is no domain such as isp.example");
            } else if (domains.put(ascii, declarations) != null) {
                domainSection.problem(key, "the domain " + ascii + " is there twice");
            }
        }
        Section recipientSection = section.section("recipients");
        Map<Mailbox, PolicyDeclarations> recipients = new LinkedHashMap<>();
        for (String key : recipientSection.keys()) {
            PolicyDeclarations declarations = declarations(recipientSection, key);
            Mailbox mailbox = recipient(key);
            if (mailbox == null) {
                recipientSection.problem(
                        key,
                        "\"" + Printable.escape(key) + "\" is no address such as ann@isp.example");
            } else if (recipients.put(mailbox, declarations) != null) {
                recipientSection.problem(key, "the address " + mailbox + " is there twice");
            }
        }
        section.end();
        return new CodeSettings(site, domains, recipients, isRequired, foreignHeaders);
    }

    private static TrustSettings trust(Section section, DomainName hostname) {
        TrustSettings usual = TrustSettings.defaults(hostname.text());
        // RFC 8601 §2.5: it should look like a domain.
        String authservId =
                section.text(
                        "authserv-id",
                        usual.authservId(),
                        "mx1.isp.example",
                        text -> text.matches("[A-Za-z0-9]([A-Za-z0-9._-]{0,253})") ? text : null);
        TrustSettings.Use use = section.word("headers", usual.use(), TRUST_USES);
        List<Network> networks =
                section.texts("networks", usual.networks(), "10.0.0.0/8", ConfigFile::network);
        section.end();
        return new TrustSettings(authservId, use, networks);
    }

    /// The address in the form that policies are looked up by: in lower case and A-labels.
    private static @Nullable Mailbox recipient(String text) {
        Mailbox mailbox = AddressParser.parseMailbox(text);
        String ascii =
                mailbox != null && mailbox.host() instanceof DomainName name
                        ? Idna.toAscii(name.text())
                        : null;
        if (mailbox == null || ascii == null) {
            return null;
        }
        String lower = mailbox.localPart().toLowerCase(Locale.ROOT);
        // Some letters are longer in lower case.
        return Mailbox.isTooLong(lower) ? null : new Mailbox(lower, new DomainName(ascii));
    }

    private static PolicyDeclarations declarations(Section section, String key) {
        String text = section.optionalText(key, "DENY=*/optout", Function.identity());
        if (text == null) {
            return PolicyDeclarations.ALL;
        }
        return switch (PolicyDeclarations.parse(text)) {
            case PolicyDeclarations.Parsed.Valid(var declarations) -> declarations;
            case PolicyDeclarations.Parsed.Malformed(var piece) -> {
                section.problem(
                        key,
                        "\""
                                + Printable.escape(piece)
                                + "\" is no declaration; write ALLOW=role/class or"
                                + " DENY=role/class, with * for all roles or classes");
                yield PolicyDeclarations.ALL;
            }
            case PolicyDeclarations.Parsed.Undefined(var half, var defined) -> {
                section.problem(
                        key,
                        "\""
                                + Printable.escape(half)
                                + "\" is none of "
                                + String.join(", ", defined)
                                + Section.didYouMean(half, defined));
                yield PolicyDeclarations.ALL;
            }
            case PolicyDeclarations.Parsed.BadLength _ -> {
                section.problem(
                        key,
                        "declarations have 1 to "
                                + PolicyDeclarations.LENGTH_MAX
                                + " characters, as an EHLO line holds; write \"ALLOW=*/*\" to deny"
                                + " nothing");
                yield PolicyDeclarations.ALL;
            }
        };
    }

    private static AmtpSending sending(Section section, boolean isStrictRelay) {
        boolean quitsOnDeny = section.yesOrNo("quit-on-deny", AmtpSending.STANDARD.quitsOnDeny());
        String unknown =
                section.text(
                        "code-for-unknown",
                        "",
                        "per/individual",
                        text -> text.isEmpty() || codeOf(text) != null ? text : null);
        return new AmtpSending(quitsOnDeny, codeOf(unknown), isStrictRelay);
    }

    private static @Nullable MailPolicyCode codeOf(String text) {
        return MailPolicyCode.parse(text) instanceof MailPolicyCode.Parsed.Known(var code)
                ? code
                : null;
    }

    private RouteTable routes(Section root, Terms usual) {
        List<Route> routes = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        boolean afterAll = false;
        for (Section section : root.sections("route", "[[route]]")) {
            DomainPattern pattern =
                    section.requiredText("domain", "isp.example", DomainPattern::parse);
            Via via = section.requiredText("via", "lmtp:127.0.0.1:2003", this::via);
            section.end();
            if (pattern == null) {
                continue;
            }
            if (afterAll || !seen.add(pattern.text())) {
                section.problem(
                        "domain",
                        "no mail comes to this route: a route above takes all of \""
                                + pattern.text()
                                + "\"");
            }
            afterAll |= pattern.isCatchAll();
            if (via != null && via.isAmtp() && !usual.forAmtp().hasCertificate()) {
                section.problem(
                        "via",
                        "AMTP needs a certificate of ours: give a [[source]] \"certificates\", and"
                                + " name it with \"source\" in [amtp]");
            }
            if (via != null) {
                routes.add(new Route(pattern, via));
            }
        }
        return new RouteTable(routes);
    }

    private List<Source> sources(Section root, DomainName hostname) {
        List<Source> sources = new ArrayList<>();
        Set<String> names = new HashSet<>(Set.of(SYSTEM_SOURCE));
        for (Section section : root.sections("source", "[[source]]")) {
            String name =
                    section.requiredText(
                            "name",
                            "out1",
                            text -> text.matches("[A-Za-z0-9_.-]{1,32}") ? text : null);
            List<InetAddress> addresses =
                    section.texts("addresses", List.of(), "192.0.2.1", ConfigFile::ownAddress);
            DomainName heloName =
                    section.text("hostname", hostname, "out1.isp.example", ConfigFile::hostname);
            List<CertificateSettings> certificates = certificates(section);
            section.end();
            if (name != null && !names.add(name)) {
                section.problem("name", "the name \"" + name + "\" is taken: choose another");
            }
            if (sources.size() == SOURCES_MAX) {
                section.problem("name", "there are more than " + SOURCES_MAX + " sources");
            }
            if (addresses.isEmpty()
                    || addresses.stream().map(InetAddress::getClass).distinct().count()
                            < addresses.size()) {
                section.problem(
                        "addresses",
                        "\"addresses\" has an IPv4 address, an IPv6 address, or one of each; write"
                                + " addresses = [\"192.0.2.1\"]");
            } else if (name != null) {
                sources.add(new Source(name, addresses, heloName.text(), certificates));
            }
        }
        return sources;
    }

    /// One that a connection can begin at.
    private static @Nullable InetAddress ownAddress(String text) {
        InetAddress address = Units.parseIp(text);
        return address == null || address.isAnyLocalAddress() || address.isMulticastAddress()
                ? null
                : address;
    }

    /// How hosts are spoken to where no site says otherwise.
    ///
    /// @param authorities as written; empty for those of the system
    /// @param amtpAuthorities the same for hosts of AMTP
    /// @param amtpSource null for that of the terms
    private record HowSpokenTo(
            Terms terms, String authorities, String amtpAuthorities, @Nullable Source amtpSource) {

        /// @param other where a site has other authorities
        Terms amtp(
                @Nullable Path other, List<String> names, @Nullable Source source, boolean isOwn) {
            return new Terms(
                    new TlsPolicy(TlsUse.AMTP, other, names),
                    isOwn || amtpSource == null ? source : amtpSource);
        }
    }

    private HowSpokenTo usualTerms(Section section, Section amtp, List<Source> sources) {
        TlsUse use = section.word("tls", TlsUse.OPPORTUNISTIC, TLS_USES);
        String authorities = authorities(section, "tls-authorities", "");
        TlsPolicy policy = new TlsPolicy(use, pathOf(authorities), List.of());
        Terms terms = from(section, new Terms(policy, null), sources);
        String amtpAuthorities = authorities(amtp, "authorities", authorities);
        Source amtpSource = from(amtp, terms, sources).source();
        HowSpokenTo usual = new HowSpokenTo(terms, authorities, amtpAuthorities, amtpSource);
        Terms forAmtp = usual.amtp(pathOf(amtpAuthorities), List.of(), terms.source(), false);
        return new HowSpokenTo(withAmtp(terms, forAmtp), authorities, amtpAuthorities, amtpSource);
    }

    /// Terms say nothing of AMTP where that is as they would have it anyway.
    private static Terms withAmtp(Terms terms, Terms forAmtp) {
        Terms plain = new Terms(terms.tls(), terms.source());
        return plain.forAmtp().equals(forAmtp)
                ? plain
                : new Terms(terms.tls(), terms.source(), forAmtp);
    }

    /// Whatever a site does not say is as usual.
    private Terms siteTerms(Section section, HowSpokenTo usual, List<Source> sources) {
        TlsUse use = section.word("tls", usual.terms().tls().use(), TLS_USES);
        String authorities = authorities(section, "tls-authorities", usual.authorities());
        List<String> names =
                section.texts("tls-names", List.of(), "mx.isp.example", ConfigFile::nameInTls);
        if (use != TlsUse.VERIFIED) {
            if (!names.isEmpty()) {
                section.problem("tls-names", "\"tls-names\" needs tls = \"verified\"");
            }
            if (!authorities.equals(usual.authorities())) {
                section.problem("tls-authorities", "\"tls-authorities\" needs tls = \"verified\"");
            }
        }
        TlsPolicy policy = new TlsPolicy(use, pathOf(authorities), names);
        boolean hasSource = section.keys().contains("source");
        Terms terms = from(section, new Terms(policy, usual.terms().source()), sources);
        boolean hasAuthorities = !authorities.equals(usual.authorities());
        String forAmtp = hasAuthorities ? authorities : usual.amtpAuthorities();
        return withAmtp(terms, usual.amtp(pathOf(forAmtp), names, terms.source(), hasSource));
    }

    private String authorities(Section section, String key, String otherwise) {
        return section.text(
                key,
                otherwise,
                "/etc/malote/authorities.pem",
                text -> text.isEmpty() || path(text) != null ? text : null);
    }

    private @Nullable Path pathOf(String text) {
        return text.isEmpty() ? null : path(text);
    }

    /// The same terms from the source that the section names.
    private static Terms from(Section section, Terms terms, List<Source> sources) {
        Map<String, Terms> choices = new LinkedHashMap<>();
        choices.put(SYSTEM_SOURCE, new Terms(terms.tls(), null));
        sources.forEach(source -> choices.put(source.name(), new Terms(terms.tls(), source)));
        return section.word("source", terms, choices);
    }

    /// A name as certificates have it (RFC 5280 §7.2), or an address.
    private static @Nullable String nameInTls(String text) {
        if (Units.parseIp(text) != null) {
            return text;
        }
        DomainName name = DomainName.parse(text);
        String ascii = name == null ? null : Idna.toAscii(name.text());
        return ascii == null ? null : ascii.toLowerCase(Locale.ROOT);
    }

    private SiteTable sites(Section root, int usualMax, HowSpokenTo usual, List<Source> sources) {
        List<SiteRule> rules = new ArrayList<>();
        for (Section section : root.sections("site", "[[site]]")) {
            DomainPattern hosts =
                    section.requiredText("hosts", "*.mail.isp.example", DomainPattern::parse);
            int connections = section.count("connections-max", usualMax, 1, 10_000);
            double rate = section.text("rate", 0.0, "20/s", Units::parseRate);
            Terms terms = siteTerms(section, usual, sources);
            section.end();
            if (hosts != null) {
                rules.add(new SiteRule(hosts, new SiteLimits(connections, rate), terms));
            }
        }
        return new SiteTable(rules, SiteTable.usual(usualMax, usual.terms()));
    }

    private @Nullable Via via(String text) {
        int colon = text.indexOf(':');
        String kind = colon < 0 ? text : text.substring(0, colon);
        String rest = colon < 0 ? "" : text.substring(colon + 1);
        return switch (kind) {
            case "maildir" -> {
                Path template = path(rest);
                yield rest.isEmpty() || template == null
                        ? null
                        : new Via.Maildir(template.toString());
            }
            case "lmtp" -> {
                Units.HostPort to = Units.parseHostPort(rest, -1);
                yield to == null || to.port() == 0 || !isHost(to.host())
                        ? null
                        : new Via.Lmtp(to.host(), to.port());
            }
            case "smtp" -> {
                Units.HostPort to = Units.parseHostPort(rest, SMTP_PORT);
                yield to == null || to.port() == 0 || !isHost(to.host())
                        ? null
                        : new Via.Smtp(to.host(), to.port());
            }
            case "amtp" -> {
                Units.HostPort to = colon < 0 ? null : Units.parseHostPort(rest, -1);
                yield colon < 0
                        ? new Via.Amtp()
                        : to == null || to.port() == 0 || !isHost(to.host())
                                ? null
                                : new Via.AmtpHost(to.host(), to.port());
            }
            case "hybrid" -> colon < 0 ? new Via.Hybrid() : null;
            case "mx" -> colon < 0 ? new Via.Mx() : null;
            case "hold" -> colon < 0 ? new Via.Hold() : null;
            case "discard" -> colon < 0 ? new Via.Discard() : null;
            default -> null;
        };
    }

    private static boolean isHost(String text) {
        if (Units.parseIp(text) != null) {
            return true;
        }
        // 127.1 and 10.0.0.256 are no names: the last label of a name is not a number.
        DomainName name = DomainName.parse(text);
        return name != null && !name.text().matches("(.*\\.)?[0-9]+");
    }

    private static DeliverySettings delivery(
            Section section, DomainName hostname, AmtpSending amtp) {
        DeliverySettings usual = DeliverySettings.defaults(hostname.text());
        int mxPort = section.count("mx-port", usual.mxPort(), 1, 65_535);
        int attempts =
                section.count("attempts-in-flight-max", usual.attemptsInFlightMax(), 1, 100_000);
        int connections =
                section.count("connections-per-host-max", usual.connectionsPerHostMax(), 1, 10_000);
        int recipients =
                section.count(
                        "recipients-per-transaction-max",
                        usual.recipientsPerTransactionMax(),
                        1,
                        100_000);
        int transactions =
                section.count(
                        "transactions-per-connection-max",
                        usual.transactionsPerConnectionMax(),
                        1,
                        1_000_000);
        int addresses =
                section.count("addresses-per-attempt-max", usual.addressesPerAttemptMax(), 1, 100);
        int chunk =
                (int) section.size("chunk-octets-max", usual.chunkOctetsMax(), 1 << 10, 1 << 30);
        Duration idle =
                section.duration(
                        "idle-connection-timeout",
                        usual.idleConnectionTimeout(),
                        Duration.ZERO,
                        Duration.ofHours(1));
        Duration dead =
                section.duration(
                        "dead-host-memory",
                        usual.deadHostMemory(),
                        Duration.ZERO,
                        Duration.ofHours(1));
        Duration tlsFailure =
                section.duration(
                        "tls-failure-memory", usual.tlsFailureMemory(), Duration.ZERO, DAY);
        boolean allowPrivate =
                section.yesOrNo("allow-private-targets", usual.allowPrivateTargets());
        DeliveryTimeouts timeouts = timeouts(section.section("timeouts"));
        section.end();
        return new DeliverySettings(
                hostname.text(),
                mxPort,
                attempts,
                connections,
                recipients,
                transactions,
                addresses,
                chunk,
                idle,
                dead,
                tlsFailure,
                allowPrivate,
                timeouts,
                amtp);
    }

    private static DeliveryTimeouts timeouts(Section section) {
        DeliveryTimeouts usual = DeliveryTimeouts.defaults();
        DeliveryTimeouts timeouts =
                new DeliveryTimeouts(
                        section.duration("connect", usual.connect(), MILLISECOND, DAY),
                        section.duration("greeting", usual.greeting(), MILLISECOND, DAY),
                        section.duration("hello", usual.hello(), MILLISECOND, DAY),
                        section.duration("starttls", usual.startTls(), MILLISECOND, DAY),
                        section.duration("mail", usual.mail(), MILLISECOND, DAY),
                        section.duration("recipient", usual.recipient(), MILLISECOND, DAY),
                        section.duration(
                                "data-initiation", usual.dataInitiation(), MILLISECOND, DAY),
                        section.duration("data-block", usual.dataBlock(), MILLISECOND, DAY),
                        section.duration(
                                "data-termination", usual.dataTermination(), MILLISECOND, DAY),
                        section.duration("reset", usual.reset(), MILLISECOND, DAY),
                        section.duration("quit", usual.quit(), MILLISECOND, DAY));
        section.end();
        return timeouts;
    }

    private static BounceSettings bounce(
            Section section, DomainName hostname, RetrySchedule retry) {
        BounceSettings usual = BounceSettings.defaults(hostname.text(), retry);
        BounceSettings bounce =
                new BounceSettings(
                        hostname.text(),
                        retry,
                        section.duration(
                                "delay-after", usual.delayAfter(), MINUTE, DAY.multipliedBy(60)),
                        section.yesOrNo("tell-delay", usual.tellsDelayByDefault()),
                        (int)
                                section.size(
                                        "returned-octets-max",
                                        usual.returnedOctetsMax(),
                                        0,
                                        100 << 20),
                        (int)
                                section.size(
                                        "header-octets-max", usual.headerOctetsMax(), 0, 1 << 20));
        section.end();
        return bounce;
    }

    private static DnsSettings dns(Section section) {
        DnsSettings usual = DnsSettings.defaults();
        List<InetSocketAddress> servers =
                section.texts(
                        "servers",
                        usual.servers(),
                        "127.0.0.1:53",
                        text -> Units.parseAddress(text, DNS_PORT));
        DnsSettings dns =
                new DnsSettings(
                        servers,
                        section.duration("timeout", usual.timeout(), MILLISECOND, MINUTE),
                        section.count("tries", usual.tries(), 1, 10),
                        section.count(
                                "queries-in-flight-max", usual.queriesInFlightMax(), 1, 10_000),
                        section.count(
                                "lookups-waiting-max", usual.lookupsWaitingMax(), 1, 1_000_000),
                        (int) section.size("cache-octets-max", usual.cacheOctetsMax(), 0, 1 << 30),
                        section.duration("ttl-max", usual.ttlMax(), Duration.ZERO, WEEK),
                        section.duration(
                                "negative-ttl-max", usual.negativeTtlMax(), Duration.ZERO, DAY),
                        section.duration("failure-ttl", usual.failureTtl(), Duration.ZERO, MINUTE));
        section.end();
        return dns;
    }

    private static AdminSettings admin(Section section) {
        boolean isEnabled = section.yesOrNo("enabled", true);
        InetSocketAddress address = section.address("address", "127.0.0.1:9125");
        if (address == null) {
            address = new InetSocketAddress(InetAddress.getLoopbackAddress(), ADMIN_PORT);
        } else if (!address.getAddress().isLoopbackAddress()) {
            section.problem(
                    "address",
                    "the metrics and the status page are served on loopback alone, such as"
                            + " \"127.0.0.1:9125\", since they ask nobody for a password");
        }
        section.end();
        return new AdminSettings(isEnabled ? address : null);
    }

    /// The word for an address that the system chooses.
    private static final String SYSTEM_SOURCE = "system";

    /// Each is a name in the meters. Ours: more addresses than one host has for sending.
    private static final int SOURCES_MAX = 256;

    private static final int SMTP_PORT = 25;
    private static final int DNS_PORT = 53;
    private static final int ADMIN_PORT = 9125;

    private static final Map<String, Profile> PROFILES = words(Profile.values());
    private static final Map<String, Dial> DIALS = words(Dial.values());
    private static final Map<String, ForeignHeaders> FOREIGN_HEADERS =
            words(ForeignHeaders.values());
    private static final Map<String, CommonNames> COMMON_NAMES = words(CommonNames.values());
    private static final Map<String, ReverseRule> REVERSE_RULES =
            words(new ReverseRule[] {ReverseRule.FCRDNS, ReverseRule.PTR});
    private static final Map<String, TrustSettings.Use> TRUST_USES =
            words(TrustSettings.Use.values());
    private static final Map<String, TlsMode> TLS_MODES = words(TlsMode.values());
    private static final Map<String, TlsUse> TLS_USES =
            words(
                    new TlsUse[] {
                        TlsUse.NONE, TlsUse.OPPORTUNISTIC, TlsUse.REQUIRED, TlsUse.VERIFIED
                    });
    private static final Map<String, ClientCertificates.Demand> DEMANDS =
            words(ClientCertificates.Demand.values());

    /// What is done while a key cannot sign, and whether another does.
    private static final Map<String, Boolean> ON_FAILURE = words("closed", false, "fallback", true);

    private static final Map<String, TicketUse> TICKET_USES = words(TicketUse.values());
    private static final Map<String, Engine> ENGINES = words(Engine.values());
    private static final Map<String, Durability> DURABILITIES = words(Durability.values());

    private static final Map<String, JournalKind> JOURNALS = words(JournalKind.values());

    private static <E extends Enum<E>> Map<String, E> words(E[] values) {
        Map<String, E> words = new LinkedHashMap<>();
        for (E value : values) {
            words.put(value.name().toLowerCase(Locale.ROOT).replace('_', '-'), value);
        }
        return words;
    }

    private static Map<String, Boolean> words(
            String first, boolean means, String second, boolean otherMeans) {
        Map<String, Boolean> words = new LinkedHashMap<>();
        words.put(first, means);
        words.put(second, otherMeans);
        return words;
    }

    /// It stands in greetings to peers that know no SMTPUTF8: in A-labels (RFC 5890 §2.3.2.1).
    private static @Nullable DomainName hostname(String text) {
        DomainName name = DomainName.parse(text);
        return name != null && Ascii.isAscii(name.text()) ? name : null;
    }

    private static @Nullable Network network(String text) {
        try {
            return Network.parse(text);
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    /// A path, relative to the file.
    private @Nullable Path path(String text) {
        Path path = plainPath(text);
        return path == null ? null : base.resolve(path).normalize();
    }

    private static @Nullable Path plainPath(String text) {
        try {
            return text.isEmpty() ? null : Path.of(text);
        } catch (InvalidPathException _) {
            return null;
        }
    }

    /// The path of a key, or the URI of one elsewhere, which only its provider understands.
    private @Nullable String key(String text) {
        if (text.matches("[a-z][a-z0-9+.-]+:.*")) {
            return text;
        }
        Path path = path(text);
        return path == null ? null : path.toString();
    }
}
