package org.malote.queue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.JournalRecord;

/// A message between its seal and its receipt.
final class Acceptance {
    private final MailQueue queue;
    private final MessageId id;
    private final long size;
    private final int crc;
    private final boolean hasBodyFile;
    private final Envelope envelope;
    private final Consumer<CommitResult> done;
    private final long acceptedAtMillis;
    private @Nullable ByteBuffer head;

    Acceptance(
            MailQueue queue,
            MessageId id,
            long size,
            int crc,
            boolean hasBodyFile,
            Envelope envelope,
            Consumer<CommitResult> done) {
        this.queue = queue;
        this.id = id;
        this.size = size;
        this.crc = crc;
        this.hasBodyFile = hasBodyFile;
        this.envelope = envelope;
        this.done = done;
        this.acceptedAtMillis = queue.environment().clock().millis();
    }

    void encodeHead() {
        head = Records.accepted(id, acceptedAtMillis, size, crc, hasBodyFile, envelope);
    }

    /// @param body the message, ready to be read
    /// @param free run when the journal has its own copy, or when there is none
    void submit(List<ByteBuffer> body, Runnable free) {
        ByteBuffer encoded = Objects.requireNonNull(head);
        var record =
                new AcceptedRecord(
                        id,
                        acceptedAtMillis,
                        size,
                        crc,
                        hasBodyFile,
                        envelope,
                        encoded.remaining());
        queue.committer()
                .submit(
                        new Committer.Work(
                                new JournalRecord(Records.ACCEPTED, encoded, body), true) {
                            @Override
                            void apply(long position) {
                                queue.apply(record, position);
                            }

                            @Override
                            void committed() {
                                free.run();
                                tell(new CommitResult.Committed(new Receipt(id)));
                            }

                            @Override
                            void refused(Refusal refusal) {
                                free.run();
                                if (hasBodyFile) {
                                    queue.deleteBody(id);
                                }
                                refuse(refusal);
                            }
                        });
    }

    /// Its body file is there.
    void submitExpected() {
        submit(List.of(), () -> {});
        queue.committer().expectNoMore();
    }

    /// Its body file could not be made.
    void refuseExpected(Refusal refusal) {
        queue.committer().expectNoMore();
        refuse(refusal);
    }

    private void refuse(Refusal refusal) {
        queue.uncount(envelope);
        tell(new CommitResult.Refused(refusal));
    }

    /// It was refused before it was counted.
    void refuseUncounted(Refusal refusal) {
        tell(new CommitResult.Refused(refusal));
    }

    private void tell(CommitResult result) {
        MailQueue.guarded("the owner of message", id, () -> done.accept(result));
    }
}
