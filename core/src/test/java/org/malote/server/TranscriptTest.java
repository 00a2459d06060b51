package org.malote.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.malote.accept.Acceptance;
import org.malote.accept.TrustSettings;
import org.malote.amtp.CodePolicies;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.CommonNames;
import org.malote.amtp.Dial;
import org.malote.amtp.ForeignHeaders;
import org.malote.amtp.IdentitySettings;
import org.malote.amtp.Observations;
import org.malote.amtp.PolicyDeclarations;
import org.malote.amtp.ReverseRule;
import org.malote.amtp.ScriptedHops;
import org.malote.auth.AuthEnvironment;
import org.malote.auth.AuthSettings;
import org.malote.auth.Authenticator;
import org.malote.auth.Mechanism;
import org.malote.auth.PasswordHash;
import org.malote.auth.ScramVerifier;
import org.malote.auth.UserFile;
import org.malote.auth.Users;
import org.malote.offload.PeerIdentity;
import org.malote.offload.TlsSummary;
import org.malote.policy.MailCodePolicy;
import org.malote.policy.Network;
import org.malote.policy.OwnSenderPolicy;
import org.malote.policy.Peer;
import org.malote.policy.Policy;
import org.malote.policy.RelayPolicy;
import org.malote.policy.RelaySettings;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageBody;
import org.malote.queue.MessageId;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueSettings;
import org.malote.session.Session;
import org.malote.session.SessionFacts;
import org.malote.session.SessionLimits;
import org.malote.smtp.DomainName;
import org.malote.smtp.Mailbox;
import org.malote.smtp.wire.AddressParser;
import org.malote.telemetry.Meters;
import org.malote.telemetry.SessionLog;

/// Plays every transcript against the production handler, machine and queue, in every
/// [Segmentation].
final class TranscriptTest {
    private static final Path FOLDER = Path.of("src/test/resources/org/malote/session");
    private static final Pattern QUEUED = Pattern.compile("250 2\\.0\\.0 queued as (\\S+)");
    private static final PasswordHash.Cost CHEAP = new PasswordHash.Cost(8, 1, 1);
    private static final TlsSummary TLS =
            new TlsSummary("TLSv1.3", "TLS_AES_128_GCM_SHA256", 128, "X25519", "P-256", false);
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    @TempDir static Path spool;
    private static MailQueue queue;

    @BeforeAll
    static void open() throws IOException {
        queue =
                MailQueue.open(
                        QueueSettings.standard(spool),
                        new QueueEnvironment(
                                InstantSource.system(),
                                System::nanoTime,
                                new Random(1),
                                Executors.defaultThreadFactory(),
                                Runnable::run,
                                (_, _) -> {}));
    }

    @AfterAll
    static void close() {
        queue.close();
    }

