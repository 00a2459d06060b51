package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.malote.queue.schedule.Feedback;

/// One life of a spool: senders, remote hosts, an operator and faults around the production queue
/// on a [SimulatedDisk], all on one thread and in an order that one seed decides. Events are run by
/// their virtual time; the committer and the I/O executor are events, too.
///
/// After every event: no limit is exceeded, nobody is delivered to again but for a crash between
/// the host's 250 and our record, and nothing that is final, held or removed is claimed. After
/// every crash: each acknowledged recipient that is not recorded as done is in the queue, with its
/// message byte for byte. When the faults stop, everything reaches its end.
final class Simulation {
    private static final int SENDERS = 6;
    private static final int EVENTS = 700;
    private static final int BODY_FILE_THRESHOLD = 6 << 10;
    private static final long JOURNAL_FILE_BYTES = 48 << 10;
    private static final int CAPACITY_MIN_BYTES = 1 << 20;
    private static final int MESSAGES_MAX = 200;
    private static final int LANE_MAX = 4;
    private static final int CLAIMS_MAX = 12;
    private static final int CRASHES_MAX = 300;
    private static final Duration END = Duration.ofDays(10);
    private static final Path SPOOL = Path.of("/spool");

    /// A violated promise.
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        Violation(String message) {
            super(message);
        }
    }

    /// What the world knows of a message that was acknowledged.
    private static final class Sent {
        final Envelope envelope;
        final byte[] body;

        /// Recipients with a record of their end.
        final Set<Integer> done = new HashSet<>();

        /// Those whom a host took.
        final Set<Integer> taken = new HashSet<>();

        /// Those whose end was sent to the journal; whether it came there is not known.
        final Set<Integer> mayEnd = new HashSet<>();

        /// An operator asked for its removal, or for its return; whether it was recorded is not
        /// known.
        boolean mayBeGone;

        Sent(Envelope envelope, byte[] body) {
            this.envelope = envelope;
            this.body = body;
        }
    }

    private record Event(long atNanos, long order, Runnable what) {}

    private final long seed;
    private final Random random;
    private final boolean isRelaxed;
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(
                    Comparator.comparingLong(Event::atNanos).thenComparingLong(Event::order));
    private final Map<MessageId, Sent> sent = new TreeMap<>();
    private final Set<Claim> claims = new HashSet<>();
    private long nowNanos = Duration.ofDays(20_000).toNanos();
    private long order;
    private SimulatedDisk disk;
    private MailQueue queue;

    /// Counts the processes: what an earlier one still has to say is not heard.
    private int life;

    private boolean isCommitting;
    private boolean isCalm;
    private int crashes;
    private int acknowledged;
    private int refused;
    private int delivered;

    /// @param isLying whether the disk's forces do nothing: the control
    Simulation(long seed, boolean isLying) throws IOException {
        this.seed = seed;
        this.random = new Random(seed);
        // The promise of the relaxed mode is kept against the end of the process alone.
        this.isRelaxed = !isLying && seed % 8 == 7;
        this.disk =
                new SimulatedDisk(
                        random, CAPACITY_MIN_BYTES + random.nextInt(3 * CAPACITY_MIN_BYTES));
        if (isLying) {
            disk.lie();
        }
        this.queue = open();
    }

    /// @return one line that says what happened
    String run() throws IOException {
        for (int i = 0; i < SENDERS; i++) {
            later(millis(random.nextInt(50)), this::send);
        }
        later(millis(1), this::claim);
        later(millis(100), this::operate);
        for (int i = 0; i < EVENTS; i++) {
            if (random.nextInt(40) == 0) {
                plotFault();
            }
            step();
        }
        isCalm = true;
        if (disk.isDead() || queue.stats().refusal() == Refusal.STOPPED) {
            crash(false);
        }
        revive();
        long endNanos = nowNanos + END.toNanos();
        while (!isQuiet()) {
            if (nowNanos > endNanos) {
                throw violation("there is mail left after " + END.toDays() + " calm days");
            }
            step();
        }
        if (queue.stats().messages() != 0) {
            throw violation(queue.stats().messages() + " messages never end");
        }
        return "seed %d: %d acknowledged, %d refused, %d deliveries, %d crashes"
                .formatted(seed, acknowledged, refused, delivered, crashes);
    }

    private boolean isQuiet() {
        return claims.isEmpty() && queue.stats().messages() == 0;
    }

    private Violation violation(String what) {
        return new Violation("seed " + seed + ": " + what);
    }

    // ---- Time ----

    private static long millis(long count) {
        return count * 1_000_000;
    }

    private long nowMillis() {
        return nowNanos / 1_000_000;
    }

    private void later(long nanos, Runnable what) {
        int born = life;
        events.add(
                new Event(
                        nowNanos + nanos,
                        order++,
                        () -> {
                            if (born == life) {
                                what.run();
                            }
                        }));
    }

    private void step() throws IOException {
        Event next = events.poll();
        if (next == null) {
            throw violation("nothing will ever happen again");
        }
        nowNanos = Math.max(nowNanos, next.atNanos());
        try {
            next.what().run();
        } catch (SimulatedDisk.PowerFailure e) {
            // The power failed under it.
        }
        if (disk.isDead()) {
            crash(true);
        } else if (queue.stats().refusal() == Refusal.STOPPED) {
            // The disk failed; whoever runs the host starts it again, now or after a power cut.
            crash(!isRelaxed && random.nextBoolean());
        } else {
            check();
            commitSoon();
        }
    }

    // ---- The process ----

    private MailQueue open() throws IOException {
        QueueSettings usual = QueueSettings.standard(SPOOL);
        QueueLimits limits =
                usual.limits()
                        .withFreeSpaceReserveBytes(256 << 10)
                        .withMessagesMax(MESSAGES_MAX)
                        .withConcurrency(LANE_MAX, CLAIMS_MAX)
                        .withIntake(BODY_FILE_THRESHOLD, 1 << 20, 64 << 10)
                        .withJournalFileBytes(JOURNAL_FILE_BYTES);
        QueueSettings settings =
                usual.withJournal(JournalKind.SEGMENT, 3 * JOURNAL_FILE_BYTES)
                        .withDurability(isRelaxed ? Durability.RELAXED : Durability.COMMIT)
                        .withLimits(limits);
        disk.makeDirectories(SPOOL);
        var environment =
                new QueueEnvironment(
                        () -> Instant.ofEpochMilli(nowMillis()),
                        () -> nowNanos,
                        random,
                        NeverStarted::new,
                        task -> later(millis(random.nextInt(5)), task),
                        (_, _) -> {});
        MailQueue opened = MailQueue.open(settings, environment, disk, () -> {});
        return opened;
    }

    /// The committer runs as an event.
    private static final class NeverStarted extends Thread {
        NeverStarted(Runnable task) {
            super(task);
        }

        @Override
        public void start() {}
    }

    private void commitSoon() {
        if (!isCommitting && queue.committer().depth() > 0) {
            isCommitting = true;
            // What the disk takes for a group.
            later(
                    100_000 + random.nextInt(2_000_000),
                    () -> {
                        isCommitting = false;
                        var _ = queue.committer().step();
                    });
        }
    }

    /// The process ends where it stands, with the machine or without it; another one starts.
    private void crash(boolean withPower) throws IOException {
        if (++crashes > CRASHES_MAX) {
            throw violation("it ends at every start");
        }
        boolean cutsPower = withPower && !isRelaxed;
        if (!disk.isDead() && disk.usableBytes(SPOOL) < JOURNAL_FILE_BYTES) {
            disk.grow(CAPACITY_MIN_BYTES); // an operator gives it a larger one
        }
        while (true) {
            life++;
            isCommitting = false;
            claims.clear();
            disk = cutsPower ? disk.afterPowerCut() : disk.afterKill();
            try {
                queue = open();
                break;
            } catch (SimulatedDisk.PowerFailure e) {
                cutsPower = !isRelaxed; // and once more, while it starts
            }
        }
        verify();
        revive();
    }

    private void revive() {
        for (int i = 0; i < SENDERS; i++) {
            later(millis(random.nextInt(50)), this::send);
        }
        later(millis(1), this::claim);
        later(millis(100), this::operate);
    }

    private void plotFault() throws IOException {
        switch (random.nextInt(4)) {
            case 0, 1 -> disk.failPowerAfter(random.nextInt(200));
            case 2 -> disk.failForceAfter(random.nextInt(10));
            default -> {
                // The process ends between two events, some of the time as it should.
                if (random.nextBoolean()) {
                    commitAll();
                }
                if (!disk.isDead()) {
                    crash(false);
                }
            }
        }
    }

    private void commitAll() {
        while (queue.committer().step()) {}
    }

    // ---- Those who send ----

    private void send() {
        if (isCalm) {
            return;
        }
        later(millis(random.nextInt(60)), this::send);
        if (queue.admission(0) != null) {
            refused++;
            return;
        }
        var addresses = new String[1 + (random.nextInt(3) == 0 ? random.nextInt(5) : 0)];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = "r" + i + "@d" + random.nextInt(4) + ".example";
        }
        Envelope envelope = Mail.to(addresses);
        int size =
                switch (random.nextInt(10)) {
                    case 0 -> BODY_FILE_THRESHOLD + random.nextInt(20_000);
                    case 1 -> 0;
                    default -> random.nextInt(4000);
                };
        byte[] body = Mail.random(random.nextLong(), size);
        MessageWriter writer = queue.begin();
        MessageId id = writer.id();
        var bytes = ByteBuffer.wrap(body);
        while (bytes.hasRemaining()) {
            bytes.limit(Math.min(size, bytes.position() + 1 + random.nextInt(5000)));
            writer.write(bytes);
            bytes.limit(size);
        }
        if (random.nextInt(20) == 0) {
            writer.abandon();
            return;
        }
        int born = life;
        SimulatedDisk under = disk;
        writer.seal(
                envelope,
                result -> {
                    if (born != life || under.isDead()) {
                        return; // nobody hears it
                    }
                    switch (result) {
                        case CommitResult.Committed _ -> {
                            acknowledged++;
                            sent.put(id, new Sent(envelope, body));
                        }
                        case CommitResult.Refused _ -> refused++;
                    }
                });
    }

    // ---- Those who deliver ----

    private void claim() {
        later(millis(1 + random.nextInt(isCalm ? 200 : 20)), this::claim);
        Claim claim = queue.claim(nowMillis());
        if (claim == null) {
            if (isCalm) {
                skipToNextDue();
            }
            return;
        }
        claims.add(claim);
        Sent message = sent.get(claim.messageId());
        if (message != null) {
            for (ClaimedRecipient recipient : claim.recipients()) {
                if (message.done.contains(recipient.index())) {
                    throw violation(claim.messageId() + " is claimed for one who is done");
                }
            }
        }
        long took = random.nextInt(20) == 0 ? 400_000 : random.nextInt(3000);
        later(millis(took), () -> attempt(claim));
    }

    /// Nothing but time separates us from the next attempt.
    private void skipToNextDue() {
        long due = queue.nextDueMillis();
        if (claims.isEmpty() && due != Long.MAX_VALUE) {
            nowNanos = Math.max(nowNanos, millis(Math.min(due, nowMillis() + 3_600_000)));
        }
    }

    private void attempt(Claim claim) {
        var settlements = new ArrayList<Settlement>();
        var ended = new ArrayList<Integer>();
        Sent message = sent.get(claim.messageId());
        boolean isDown = claim.siteTrouble() != null;
        boolean hostFails = random.nextInt(isCalm ? 20 : 5) == 0;
        for (ClaimedRecipient recipient : claim.recipients()) {
            int index = recipient.index();
            if (recipient.isCondemned()) {
                settlements.add(new Settlement.Failed(index, "returned"));
                ended.add(index);
            } else if (isDown || hostFails) {
                long until = nowMillis() + 60_000 + random.nextInt(600_000);
                settlements.add(new Settlement.Deferred(index, until, "450 later"));
            } else if (random.nextInt(10) == 0) {
                settlements.add(new Settlement.Failed(index, "550 no"));
                ended.add(index);
            } else if (!isCalm && random.nextInt(15) == 0) {
                settlements.add(new Settlement.Held(index, "the route holds"));
            } else {
                settlements.add(new Settlement.Delivered(index, "250 ok"));
                ended.add(index);
                delivered++;
                if (message != null && !message.taken.add(index)) {
                    throw violation(claim.messageId() + " is delivered again to " + index);
                }
            }
        }
        if (random.nextInt(5) == 0) {
            readWhole(claim, message);
        }
        // Between the host's 250 and our record there is time for a crash.
        later(millis(random.nextInt(3)), () -> settle(claim, settlements, ended, hostFails));
    }

    private void readWhole(Claim claim, @Nullable Sent message) {
        try {
            byte[] read = Mail.read(claim.body());
            if (message != null && !java.util.Arrays.equals(message.body, read)) {
                throw violation(claim.messageId() + " is not as it was sent");
            }
        } catch (IOException e) {
            throw violation(claim.messageId() + " cannot be read: " + e.getMessage());
        }
    }

    private void settle(
            Claim claim, List<Settlement> settlements, List<Integer> ended, boolean hostFails) {
        claims.remove(claim);
        int born = life;
        SimulatedDisk under = disk;
        Feedback feedback =
                claim.siteTrouble() != null
                        ? new Feedback.None()
                        : hostFails ? new Feedback.Failed("450") : new Feedback.Answered();
        Sent settled = sent.get(claim.messageId());
        if (settled != null) {
            settled.mayEnd.addAll(ended);
        }
        claim.settle(
                settlements,
                feedback,
                () -> {
                    Sent message = sent.get(claim.messageId());
                    if (born == life && !under.isDead() && message != null) {
                        message.done.addAll(ended);
                    }
                });
    }

    // ---- Who operates it ----

    private void operate() {
        later(millis(200 + random.nextInt(2000)), this::operate);
        if (isCalm) {
            // Whatever he held he lets go.
            order(() -> queue.release(Selection.all()));
            for (String destination : queue.suspended()) {
                order(() -> queue.resume(destination) ? 1 : 0);
            }
            return;
        }
        String destination = "d" + random.nextInt(4) + ".example";
        List<MessageId> ids = List.copyOf(sent.keySet());
        switch (random.nextInt(9)) {
            case 0 -> order(() -> queue.suspend(destination) ? 1 : 0);
            case 1, 2 -> order(() -> queue.resume(destination) ? 1 : 0);
            case 3 -> order(() -> queue.retry(Selection.all()));
            case 4 -> order(() -> queue.release(Selection.all()));
            case 5 -> order(() -> queue.reconsiderHeld(destination::equals));
            default -> {
                if (ids.isEmpty()) {
                    return;
                }
                MessageId id = ids.get(random.nextInt(ids.size()));
                switch (random.nextInt(4)) {
                    case 0, 1 -> order(() -> queue.hold(Selection.of(id)));
                    case 2 -> {
                        // From the order on it may be gone.
                        gone(id);
                        order(() -> queue.remove(Selection.of(id)));
                    }
                    default -> order(() -> queue.bounce(Selection.of(id)));
                }
            }
        }
    }

    private void gone(MessageId id) {
        Sent message = sent.get(id);
        if (message != null) {
            message.mayBeGone = true;
        }
    }

    private interface Order {
        int give() throws IOException;
    }

    /// An operator waits for his order to be on the disk, so he needs a thread; meanwhile nothing
    /// happens but the commit.
    private void order(Order order) {
        var isDone = new AtomicBoolean();
        Thread operator =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        order.give();
                                    } catch (IOException | SimulatedDisk.PowerFailure e) {
                                        // He is told, or the host is gone.
                                    } finally {
                                        isDone.set(true);
                                    }
                                });
        try {
            while (!isDone.get()) {
                // He has said all that he has to say, and waits.
                if (operator.getState() != Thread.State.WAITING || !queue.committer().step()) {
                    Thread.onSpinWait();
                }
            }
            operator.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- What must hold ----

    /// After every event.
    private void check() {
        QueueStats stats = queue.stats();
        if (stats.messages() > MESSAGES_MAX) {
            throw violation(stats.messages() + " messages, above the limit");
        }
        if (stats.claims() > CLAIMS_MAX) {
            throw violation(stats.claims() + " claims, above the limit");
        }
        if (stats.intakeBytes() > 2 << 20) {
            throw violation(stats.intakeBytes() + " bytes of unfinished messages");
        }
        Map<String, Integer> byDestination = new HashMap<>();
        for (Claim claim : claims) {
            boolean isAttempt =
                    claim.siteTrouble() == null && !claim.recipients().getFirst().isCondemned();
            if (isAttempt && byDestination.merge(claim.destination(), 1, Integer::sum) > LANE_MAX) {
                throw violation("too many attempts at " + claim.destination());
            }
        }
    }

    /// After every start.
    private void verify() throws IOException {
        for (Map.Entry<MessageId, Sent> entry : sent.entrySet()) {
            MessageId id = entry.getKey();
            Sent message = entry.getValue();
            QueueEntry found = queue.find(id);
            if (found == null) {
                if (!message.mayBeGone
                        && message.done.size() < message.envelope.recipients().size()
                        && !mayHaveEnded(message)) {
                    throw violation(id + " was acknowledged and is lost");
                }
                continue;
            }
            if (!found.recipients().stream()
                    .map(QueueEntry.QueuedRecipient::recipient)
                    .toList()
                    .equals(message.envelope.recipients())) {
                throw violation(id + " has other recipients than it was sent with");
            }
            for (int i = 0; i < found.recipients().size(); i++) {
                RecipientState state = found.recipients().get(i).state();
                boolean isOpen =
                        state != RecipientState.DELIVERED && state != RecipientState.FAILED;
                if (isOpen && message.done.contains(i)) {
                    throw violation(id + " forgot that " + i + " is done");
                }
                if (isOpen) {
                    // The record did not survive: he may be delivered to once more.
                    message.taken.remove(i);
                }
            }
            if (!java.util.Arrays.equals(message.body, Mail.read(queue.body(id)))) {
                throw violation(id + " is not as it was sent");
            }
        }
    }

    /// A settlement may be on the disk though nobody was told so.
    private static boolean mayHaveEnded(Sent message) {
        return message.mayEnd.size() == message.envelope.recipients().size();
    }
}
