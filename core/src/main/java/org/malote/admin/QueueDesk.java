package org.malote.admin;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.malote.queue.HoldCause;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageBody;
import org.malote.queue.MessageId;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;
import org.malote.queue.RecipientState;
import org.malote.queue.Selection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers what an operator asks of the queue. It goes through the queue message by message and
/// keeps none: a million take no more memory than one, but for their ids.
final class QueueDesk {
    private static final Logger LOG = LoggerFactory.getLogger(QueueDesk.class);

    /// Messages changed at one time. Ours: a commit each is then little beside the work, and the
    /// queue's lock is held for less than a millisecond.
    private static final int BATCH_MESSAGES_MAX = 1000;

    /// Recipients changed at one time: as many as one message may have.
    private static final int BATCH_RECIPIENTS_MAX = 10_000;

    /// What `show` gives of a header section: more than any that is read by a person.
    private static final int HEADER_BYTES_MAX = 64 << 10;

    /// Of a message in one line of an answer.
    private static final int PIECE_BYTES = 16 << 10;

    private final MailQueue queue;
    private final InstantSource clock;

    QueueDesk(MailQueue queue, InstantSource clock) {
        this.queue = queue;
        this.clock = clock;
    }

    // ---- Looking ----

    Counts list(ControlRequest.ListSome request, ControlAnswer out) throws IOException {
        long now = clock.millis();
        QueueFilter.Selector selector = request.filter().at(now);
        QueueJson json = json(now);
        long of = queue.stats().messages();
        long limit = request.limit() == 0 ? Long.MAX_VALUE : request.limit();
        long messages = 0;
        long recipients = 0;
        try (Stream<QueueEntry> entries = queue.list()) {
            Iterator<QueueEntry> each = entries.iterator();
            while (messages < limit && each.hasNext()) {
                QueueEntry entry = each.next();
                int[] meant = selector.select(entry);
                if (meant.length > 0) {
                    messages++;
                    recipients += meant.length;
                    if (request.withRows()) {
                        rows(entry, meant, json, out);
                    }
                }
                out.tick(of);
            }
        }
        return new Counts(messages, recipients);
    }

    private QueueJson json(long nowMillis) {
        return new QueueJson(nowMillis, Set.copyOf(queue.suspended()));
    }

    private static void rows(QueueEntry entry, int[] recipients, QueueJson json, ControlAnswer out)
            throws IOException {
        out.line("message", json.message(entry));
        for (int place : recipients) {
            out.line("recipient", json.recipient(entry.recipients().get(place)));
        }
    }

    Counts shape(ControlRequest.Shape request, ControlAnswer out) throws IOException {
        long now = clock.millis();
        QueueFilter.Selector selector = request.filter().at(now);
        QueueShape shape = new QueueShape(now);
        long of = queue.stats().messages();
        long messages = 0;
        long recipients = 0;
        try (Stream<QueueEntry> entries = queue.list()) {
            for (Iterator<QueueEntry> each = entries.iterator(); each.hasNext(); ) {
                QueueEntry entry = each.next();
                int counted = shape.add(entry, selector.select(entry));
                messages += counted > 0 ? 1 : 0;
                recipients += counted;
                out.tick(of);
            }
        }
        for (ObjectNode line : shape.lines(request.rows(), Set.copyOf(queue.suspended()))) {
            out.line("shape", line);
        }
        return new Counts(messages, recipients);
    }

    Counts show(ControlRequest.Show request, ControlAnswer out) throws IOException {
        QueueEntry entry = queue.find(request.id());
        if (entry == null) {
            throw new IOException(
                    "message " + request.id() + " is not in the queue; see malote queue list");
        }
        QueueJson json = json(clock.millis());
        ObjectNode message = json.message(entry);
        QueueJson.putAttributes(message, entry.attributes());
        out.line("message", message);
        for (QueuedRecipient recipient : entry.recipients()) {
            ObjectNode line = json.recipient(recipient);
            QueueJson.putAttributes(line, recipient.recipient().attributes());
            out.line("recipient", line);
        }
        try (MessageBody body = queue.body(request.id())) {
            if (request.withBody()) {
                body(body, out);
            } else {
                header(body, out);
            }
        }
        return new Counts(1, entry.recipients().size());
    }

