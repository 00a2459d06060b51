package org.malote.queue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.malote.queue.schedule.Feedback;

/// The right to attempt the due recipients of one message at one destination. Nobody else has them
/// until the claim is settled or released. Any thread may use it, one at a time.
public final class Claim {
    private final MailQueue queue;
    private final Index.Group group;
    private final RecordReader.Stored stored;
    private final String destination;
    private final List<ClaimedRecipient> recipients;
    private final @Nullable String siteTrouble;
    private final AtomicBoolean isEnded = new AtomicBoolean();

    Claim(
            MailQueue queue,
            Index.Group group,
            RecordReader.Stored stored,
            List<ClaimedRecipient> recipients,
            @Nullable String siteTrouble) {
        this.queue = queue;
        this.group = group;
        this.stored = stored;
        this.destination = recipients.getFirst().recipient().destination();
        this.recipients = List.copyOf(recipients);
        this.siteTrouble = siteTrouble;
    }

    public MessageId messageId() {
        return stored.head().id();
    }

    public String destination() {
        return destination;
    }

    /// What is wrong with the hosts of the destination, when they are known to be down: then no
    /// attempt is to be made, and the recipients are to be settled by what is known. Null when the
    /// attempt is to be made.
    public @Nullable String siteTrouble() {
        return siteTrouble;
    }

    /// Empty for the null reverse-path.
    public String sender() {
        return stored.head().envelope().sender();
    }

    /// Those of the envelope.
    public Map<String, String> attributes() {
        return stored.head().envelope().attributes();
    }

    public List<ClaimedRecipient> recipients() {
        return recipients;
    }

    /// When the message was accepted, in milliseconds since 1970.
    public long acceptedAtMillis() {
        return stored.head().acceptedAtMillis();
    }

    /// Of the message, without the envelope.
    public long sizeBytes() {
        return stored.head().bodyBytes();
    }

    /// The message. The caller closes it, before the claim ends.
    ///
    /// @throws IOException when it cannot be read
    public MessageBody body() throws IOException {
        return queue.body(group.message(), stored);
    }

    /// Ends the claim with what became of each recipient. The site's slot is free at once; the
    /// journal records it with the next commit.
    ///
    /// @param settlements exactly one for each claimed recipient; final when they are condemned
    /// @throws IllegalArgumentException when it is not so; the claim then goes on
    /// @throws IllegalStateException when the claim has ended
    public void settle(List<? extends Settlement> settlements) {
        settle(settlements, new Feedback.None(), () -> {});
    }

    /// The same, and runs `whenRecorded` when the journal has recorded it, on the committer's
    /// thread; it must return at once. It is not run when the queue has stopped or closed: the
    /// recipients may then be attempted again after a restart.
    ///
    /// @param feedback what the attempt said of the destination's hosts
    public void settle(
            List<? extends Settlement> settlements, Feedback feedback, Runnable whenRecorded) {
        requireOneEach(settlements);
        end();
        queue.settle(group, List.copyOf(settlements), feedback, whenRecorded);
    }

    /// Ends the claim as if it had not been: no attempt is counted, and the recipients are due
    /// again then.
    ///
    /// @param untilMillis milliseconds since 1970
    /// @throws IllegalStateException when the claim has ended
    public void release(long untilMillis) {
        end();
        queue.release(group, indexes(), isOfCondemned(), untilMillis);
    }

    private void end() {
        if (!isEnded.compareAndSet(false, true)) {
            throw new IllegalStateException("the claim of message " + messageId() + " has ended");
        }
    }

    /// Condemned recipients come alone.
    private boolean isOfCondemned() {
        return recipients.getFirst().isCondemned();
    }

    private int[] indexes() {
        var indexes = new int[recipients.size()];
        for (int i = 0; i < indexes.length; i++) {
            indexes[i] = recipients.get(i).index();
        }
        return indexes;
    }

    private void requireOneEach(List<? extends Settlement> settlements) {
        var open = new java.util.HashSet<Integer>();
        for (ClaimedRecipient recipient : recipients) {
            open.add(recipient.index());
        }
        for (Settlement settlement : settlements) {
            if (!open.remove(settlement.recipient())) {
                throw new IllegalArgumentException(
                        "recipient "
                                + settlement.recipient()
                                + " is not of this claim, or is settled twice");
            }
            if (isOfCondemned()
                    && (settlement instanceof Settlement.Deferred
                            || settlement instanceof Settlement.Held)) {
                throw new IllegalArgumentException(
                        "recipient " + settlement.recipient() + " is to be returned, not to wait");
            }
        }
        if (!open.isEmpty()) {
            throw new IllegalArgumentException("no settlement for the recipients " + open);
        }
    }
}
