package org.malote.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.malote.offload.FailedHandshake;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsSummary;
import org.malote.queue.QueueStats;

/// Every meter of the server, all named `malote_…` but those of the JVM and the process. The tags
/// are configured names, fixed words and reply codes.
public final class Meters {
    /// Which side began a connection.
    public enum Direction {
        INBOUND("inbound"),
        OUTBOUND("outbound");

        private final String word;

        Direction(String word) {
            this.word = word;
        }
    }

    /// The value of a tag where there is nothing.
    private static final String NONE = "none";

    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<String, Counter> counters = new ConcurrentHashMap<>();
    private final Map<String, Timer> timers = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> signaturesUnderWay = new ConcurrentHashMap<>();

    /// The registry holds what a counter asks only weakly.
    private final Queue<Supplier<Number>> watched = new ConcurrentLinkedQueue<>();

    private final DistributionSummary acceptedBytes =
            DistributionSummary.builder("malote.message.bytes")
                    .description("Size of accepted messages")
                    .register(registry);
    private final Timer acceptDelay = timer("malote.accept", "End of data to receipt", "", "");

    /// Watches the JVM and the process too.
    public static Meters withProcess() {
        Meters meters = new Meters();
        new JvmMemoryMetrics().bindTo(meters.registry);
        new JvmThreadMetrics().bindTo(meters.registry);
        new ProcessorMetrics().bindTo(meters.registry);
        new FileDescriptorMetrics().bindTo(meters.registry);
        new UptimeMetrics().bindTo(meters.registry);
        return meters;
    }

    /// @param listener the listener's configured name
    public void sessionOpened(String listener) {
        count("malote.sessions.opened", "Inbound sessions greeted", "listener", listener);
    }

    /// @param durationNanos from the greeting to the end
    public void sessionClosed(String listener, long durationNanos) {
        timer("malote.session", "Inbound sessions from greeting to end", "listener", listener)
                .record(durationNanos, TimeUnit.NANOSECONDS);
    }

    /// A connection was turned away before its greeting.
    ///
    /// @param cause a fixed word such as `sessions`, `network`, `proxy`
    public void sessionRefused(String cause) {
        count("malote.sessions.refused", "Connections turned away", "cause", cause);
    }

    /// @param code of the reply, 200 to 599
    public void replied(int code) {
        count("malote.replies", "Replies to peers", "code", Integer.toString(code));
    }

    /// Somebody tried to say who its user is.
    ///
    /// @param mechanism one of few
    /// @param outcome `proven`, `refused`, `busy` or `blocked`
    public void authenticated(String mechanism, String outcome) {
        counters.computeIfAbsent(
                        String.join("/", "malote.auth", mechanism, outcome),
                        _ ->
                                Counter.builder("malote.auth")
                                        .description("Authentications of users")
                                        .tag("mechanism", mechanism)
                                        .tag("outcome", outcome)
                                        .register(registry))
                .increment();
    }

    /// A message is on stable storage.
    ///
    /// @param bytes as stored
    /// @param delayNanos from the end of data to the receipt
    public void accepted(String listener, long bytes, long delayNanos) {
        count("malote.messages.accepted", "Messages taken", "listener", listener);
        acceptedBytes.record((double) bytes);
        acceptDelay.record(delayNanos, TimeUnit.NANOSECONDS);
    }

    /// A message with a Mail Policy Code is on stable storage.
    ///
    /// @param code one of the 37
    public void codeAccepted(String code) {
        count("malote.mpc.messages", "Messages taken with a Mail Policy Code", "code", code);
    }

    /// Something was taken that a mail policy would have refused, were it enforced.
    ///
    /// @param stage `MAIL`, `RCPT` or `message`
    public void codeWatched(String stage) {
        count(
                "malote.mpc.watched",
                "What a mail policy would have refused, were it enforced",
                "stage",
                stage);
    }

    /// It was found out who a peer is.
    ///
    /// @param listener the listener's configured name
    /// @param network `public`, `private` or `none`
    /// @param verdict `verified`, or one of few words for what is missing
    public void identified(String listener, String network, String verdict) {
        counters.computeIfAbsent(
                        String.join("/", "malote.amtp.identities", listener, network, verdict),
                        _ ->
                                Counter.builder("malote.amtp.identities")
                                        .description("Peers by what was found of who they are")
                                        .tag("listener", listener)
                                        .tag("network", network)
                                        .tag("verdict", verdict)
                                        .register(registry))
                .increment();
    }

