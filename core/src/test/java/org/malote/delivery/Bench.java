package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.fail;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.RecordType;
import org.malote.offload.HostTls;
import org.malote.queue.CommitResult;
import org.malote.queue.Durability;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MemorySpool;
import org.malote.queue.MessageId;
import org.malote.queue.MessageWriter;
import org.malote.queue.QueueEntry;
import org.malote.queue.Recipient;
import org.malote.queue.RetrySchedule;
import org.malote.queue.Selection;
import org.malote.telemetry.DeliveryLog;
import org.malote.telemetry.Meters;

/// A delivery engine with a queue in memory, a small DNS, and a clock that only a test moves.
final class Bench implements AutoCloseable {
    static final String TEXT = "Subject: hello\r\n\r\n.a dot\r\nand more\r\n";

    private static final long PATIENCE_NANOS = Duration.ofSeconds(20).toNanos();

    final MemorySpool spool = new MemorySpool();
    final MailQueue queue = spool.open();

    final Meters meters = new Meters();

    /// What the reports were asked to tell, in order.
    final BlockingQueue<AttemptResult> reported = new LinkedBlockingQueue<>();

    /// Whether the reports can be queued.
    volatile boolean takesReports = true;

    private final EventLoopGroup eventLoops =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final ScheduledExecutorService agent =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("agent").factory());
    private final ExecutorService io =
            Executors.newFixedThreadPool(2, Thread.ofPlatform().daemon().name("io").factory());
    private final Map<String, List<DnsRecord>> zone = new HashMap<>();
    private @Nullable DeliveryEngine engine;
    private @Nullable RouteTable routes;

    /// For the engine that is started next.
    SiteTable sites = SiteTable.usual(20);

    /// Starts the engine.
    DeliveryEngine start(RouteTable routes, DeliverySettings settings, @Nullable HostTls tls) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(5);
        MxRules rules =
                new MxRules(
                        name -> name.equals("out.example"),
                        address -> address.getHostAddress().equals("192.0.2.77"),
                        settings.allowPrivateTargets() ? _ -> false : PrivateAddresses::contains,
                        AddressFamilies.IPV4_ONLY);
        DeliveryEnvironment environment =
                new DeliveryEnvironment(
                        eventLoops,
                        NioSocketChannel.class,
                        agent,
                        io,
                        io,
                        () -> Instant.ofEpochMilli(spool.nowMillis()),
                        () -> spool.nowMillis() * 1_000_000L,
                        random,
                        new DeliveryLog(),
                        meters);
        MaildirTransport maildir =
                new MaildirTransport(
                        io,
                        Path.of("."),
                        "out.example",
                        environment.clock(),
                        random,
                        Durability.RELAXED);
        DeliveryEngine started =
                new DeliveryEngine(
                        queue,
                        RetrySchedule.standard(),
                        routes,
                        sites,
                        new MxResolver(dns(), rules, random),
                        new SrvResolver(
                                dns(),
                                rules,
                                one -> rules.isOurAddress().test(one.getAddress()),
                                random),
                        rules,
                        maildir,
                        (_, result, recorded) -> {
                            reported.add(result);
                            recorded.accept(takesReports);
                        },
                        tls,
                        settings,
                        environment);
        engine = started;
        this.routes = routes;
        started.start();
        return started;
    }

    /// Other routes, from now on.
    void reroute(RouteTable table) throws IOException {
        routes = table;
        Objects.requireNonNull(engine).reload(table);
    }

    /// One route for everything.
    static RouteTable allVia(Via via) {
        return new RouteTable(List.of(new Route(new DomainPattern("*"), via)));
    }

    static DeliverySettings settings(int mxPort) {
        return settings(mxPort, true);
    }

    static DeliverySettings settings(int mxPort, boolean allowPrivateTargets) {
        return settings(mxPort, allowPrivateTargets, AmtpSending.STANDARD);
    }

    static DeliverySettings settings(int mxPort, boolean allowPrivateTargets, AmtpSending amtp) {
        return new DeliverySettings(
                "out.example",
                mxPort,
                50,
                5,
                100,
                100,
                5,
                1 << 20,
                Duration.ofMinutes(1),
                Duration.ofMinutes(1),
                Duration.ofMinutes(10),
                allowPrivateTargets,
                DeliveryTimeouts.defaults(),
                amtp);
    }

    /// Names that nobody answers for.
    final Set<String> silent = ConcurrentHashMap.newKeySet();

    /// The zone says that a name has an address, an MX (`MX 10 mx.b.example`, `MX 0 .`), or an SRV
    /// with priority and port (`SRV 10 24 mx.b.example`).
    void zone(String name, String... records) {
        for (String record : records) {
            String[] words = record.split(" ", -1);
            zone.computeIfAbsent(name, _ -> new ArrayList<>())
                    .add(
                            switch (words[0]) {
                                case "MX" -> new DnsRecord.Mx(Integer.parseInt(words[1]), words[2]);
                                case "SRV" ->
                                        new DnsRecord.Service(
                                                Integer.parseInt(words[1]),
                                                0,
                                                Integer.parseInt(words[2]),
                                                words[3]);
                                default -> new DnsRecord.Address(address(record));
                            });
        }
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    private Dns dns() {
        return (name, type, answered) -> {
            if (silent.contains(name)) {
                answered.accept(new DnsAnswer.TryLater("SERVFAIL"));
                return;
            }
            List<DnsRecord> all = zone.get(name);
            if (all == null) {
                answered.accept(new DnsAnswer.NoSuchName());
                return;
            }
            List<DnsRecord> asked =
                    all.stream()
                            .filter(
                                    r ->
                                            type
                                                    == switch (r) {
                                                        case DnsRecord.Mx _ -> RecordType.MX;
                                                        case DnsRecord.Service _ -> RecordType.SRV;
                                                        default -> RecordType.A;
                                                    })
                            .toList();
            answered.accept(
                    asked.isEmpty()
                            ? new DnsAnswer.NoData()
                            : new DnsAnswer.Records(asked, 60, false));
        };
    }

    /// Queues a message.
    MessageId send(String... addresses) {
        return sendText("a@x.example", TEXT, addresses);
    }

    MessageId sendText(String sender, String text, String... addresses) {
        return send(sender, Map.of(), text, addresses);
    }

    /// @param attributes of the envelope
    MessageId send(
            String sender, Map<String, String> attributes, String text, String... addresses) {
        MessageWriter writer = queue.begin();
        writer.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        CompletableFuture<CommitResult> result = new CompletableFuture<>();
        writer.seal(
                new Envelope(
                        sender,
                        attributes,
                        Arrays.stream(addresses)
                                .map(
                                        a ->
                                                new Recipient(
                                                        a,
                                                        a.substring(a.indexOf('@') + 1),
                                                        Map.of()))
                                .toList()),
                result::complete);
        if (result.join() instanceof CommitResult.Committed committed) {
            return committed.receipt().messageId();
        }
        throw new AssertionError("the queue did not take the message");
    }

    /// Time passes.
    /// The engine's alarms ring by the real clock, so it is woken; and while it is at work no time
    /// passes, since a slow machine would let messages grow old.
    void letPass(Duration duration) {
        DeliveryEngine running = Objects.requireNonNull(engine);
        if (running.attemptsInFlight() > 0) {
            return;
        }
        spool.advance(duration);
        try {
            running.reload(Objects.requireNonNull(routes));
        } catch (IOException e) {
            throw new AssertionError("a spool in memory takes it", e);
        }
    }

    /// Time passes, and what waits for its retry time is due.
    void advance(Duration duration) {
        spool.advance(duration);
        try {
            queue.retry(Selection.all());
        } catch (IOException e) {
            throw new AssertionError("a spool in memory takes it", e);
        }
    }

    /// Waits until the message has left the queue.
    void awaitGone(MessageId id) {
        await("message " + id + " to leave the queue", () -> queue.find(id) == null);
    }

    /// The next result that was reported.
    AttemptResult nextResult() throws InterruptedException {
        AttemptResult result = reported.poll(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        if (result == null) {
            throw new AssertionError("nothing was reported");
        }
        return result;
    }

    /// The next reported failure of the first recipient.
    Failure nextFailure() throws InterruptedException {
        if (nextResult().entries().getFirst().outcome()
                instanceof RecipientOutcome.Failed(Failure failure)) {
            return failure;
        }
        throw new AssertionError("it was delivered");
    }

    /// Waits until the message has been attempted so often and rests.
    QueueEntry.QueuedRecipient awaitResting(MessageId id, int attempts) {
        await(
                "attempt " + attempts + " of " + id,
                () -> {
                    QueueEntry entry = queue.find(id);
                    return entry != null
                            && entry.recipients().getFirst().attempts() == attempts
                            && entry.recipients().getFirst().lastReply() != null;
                });
        QueueEntry entry = queue.find(id);
        if (entry == null) {
            throw new AssertionError("the message is gone");
        }
        return entry.recipients().getFirst();
    }

    static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                fail("waited in vain for " + what);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Override
    public void close() {
        if (engine != null) {
            engine.close();
        }
        agent.shutdown();
        try {
            if (!agent.awaitTermination(5, TimeUnit.SECONDS)) {
                fail("the agent does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        var _ = eventLoops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        io.shutdown();
        queue.close();
        spool.close();
    }
}
