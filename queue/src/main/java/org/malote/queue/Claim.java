package org.malote.queue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/// The right to attempt the due recipients of one message at one destination. Nobody else has them
/// until the claim is settled or released. Any thread may use it, one at a time.
public final class Claim {
    private final MailQueue queue;
    private final LiveMessage.Group group;
    private final String destination;
    private final Envelope envelope;
    private final List<ClaimedRecipient> recipients;
    private final AtomicBoolean isEnded = new AtomicBoolean();

    Claim(
            MailQueue queue,
            LiveMessage.Group group,
            String destination,
            Envelope envelope,
            List<ClaimedRecipient> recipients) {
        this.queue = queue;
        this.group = group;
        this.destination = destination;
        this.envelope = envelope;
        this.recipients = List.copyOf(recipients);
    }

    public MessageId messageId() {
        return group.message.id;
    }

    public String destination() {
        return destination;
    }

    /// Empty for the null reverse-path.
    public String sender() {
        return envelope.sender();
    }

    /// Those of the envelope.
    public Map<String, String> attributes() {
        return envelope.attributes();
    }

    public List<ClaimedRecipient> recipients() {
        return recipients;
    }

    /// When the message was accepted, in milliseconds since 1970.
    public long acceptedAtMillis() {
        return group.message.acceptedAtMillis;
    }

    /// Of the message, without the envelope.
    public long sizeBytes() {
        return group.message.sizeBytes;
    }

    /// The message. The caller closes it, before the claim ends.
    ///
    /// @throws IOException when it cannot be read
    public MessageBody body() throws IOException {
        return queue.body(group.message);
    }

    /// Ends the claim with what became of each recipient. The lane's slot is free at once; the
    /// journal records it with the next commit.
    ///
    /// @param settlements exactly one for each claimed recipient
    /// @throws IllegalArgumentException when it is not so; the claim then goes on
    /// @throws IllegalStateException when the claim has ended
    public void settle(List<? extends Settlement> settlements) {
        settle(settlements, () -> {});
    }

    /// The same, and runs `whenRecorded` when the journal has recorded it, on the committer's
    /// thread; it must return at once. It is not run when the queue has stopped or closed: the
    /// recipients may then be attempted again after a restart.
    public void settle(List<? extends Settlement> settlements, Runnable whenRecorded) {
        requireOneEach(settlements);
        end();
        queue.settle(group, List.copyOf(settlements), whenRecorded);
    }

    /// Ends the claim as if it had not been: no attempt is counted, and the recipients are due
    /// again then.
    ///
    /// @param untilMillis milliseconds since 1970
    /// @throws IllegalStateException when the claim has ended
    public void release(long untilMillis) {
        end();
        queue.release(group, indexes(), untilMillis);
    }

    private void end() {
        if (!isEnded.compareAndSet(false, true)) {
            throw new IllegalStateException("the claim of message " + messageId() + " has ended");
        }
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
        }
        if (!open.isEmpty()) {
            throw new IllegalArgumentException("no settlement for the recipients " + open);
        }
    }
}
