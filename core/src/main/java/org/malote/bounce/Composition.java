package org.malote.bounce;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;
import org.malote.bounce.ReportText.Returned;
import org.malote.bounce.ReportedRecipient.Action;
import org.malote.queue.Claim;
import org.malote.queue.CommitResult;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageBody;
import org.malote.queue.MessageWriter;
import org.malote.queue.Recipient;
import org.malote.smtp.Ascii;
import org.malote.smtp.BodyType;
import org.malote.smtp.MailParameters;
import org.malote.smtp.MailParameters.ReturnContent;
import org.malote.smtp.Mailbox;
import org.malote.telemetry.DeliveryLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One notification on its way into the queue. Its steps run on the io executor, one after the
/// other; when the queue has too much to write it waits without a thread.
final class Composition implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Composition.class);

    private static final int PIECE_OCTETS = 16 * 1024;

    /// Boundaries that are tried. One is enough but for a message that was made with our random
    /// numbers.
    private static final int BOUNDARIES_MAX = 4;

    private final MailQueue queue;
    private final BounceSettings settings;
    private final boolean hasCode;
    private final Claim claim;
    private final Mailbox sender;
    private final List<ReportedRecipient> recipients;
    private final Instant now;
    private final Supplier<String> boundaries;
    private final Executor io;
    private final DeliveryLog log;
    private final Consumer<Boolean> queued;

    private final AtomicBoolean isWaiting = new AtomicBoolean();
    private final MailParameters parameters;

    // Set by the first step.
    private @Nullable MessageWriter writer;
    private @Nullable MessageBody body;
    private @Nullable ReportText text;
    private long returnedOctetsLeft;
    private boolean isEightBit;

    /// @param hasCode whether the notification gets a Mail Policy Code
    /// @param now when the attempt ended
    /// @param boundaries makes boundaries
    /// @param queued told once whether the notification is in the queue
    Composition(
            MailQueue queue,
            BounceSettings settings,
            boolean hasCode,
            Claim claim,
            Mailbox sender,
            List<ReportedRecipient> recipients,
            Instant now,
            Supplier<String> boundaries,
            Executor io,
            DeliveryLog log,
            Consumer<Boolean> queued) {
        this.queue = queue;
        this.settings = settings;
        this.hasCode = hasCode;
        this.claim = claim;
        this.sender = sender;
        this.recipients = recipients;
        this.now = now;
        this.boundaries = boundaries;
        this.io = io;
        this.log = log;
        this.queued = queued;
        this.parameters = MailParameters.fromAttributes(claim.attributes(), claim.sizeBytes());
    }

    @Override
    public void run() {
        try {
            MessageWriter begun = queue.begin();
            writer = begun;
            begin(begun);
            step();
        } catch (RuntimeException | OutOfMemoryError e) {
            fail(e);
        }
    }

    private void begin(MessageWriter begun) {
        Plan plan = plan();
        isEightBit = plan.isEightBit() || plan.isUtf8();
        ReportText report =
                new ReportText(
                        settings.hostname(),
                        begun.id() + "@" + settings.hostname(),
                        sender.text(),
                        parameters.envelopeId(),
                        Instant.ofEpochMilli(claim.acceptedAtMillis()),
                        now,
                        plan.isUtf8(),
                        plan.boundary(),
                        plan.returned(),
                        recipients);
        text = report;
        report.before(plan.isEightBit(), octets -> begun.write(ByteBuffer.wrap(octets)));
        returnedOctetsLeft = plan.octets();
        if (plan.octets() > 0) {
            try {
                body = claim.body();
            } catch (IOException e) {
                // It was readable a moment ago, when it was inspected.
                throw new IllegalStateException("the message cannot be read again", e);
            }
        }
    }

    /// What of the message comes back, and in which form.
    ///
    /// @param octets how many of its first octets are returned
    /// @param isEightBit whether those have octets above 127
    private record Plan(
            Returned returned, int octets, boolean isEightBit, boolean isUtf8, String boundary) {}

    private Plan plan() {
        String boundary = boundaries.get();
        Original original = null;
        for (int i = 0; i < BOUNDARIES_MAX; i++) {
            original = inspect(boundary);
            if (original == null || !original.holdsBoundary()) {
                break;
            }
            boundary = boundaries.get();
            original = null;
        }
        boolean mayBeWhole =
                // RFC 3461 §4.3: RET is about failures; other reports return the header section.
                recipients.stream().anyMatch(one -> one.action() == Action.FAILED)
                        && parameters.returnContent() != ReturnContent.HDRS
                        && parameters.body() != BodyType.BINARY_MIME
                        && claim.sizeBytes() <= settings.returnedOctetsMax();
        if (original != null && mayBeWhole && original.isSound()) {
            return new Plan(
                    Returned.MESSAGE,
                    Math.toIntExact(claim.sizeBytes()),
                    original.isEightBit(),
                    isUtf8(original.isHeaderEightBit()),
                    boundary);
        }
        if (original != null && original.isHeaderSound() && original.headerOctets() > 0) {
            return new Plan(
                    Returned.HEADERS,
                    original.headerOctets(),
                    original.isHeaderEightBit(),
                    isUtf8(original.isHeaderEightBit()),
                    boundary);
        }
        return new Plan(Returned.NOTHING, 0, false, isUtf8(false), boundary);
    }

    private @Nullable Original inspect(String boundary) {
        try (MessageBody whole = claim.body()) {
            return Original.inspect(
                    whole, boundary, settings.returnedOctetsMax(), settings.headerOctetsMax());
        } catch (IOException e) {
            LOG.warn(
                    "{} cannot be read, so nothing of it is returned to its sender: {}",
                    claim.messageId(),
                    e.getMessage());
            return null;
        }
    }

    /// RFC 6533 §4 is for what ASCII cannot say, and only where the message itself came with
    /// SMTPUTF8: else nobody knows that its sender's host takes such mail.
    private boolean isUtf8(boolean isHeaderEightBit) {
        return parameters.isUtf8()
                && (isHeaderEightBit
                        || !sender.isAscii()
                        || recipients.stream().anyMatch(Composition::isBeyondAscii));
    }

    private static boolean isBeyondAscii(ReportedRecipient recipient) {
        return !Ascii.isAscii(recipient.address())
                || (recipient.original() != null && !Ascii.isAscii(recipient.original().address()));
    }

    /// Copies while the queue takes it, and ends the message when all is copied.
    private void step() {
        MessageWriter open = begun(writer);
        ByteBuffer piece = ByteBuffer.allocate(PIECE_OCTETS);
        while (returnedOctetsLeft > 0) {
            if (!open.isWritable()) {
                isWaiting.set(true);
                open.onWritable(this::resume);
                return;
            }
            piece.clear().limit((int) Math.min(piece.capacity(), returnedOctetsLeft));
            try {
                int count = begun(body).read(piece);
                if (count < 0) {
                    throw new IOException("it ended early");
                }
                returnedOctetsLeft -= count;
            } catch (IOException e) {
                // The reader is told below by the end of the part; the report itself is whole.
                LOG.warn(
                        "{} cannot be read to its end for its sender: {}",
                        claim.messageId(),
                        e.getMessage());
                returnedOctetsLeft = 0;
            }
            open.write(piece.flip());
        }
        seal(open);
    }

    private void resume() {
        // The signal may come again; only the first one finds us waiting.
        if (!isWaiting.compareAndSet(true, false)) {
            return;
        }
        try {
            io.execute(
                    () -> {
                        try {
                            step();
                        } catch (RuntimeException | OutOfMemoryError e) {
                            fail(e);
                        }
                    });
        } catch (RejectedExecutionException e) {
            abandon();
            queued.accept(false);
        }
    }

    private void seal(MessageWriter open) {
        ReportText report = begun(text);
        report.after(octets -> open.write(ByteBuffer.wrap(octets)));
        closeBody();
        Map<String, String> attributes =
                new LinkedHashMap<>(
                        new MailParameters(
                                        0,
                                        isEightBit ? BodyType.EIGHT_BIT_MIME : BodyType.SEVEN_BIT,
                                        report.isUtf8(),
                                        null,
                                        null)
                                .toAttributes());
        if (hasCode) {
            // draft-weinman-amtp-03 §6.4: this one, whatever the message had.
            // Deviation: a host where no listener takes codes knows of none, and gives none.
            attributes.put(MailPolicyCode.ATTRIBUTE, MailPolicyCode.NOTIFICATION.text());
        }
        open.seal(
                // RFC 5321 §6.1, RFC 3464 §2: the reverse-path of a notification is null.
                new Envelope(
                        "",
                        attributes,
                        List.of(new Recipient(sender.text(), sender.host().text(), Map.of()))),
                result -> onCommit(report, result));
    }

    private void onCommit(ReportText report, CommitResult result) {
        switch (result) {
            case CommitResult.Committed(var receipt) -> {
                log.reported(claim.messageId(), receipt.messageId(), report.kind(), sender.text());
                queued.accept(true);
            }
            case CommitResult.Refused(var refusal) -> {
                LOG.warn(
                        "The sender of {} is not told of its {}: {}",
                        claim.messageId(),
                        report.kind(),
                        refusal.sentence());
                queued.accept(false);
            }
        }
    }

    private void fail(Throwable fault) {
        LOG.error("The notification on {} failed by a fault of ours", claim.messageId(), fault);
        abandon();
        queued.accept(false);
    }

    private void abandon() {
        closeBody();
        if (writer != null) {
            writer.abandon();
        }
    }

    private void closeBody() {
        MessageBody open = body;
        body = null;
        if (open != null) {
            open.close();
        }
    }

    private static <T> T begun(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("the notification has not begun");
        }
        return value;
    }
}