    @TestFactory
    Stream<DynamicTest> transcripts() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            List<Path> sorted =
                    files.filter(file -> file.toString().endsWith(".smtp")).sorted().toList();
            assertTrue(sorted.size() > 20, "the transcripts are missing");
            return sorted.stream()
                    .map(Transcript::read)
                    .flatMap(
                            transcript ->
                                    Stream.of(Segmentation.values())
                                            .map(
                                                    segmentation ->
                                                            DynamicTest.dynamicTest(
                                                                    transcript.name()
                                                                            + " "
                                                                            + segmentation,
                                                                    () ->
                                                                            new Play(
                                                                                            transcript,
                                                                                            segmentation)
                                                                                    .run())));
        }
    }

    /// One transcript in one segmentation.
    private static final class Play {
        private final Transcript transcript;
        private final Segmentation segmentation;
        private final ScriptedPolicy policy = new ScriptedPolicy();
        private final Deque<String> replies = new ArrayDeque<>();
        private final StringBuilder partial = new StringBuilder();
        private final EmbeddedChannel channel = new EmbeddedChannel(false, false);
        private final TestLoop loop = new TestLoop();
        private final long queuedBefore = queue.stats().messages();
        private final Meters meters = new Meters();
        private @Nullable ScriptedHops hops;
        private final Observations observations = new Observations(InstantSource.system());
        private @Nullable String lastQueued;

        Play(Transcript transcript, Segmentation segmentation) {
            this.transcript = transcript;
            this.segmentation = segmentation;
        }

        void run() throws Exception {
            start();
            List<byte[]> flight = new ArrayList<>();
            for (Transcript.Line line : transcript.lines()) {
                if (!line.mark().startsWith("C")) {
                    send(flight);
                }
                switch (line.mark()) {
                    case "@" -> {} // read by start()
                    case "C:" -> flight.add(octets(line.text() + "\r\n"));
                    case "C|" -> flight.add(Transcript.unescape(line.text()));
                    case "S:" -> assertEquals(line.text(), nextReply(line), at(line));
                    case "S~" -> {
                        String reply = nextReply(line);
                        assertTrue(
                                Pattern.matches(line.text(), reply),
                                at(line) + ": " + reply + " is not " + line.text());
                    }
                    case "+" -> pass(duration(line.text()));
                    case "?" -> learn(line.text());
                    case "!" -> fault(line);
                    case "=" -> fact(line);
                    default -> fail(at(line) + ": no such mark: " + line.mark());
                }
            }
            settle();
            assertEquals(List.of(), List.copyOf(replies), transcript.name() + ": unread replies");
            channel.finishAndReleaseAll();
        }

        private void learn(String text) {
            if (text.startsWith("names ")) {
                Objects.requireNonNull(hops).answer(text.substring("names ".length()));
                settle();
            } else {
                policy.learn(text);
            }
        }

        // The embedded channel can have no other loop than its own; the handler can.
        @SuppressWarnings("deprecation")
        private void start() throws Exception {
            List<String> settings = settings();
            CodeSettings codes = codes(settings);
            Profile profile =
                    Profile.valueOf(
                            one(settings, "profile", "mx")
                                    .toUpperCase(Locale.ROOT)
                                    .replace('-', '_'));
            boolean isClear = one(settings, "clear", "no").equals("yes");
            IdentitySettings identity =
                    new IdentitySettings(
                            Dial.valueOf(one(settings, "amtp", "off").toUpperCase(Locale.ROOT)),
                            List.of(),
                            false,
                            profile == Profile.AMTP_PRIVATE
                                    ? ReverseRule.UNASKED
                                    : ReverseRule.valueOf(
                                            one(settings, "rdns", "fcrdns")
                                                    .toUpperCase(Locale.ROOT)));
            ScriptedHops scripted = hops(settings, !isClear);
            hops = scripted;
            Policy routing = routing(settings);
            Path users = users(settings);
            AuthSettings auth = auth(settings, users);
            Authenticator authenticator = authenticator(settings, auth);
            TrustSettings trust = trust(settings).at(identity.dial() != Dial.OFF);
            ListenerSettings listener =
                    new ListenerSettings(
                            "mx",
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                            profile,
                            TlsMode.NONE,
                            Dial.valueOf(one(settings, "mpc", "off").toUpperCase(Locale.ROOT)),
                            identity,
                            List.of());
            String tls = one(settings, "tls", "none");
            List<String> certificates = all(settings, "certificate");
            SessionLimits limits = limits(settings);
            SessionFacts facts =
                    new SessionFacts(
                                    new DomainName("mx.example"),
                                    isClear || tls.equals("offered"),
                                    identity.dial() == Dial.OFF || isClear ? null : TLS,
                                    limits)
                            .withCodes(listener.codeRules(codes))
                            .withAuth(listener.authRules(auth))
                            .withIdentity(listener.identityRules());
            if (tls.equals("on")) {
                facts =
                        facts.secured(
                                TLS,
                                certificates.isEmpty()
                                        ? new PeerIdentity.Unknown()
                                        : new PeerIdentity.Trusted(certificates, "CN=peer"));
            }
            Policy coded =
                    new MailCodePolicy(
                            new OwnSenderPolicy(routing),
                            new CodePolicies(codes),
                            new DomainName("mx.example"));
            Reception reception =
                    new Reception(
                            new DomainName("mx.example"),
                            limits,
                            () -> coded,
                            new Acceptance(queue, InstantSource.system(), () -> trust),
                            () -> null,
                            new TicketPolicy(SenderNetworks.none(TicketUse.AUTO), System::nanoTime),
                            () -> codes,
                            authenticator,
                            scripted,
                            _ -> false,
                            observations,
                            new SessionLog(),
                            meters);
            InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
            channel.pipeline()
                    .addLast(
                            loop,
                            new InboundHandler(
                                    reception,
                                    listener,
                                    new SessionQuota(limits),
                                    new Session(facts),
                                    new Peer(
                                            new InetSocketAddress(loopback, 2525),
                                            loopback,
                                            listener.reach()),
                                    "s1"));
            channel.register();
            loop.runTasks();
        }

        private static ScriptedHops hops(List<String> settings, boolean isSecured) {
            List<String> shows = all(settings, "shows");
            List<String> commonName = all(settings, "cn");
            return new ScriptedHops(
                    isSecured,
                    shows.isEmpty() ? null : shows.getLast(),
                    commonName.isEmpty() ? null : commonName.getLast(),
                    one(settings, "vouched", "public"),
                    one(settings, "names", "none"),
                    all(settings, "deny").stream().map(line -> line.replace(':', ' ')).toList(),
                    CommonNames.valueOf(
                            one(settings, "common-names", "private").toUpperCase(Locale.ROOT)));
        }

        /// The production rules for relaying where a transcript says what is routed.
        private Policy routing(List<String> settings) {
            List<String> inward = all(settings, "inward");
            List<String> routed = all(settings, "routed");
            boolean isRelayed = one(settings, "relayed", "yes").equals("yes");
            boolean isStrict = one(settings, "strict-relay", "true").equals("true");
            return inward.isEmpty() && routed.isEmpty()
                    ? policy
                    : new RelayPolicy(
                            new DomainName("mx.example"),
                            isRelayed ? RelaySettings.defaults() : new RelaySettings(List.of()),
                            domain -> inward.contains(domain) || routed.contains(domain),
                            isStrict ? inward::contains : null,
                            _ -> null);
        }

        /// Those of all `@` lines; whoever reads one takes it out.
        private List<String> settings() {
            List<String> settings = new ArrayList<>();
            for (Transcript.Line line : transcript.lines()) {
                if (line.mark().equals("@")) {
                    settings.addAll(List.of(line.text().split(" ", -1)));
                }
            }
            return settings;
        }

        private static String one(List<String> settings, String name, String otherwise) {
            List<String> values = all(settings, name);
            return values.isEmpty() ? otherwise : values.getLast();
        }

        private static List<String> all(List<String> settings, String name) {
            List<String> values = new ArrayList<>();
            settings.removeIf(
                    setting -> {
                        boolean isThis = setting.startsWith(name + "=");
                        if (isThis) {
                            values.add(setting.substring(name.length() + 1));
                        }
                        return isThis;
                    });
            return values;
        }

        private static CodeSettings codes(List<String> settings) {
            Map<String, PolicyDeclarations> domains = new HashMap<>();
            for (String domain : all(settings, "mpc-domain")) {
                String[] sides = domain.split(":", 2);
                domains.put(sides[0], declarations(sides[1]));
            }
            Map<Mailbox, PolicyDeclarations> recipients = new HashMap<>();
            for (String recipient : all(settings, "mpc-recipient")) {
                String[] sides = recipient.split(":", 2);
                recipients.put(
                        Objects.requireNonNull(AddressParser.parseMailbox(sides[0])),
                        declarations(sides[1]));
            }
            return new CodeSettings(
                    declarations(one(settings, "mpc-site", "ALLOW=*/*")),
                    domains,
                    recipients,
                    one(settings, "mpc-absent", "allow").equals("refuse"),
                    ForeignHeaders.valueOf(
                            one(settings, "mpc-foreign-header", "refuse")
                                    .toUpperCase(Locale.ROOT)));
        }

        private static AuthSettings auth(List<String> settings, @Nullable Path users) {
            List<String> mechanisms = all(settings, "auth-mechanisms");
            AuthSettings usual = AuthSettings.defaults();
            return new AuthSettings(
                    users,
                    mechanisms.isEmpty()
                            ? usual.mechanisms()
                            : Stream.of(mechanisms.getFirst().split(",", -1))
                                    .map(word -> Objects.requireNonNull(Mechanism.of(word)))
                                    .collect(Collectors.toSet()),
                    Integer.parseInt(one(settings, "auth-failures-per-session-max", "3")),
                    Integer.parseInt(one(settings, "auth-failures-per-network-max", "20")),
                    usual.failureWindow(),
                    duration(one(settings, "auth-failure-delay", "0s")));
        }

        /// The file of the users that the transcript names, where nothing is random; null for none.
        private static @Nullable Path users(List<String> settings) throws IOException {
            List<String> lines = new ArrayList<>();
            for (String user : all(settings, "user")) {
                String[] fields = user.split(";", -1);
                String[] secret = fields[0].split(":", 2);
                fields[0] =
                        secret[0]
                                + ":"
                                + PasswordHash.of(secret[1], CHEAP, () -> 0).text()
                                + " "
                                + ScramVerifier.of(secret[1], 4096, () -> 0).text();
                lines.add(String.join(" ", fields));
            }
            return lines.isEmpty()
                    ? null
                    : Files.write(Files.createTempFile(spool, "users", ""), lines);
        }

        /// The production one, where nothing is random.
        private Authenticator authenticator(List<String> settings, AuthSettings auth) {
            Users users =
                    switch (UserFile.read(auth.users())) {
                        case UserFile.Result.Valid(var read) -> read;
                        case UserFile.Result.Invalid(var problems) ->
                                throw new IllegalArgumentException(problems.toString());
                    };
            boolean isFull = one(settings, "auth-hashing", "").equals("full");
            return new Authenticator(
                    () -> auth,
                    () -> users,
                    _ -> false,
                    new AuthEnvironment(
                            task -> {
                                if (isFull) {
                                    throw new RejectedExecutionException();
                                }
                                task.run();
                            },
                            this::later,
                            () -> loop.ticker().nanoTime(),
                            () -> 0));
        }

        private void later(Duration delay, Runnable task) {
            var _ = loop.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
        }

        private static TrustSettings trust(List<String> settings) {
            return new TrustSettings(
                    one(settings, "trust-authserv-id", "mx.example"),
                    TrustSettings.Use.valueOf(
                            one(settings, "trust-headers", "auto").toUpperCase(Locale.ROOT)),
                    all(settings, "trust-network").stream()
                            .map(text -> Objects.requireNonNull(Network.parse(text)))
                            .toList());
        }

        private static PolicyDeclarations declarations(String text) {
            return ((PolicyDeclarations.Parsed.Valid)
                            PolicyDeclarations.parse(text.replace(',', ' ')))
                    .declarations();
        }

        private SessionLimits limits(List<String> lines) throws ReflectiveOperationException {
            Map<String, String> settings = new HashMap<>();
            for (String setting : lines) {
                String[] parts = setting.split("=", 2);
                settings.put(parts[0], parts[1]);
            }
            RecordComponent[] components = SessionLimits.class.getRecordComponents();
            Object[] values = new Object[components.length];
            Class<?>[] types = new Class<?>[components.length];
            for (int i = 0; i < components.length; i++) {
                types[i] = components[i].getType();
                String name =
                        components[i]
                                .getName()
                                .replaceAll("([A-Z])", "-$1")
                                .toLowerCase(Locale.ROOT);
                String set = settings.remove(name);
                values[i] =
                        set == null
                                ? components[i].getAccessor().invoke(SessionLimits.defaults())
                                : value(types[i], set);
            }
            assertEquals(Map.of(), settings, transcript.name() + ": unknown settings");
            return SessionLimits.class.getDeclaredConstructor(types).newInstance(values);
        }

        private static Object value(Class<?> type, String text) {
            if (type == int.class) {
                return Integer.valueOf(text);
            }
            return type == long.class ? Long.valueOf(text) : duration(text);
        }

        private void send(List<byte[]> flight) {
            for (byte[] piece : segmentation.cut(flight)) {
                if (channel.isOpen()) {
                    var _ = channel.writeOneInbound(Unpooled.copiedBuffer(piece));
                    channel.flushInbound();
                    loop.runTasks();
                }
            }
            flight.clear();
        }

        private String nextReply(Transcript.Line line) {
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (replies.isEmpty()) {
                settle();
                if (replies.isEmpty()) {
                    if (System.nanoTime() > deadline || !channel.isOpen()) {
                        fail(at(line) + ": no reply; expected " + line.text());
                    }
                    LockSupport.parkNanos(50_000); // the commit runs on the queue's thread
                }
            }
            String reply = replies.removeFirst();
            Matcher queued = QUEUED.matcher(reply);
            if (queued.matches()) {
                lastQueued = queued.group(1);
            }
            return reply;
        }

        private void settle() {
            loop.runTasks();
            channel.runPendingTasks();
            while (true) {
                Object written = channel.readOutbound();
                if (written == null) {
                    return;
                }
                ByteBuf octets = (ByteBuf) written;
                partial.append(octets.toString(StandardCharsets.UTF_8));
                octets.release();
                int end;
                while ((end = partial.indexOf("\r\n")) >= 0) {
                    replies.add(partial.substring(0, end));
                    partial.delete(0, end + 2);
                }
            }
        }

        private void pass(Duration time) {
            loop.pass(time);
            settle();
        }

        private void fault(Transcript.Line line) {
            switch (line.text()) {
                case "peer closes" ->
                        channel.pipeline()
                                .fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                case "peer resets" -> channel.close().syncUninterruptibly();
                default -> fail(at(line) + ": no such fault");
            }
            settle();
        }

        private void fact(Transcript.Line line) throws IOException {
            settle();
            String[] words = line.text().split(" ", 2);
            switch (words[0]) {
                case "queued" ->
                        assertEquals(
                                Long.parseLong(words[1]),
                                queue.stats().messages() - queuedBefore,
                                at(line));
                case "closed" -> {
                    pass(InboundHandler.LINGER);
                    assertTrue(!channel.isOpen(), at(line) + ": the connection is open");
                }
                case "open" -> assertTrue(channel.isOpen(), at(line) + ": closed");
                case "body" -> {
                    String expected =
                            new String(Transcript.unescape(words[1]), StandardCharsets.ISO_8859_1);
                    String stored = stored();
                    assertTrue(stored.endsWith(expected), at(line) + ": stored is\n" + stored);
                }
                case "stored" -> {
                    String stored = stored();
                    assertTrue(
                            Pattern.compile(words[1], Pattern.DOTALL).matcher(stored).matches(),
                            at(line) + ": stored is\n" + stored);
                }
                case "header" -> {
                    String header = stored().replaceAll("\r\n[ \t]+", " ");
                    assertTrue(
                            Stream.of(header.split("\r\n"))
                                    .anyMatch(field -> Pattern.matches(words[1], field)),
                            at(line) + ": stored is\n" + header);
                }
                case "silent" -> assertEquals(List.of(), List.copyOf(replies), at(line));
                case "seen" -> assertEquals(words[1], String.join("; ", seen()), at(line));
                case "mpc", "user" ->
                        assertEquals(
                                words[1],
                                Objects.requireNonNull(
                                                queue.find(
                                                        MessageId.parse(
                                                                String.valueOf(lastQueued))))
                                        .attributes()
                                        .getOrDefault(words[0], "none"),
                                at(line));
                case "metered" ->
                        assertTrue(
                                meters.scrape().lines().anyMatch(words[1]::equals),
                                at(line) + ": meters are\n" + meters.scrape());
                case "to" ->
                        assertEquals(
                                words[1],
                                Objects.requireNonNull(
                                                queue.find(
                                                        MessageId.parse(
                                                                String.valueOf(lastQueued))))
                                        .recipients()
                                        .getFirst()
                                        .recipient()
                                        .address(),
                                at(line));
                default -> fail(at(line) + ": no such fact");
            }
        }

        /// Who was seen: by peer and verdict, counts of each code in the order of their outcomes.
        private List<String> seen() {
            return observations.rows().stream()
                    .map(
                            row ->
                                    row.subject().peer()
                                            + " "
                                            + row.subject().verdict()
                                            + new TreeMap<>(row.codes())
                                                    .entrySet().stream()
                                                            .map(Play::seen)
                                                            .collect(Collectors.joining()))
                    .toList();
        }

        private static String seen(Map.Entry<String, Observations.Tally> code) {
            Observations.Tally tally = code.getValue();
            return ", %s %d %d %d"
                    .formatted(code.getKey(), tally.accepted(), tally.watched(), tally.refused());
        }

        private String stored() throws IOException {
            try (MessageBody body = queue.body(MessageId.parse(String.valueOf(lastQueued)))) {
                ByteBuffer octets = ByteBuffer.allocate((int) body.size());
                while (octets.hasRemaining() && body.read(octets) >= 0) {}
                return new String(octets.array(), StandardCharsets.ISO_8859_1);
            }
        }

        private String at(Transcript.Line line) {
            return transcript.name() + ":" + line.number() + " " + segmentation;
        }

        private static Duration duration(String text) {
            return Duration.parse("PT" + text);
        }

        private static byte[] octets(String text) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
    }
}
