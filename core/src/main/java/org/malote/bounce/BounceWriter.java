package org.malote.bounce;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.malote.bounce.ReportedRecipient.Action;
import org.malote.delivery.AttemptResult;
import org.malote.delivery.Failure;
import org.malote.delivery.MaildirTransport;
import org.malote.delivery.RecipientOutcome;
import org.malote.delivery.Reports;
import org.malote.queue.Claim;
import org.malote.queue.ClaimedRecipient;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageId;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Mailbox;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.RecipientParameters.Notify;
import org.malote.smtp.Reply;
import org.malote.smtp.wire.AddressParser;
import org.malote.telemetry.DeliveryLog;

/// Decides who is told of an attempt, and puts the notification into the queue. For any thread.
public final class BounceWriter implements Reports {
    /// Delays that are remembered as told. Ours: a hundred thousand waiting recipients are some 10
    /// MiB of memory; beyond, a sender may be told twice.
    private static final int DELAYS_REMEMBERED_MAX = 100_000;

    private static final EnhancedStatus DELIVERED = new EnhancedStatus(2, 0, 0);

    private final MailQueue queue;
    private final BounceSettings settings;
    private final boolean hasCode;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Executor io;
    private final DeliveryLog log;

    private final Object lock = new Object();

    /// Guarded by the lock, as the random numbers are.
    private final Map<Told, Boolean> delaysTold =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Told, Boolean> eldest) {
                    return size() > DELAYS_REMEMBERED_MAX;
                }
            };

    /// @param hasCode whether notifications get a Mail Policy Code: where any listener takes codes
    /// @param random makes the boundaries between parts; used under a lock
    /// @param io composes notifications; its tasks read the disk
    public BounceWriter(
            MailQueue queue,
            BounceSettings settings,
            boolean hasCode,
            InstantSource clock,
            RandomGenerator random,
            Executor io,
            DeliveryLog log) {
        this.queue = queue;
        this.settings = settings;
        this.hasCode = hasCode;
        this.clock = clock;
        this.random = random;
        this.io = io;
        this.log = log;
    }

    /// A recipient of a message whose sender was told of its delay.
    private record Told(MessageId message, int recipient) {}

    @Override
    public void report(Claim claim, AttemptResult result, Consumer<Boolean> recorded) {
        Instant now = clock.instant();
        Mailbox sender = AddressParser.parseMailbox(claim.sender());
        List<ReportedRecipient> reported = new ArrayList<>();
        List<Told> delays = new ArrayList<>();
        Map<Integer, ClaimedRecipient> claimed = new HashMap<>();
        for (ClaimedRecipient recipient : claim.recipients()) {
            claimed.put(recipient.index(), recipient);
        }
        for (AttemptResult.Entry entry : result.entries()) {
            ClaimedRecipient recipient = claimed.get(entry.recipient());
            if (recipient == null) {
                throw new IllegalArgumentException(
                        "recipient " + entry.recipient() + " is not in the claim");
            }
            Told told = new Told(claim.messageId(), entry.recipient());
            ReportedRecipient one = reported(claim, sender, recipient, entry.outcome(), told, now);
            if (one != null) {
                reported.add(one);
                if (one.action() == Action.DELAYED) {
                    delays.add(told);
                }
            }
        }
        if (sender == null || reported.isEmpty()) {
            recorded.accept(true);
            return;
        }
        boolean owed = reported.stream().anyMatch(one -> one.action() == Action.FAILED);
        Composition composition =
                new Composition(
                        queue,
                        settings,
                        hasCode,
                        claim,
                        sender,
                        reported,
                        now,
                        this::boundary,
                        io,
                        log,
                        isQueued -> {
                            if (isQueued) {
                                remember(delays);
                            }
                            recorded.accept(isQueued || !owed);
                        });
        try {
            io.execute(composition);
        } catch (RejectedExecutionException e) {
            recorded.accept(!owed);
        }
    }

    /// What to say of one recipient, or null when nothing is to be said.
    private @Nullable ReportedRecipient reported(
            Claim claim,
            @Nullable Mailbox sender,
            ClaimedRecipient recipient,
            RecipientOutcome outcome,
            Told told,
            Instant now) {
        RecipientParameters parameters =
                RecipientParameters.fromAttributes(recipient.recipient().attributes());
        return switch (outcome) {
            case RecipientOutcome.Failed(Failure failure) when failure.isPermanent() -> {
                String silence = silence(claim, sender, parameters);
                if (silence != null) {
                    log.unreported(claim.messageId(), recipient.recipient().address(), silence);
                    yield null;
                }
                yield ofFailure(recipient, parameters, failure, Action.FAILED, null);
            }
            case RecipientOutcome.Failed(Failure failure) -> {
                if (sender == null || !isDelayToTell(claim, parameters, told, now)) {
                    yield null;
                }
                yield ofFailure(
                        recipient,
                        parameters,
                        failure,
                        Action.DELAYED,
                        Instant.ofEpochMilli(claim.acceptedAtMillis())
                                .plus(settings.retry().giveUp()));
            }
            case RecipientOutcome.Delivered(String host, Reply reply, boolean hostSpeaksDsn) ->
                    // RFC 3461 §5.2.2: a host that took over the wish tells of success itself.
                    sender == null
                                    || hostSpeaksDsn
                                    || !parameters.conditions().contains(Notify.SUCCESS)
                            ? null
                            : ofSuccess(recipient, parameters, host, reply);
        };
    }

    /// Why nobody is told of a failure, or null when somebody is.
    private static @Nullable String silence(
            Claim claim, @Nullable Mailbox sender, RecipientParameters parameters) {
        if (claim.sender().isEmpty()) {
            return "the reverse-path is null"; // RFC 5321 §6.1: else notifications would loop
        }
        if (sender == null) {
            return "the reverse-path cannot be read";
        }
        return parameters.wantsFailure()
                ? null
                : "the sender asked not to be told"; // RFC 3461 §4.1
    }

    /// Once, when the message has the age, and not long after: a restart forgets what was told, and
    /// a message that has waited for days was told of on its first.
    private boolean isDelayToTell(
            Claim claim, RecipientParameters parameters, Told told, Instant now) {
        boolean isWanted =
                parameters.conditions().isEmpty()
                        ? settings.tellsDelayByDefault()
                        : parameters.conditions().contains(Notify.DELAY);
        Duration age = Duration.between(Instant.ofEpochMilli(claim.acceptedAtMillis()), now);
        // Attempts are at most one longest delay apart, and may come late.
        Duration tooLate = settings.delayAfter().plus(settings.retry().max().multipliedBy(2));
        if (!isWanted || age.compareTo(settings.delayAfter()) < 0 || age.compareTo(tooLate) > 0) {
            return false;
        }
        synchronized (lock) {
            return !delaysTold.containsKey(told);
        }
    }

    private void remember(List<Told> delays) {
        synchronized (lock) {
            for (Told told : delays) {
                delaysTold.put(told, true);
            }
        }
    }

    private static ReportedRecipient ofFailure(
            ClaimedRecipient recipient,
            RecipientParameters parameters,
            Failure failure,
            Action action,
            @Nullable Instant retryUntil) {
        return new ReportedRecipient(
                recipient.recipient().address(),
                parameters.originalRecipient(),
                action,
                failure.status(),
                failure.host() == null ? null : hostName(failure.host()),
                diagnostic(failure.reply()),
                retryUntil);
    }

    private static ReportedRecipient ofSuccess(
            ClaimedRecipient recipient, RecipientParameters parameters, String host, Reply reply) {
        boolean isFinal = host.equals(MaildirTransport.HOST);
        EnhancedStatus status = reply.status();
        return new ReportedRecipient(
                recipient.recipient().address(),
                parameters.originalRecipient(),
                isFinal ? Action.DELIVERED : Action.RELAYED,
                status == null ? DELIVERED : status,
                isFinal ? null : hostName(host),
                diagnostic(reply),
                null);
    }

    /// The name in `mx1.isp.example[192.0.2.1]:25`.
    private static String hostName(String host) {
        int bracket = host.indexOf('[');
        return bracket > 0 ? host.substring(0, bracket) : host;
    }

    private static String diagnostic(Reply reply) {
        return ReportText.diagnostic(
                reply.code() + (reply.status() == null ? "" : " " + reply.status()), reply.lines());
    }

    /// 128 bits that no message can foresee; `=_` never occurs in quoted-printable or base64 (RFC
    /// 2045 §6.7).
    private String boundary() {
        synchronized (lock) {
            return "=_%016x%016x".formatted(random.nextLong(), random.nextLong());
        }
    }
}
