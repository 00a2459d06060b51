package org.malote.delivery;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.HopNetwork;
import org.malote.amtp.MailPolicyCode;
import org.malote.offload.HostTls;
import org.malote.queue.Claim;
import org.malote.queue.ClaimedRecipient;
import org.malote.queue.MailQueue;
import org.malote.queue.RetrySchedule;
import org.malote.queue.Settlement;
import org.malote.queue.schedule.Feedback;
import org.malote.queue.schedule.SiteLimits;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Printable;
import org.malote.smtp.Reply;
import org.malote.telemetry.DeliveryLog.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes due mail from the queue, has it delivered as its route says, and settles what became of
/// it. Everything happens on the agent thread, which waits for no name and no host: they answer by
/// tasks. It reads envelopes from the journal. The public methods are for any thread.
public final class DeliveryEngine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DeliveryEngine.class);

    /// The shortest time between two looks at a queue that has promised something and not held it.
    private static final long LOOK_DELAY_MIN_MILLIS = 20;

    /// The longest time between two looks. Ours: a clock that was set back must not stop the mail.
    private static final long LOOK_DELAY_MAX_MILLIS = 60_000;

    /// Ours: the agent never waits, so it has time at once; unless it has been shut down.
    private static final long CLOSE_WAIT_SECONDS = 5;

    private final MailQueue queue;
    private final RetrySchedule retry;
    private final DeliverySettings settings;
    private final DeliveryEnvironment environment;
    private final Targets targets;
    private final MaildirTransport maildir;
    private final Reports reports;
    private final ConnectionPool pool;
    private final AtomicBoolean isWoken = new AtomicBoolean();
    private final CountDownLatch idle = new CountDownLatch(1);
    private volatile RouteTable routes;
    private volatile SiteTable sites;
    private volatile AmtpSending amtp;
    private volatile int inFlight;

    // Owned by the agent.
    private final Set<Work> works = new LinkedHashSet<>();
    private boolean isDraining;
    private @Nullable Future<?> alarm;
    private long alarmAtMillis;

    /// @param tls has a way for each of the sites' terms; null: nothing is encrypted
    /// @param rules those that `mx` was made with; they hold for address literals too
    public DeliveryEngine(
            MailQueue queue,
            RetrySchedule retry,
            RouteTable routes,
            SiteTable sites,
            MxResolver mx,
            SrvResolver srv,
            MxRules rules,
            MaildirTransport maildir,
            Reports reports,
            @Nullable HostTls tls,
            DeliverySettings settings,
            DeliveryEnvironment environment) {
        this.queue = queue;
        this.retry = retry;
        this.routes = routes;
        this.sites = sites;
        this.maildir = maildir;
        this.reports = reports;
        this.settings = settings;
        this.environment = environment;
        this.targets = new Targets(mx, srv, rules, settings.mxPort(), environment.names());
        this.amtp = settings.amtp();
        this.pool = new ConnectionPool(settings, environment, tls, () -> amtp.quitsOnDeny());
    }

    /// Begins to deliver.
    public void start() {
        queue.onDue(this::wake);
        environment.meters().watch("malote.attempts.active", "Attempts under way", () -> inFlight);
        wake();
        reconsiderLater(); // the routes may have changed while nothing ran
    }

    /// Uses other rules for sites from the next attempt on. TLS must have the ways for them
    /// already.
    public void limitSites(SiteTable other) {
        sites = other;
    }

    /// Sends over AMTP by other rules from the next attempt on. TLS must have the ways already, and
    /// sites the terms.
    public void useAmtp(AmtpSending other) {
        amtp = other;
    }

    /// Uses other routes from the next attempt on. What is held and has another route now becomes
    /// due.
    ///
    /// @throws IOException when the queue cannot record that
    public void reload(RouteTable other) throws IOException {
        routes = other;
        reconsiderHeld();
        wake();
    }

    private void reconsiderHeld() throws IOException {
        RouteTable table = routes;
        int changed =
                queue.reconsiderHeld(
                        destination -> {
                            Route route = table.find(destination);
                            return route == null || !(route.via() instanceof Via.Hold);
                        });
        if (changed > 0) {
            LOG.info("{} held messages have another route now", changed);
        }
    }

    private void reconsiderLater() {
        try {
            environment
                    .io()
                    .execute(
                            () -> {
                                try {
                                    reconsiderHeld();
                                } catch (IOException e) {
                                    LOG.error("held mail stays held: {}", e.getMessage());
                                }
                            });
        } catch (RejectedExecutionException e) {
            // The server has stopped: the next start looks again.
        }
    }

    /// Attempts under way.
    public int attemptsInFlight() {
        return inFlight;
    }

    /// Begins no attempt any more and waits for those under way. What is not done in time goes
    /// back to the queue as if it had not been tried.
    ///
    /// @return whether all were done in time
    public boolean drain(Duration timeout) {
        onAgent(
                () -> {
                    isDraining = true;
                    pool.drain();
                    signalWhenIdle();
                });
        boolean isIdle = false;
        try {
            isIdle = idle.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!isIdle) {
            onAgent(this::abandon);
        }
        return isIdle;
    }

    /// Drops everything that is under way, and leaves nothing on the agent's schedule. Waits for
    /// the agent to do so; not for the agent itself to call.
    @Override
    public void close() {
        CountDownLatch closed = new CountDownLatch(1);
        onAgent(
                () -> {
                    isDraining = true;
                    abandon();
                    if (alarm != null) {
                        alarm.cancel(false);
                    }
                    closed.countDown();
                });
        try {
            if (!closed.await(CLOSE_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("delivery did not end within {} seconds", CLOSE_WAIT_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void abandon() {
        pool.close();
        long now = environment.clock().millis();
        for (Work work : List.copyOf(works)) {
            work.isEnded = true;
            work.claim.release(now);
        }
        works.clear();
        inFlight = 0;
        signalWhenIdle();
    }

    private void signalWhenIdle() {
        if (isDraining && works.isEmpty()) {
            idle.countDown();
        }
    }

    private void wake() {
        if (isWoken.compareAndSet(false, true)) {
            onAgent(this::look);
        }
    }

    /// Takes what is due, as far as there is room.
    private void look() {
        isWoken.set(false);
        long now = environment.clock().millis();
        while (!isDraining && works.size() < settings.attemptsInFlightMax()) {
            Claim claim = queue.claim(now);
            if (claim == null) {
                lookAgain(now);
                return;
            }
            begin(claim);
        }
    }

    private void lookAgain(long now) {
        if (isDraining) {
            return;
        }
        long dueAt = queue.nextDueMillis();
        if (dueAt == Long.MAX_VALUE) {
            return;
        }
        long delay = Math.clamp(dueAt - now, LOOK_DELAY_MIN_MILLIS, LOOK_DELAY_MAX_MILLIS);
        if (alarm != null && !alarm.isDone() && alarmAtMillis <= now + delay) {
            return;
        }
        if (alarm != null) {
            alarm.cancel(false);
        }
        alarmAtMillis = now + delay;
        try {
            alarm = environment.agent().schedule(this::wake, delay, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            alarm = null; // the server has stopped
        }
    }

    /// One claim in work.
    private static final class Work {
        final Claim claim;
        final RouteTable table;
        final Map<Integer, RecipientOutcome> outcomes = new HashMap<>();
        final Map<Integer, Via> vias = new HashMap<>();

        /// What secured the connection of each outcome, for the log.
        final Map<Integer, String> security = new HashMap<>();

        int partsLeft;
        boolean isDecided;
        boolean isEnded;

        Work(Claim claim, RouteTable table) {
            this.claim = claim;
            this.table = table;
        }
    }

    private void begin(Claim claim) {
        Work work = new Work(claim, routes);
        works.add(work);
        inFlight = works.size();
        guarded(
                work,
                () -> {
                    Failure known = knownFailure(claim);
                    if (known != null) {
                        work.partsLeft = 1;
                        fail(work, claim.recipients(), known);
                        return;
                    }
                    Map<Via, List<ClaimedRecipient>> parts = new LinkedHashMap<>();
                    for (ClaimedRecipient recipient : claim.recipients()) {
                        Via via = via(work.table, claim.destination(), recipient.wasReleased());
                        work.vias.put(recipient.index(), via);
                        parts.computeIfAbsent(via, _ -> new ArrayList<>()).add(recipient);
                    }
                    work.partsLeft = parts.size();
                    parts.forEach((via, recipients) -> deliver(work, via, recipients));
                });
    }

    /// What becomes of a claim without an attempt: condemned recipients come alone.
    private static @Nullable Failure knownFailure(Claim claim) {
        if (claim.recipients().getFirst().isCondemned()) {
            return Failure.local(
                    FailureScope.RECIPIENT, true, "5.0.0", "returned by the postmaster");
        }
        String trouble = claim.siteTrouble();
        return trouble == null
                ? null
                : Failure.local(FailureScope.HOST, false, "4.4.1", "not tried now: " + trouble);
    }

    /// The agent's edge: a fault of ours, or memory that is short, must stop neither the other mail
    /// nor this one. It goes back to the queue for a while.
    private void guarded(Work work, Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | OutOfMemoryError e) {
            LOG.error("The delivery of {} failed by a fault of ours", work.claim.messageId(), e);
            if (!work.isEnded) {
                end(work);
                work.claim.release(environment.clock().millis() + retry.first().toMillis());
                signalWhenIdle();
                wake();
            }
        }
    }

    private void onAgent(Work work, Runnable task) {
        onAgent(() -> guarded(work, task));
    }

    private void end(Work work) {
        work.isEnded = true;
        works.remove(work);
        inFlight = works.size();
    }

    private static Via via(RouteTable table, String destination, boolean wasReleased) {
        Route route = wasReleased ? table.findPastHolds(destination) : table.find(destination);
        return route == null ? new Via.Mx() : route.via();
    }

    /// draft-weinman-amtp-03 §5.1: what came over a public connection does not leave over another.
    /// Where the operator is not strict it may leave over SMTP, and still not over AMTP. The
    /// session refused such a recipient; this is for routes that have changed since.
    private boolean isForbiddenRelay(Claim claim, Via via) {
        return !via.isPrivate()
                && (amtp.isStrictRelay() || via instanceof Via.Amtp)
                && HopNetwork.cameOverPublic(claim.attributes());
    }

    private void deliver(Work work, Via via, List<ClaimedRecipient> recipients) {
        Claim claim = work.claim;
        if (isForbiddenRelay(claim, via)) {
            fail(work, recipients, Trouble.publicRelay());
            return;
        }
        switch (via) {
            case Via.AmtpHost(String host, int port) ->
                    targets.findFixed(
                            host,
                            port,
                            Protocol.AMTP,
                            found -> onAgent(work, () -> onFound(work, recipients, found)));
            case Via.Amtp _ ->
                    targets.findAmtp(
                            claim.destination(),
                            found -> onAgent(work, () -> onFound(work, recipients, found)));
            case Via.Hybrid _ ->
                    targets.findHybrid(
                            claim.destination(),
                            found -> onAgent(work, () -> onFound(work, recipients, found)));
            case Via.Maildir local ->
                    maildir.deliver(
                            claim,
                            recipients,
                            local,
                            result -> onAgent(work, () -> onResult(work, result)));
            case Via.Lmtp(String host, int port) ->
                    targets.findFixed(
                            host,
                            port,
                            Protocol.LMTP,
                            found -> onAgent(work, () -> onFound(work, recipients, found)));
            case Via.Smtp(String host, int port) ->
                    targets.findFixed(
                            host,
                            port,
                            Protocol.SMTP,
                            found -> onAgent(work, () -> onFound(work, recipients, found)));
            case Via.Mx _ ->
                    targets.findMx(
                            claim.destination(),
                            found -> onAgent(work, () -> onFound(work, recipients, found)));
            case Via.Hold _ -> onResult(work, new AttemptResult(List.of()));
            case Via.Discard _ ->
                    onResult(
                            work,
                            each(
                                    recipients,
                                    new RecipientOutcome.Delivered(
                                            "discard", Reply.of(250, "2.0.0", "discarded"), true)));
        }
    }

    private void onFound(Work work, List<ClaimedRecipient> recipients, Targets.Found found) {
        if (work.isEnded) {
            return;
        }
        switch (found) {
            case Targets.Nowhere(Failure failure) -> fail(work, recipients, failure);
            case Targets.Hops hops -> attempt(work, recipients, hops);
        }
    }

    private void attempt(Work work, List<ClaimedRecipient> recipients, Targets.Hops found) {
        Claim claim = work.claim;
        Set<String> names = new TreeSet<>();
        found.hops().forEach(hop -> names.add(hop.name()));
        SiteTable table = sites;
        SiteRule rule = table.rule(claim.destination(), names);
        String key = table.key(found.hosts(), found.protocols(), rule.terms());
        SiteLimits limits = rule.limits();
        boolean mayGoOn = queue.assign(claim.destination(), key, limits);
        if (!mayGoOn && recipients.size() == claim.recipients().size()) {
            end(work);
            claim.release(environment.clock().millis());
            signalWhenIdle();
            wake();
            return;
        }
        MailPolicyCode code = MailPolicyCode.ofAttributes(claim.attributes());
        MailPolicyCode amtpCode = amtpCode(claim, code);
        List<Hop> permitted = permitted(claim, found.hops(), amtpCode);
        if (permitted.isEmpty()) {
            fail(work, recipients, amtpCode == null ? Trouble.noCode() : Trouble.publicRelay());
            return;
        }
        Terms forAmtp = rule.terms().forAmtp();
        if (permitted.getFirst().protocol() == Protocol.AMTP && !forAmtp.hasCertificate()) {
            Source source = forAmtp.source();
            fail(
                    work,
                    recipients,
                    Trouble.noCertificate(
                            source == null ? "the system's" : "\"" + source.name() + "\""));
            return;
        }
        List<Hop> reachable = Targets.from(rule.terms(), permitted);
        if (reachable.isEmpty()) {
            Source source = rule.terms().towards(permitted.getFirst()).source();
            fail(
                    work,
                    recipients,
                    Trouble.noSource(
                            source == null ? "system" : source.name(),
                            Printable.escape(claim.destination())));
            return;
        }
        new Attempt(
                        claim.sender(),
                        new Attempt.Message(
                                MailParameters.fromAttributes(
                                        claim.attributes(), claim.sizeBytes()),
                                BodySource.of(claim),
                                code,
                                amtpCode,
                                HopNetwork.cameOverPublic(claim.attributes())),
                        recipients,
                        Targets.firstTries(reachable, settings.addressesPerAttemptMax()),
                        pool,
                        new ConnectionPool.Site(key, limits.windowMax(), rule.terms()),
                        settings.recipientsPerTransactionMax(),
                        result -> guarded(work, () -> onResult(work, result)))
                .start();
    }

    /// What hosts of AMTP are told. Nobody but the sender can say what a message is, so nothing is
    /// made up: draft-weinman-amtp-03 §6.4 names the code of notifications, and for the rest the
    /// operator may.
    private @Nullable MailPolicyCode amtpCode(Claim claim, @Nullable MailPolicyCode code) {
        if (code != null) {
            return code;
        }
        return claim.sender().isEmpty() ? MailPolicyCode.NOTIFICATION : amtp.codeForUnknown();
    }

    /// Without a code, and for what came over a public connection of AMTP, there are no hosts of
    /// AMTP.
    private static List<Hop> permitted(
            Claim claim, List<Hop> hops, @Nullable MailPolicyCode amtpCode) {
        boolean mayBeAmtp =
                amtpCode != null
                        && (hops.stream().allMatch(hop -> hop.domain() == null)
                                || !HopNetwork.cameOverPublic(claim.attributes()));
        return mayBeAmtp
                ? hops
                : hops.stream().filter(hop -> hop.protocol() != Protocol.AMTP).toList();
    }

    private void fail(Work work, List<ClaimedRecipient> recipients, Failure failure) {
        onResult(work, each(recipients, new RecipientOutcome.Failed(failure)));
    }

    private static AttemptResult each(List<ClaimedRecipient> recipients, RecipientOutcome outcome) {
        return new AttemptResult(
                recipients.stream()
                        .map(recipient -> new AttemptResult.Entry(recipient.index(), outcome))
                        .toList());
    }

    private void onResult(Work work, AttemptResult result) {
        if (work.isEnded || work.isDecided) {
            return;
        }
        for (AttemptResult.Entry entry : result.entries()) {
            work.outcomes.put(entry.recipient(), entry.outcome());
            if (entry.tls() != null) {
                work.security.put(entry.recipient(), entry.tls());
            }
        }
        if (--work.partsLeft == 0) {
            decide(work);
        }
    }

    /// What is deferred gets its next time, or is given up; then the senders are told, and only
    /// then it is settled: a failure that nobody was told of must not leave the queue.
    private void decide(Work work) {
        work.isDecided = true;
        Claim claim = work.claim;
        long now = environment.clock().millis();
        Map<Integer, Long> retries = new HashMap<>();
        List<AttemptResult.Entry> reported = new ArrayList<>();
        for (ClaimedRecipient recipient : claim.recipients()) {
            RecipientOutcome outcome = work.outcomes.get(recipient.index());
            if (outcome == null) {
                continue; // held
            }
            if (outcome instanceof RecipientOutcome.Failed(Failure failure)
                    && !failure.isPermanent()
                    && retryAt(claim, recipient, now, retries) < 0) {
                environment
                        .log()
                        .expired(
                                claim.messageId(),
                                recipient.recipient().address(),
                                now - claim.acceptedAtMillis());
                outcome = new RecipientOutcome.Failed(givenUp(failure));
                work.outcomes.put(recipient.index(), outcome);
            }
            reported.add(new AttemptResult.Entry(recipient.index(), outcome));
        }
        if (reported.isEmpty()) {
            settle(work, retries, true, now);
            return;
        }
        reports.report(
                claim,
                new AttemptResult(reported),
                isRecorded -> onAgent(work, () -> settle(work, retries, isRecorded, now)));
    }

    /// Recipients that failed together are due together, so that they stay one transaction.
    ///
    /// @return milliseconds since 1970, or -1 when the message is given up
    private long retryAt(
            Claim claim, ClaimedRecipient recipient, long now, Map<Integer, Long> retries) {
        return retries.computeIfAbsent(
                recipient.attempts(),
                attempts -> {
                    RetrySchedule schedule =
                            claim.sender().isEmpty() ? retry.forNullSender() : retry;
                    return switch (schedule.next(
                            claim.acceptedAtMillis(), attempts + 1, now, environment.random())) {
                        case RetrySchedule.RetryAt(long epochMillis) -> epochMillis;
                        case RetrySchedule.GiveUp _ -> -1L;
                    };
                });
    }

    /// RFC 3463 §3.5, X.4.7.
    private static Failure givenUp(Failure last) {
        String sentence = "given up for its age; last: " + Printable.escape(last.reply().oneLine());
        return new Failure(
                last.scope(),
                true,
                new Reply(451, new EnhancedStatus(4, 4, 7), List.of(sentence)),
                sentence,
                null);
    }

    private void settle(
            Work work, Map<Integer, Long> retries, boolean isRecorded, long startedMillis) {
        if (work.isEnded) {
            return;
        }
        end(work);
        Claim claim = work.claim;
        long delayMillis = environment.clock().millis() - claim.acceptedAtMillis();
        List<Settlement> settlements = new ArrayList<>(claim.recipients().size());
        for (ClaimedRecipient recipient : claim.recipients()) {
            int index = recipient.index();
            Via via = work.vias.getOrDefault(index, new Via.Mx());
            RecipientOutcome outcome = work.outcomes.get(index);
            Settlement settlement =
                    switch (outcome) {
                        case null -> new Settlement.Held(index, "held by its route");
                        case RecipientOutcome.Delivered(_, Reply reply, _) ->
                                new Settlement.Delivered(index, Printable.escape(reply.oneLine()));
                        case RecipientOutcome.Failed(Failure failure) -> {
                            String text = Printable.escape(failure.detail());
                            if (failure.isPermanent() && isRecorded) {
                                yield new Settlement.Failed(index, text);
                            }
                            long retryAt = retries.getOrDefault(recipient.attempts(), -1L);
                            yield new Settlement.Deferred(
                                    index,
                                    retryAt < 0
                                            ? startedMillis + retry.first().toMillis()
                                            : retryAt,
                                    text);
                        }
                    };
            settlements.add(settlement);
            log(claim, recipient, via, outcome, work.security.get(index), settlement, delayMillis);
        }
        boolean mayBeLast =
                settlements.stream()
                        .allMatch(
                                s ->
                                        switch (s) {
                                            case Settlement.Delivered _, Settlement.Failed _ ->
                                                    true;
                                            case Settlement.Deferred _, Settlement.Held _ -> false;
                                        });
        boolean isHeldByOldRoute =
                work.outcomes.size() < claim.recipients().size() && !work.table.equals(routes);
        claim.settle(
                settlements,
                claim.siteTrouble() == null
                        ? SiteFeedback.of(work.outcomes.values())
                        : new Feedback.None(),
                () -> {
                    if (isHeldByOldRoute) {
                        reconsiderLater();
                    }
                    if (mayBeLast && !queue.contains(claim.messageId())) {
                        environment.log().removed(claim.messageId());
                    }
                });
        signalWhenIdle();
        wake();
    }

    private void log(
            Claim claim,
            ClaimedRecipient recipient,
            Via via,
            @Nullable RecipientOutcome outcome,
            @Nullable String security,
            Settlement settlement,
            long delayMillis) {
        Status status =
                switch (settlement) {
                    case Settlement.Delivered _ -> Status.SENT;
                    case Settlement.Deferred _ -> Status.DEFERRED;
                    case Settlement.Failed _ -> Status.BOUNCED;
                    case Settlement.Held _ -> Status.HELD;
                };
        String relay =
                switch (outcome) {
                    case null -> "none";
                    case RecipientOutcome.Delivered(String host, _, _) -> host;
                    case RecipientOutcome.Failed(Failure failure) ->
                            failure.host() == null ? "none" : failure.host();
                };
        String dsn =
                switch (outcome) {
                    case null -> "4.7.0";
                    case RecipientOutcome.Delivered(_, Reply reply, _) ->
                            reply.status() == null ? "2.0.0" : reply.status().toString();
                    case RecipientOutcome.Failed(Failure failure) -> failure.status().toString();
                };
        environment
                .log()
                .attempt(
                        claim.messageId(),
                        recipient.recipient().address(),
                        relay,
                        delayMillis,
                        security,
                        dsn,
                        status,
                        settlement.reply());
        environment.meters().attempted(via.word(), status, delayMillis);
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
                                    // The agent's edge: one bad message must not stop the others.
                                    LOG.error("delivery failed by a fault of ours", e);
                                }
                            });
        } catch (RejectedExecutionException e) {
            // The server has stopped: the claims are in the journal and due again at the start.
        }
    }
}
