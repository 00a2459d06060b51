package org.malote.queue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.Disk;
import org.malote.queue.journal.JournalVisitor;
import org.malote.queue.journal.LocalDisk;
import org.malote.queue.journal.MalformedRecordException;
import org.malote.queue.journal.OpenFailedException;
import org.malote.queue.journal.SpoolJournal;
import org.malote.queue.schedule.Feedback;
import org.malote.queue.schedule.SiteLimits;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The durable queue: it takes messages, keeps them, and hands out those that are due. All methods
/// may be called by any thread, unless they say otherwise.
public final class MailQueue implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MailQueue.class);

    /// Messages of one record of an operator's change.
    private static final int CHANGE_TARGETS_MAX = 1000;

    /// Records of one operator's change that wait for the committer at a time.
    private static final int CHANGES_UNDER_WAY_MAX = 8;

    /// Messages taken in are committed down to this part of the reserve; below it, only what frees
    /// space.
    private static final int RESERVE_SHARE_FOR_COMMITS = 2;

    /// Space is to be won back below so many times the reserve: well before mail is refused, which
    /// happens above the reserve by the size of a message.
    private static final int SHORT_RESERVES = 2;

    /// A journal file is ended early that holds more than this part of the reserve, and more than
    /// this.
    private static final int EARLY_ROLL_SHARE = 16;

    private static final long EARLY_ROLL_MIN_BYTES = 256 << 10;

    /// How long a message waits that could not be read, though nothing says that it is damaged: the
    /// process may have had no descriptor left.
    private static final long UNREAD_DELAY_MILLIS = 60_000;

    private final QueueSettings settings;
    private final QueueEnvironment environment;
    private final SpoolJournal journal;
    private final RecordReader reader;
    private final BodyStore bodies;
    private final SuspensionStore suspensions;
    private final AutoCloseable directoryLock;
    private final ChunkPool pool;
    private final FreeSpace freeSpace;
    private final Mover mover;
    private final Committer committer;
    private final Thread committerThread;
    private final AtomicLong sequence = new AtomicLong();
    private final AtomicLong accepted = new AtomicLong();

    /// What the messages that are sealed and not yet in the index will take there, in bytes.
    private final AtomicLong sealed = new AtomicLong();

    /// What the index takes, told without its lock: as of the last group.
    private volatile long indexed;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition quiet = lock.newCondition();

    // Guarded by the lock.
    private final Index index;
    private int jobs;
    private boolean isOpen;

    /// Files of the journal that nobody needs and that are still there, oldest first.
    private final ArrayDeque<Integer> unneededFiles = new ArrayDeque<>();

    private boolean isDeleting;

    /// Messages of the group that is being applied.
    private int accepting;

    private long acceptingBytes;

    private long recovered;
    private long quarantined;
    private boolean hasTornTail;
    private volatile boolean isClosing;
    private volatile Runnable dueSignal = () -> {};

    /// Opens a spool, or makes it, and recovers what it holds.
    ///
    /// @throws IOException when the directory cannot be used, or another process uses it; the
    ///     message says which
    public static MailQueue open(QueueSettings settings, QueueEnvironment environment)
            throws IOException {
        var disk = new LocalDisk();
        return open(settings, environment, disk, SpoolLock.take(disk, settings.directory()));
    }

    /// Opens a queue on any disk.
    ///
    /// @param directoryLock closed with the queue
    static MailQueue open(
            QueueSettings settings,
            QueueEnvironment environment,
            Disk disk,
            AutoCloseable directoryLock)
            throws IOException {
        SpoolJournal journal = null;
        try {
            journal =
                    settings.journal().open(disk, settings, environment.random(), environment.io());
            var bodies = DiskBodies.make(disk, settings.directory());
            var suspensions = new SuspensionFile(disk, settings.directory());
            return open(settings, environment, journal, bodies, suspensions, directoryLock);
        } catch (IOException | RuntimeException e) {
            if (journal != null) {
                journal.close();
            }
            closeLock(directoryLock);
            throw e;
        }
    }

    private static void closeLock(AutoCloseable directoryLock) {
        try {
            directoryLock.close();
        } catch (Exception e) {
            log.warn("giving the spool free: {}", e.toString());
        }
    }

    /// Opens a queue over any journal.
    ///
    /// @param directoryLock closed with the queue
    static MailQueue open(
            QueueSettings settings,
            QueueEnvironment environment,
            SpoolJournal journal,
            BodyStore bodies,
            SuspensionStore suspensions,
            AutoCloseable directoryLock)
            throws IOException {
        var queue =
                new MailQueue(settings, environment, journal, bodies, suspensions, directoryLock);
        queue.recover();
        queue.committerThread.start();
        return queue;
    }

    private MailQueue(
            QueueSettings settings,
            QueueEnvironment environment,
            SpoolJournal journal,
            BodyStore bodies,
            SuspensionStore suspensions,
            AutoCloseable directoryLock) {
        this.settings = settings;
        this.environment = environment;
        this.journal = journal;
        this.bodies = bodies;
        this.suspensions = suspensions;
        this.directoryLock = directoryLock;
        this.pool = new ChunkPool(settings.limits().intakeBytesMax());
        this.freeSpace = new FreeSpace(journal, environment.nanoTime());
        this.reader = new RecordReader(journal);
        this.index = new Index(settings.limits(), environment.random(), this::onFinished);
        this.mover = new Mover(journal, settings.limits(), index, lock);
        this.committer =
                new Committer(
                        journal,
                        settings.durability(),
                        settings.limits(),
                        environment.nanoTime(),
                        new CommitHost());
        this.committerThread = environment.threads().newThread(committer);
    }

    QueueLimits limits() {
        return settings.limits();
    }

    QueueEnvironment environment() {
        return environment;
    }

    BodyStore bodies() {
        return bodies;
    }

    boolean isDurable() {
        return settings.durability() == Durability.COMMIT;
    }

    // ---- Recovery ----

    private void recover() throws IOException {
        loadSuspensions();
        journal.recover(new Replay());
        var unreadable = new ArrayList<MessageId>();
        List<Integer> files;
        lock.lock();
        try {
            for (long value : index.ids()) {
                LiveMessage message = index.find(new MessageId(value));
                if (message != null
                        && message.hasBodyFile()
                        && bodies.size(message.id()) != message.sizeBytes()) {
                    // Row F6 of queue/DESIGN.md.
                    unreadable.add(message.id());
                    holdUnreadable(message);
                }
            }
            recovered = index.size();
            indexed = index.weightBytes();
            boolean isDoubtful = quarantined > 0 || hasTornTail;
            int orphans =
                    bodies.removeOrphans(id -> index.find(new MessageId(id)) != null, isDoubtful);
            if (orphans > 0) {
                log.info(
                        "{} {} bodies that no record names",
                        isDoubtful ? "set aside" : "deleted",
                        orphans);
            }
            // Row C9.
            files = index.filesToDelete(journal.currentFile() + 1);
            isOpen = true;
        } finally {
            lock.unlock();
        }
        if (beginDeleting(files)) {
            try {
                deleteFiles();
            } catch (IOException e) {
                log.warn("cleaning the spool: {}", e.toString());
            }
        }
        for (MessageId id : unreadable) {
            environment
                    .alarm()
                    .raise(
                            QueueAlarm.Kind.UNREADABLE,
                            "message "
                                    + id
                                    + " is held: its body file is missing or of the wrong size");
        }
        if (quarantined > 0) {
            environment
                    .alarm()
                    .raise(
                            QueueAlarm.Kind.QUARANTINED,
                            "the spool was damaged in "
                                    + quarantined
                                    + " places; see the log and the quarantine directory");
        }
        if (recovered > 0) {
            log.info("recovered {} messages", recovered);
        }
    }

    private void loadSuspensions() {
        try {
            suspensions.load().forEach(index.schedule()::suspend);
        } catch (IOException e) {
            environment
                    .alarm()
                    .raise(
                            QueueAlarm.Kind.UNREADABLE,
                            "which destinations are suspended cannot be read, and none is: "
                                    + e.getMessage());
        }
    }

    /// Applies records as they were applied when they were committed.
    ///
    /// A copy of a record takes the original's place, and the original's file is deleted, when the
    /// copy is known to be on the disk. It is when the same start recorded anything behind its
    /// group, which holds nothing but copies: the committer appends no group before the last one is
    /// forced. A copy with nothing behind it may be in the page cache alone, where a process that
    /// ended early left it, and even a force that succeeds now proves nothing, if one had failed.
    /// It says nothing new, so it is passed over while there is the original.
    private final class Replay implements JournalVisitor {
        private record Copy(
                AcceptedRecord record,
                List<RecipientStatus> statuses,
                int headBytes,
                long position) {}

        /// With nothing behind them so far.
        private final List<Copy> copies = new ArrayList<>();

        @Override
        public void onRecord(long position, byte type, ByteBuffer payload)
                throws MalformedRecordException {
            lock.lock();
            try {
                if (type != Records.CARRIED) {
                    copies.forEach(this::apply);
                    copies.clear();
                }
                switch (type) {
                    case Records.ACCEPTED -> {
                        // Rows C4 and C6: whether its sender was told or not. And C7: it is due.
                        AcceptedRecord record = Records.readAccepted(payload);
                        if (index.find(record.id()) != null) {
                            throw new MalformedRecordException("it was accepted before");
                        }
                        index.accepted(record, position);
                    }
                    case Records.CARRIED -> {
                        int start = payload.position();
                        AcceptedRecord record = Records.readAccepted(payload);
                        int count = record.envelope().recipients().size();
                        List<RecipientStatus> states = Records.readStates(payload, count);
                        int headBytes = payload.position() - start;
                        var copy = new Copy(record, states, headBytes, position);
                        // Row C13.
                        if (index.find(record.id()) == null) {
                            apply(copy);
                        } else {
                            copies.add(copy);
                        }
                    }
                    case Records.SETTLED -> {
                        Records.SettledRecord record = Records.readSettled(payload);
                        LiveMessage message = index.find(record.id());
                        if (message != null) {
                            index.settled(message, record.settlements(), position);
                        }
                    }
                    case Records.CHANGED -> applyChange(Records.readChanged(payload));
                    default -> throw new MalformedRecordException("its type is " + type);
                }
            } finally {
                lock.unlock();
            }
        }

        private void apply(Copy copy) {
            index.carried(copy.record(), copy.statuses(), copy.headBytes(), copy.position());
        }

        @Override
        public void onEpochEnd() {
            copies.clear();
        }

        @Override
        public void onDamage(String detail) {
            quarantined++;
            log.error("{}", detail);
        }

        @Override
        public void onTornTail(String detail) {
            hasTornTail = true;
            log.warn("{}; it was never acknowledged", detail);
        }
    }

    /// @return how many messages it changed
    private int applyChange(Records.ChangedRecord record) {
        var changed = new HashSet<MessageId>();
        for (Records.Target target : record.targets()) {
            LiveMessage message = index.find(target.id());
            if (message != null
                    && index.changed(
                            message, record.change(), target.recipient(), record.atMillis())) {
                changed.add(target.id());
            }
        }
        return changed.size();
    }

    // ---- Taking messages ----

    /// Whether a message would be taken now: null when it would. Cheap: for every MAIL command.
    ///
    /// @param messageBytes the announced size (RFC 1870), 0 when unknown
    public @Nullable Refusal admission(long messageBytes) {
        Refusal refusal = refusal();
        if (refusal != null) {
            return refusal;
        }
        if (isFull(sealed.get())) {
            return Refusal.INDEX_FULL;
        }
        long needed = Math.max(0, messageBytes) + pool.usedBytes();
        long reserve = settings.limits().freeSpaceReserveBytes();
        return lacksSpace(needed, reserve) ? Refusal.NO_SPACE : null;
    }

    private @Nullable Refusal refusal() {
        if (committer.isStopped()) {
            return Refusal.STOPPED;
        }
        if (isClosing) {
            return Refusal.CLOSED;
        }
        if (isLate()) {
            return Refusal.COMMITS_LATE;
        }
        return null;
    }

    /// Whether the index will have reached its limit with what is sealed.
    private boolean isFull(long sealedBytes) {
        return indexed + sealedBytes >= (long) settings.limits().messagesMax() * Index.ONE_BYTES;
    }

    /// Whether the disk is stalled. When that ends, a group of the committer's ends.
    private boolean isLate() {
        return committer.oldestAgeNanos() > settings.limits().commitAgeMax().toNanos();
    }

    private boolean lacksSpace(long needed, long reserve) {
        boolean lacks = freeSpace.usableBytes() - needed < reserve;
        if (freeSpace.becameLow(lacks)) {
            environment.alarm().raise(QueueAlarm.Kind.SPACE_LOW, Refusal.NO_SPACE.sentence());
        }
        return lacks;
    }

    /// Begins a message.
    public MessageWriter begin() {
        return new MessageWriter(
                MessageId.of(journal.epoch(), sequence.incrementAndGet()), this, pool);
    }

    /// Counts a message that is being sealed, or refuses it. The last one may go beyond the limit,
    /// however many are sealed at the same time.
    @Nullable Refusal sealing(Envelope envelope, boolean hasBodyFile) {
        Refusal refusal = refusal();
        if (refusal != null) {
            return refusal;
        }
        long bytes = Index.messageBytes(envelope);
        if (isFull(sealed.getAndAdd(bytes))) {
            refusal = Refusal.INDEX_FULL;
        } else if (hasBodyFile && !committer.expect()) {
            refusal = committer.isStopped() ? Refusal.STOPPED : Refusal.CLOSED;
        }
        if (refusal != null) {
            sealed.addAndGet(-bytes);
        }
        return refusal;
    }

    /// A body file could not be written.
    Refusal bodyFailed(IOException cause) {
        if (Disk.isFull(cause) || cause instanceof OpenFailedException) {
            log.warn("no space or no descriptor for a message: {}", cause.getMessage());
            return Refusal.NO_SPACE;
        }
        committer.fail(cause);
        return Refusal.STOPPED;
    }

    /// Runs something on the I/O executor, or here when that has ended.
    void onIo(Runnable task) {
        try {
            environment.io().execute(task);
        } catch (RejectedExecutionException e) {
            task.run();
        }
    }

    Committer committer() {
        return committer;
    }

    /// For a queue over a journal that is only read.
    Mover mover() {
        return mover;
    }

    /// Under the index's lock: a message that was sealed is committed.
    void apply(AcceptedRecord record, long position) {
        index.accepted(record, position);
        accepting++;
        acceptingBytes += Index.messageBytes(record.envelope());
    }

    /// A message that was sealed is refused.
    void uncount(Envelope envelope) {
        sealed.addAndGet(-Index.messageBytes(envelope));
    }

    /// Nobody needs a body any more. After the journal stopped it is not known what its records
    /// will say; the next start, which knows, deletes it.
    void deleteBody(MessageId id) {
        if (!committer.isStopped()) {
            housekeep(() -> bodies.delete(id));
        }
    }

    /// A caller's code must not end the committer.
    static void guarded(String whose, Object of, Runnable callback) {
        try {
            callback.run();
        } catch (RuntimeException e) {
            log.error("{} {} failed when it was told", whose, of, e);
        }
    }

    // ---- Handing messages out ----

    /// Sets what to run, on any thread, when a claim may have become possible. It must return at
    /// once.
    public void onDue(Runnable signal) {
        dueSignal = signal;
        signal.run();
    }

    private void signalDue() {
        guarded("the listener for", "due messages", dueSignal);
    }

    /// Takes what is due and may be attempted: one message's recipients at one destination, or null
    /// when there is nothing. Destinations take turns. Blocks on the disk for the envelope.
    ///
    /// @param nowMillis the time now, in milliseconds since 1970
    public @Nullable Claim claim(long nowMillis) {
        while (true) {
            Taken taken;
            lock.lock();
            try {
                // What is delivered and not recorded would be delivered again.
                if (isClosing || committer.isStopped() || isLate()) {
                    return null;
                }
                Index.Group group = index.claim(nowMillis);
                if (group == null) {
                    return null;
                }
                String trouble = index.schedule().trouble();
                int[] recipients =
                        index.activate(group, nowMillis, settings.limits().claimRecipientsMax());
                taken = new Taken(group, group.message().id(), recipients, trouble);
            } finally {
                lock.unlock();
            }
            try {
                return claim(taken);
            } catch (RecordReader.WrongRecordException e) {
                unreadable(taken, nowMillis, e);
            } catch (IOException e) {
                log.warn(
                        "message {} cannot be read now and waits a minute: {}",
                        taken.id,
                        e.getMessage());
                // Also one that is condemned: to return it, it must be read.
                release(taken.group, taken.recipients, true, nowMillis + UNREAD_DELAY_MILLIS);
            }
        }
    }

    /// What became active.
    private static final class Taken {
        final Index.Group group;
        final MessageId id;
        final int[] recipients;

        /// Of its site, when it is not to be attempted.
        final @Nullable String trouble;

        Taken(Index.Group group, MessageId id, int[] recipients, @Nullable String trouble) {
            this.group = group;
            this.id = id;
            this.recipients = recipients;
            this.trouble = trouble;
        }
    }

    private Claim claim(Taken taken) throws IOException {
        LiveMessage message = taken.group.message();
        RecordReader.Stored stored = stored(taken.id, message);
        List<Recipient> all = stored.head().envelope().recipients();
        var claimed = new ArrayList<ClaimedRecipient>(taken.recipients.length);
        lock.lock();
        try {
            if (all.size() != message.recipientCount()) {
                throw new RecordReader.WrongRecordException(
                        "another record is in its place on the disk");
            }
            for (int recipient : taken.recipients) {
                claimed.add(
                        new ClaimedRecipient(
                                recipient,
                                all.get(recipient),
                                message.attempts(recipient),
                                message.isReleased(recipient),
                                message.isCondemned(recipient)));
            }
        } finally {
            lock.unlock();
        }
        return new Claim(this, taken.group, stored, claimed, taken.trouble);
    }

    private void unreadable(Taken taken, long nowMillis, IOException cause) {
        lock.lock();
        try {
            LiveMessage message = taken.group.message();
            if (!message.isGone()) {
                journal.setDamaged(SpoolJournal.fileOf(message.position()));
                holdUnreadable(message);
            }
            index.released(taken.group, taken.recipients, true, nowMillis, nowMillis);
        } finally {
            lock.unlock();
        }
        environment
                .alarm()
                .raise(
                        QueueAlarm.Kind.UNREADABLE,
                        "message " + taken.id + " is held: " + cause.getMessage());
    }

    /// Not in the journal: the next start tries to read it again. But when its record moves to a
    /// newer file, as one can whose body file is missing, it moves as held by the operator, and
    /// stays so until it is released.
    private void holdUnreadable(LiveMessage message) {
        index.changed(message, Change.HOLD, Records.Target.ALL, 0);
    }

    /// When to ask [#claim] again if nothing signals before, in milliseconds since 1970;
    /// [Long#MAX_VALUE] when nothing waits for a time.
    public long nextDueMillis() {
        lock.lock();
        try {
            return isClosing || committer.isStopped() || isLate()
                    ? Long.MAX_VALUE
                    : index.schedule().nextDueMillis(environment.clock().millis());
        } finally {
            lock.unlock();
        }
    }

    /// Says which hosts take the mail of a destination, and how much they may get at a time:
    /// destinations with the same ones share a window, a rate, and the knowledge that they are
    /// down. Cheap when nothing changes.
    ///
    /// @param site any name for those hosts
    /// @return whether a claim of the destination may go on; if not, the hosts have their fill of
    ///     other destinations' mail, or are down: release it, and it will wait for its turn
    public boolean assign(String destination, String site, SiteLimits limits) {
        lock.lock();
        try {
            return index.schedule().assign(destination, site, limits);
        } finally {
            lock.unlock();
        }
    }

    void settle(
            Index.Group group,
            List<Settlement> settlements,
            Feedback feedback,
            Runnable whenRecorded) {
        LiveMessage message = group.message();
        MessageId id;
        boolean isGone;
        lock.lock();
        try {
            id = message.id();
            index.schedule().settle(group.entry(), feedback, environment.clock().millis());
            isGone = message.isGone();
            if (isGone) {
                index.claimEnded(group);
            }
        } finally {
            lock.unlock();
        }
        signalDue();
        if (isGone) {
            // An operator removed it meanwhile; there is nothing to record.
            guarded("whoever settled message", id, whenRecorded);
            return;
        }
        committer.submit(
                new Committer.Work(Records.settled(id, settlements), false) {
                    @Override
                    void apply(long position) {
                        applySettlements(group, settlements, position);
                    }

                    @Override
                    void committed() {
                        guarded("whoever settled message", id, whenRecorded);
                    }

                    @Override
                    void refused(Refusal refusal) {
                        // This process knows, and attempts nothing twice. The next start will.
                        log.warn(
                                "what became of message {} is not recorded: {}",
                                id,
                                refusal.sentence());
                        lock.lock();
                        try {
                            applySettlements(group, settlements, LiveMessage.NO_DETAIL);
                        } finally {
                            lock.unlock();
                        }
                    }
                });
    }

    private void applySettlements(Index.Group group, List<Settlement> settlements, long position) {
        if (!group.message().isGone()) {
            index.settled(group.message(), settlements, position);
        }
        index.claimEnded(group);
    }

    void release(Index.Group group, int[] recipients, boolean ofCondemned, long untilMillis) {
        lock.lock();
        try {
            long nowMillis = environment.clock().millis();
            index.released(group, recipients, ofCondemned, untilMillis, nowMillis);
        } finally {
            lock.unlock();
        }
        signalDue();
    }

    // ---- Reading ----

    /// Says where a message's record is now, under the lock.
    private interface Whereabouts {
        /// @throws IOException when it is nowhere
        long position() throws IOException;
    }

    private long positionOf(Whereabouts whereabouts) throws IOException {
        lock.lock();
        try {
            return whereabouts.position();
        } finally {
            lock.unlock();
        }
    }

    /// Where a message is that is in the queue, whoever has it.
    private Whereabouts inQueue(MessageId id) {
        return () -> {
            LiveMessage message = index.find(id);
            if (message == null) {
                throw new IOException("message " + id + " is not in the queue");
            }
            return message.position();
        };
    }

    private RecordReader.Stored stored(MessageId id, LiveMessage claimed) throws IOException {
        return read(claimed::position, position -> reader.message(id, position));
    }

    private interface Reading<T> {
        T read(long position) throws IOException;
    }

    /// Reads something of a message's record. It may move to another file at any time: then it is
    /// read again there.
    private <T> T read(Whereabouts whereabouts, Reading<T> reading) throws IOException {
        long position = positionOf(whereabouts);
        while (true) {
            try {
                return reading.read(position);
            } catch (IOException e) {
                long now = positionOf(whereabouts);
                if (now == position) {
                    throw e;
                }
                position = now;
            }
        }
    }

    /// The bytes of a message. The caller closes it.
    ///
    /// @throws IOException when the message is not in the queue or cannot be read
    public MessageBody body(MessageId id) throws IOException {
        Whereabouts whereabouts = inQueue(id);
        return body(whereabouts, read(whereabouts, position -> reader.message(id, position)));
    }

    MessageBody body(LiveMessage claimed, RecordReader.Stored stored) throws IOException {
        return body(claimed::position, stored);
    }

    private MessageBody body(Whereabouts whereabouts, RecordReader.Stored stored)
            throws IOException {
        AcceptedRecord head = stored.head();
        MessageBody.Source source =
                head.hasBodyFile() ? bodies.open(head.id()) : new InJournal(whereabouts, head.id());
        return new MessageBody(head.id(), head.bodyBytes(), head.bodyCrc(), source);
    }

    /// A body that lies behind its head in the journal.
    private final class InJournal implements MessageBody.Source {
        private final Whereabouts whereabouts;
        private final MessageId id;

        /// The record that the offset is of.
        private long position = LiveMessage.NO_DETAIL;

        private int bodyOffset;

        InJournal(Whereabouts whereabouts, MessageId id) {
            this.whereabouts = whereabouts;
            this.id = id;
        }

        @Override
        public int read(long offset, ByteBuffer destination) throws IOException {
            int start = destination.position();
            return MailQueue.this.read(
                    whereabouts,
                    at -> {
                        if (at != position) {
                            bodyOffset = reader.message(id, at).bodyOffset();
                            position = at;
                        }
                        destination.position(start);
                        reader.body(at, bodyOffset, offset, destination);
                        return destination.position() - start;
                    });
        }

        @Override
        public void close() {}
    }

    /// The messages in the queue, oldest first, each as it is when the stream comes to it. Reads
    /// the disk.
    public Stream<QueueEntry> list() {
        return LongStream.of(ids())
                .mapToObj(id -> find(new MessageId(id)))
                .flatMap(Stream::ofNullable);
    }

    /// Whether a message is in the queue and its body in a file of its own.
    boolean hasBodyFile(MessageId id) {
        lock.lock();
        try {
            LiveMessage message = index.find(id);
            return message != null && message.hasBodyFile();
        } finally {
            lock.unlock();
        }
    }

    /// Whether a message is in the queue. Cheap.
    public boolean contains(MessageId id) {
        lock.lock();
        try {
            return index.find(id) != null;
        } finally {
            lock.unlock();
        }
    }

    /// One message, or null when it is not in the queue. Reads the disk.
    public @Nullable QueueEntry find(MessageId id) {
        EntryView view = view(id);
        while (view != null) {
            try {
                return view.read(reader);
            } catch (IOException e) {
                EntryView now = view(id);
                if (now != null && now.position() == view.position()) {
                    return now.unreadable(e);
                }
                view = now; // it moved, or left
            }
        }
        return null;
    }

    private @Nullable EntryView view(MessageId id) {
        lock.lock();
        try {
            LiveMessage message = index.find(id);
            return message == null ? null : new EntryView(message, index);
        } finally {
            lock.unlock();
        }
    }

    // ---- The operator's commands ----

    /// Makes every waiting recipient due now.
    ///
    /// @return how many messages changed; it is on the disk when this returns
    /// @throws IOException when the queue has stopped or closed
    public int retry(Selection selection) throws IOException {
        return change(Change.RETRY, selection, _ -> true);
    }

    /// Holds every recipient that is not final; one that is claimed, when its claim ends.
    ///
    /// @return how many messages changed; it is on the disk when this returns
    /// @throws IOException when the queue has stopped or closed
    public int hold(Selection selection) throws IOException {
        return change(Change.HOLD, selection, _ -> true);
    }

    /// Makes every held recipient due now, whoever holds it.
    ///
    /// @return how many messages changed; it is on the disk when this returns
    /// @throws IOException when the queue has stopped or closed
    public int release(Selection selection) throws IOException {
        return change(Change.RELEASE, selection, _ -> true);
    }

    /// Removes messages; nobody is told. An attempt under way goes on, and counts no more.
    ///
    /// @return how many messages were removed; it is on the disk when this returns
    /// @throws IOException when the queue has stopped or closed
    public int remove(Selection selection) throws IOException {
        return change(Change.REMOVE, selection, _ -> true);
    }

    /// Gives recipients back to their senders: each becomes due now, held or suspended or not, in a
    /// claim that says so ([ClaimedRecipient#isCondemned]). One that is claimed, when its claim
    /// ends without success.
    ///
    /// @return how many messages changed; it is on the disk when this returns
    /// @throws IOException when the queue has stopped or closed
    public int bounce(Selection selection) throws IOException {
        return change(Change.BOUNCE, selection, _ -> true);
    }

    /// Hands out nothing of a destination until it is resumed, also after a restart. What is
    /// claimed goes on. For one without a message in the queue, too.
    ///
    /// @param destination as in [Recipient#destination]
    /// @return whether it was not suspended before; it is on the disk when this returns
    /// @throws IOException when it cannot be recorded, and nothing has changed
    public boolean suspend(String destination) throws IOException {
        return suspend(destination, true);
    }

    /// The opposite of [#suspend].
    ///
    /// @return whether it was suspended before; it is on the disk when this returns
    /// @throws IOException when it cannot be recorded, and nothing has changed
    public boolean resume(String destination) throws IOException {
        boolean wasSuspended = suspend(destination, false);
        signalDue();
        return wasSuspended;
    }

    private boolean suspend(String destination, boolean suspends) throws IOException {
        synchronized (suspensions) {
            var names = new TreeSet<>(suspended());
            boolean changes = suspends ? names.add(destination) : names.remove(destination);
            if (changes) {
                suspensions.save(List.copyOf(names));
            }
            lock.lock();
            try {
                return suspends
                        ? index.schedule().suspend(destination)
                        : index.schedule().resume(destination);
            } finally {
                lock.unlock();
            }
        }
    }

    /// The destinations that are suspended, in the order of the alphabet.
    public List<String> suspended() {
        lock.lock();
        try {
            return index.schedule().suspended();
        } finally {
            lock.unlock();
        }
    }

    /// Makes those recipients due now that their route holds and whose destination is accepted by
    /// the test.
    ///
    /// @return how many messages changed; it is on the disk when this returns
    /// @throws IOException when the queue has stopped or closed
    public int reconsiderHeld(Predicate<String> destination) throws IOException {
        return change(Change.RECONSIDER, Selection.all(), destination);
    }

    private int change(Change change, Selection selection, Predicate<String> destination)
            throws IOException {
        int changed = 0;
        var pending = new ArrayDeque<CompletableFuture<Integer>>();
        Iterator<Map.Entry<MessageId, Index.Meant>> selected = selected(selection, destination);
        while (selected.hasNext()) {
            List<Records.Target> targets = nextTargets(change, selected);
            if (!targets.isEmpty()) {
                pending.add(
                        submitChange(
                                new Records.ChangedRecord(
                                        change, environment.clock().millis(), targets)));
            }
            if (pending.size() == CHANGES_UNDER_WAY_MAX) {
                changed += await(pending.remove());
            }
        }
        while (!pending.isEmpty()) {
            changed += await(pending.remove());
        }
        return changed;
    }

    private Iterator<Map.Entry<MessageId, Index.Meant>> selected(
            Selection selection, Predicate<String> destination) {
        Index.Meant every = Index.Meant.byDestination(destination);
        return switch (selection) {
            case Selection.All _ ->
                    LongStream.of(ids())
                            .mapToObj(id -> Map.entry(new MessageId(id), every))
                            .iterator();
            case Selection.Ids(Set<MessageId> ids) ->
                    ids.stream().map(id -> Map.entry(id, every)).iterator();
            case Selection.Recipients(Map<MessageId, Set<Integer>> byMessage) ->
                    byMessage.entrySet().stream()
                            .map(
                                    entry ->
                                            Map.<MessageId, Index.Meant>entry(
                                                    entry.getKey(),
                                                    (recipient, _) ->
                                                            entry.getValue().contains(recipient)))
                            .iterator();
        };
    }

    long[] ids() {
        lock.lock();
        try {
            return index.ids();
        } finally {
            lock.unlock();
        }
    }

    /// Some of what is to be changed: the lock is held for no more.
    private List<Records.Target> nextTargets(
            Change change, Iterator<Map.Entry<MessageId, Index.Meant>> selected) {
        var targets = new ArrayList<Records.Target>();
        lock.lock();
        try {
            for (int looked = 0;
                    looked < CHANGE_TARGETS_MAX
                            && selected.hasNext()
                            && targets.size() < CHANGE_TARGETS_MAX;
                    looked++) {
                Map.Entry<MessageId, Index.Meant> next = selected.next();
                LiveMessage message = index.find(next.getKey());
                if (message != null) {
                    index.targets(message, change, next.getValue(), targets);
                }
            }
        } finally {
            lock.unlock();
        }
        return targets;
    }

    /// @return how many messages it changed
    private CompletableFuture<Integer> submitChange(Records.ChangedRecord record) {
        var result = new CompletableFuture<Integer>();
        var changed = new AtomicInteger();
        committer.submit(
                new Committer.Work(
                        Records.changed(record.change(), record.atMillis(), record.targets()),
                        false) {
                    @Override
                    void apply(long position) {
                        changed.set(applyChange(record));
                    }

                    @Override
                    void committed() {
                        result.complete(changed.get());
                    }

                    @Override
                    void refused(Refusal refusal) {
                        result.completeExceptionally(new IOException(refusal.sentence()));
                    }
                });
        return result;
    }

    private static <T> T await(CompletableFuture<T> future) throws IOException {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted before the change was recorded");
        } catch (ExecutionException e) {
            throw new IOException(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage(), e);
        }
    }

    // ---- What happens around commits ----

    private final class CommitHost implements Committer.Host {
        @Override
        public boolean hasSpace(long bytes) {
            return !lacksSpace(
                    bytes, settings.limits().freeSpaceReserveBytes() / RESERVE_SHARE_FOR_COMMITS);
        }

        @Override
        public void apply(List<Committer.Work> group, long[] positions) {
            lock.lock();
            try {
                for (int i = 0; i < positions.length; i++) {
                    group.get(i).apply(positions[i]);
                }
                // In this order, and read in the other: no message is ever counted less than once.
                indexed = index.weightBytes();
                sealed.addAndGet(-acceptingBytes);
                accepted.addAndGet(accepting);
                accepting = 0;
                acceptingBytes = 0;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void groupEnded() {
            signalDue();
        }

        @Override
        public List<Committer.Work> maintenance(boolean isAgain) throws IOException {
            if (isSpaceShort() && isDead()) {
                // Space comes back with whole files only, and a small disk may hold no more than
                // this one.
                if (isDurable()) {
                    journal.force();
                }
                var _ = journal.roll();
            }
            List<Integer> files;
            lock.lock();
            try {
                files = index.filesToDelete(journal.currentFile());
            } finally {
                lock.unlock();
            }
            if (!files.isEmpty()) {
                // Also when relaxed: what moved out of them was on stable storage, and stays so.
                journal.force();
                if (beginDeleting(files)) {
                    housekeep(MailQueue.this::deleteFiles);
                }
            }
            return mover.next(isAgain);
        }

        /// The file that records were last known to go to, and what had been appended before it.
        private int file = -1;

        private long bytesBefore;

        private boolean isSpaceShort() {
            return freeSpace.usableBytes()
                    < SHORT_RESERVES * settings.limits().freeSpaceReserveBytes();
        }

        /// Whether the journal's last file holds a good deal, and the queue is empty.
        private boolean isDead() {
            if (file != journal.currentFile()) {
                file = journal.currentFile();
                bytesBefore = committer.bytes();
            }
            long inFile = committer.bytes() - bytesBefore;
            long least = settings.limits().freeSpaceReserveBytes() / EARLY_ROLL_SHARE;
            if (inFile < Math.max(EARLY_ROLL_MIN_BYTES, least)) {
                return false;
            }
            lock.lock();
            try {
                return index.size() == 0;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void stopped(IOException cause) {
            log.error("the spool stopped: {}", cause.getMessage(), cause);
            environment.alarm().raise(QueueAlarm.Kind.STOPPED, String.valueOf(cause.getMessage()));
            signalDue();
        }
    }

    /// A message left, and nobody reads it any more. Under the lock.
    private void onFinished(LiveMessage message) {
        // During recovery later records may still be to come; what is left over is deleted at its
        // end.
        if (message.hasBodyFile() && isOpen) {
            deleteBody(message.id());
        }
    }

    /// @return whether to run [#deleteFiles]
    private boolean beginDeleting(List<Integer> files) {
        lock.lock();
        try {
            unneededFiles.addAll(files);
            boolean begins = !isDeleting;
            isDeleting = true;
            return begins;
        } finally {
            lock.unlock();
        }
    }

    /// One at a time and in order, see [Index#filesToDelete]. Ends at one that cannot be deleted,
    /// which is tried again before the next.
    private void deleteFiles() throws IOException {
        try {
            Integer file = nextUnneeded(false);
            while (file != null) {
                journal.delete(file);
                file = nextUnneeded(true);
            }
        } catch (IOException | RuntimeException e) {
            lock.lock();
            try {
                isDeleting = false;
            } finally {
                lock.unlock();
            }
            throw e;
        }
    }

    /// @param isDeleted whether the one before is gone
    private @Nullable Integer nextUnneeded(boolean isDeleted) {
        lock.lock();
        try {
            if (isDeleted) {
                unneededFiles.remove();
            }
            isDeleting = !unneededFiles.isEmpty();
            return unneededFiles.peek();
        } finally {
            lock.unlock();
        }
    }

    /// A task of the disk.
    private interface DiskTask {
        void run() throws IOException;
    }

    /// Deletes something on the I/O executor. What fails is done by the next start.
    private void housekeep(DiskTask task) {
        lock.lock();
        try {
            jobs++;
        } finally {
            lock.unlock();
        }
        try {
            environment
                    .io()
                    .execute(
                            () -> {
                                try {
                                    task.run();
                                } catch (IOException e) {
                                    log.warn("cleaning the spool: {}", e.toString());
                                } finally {
                                    jobEnded();
                                }
                            });
        } catch (RejectedExecutionException e) {
            jobEnded();
        }
    }

    private void jobEnded() {
        lock.lock();
        try {
            jobs--;
            quiet.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ---- Figures, and the end ----

    public QueueStats stats() {
        long age = committer.oldestAgeNanos();
        int depth = committer.depth();
        Refusal refusal = admission(0);
        lock.lock();
        try {
            return new QueueStats(
                    index.size(),
                    index.bytes(),
                    index.waiting(),
                    index.active(),
                    index.held(),
                    index.schedule().claims(),
                    index.schedule().lanes(),
                    accepted.get(),
                    index.finished(),
                    committer.commits(),
                    committer.records(),
                    committer.bytes(),
                    committer.forces(),
                    recovered,
                    quarantined,
                    depth,
                    age,
                    pool.usedBytes(),
                    freeSpace.usableBytes(),
                    Math.max(0, journal.currentFile() + 1 - index.oldestFile()),
                    refusal);
        } finally {
            lock.unlock();
        }
    }

    /// Commits what is sealed, refuses what comes later, and closes the spool. Waits for it; not to
    /// be called on a thread of the queue. Does nothing the second time.
    @Override
    public void close() {
        lock.lock();
        try {
            if (isClosing) {
                return;
            }
            isClosing = true;
        } finally {
            lock.unlock();
        }
        committer.close();
        boolean interrupted = false;
        while (true) {
            try {
                committerThread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        lock.lock();
        try {
            while (jobs > 0) {
                quiet.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
        try {
            journal.close();
        } catch (IOException e) {
            log.warn("closing the journal: {}", e.toString());
        }
        closeLock(directoryLock);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
