package org.malote.accept;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.HeaderRule;
import org.malote.amtp.MailPolicyCode;
import org.malote.queue.Envelope;
import org.malote.queue.MessageId;
import org.malote.queue.MessageWriter;
import org.malote.session.MessageOutcome;
import org.malote.session.MessageOutcome.Fault;

/// One message on its way from a socket to the queue. Belongs to the session's event loop. Ends by
/// [#seal] or [#abandon].
public final class MessageIntake {
    private final MessageWriter writer;
    private final Envelope envelope;
    private final long octetsMax;
    private final int receivedHeadersMax;
    private final HeaderRule onCodeHeader;
    private final @Nullable BorderFilter border;
    private final HeaderWatch headers = new HeaderWatch();
    private long octets;
    private @Nullable Fault fault;

    /// @param onCodeHeader what an `MPC:` field means
    /// @param border takes out what only we may say; null when everything stays
    MessageIntake(
            MessageWriter writer,
            Envelope envelope,
            long octetsMax,
            int receivedHeadersMax,
            HeaderRule onCodeHeader,
            @Nullable BorderFilter border) {
        this.writer = writer;
        this.envelope = envelope;
        this.octetsMax = octetsMax;
        this.receivedHeadersMax = receivedHeadersMax;
        this.onCodeHeader = onCodeHeader;
        this.border = border;
    }

    /// The name of the message.
    public MessageId id() {
        return writer.id();
    }

    /// What is kept beside the message. Its code is not, when it brings one in its header: the two
    /// may differ, and at delivery a reader could not tell which is ours.
    public Envelope envelope() {
        if (!isCodeHeaderWatched()) {
            return envelope;
        }
        Map<String, String> attributes = new LinkedHashMap<>(envelope.attributes());
        attributes.remove(MailPolicyCode.ATTRIBUTE);
        return new Envelope(envelope.sender(), attributes, envelope.recipients());
    }

    /// Whether the message has an `MPC:` field that would be refused if the rule were enforced.
    public boolean isCodeHeaderWatched() {
        return headers.hasCode() && onCodeHeader == HeaderRule.WATCH;
    }

    /// Octets of the message as it is stored, our trace header with it.
    public long storedOctets() {
        return writer.size();
    }

    /// Takes octets of the message. Borrows `text`. Once the message is spoiled they are counted
    /// and dropped.
    public void inspect(ByteBuf text, int index, int length) {
        octets += length;
        if (fault != null) {
            return;
        }
        if (octets > octetsMax) {
            spoil(Fault.TOO_BIG);
            return;
        }
        headers.inspect(text, index, length);
        if (headers.received() >= receivedHeadersMax) {
            spoil(Fault.LOOP); // RFC 5321 §6.3
            return;
        }
        if (headers.hasCode() && onCodeHeader == HeaderRule.REFUSE) {
            spoil(Fault.CODE_HEADER); // draft-weinman-amtp-03 §4.4.4
            return;
        }
        if (border == null || border.isOver()) {
            write(text, index, length);
        } else {
            border.filter(text, index, length, this::write);
        }
    }

    private void write(ByteBuf text, int index, int length) {
        if (text.nioBufferCount() == 1) {
            writer.write(text.internalNioBuffer(index, length));
        } else {
            for (ByteBuffer part : text.nioBuffers(index, length)) {
                writer.write(part);
            }
        }
    }

    /// The message can no longer be taken; what it holds so far is given back.
    public void spoil(Fault found) {
        if (fault == null) {
            fault = found;
            writer.abandon();
        }
    }

    /// Whether the message can no longer be taken.
    public boolean isSpoiled() {
        return fault != null;
    }

    /// Whether more can be read from the peer now.
    public boolean isWritable() {
        return fault != null || writer.isWritable();
    }

    /// Sets what to run, on any thread, when [#isWritable] has become true.
    public void onWritable(Runnable signal) {
        if (fault == null) {
            writer.onWritable(signal);
        }
    }

    /// The message came to its end. The outcome comes at once when it was spoiled, else on the
    /// queue's committer.
    public void seal(Consumer<MessageOutcome> done) {
        if (fault != null) {
            done.accept(new MessageOutcome.Spoiled(fault));
            return;
        }
        if (border != null) {
            border.end(this::write);
        }
        try {
            writer.seal(envelope(), result -> done.accept(Acceptance.outcome(result)));
        } catch (IllegalArgumentException _) {
            done.accept(new MessageOutcome.Spoiled(Fault.ENVELOPE_TOO_BIG));
        }
    }

    /// The message will not come to its end.
    public void abandon() {
        writer.abandon();
    }
}