    /// A handshake succeeded.
    ///
    /// @param provider of the key that signed; null where none did, or it is not ours
    public void handshake(
            Direction direction, TlsSummary tls, @Nullable String provider, long durationNanos) {
        String group = Objects.requireNonNullElse(tls.group(), NONE);
        String key = Objects.requireNonNullElse(tls.keyType(), NONE);
        String signer = Objects.requireNonNullElse(provider, NONE);
        String resumed = Boolean.toString(tls.resumed());
        String kind = String.join("/", direction.word, tls.version(), group, key, signer, resumed);
        timers.computeIfAbsent(
                        "malote.handshake/" + kind,
                        _ ->
                                Timer.builder("malote.handshake")
                                        .description("TLS handshakes")
                                        .tag("direction", direction.word)
                                        .tag("version", tls.version())
                                        .tag("group", group)
                                        .tag("key", key)
                                        .tag("provider", signer)
                                        .tag("resumed", resumed)
                                        .register(registry))
                .record(durationNanos, TimeUnit.NANOSECONDS);
    }

    /// The same handshake with a host, by why it was made and from where.
    ///
    /// @param policy `opportunistic`, `required` or `verified`
    /// @param source the configured name of our address; null for what the system chose
    public void outboundHandshake(String policy, @Nullable String source, boolean isResumed) {
        String from = Objects.requireNonNullElse(source, NONE);
        String resumed = Boolean.toString(isResumed);
        counters.computeIfAbsent(
                        String.join("/", "malote.outbound.handshakes", policy, from, resumed),
                        _ ->
                                Counter.builder("malote.outbound.handshakes")
                                        .description("TLS handshakes with hosts by policy")
                                        .tag("policy", policy)
                                        .tag("source", from)
                                        .tag("resumed", resumed)
                                        .register(registry))
                .increment();
    }

    /// The same handshake of a client, by the network that it is of.
    ///
    /// @param network one of few names
    public void handshakeOf(String network, TlsSummary tls) {
        String resumed = Boolean.toString(tls.resumed());
        String postQuantum = Boolean.toString(tls.isPostQuantum());
        counters.computeIfAbsent(
                        String.join(
                                "/", "malote.network.handshakes", network, resumed, postQuantum),
                        _ ->
                                Counter.builder("malote.network.handshakes")
                                        .description("TLS handshakes by sender network")
                                        .tag("network", network)
                                        .tag("resumed", resumed)
                                        .tag("postquantum", postQuantum)
                                        .register(registry))
                .increment();
    }

    /// A client ended its connection right after a session ticket.
    ///
    /// @param network one of few names
    public void endedAfterTicket(String network) {
        count(
                "malote.network.ended.after.ticket",
                "Connections that ended right after a session ticket",
                "network",
                network);
    }

    /// A handshake with a host failed.
    ///
    /// @param cause one of few words
    public void handshakeFailed(String cause) {
        handshakeFailed(Direction.OUTBOUND, new FailedHandshake(cause, null, null, null));
    }

    /// A handshake failed. What is not known of it is `none`.
    public void handshakeFailed(Direction direction, FailedHandshake failed) {
        String cause = failed.cause();
        String version = Objects.requireNonNullElse(failed.version(), NONE);
        String key = Objects.requireNonNullElse(failed.keyType(), NONE);
        String signer = Objects.requireNonNullElse(failed.provider(), NONE);
        counters.computeIfAbsent(
                        String.join(
                                "/",
                                "malote.handshakes.failed",
                                direction.word,
                                cause,
                                version,
                                key,
                                signer),
                        _ ->
                                Counter.builder("malote.handshakes.failed")
                                        .description("TLS handshakes that failed")
                                        .tag("direction", direction.word)
                                        .tag("cause", cause)
                                        .tag("version", version)
                                        .tag("key", key)
                                        .tag("provider", signer)
                                        .register(registry))
                .increment();
    }

    /// Shows the signatures of keys outside of the TLS engine.
    public SignatureWatch signatures() {
        return new SignatureWatch() {
            @Override
            public void asked(String provider) {
                underWay(provider).incrementAndGet();
            }

            @Override
            public void answered(String provider, String keyType, long nanos, boolean isSigned) {
                underWay(provider).decrementAndGet();
                timers.computeIfAbsent(
                                String.join("/", "malote.signature", provider, keyType) + isSigned,
                                _ ->
                                        Timer.builder("malote.signature")
                                                .description("Signatures of offloaded keys")
                                                .tag("provider", provider)
                                                .tag("key", keyType)
                                                .tag("signed", Boolean.toString(isSigned))
                                                .register(registry))
                        .record(nanos, TimeUnit.NANOSECONDS);
            }
        };
    }

    private AtomicInteger underWay(String provider) {
        return signaturesUnderWay.computeIfAbsent(
                provider,
                _ -> {
                    AtomicInteger count = new AtomicInteger();
                    Gauge.builder("malote.signatures.active", count, AtomicInteger::get)
                            .description("Signatures of offloaded keys that are waited for")
                            .tag("provider", provider)
                            .register(registry);
                    return count;
                });
    }