    private static void body(MessageBody body, ControlAnswer out) throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
        while (body.read(piece.clear()) >= 0) {
            piece(piece.array(), piece.position(), out);
        }
    }

    private static void header(MessageBody body, ControlAnswer out) throws IOException {
        HeaderEnd end = new HeaderEnd();
        ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
        int sent = 0;
        while (sent < HEADER_BYTES_MAX) {
            if (body.read(piece.clear()) < 0) {
                return;
            }
            int length = end.find(piece.array(), piece.position());
            piece(piece.array(), length, out);
            if (end.isFound()) {
                return;
            }
            sent += length;
        }
        out.line("cutAt", JsonNodeFactory.instance.numberNode(sent));
    }

    private static void piece(byte[] bytes, int length, ControlAnswer out) throws IOException {
        // In Base64: a message may hold any octets.
        out.line("bytes", JsonNodeFactory.instance.binaryNode(Arrays.copyOf(bytes, length)));
    }

    /// Looks for the empty line behind a header section (RFC 5322 §2.1), over pieces of any size.
    static final class HeaderEnd {
        private boolean isLineEmpty = true;
        private boolean isFound;

        /// @return how many of the bytes are of the header section and its empty line
        int find(byte[] bytes, int length) {
            for (int i = 0; i < length; i++) {
                if (bytes[i] == '\n') {
                    if (isLineEmpty) {
                        isFound = true;
                        return i + 1;
                    }
                    isLineEmpty = true;
                } else if (bytes[i] != '\r') {
                    isLineEmpty = false;
                }
            }
            return length;
        }

        boolean isFound() {
            return isFound;
        }
    }

    // ---- Changing ----

    Counts change(ControlRequest.Change request, ControlAnswer out) throws IOException {
        Changes changes = new Changes(request, out);
        switch (request.choice()) {
            case ControlRequest.Choice.Ids(Set<MessageId> ids) -> {
                try (Stream<QueueEntry> entries =
                        ids.stream().sorted().map(queue::find).filter(Objects::nonNull)) {
                    changes.run(entries, everybody(), ids.size());
                }
            }
            case ControlRequest.Choice.Matching(QueueFilter filter) -> {
                QueueFilter.Selector selector = filter.at(clock.millis());
                try (Stream<QueueEntry> entries = queue.list()) {
                    changes.run(entries, selector::select, queue.stats().messages());
                }
            }
        }
        if (request.mode() == ControlRequest.Mode.ACT) {
            LOG.info(
                    "an operator's {} changed {}: {}",
                    request.verb().word(),
                    changes.counts().text(request.choice().isOfRecipients()),
                    described(request.choice()));
        }
        return changes.counts();
    }

    /// Finds the places of recipients that are meant.
    private interface Selecting {
        int[] select(QueueEntry entry);
    }

    private static Selecting everybody() {
        return entry -> IntStream.range(0, entry.recipients().size()).toArray();
    }

    /// For the log: text in which remote bytes are escaped.
    private static String described(ControlRequest.Choice choice) {
        return switch (choice) {
            case ControlRequest.Choice.Ids(Set<MessageId> ids) ->
                    ids.size() == 1 ? ids.iterator().next().toString() : ids.size() + " ids";
            case ControlRequest.Choice.Matching(QueueFilter filter) -> {
                ObjectNode json = JsonNodeFactory.instance.objectNode();
                filter.write(json);
                yield filter.equals(QueueFilter.ALL) ? "all" : JsonLines.write(json);
            }
        };
    }

    /// One change on its way through the queue. What is only named or counted is what would be
    /// changed: the same code finds it.
    private final class Changes {
        private final ControlRequest.Change request;
        private final ControlAnswer out;
        private final QueueJson json;
        private final Map<MessageId, Set<Integer>> batch = new HashMap<>();
        private int batchRecipients;
        private long messages;
        private long recipients;

        Changes(ControlRequest.Change request, ControlAnswer out) {
            this.request = request;
            this.out = out;
            this.json = json(clock.millis());
        }

        void run(Stream<QueueEntry> entries, Selecting selecting, long of) throws IOException {
            for (Iterator<QueueEntry> each = entries.iterator(); each.hasNext(); ) {
                QueueEntry entry = each.next();
                int[] meant =
                        Arrays.stream(selecting.select(entry))
                                .filter(place -> isChanged(entry.recipients().get(place)))
                                .toArray();
                if (meant.length > 0) {
                    add(entry, meant);
                }
                out.tick(of);
            }
            flush();
        }

        /// Whether the change would change anything about the recipient, as the queue does it.
        private boolean isChanged(QueuedRecipient recipient) {
            RecipientState state = recipient.state();
            return switch (request.verb()) {
                case RETRY -> state == RecipientState.WAITING || state == RecipientState.ACTIVE;
                case HOLD ->
                        state == RecipientState.WAITING
                                || state == RecipientState.ACTIVE
                                || recipient.heldBy() == HoldCause.ROUTE;
                case RELEASE -> state == RecipientState.HELD;
                case REMOVE -> QueueFilter.isOpen(state);
                case BOUNCE -> QueueFilter.isOpen(state) && !recipient.isCondemned();
            };
        }

        private void add(QueueEntry entry, int[] meant) throws IOException {
            switch (request.mode()) {
                case LIST -> {
                    rows(entry, meant, json, out);
                    messages++;
                    recipients += meant.length;
                }
                case COUNT -> {
                    messages++;
                    recipients += meant.length;
                }
                case ACT -> {
                    batch.put(entry.id(), Set.copyOf(Arrays.stream(meant).boxed().toList()));
                    batchRecipients += meant.length;
                    if (batch.size() >= BATCH_MESSAGES_MAX
                            || batchRecipients >= BATCH_RECIPIENTS_MAX) {
                        flush();
                    }
                }
            }
        }

        private void flush() throws IOException {
            if (batch.isEmpty()) {
                return;
            }
            Selection selection =
                    request.choice().isOfRecipients()
                            ? new Selection.Recipients(batch)
                            : new Selection.Ids(batch.keySet());
            messages +=
                    switch (request.verb()) {
                        case RETRY -> queue.retry(selection);
                        case HOLD -> queue.hold(selection);
                        case RELEASE -> queue.release(selection);
                        case REMOVE -> queue.remove(selection);
                        case BOUNCE -> queue.bounce(selection);
                    };
            recipients += batchRecipients;
            batch.clear();
            batchRecipients = 0;
        }

        Counts counts() {
            return new Counts(messages, recipients);
        }
    }

    // ---- Suspending ----

    Counts suspend(String domain) throws IOException {
        long changed = 0;
        for (String destination : Destinations.parse(domain)) {
            changed += queue.suspend(destination) ? 1 : 0;
        }
        return ended("suspended", domain, changed);
    }

    Counts resume(String domain) throws IOException {
        long changed = 0;
        for (String destination : Destinations.parse(domain)) {
            changed += queue.resume(destination) ? 1 : 0;
        }
        return ended("resumed", domain, changed);
    }

    private static Counts ended(String done, String domain, long changed) {
        if (changed > 0) {
            LOG.info("an operator {} {}", done, Destinations.shown(domain));
        }
        return new Counts(Math.min(changed, 1), 0);
    }

    Counts suspended(ControlAnswer out) throws IOException {
        List<String> destinations = queue.suspended();
        Set<String> shown = new TreeSet<>();
        destinations.forEach(destination -> shown.add(Destinations.shown(destination)));
        for (String destination : shown) {
            out.line("suspended", JsonNodeFactory.instance.textNode(destination));
        }
        return new Counts(shown.size(), 0);
    }
}