    /// An attempt ended for one recipient.
    ///
    /// @param transport `maildir`, `lmtp`, `smtp`, `mx`, `hold` or `discard`
    /// @param delayMillis since the message was accepted
    public void attempted(String transport, DeliveryLog.Status status, long delayMillis) {
        timers.computeIfAbsent(
                        "malote.delivery/" + transport + "/" + status.word(),
                        _ ->
                                Timer.builder("malote.delivery")
                                        .description("Recipients attempted, by age of the message")
                                        .tag("transport", transport)
                                        .tag("status", status.word())
                                        .register(registry))
                .record(delayMillis, TimeUnit.MILLISECONDS);
    }

    /// A transaction got a connection to a host.
    ///
    /// @param origin `new` or `reused`
    public void outboundConnection(String origin) {
        count("malote.outbound.connections", "Connections to hosts", "origin", origin);
    }

    /// A host could not be reached or did not speak SMTP.
    public void outboundConnectionFailed() {
        count("malote.outbound.connections", "Connections to hosts", "origin", "failed");
    }

    /// A delivery status notification was queued.
    ///
    /// @param kind `failure`, `delay` or `success`
    public void reported(String kind) {
        count("malote.reports", "Delivery status notifications queued", "kind", kind);
    }

    /// Shows a value that its owner can be asked for at any time, on any thread.
    ///
    /// @param name dotted, as `malote.sessions.active`
    public void watch(String name, String description, Supplier<Number> value) {
        Gauge.builder(name, value).description(description).register(registry);
    }

    /// Shows a count that only grows; `_total` is added to its name.
    public void watchCount(String name, String description, Supplier<Number> value) {
        watched.add(value);
        FunctionCounter.builder(name, value, supplier -> supplier.get().doubleValue())
                .description(description)
                .register(registry);
    }

    /// Shows the queue.
    public void watchQueue(Supplier<QueueStats> stats) {
        queueGauge(stats, "messages", "Messages in the queue", QueueStats::messages);
        queueGauge(stats, "bytes", "Bytes of the messages in the queue", QueueStats::bytes);
        queueGauge(stats, "waiting", "Recipients that wait", QueueStats::waiting);
        queueGauge(stats, "active", "Recipients being attempted", QueueStats::active);
        queueGauge(stats, "held", "Recipients held", QueueStats::held);
        queueGauge(stats, "lanes", "Destinations with mail in the queue", QueueStats::lanes);
        queueGauge(stats, "intake.bytes", "Unfinished messages in memory", QueueStats::intakeBytes);
        queueGauge(stats, "free.bytes", "Free space of the spool", QueueStats::freeBytes);
        queueGauge(stats, "journal.files", "Journal files in use", QueueStats::journalFiles);
        queueGauge(
                stats,
                "commit.depth",
                "Records that wait for the disk",
                QueueStats::commitQueueDepth);
        queueGauge(
                stats,
                "commit.age.seconds",
                "Age of the oldest record that waits for the disk",
                s -> s.oldestCommitAgeNanos() / 1e9);
        queueGauge(
                stats,
                "admitting",
                "1 when the queue takes mail",
                s -> s.refusal() == null ? 1 : 0);
        queueCount(stats, "accepted", "Messages accepted", QueueStats::accepted);
        queueCount(stats, "finished", "Messages that left the queue", QueueStats::finished);
        queueCount(stats, "commits", "Groups committed", QueueStats::commits);
        queueCount(stats, "records", "Records appended", QueueStats::records);
        queueCount(stats, "journal.bytes", "Bytes appended", QueueStats::journalBytes);
        queueCount(stats, "forces", "Forces of the journal", QueueStats::forces);
        queueCount(stats, "recovered", "Messages found at the start", QueueStats::recovered);
        queueCount(stats, "quarantined", "Unreadable pieces set aside", QueueStats::quarantined);
    }

    /// Everything in the Prometheus text format.
    public String scrape() {
        return registry.scrape();
    }

    private void queueGauge(
            Supplier<QueueStats> stats,
            String name,
            String description,
            ToDoubleFunction<QueueStats> value) {
        watch("malote.queue." + name, description, () -> value.applyAsDouble(stats.get()));
    }

    private void queueCount(
            Supplier<QueueStats> stats,
            String name,
            String description,
            ToDoubleFunction<QueueStats> value) {
        watchCount("malote.queue." + name, description, () -> value.applyAsDouble(stats.get()));
    }

    private void count(String name, String description, String tag, String value) {
        counters.computeIfAbsent(
                        name + "/" + value,
                        _ ->
                                Counter.builder(name)
                                        .description(description)
                                        .tag(tag, value)
                                        .register(registry))
                .increment();
    }

    private Timer timer(String name, String description, String tag, String value) {
        return timers.computeIfAbsent(
                name + "/" + value,
                _ -> {
                    Timer.Builder builder = Timer.builder(name).description(description);
                    return (tag.isEmpty() ? builder : builder.tag(tag, value)).register(registry);
                });
    }
}
