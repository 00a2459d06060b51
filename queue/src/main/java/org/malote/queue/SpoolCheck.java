package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import org.malote.queue.journal.Disk;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.JournalSettings;
import org.malote.queue.journal.LocalDisk;
import org.malote.queue.journal.ReadOnlyJournal;
import org.malote.queue.journal.SegmentJournal;
import org.malote.queue.journal.SpoolJournal;

/// Looks into a spool that no process holds, as a start would, and changes nothing in it.
public final class SpoolCheck {
    private static final int READ_BYTES = 64 << 10;

    /// Of one force while a spool is copied.
    private static final long GROUP_BYTES = 8L << 20;

    /// What a frame takes beside its payload, rounded up.
    private static final long FRAME_OVERHEAD_BYTES = 64;

    private SpoolCheck() {}

    /// Told how far it is, on the caller's thread.
    @FunctionalInterface
    public interface Progress {
        /// @param what is being done, in a few words
        /// @param unit of `done` and `total`: "bytes" or "messages"
        void at(String what, String unit, long done, long total);
    }

    /// What a spool holds.
    ///
    /// @param epochs starts that left something
    /// @param files of the journal
    /// @param records that are whole, also of messages that have left
    /// @param messages that are in the queue
    /// @param bytes of those messages
    /// @param damage what a start would put into quarantine: file, offset and what is lost, a
    ///     sentence each
    /// @param tornTails records that were being written when the process ended; no loss
    /// @param badBodies body files that are missing, of the wrong size, or of the wrong checksum, a
    ///     sentence each
    /// @param orphans body files that no message names: a start deletes them, or sets them aside
    ///     when there is damage
    public record Report(
            int epochs,
            int files,
            long records,
            long messages,
            long bytes,
            List<String> damage,
            List<String> tornTails,
            List<String> badBodies,
            List<String> orphans) {
        /// Whether every message that was accepted and has not left is whole, as far as can be
        /// told.
        public boolean isSound() {
            return damage.isEmpty() && badBodies.isEmpty();
        }
    }

    /// What was copied to a new spool.
    ///
    /// @param messages that are in it
    /// @param bytes of those messages
    /// @param damage of the old one, see [Report]
    /// @param lost messages that the old one names and that are not whole, a sentence each
    public record Salvage(long messages, long bytes, List<String> damage, List<String> lost) {}

    /// Scans a spool without changing a byte.
    ///
    /// @param environment its clocks, threads and randomness are used; the alarm is not told
    /// @throws IOException when the directory cannot be read, or a process uses it
    public static Report verify(Path spool, QueueEnvironment environment, Progress progress)
            throws IOException {
        try (var looked = new Looked(new LocalDisk(), spool, environment, progress)) {
            List<String> badBodies = looked.checkBodies();
            QueueStats stats = looked.queue.stats();
            return new Report(
                    looked.journal.epochs(),
                    looked.journal.files(),
                    looked.journal.records(),
                    stats.messages(),
                    stats.bytes(),
                    looked.journal.damage(),
                    looked.journal.tornTails(),
                    badBodies,
                    looked.bodies.orphans());
        }
    }

    /// Copies every message that is whole, with what became of its recipients, into a new spool.
    /// Each keeps its name and its time.
    ///
    /// @param target the new spool; not there, or empty
    /// @param environment as for [#verify]
    /// @throws IOException when the one cannot be read, or the other cannot be written or holds
    ///     something
    public static Salvage salvage(
            Path spool, Path target, QueueEnvironment environment, Progress progress)
            throws IOException {
        var disk = new LocalDisk();
        if (disk.kind(target) != Disk.Kind.NOTHING && !disk.list(target).isEmpty()) {
            throw new IOException(target + " is not empty; name a directory that is not there yet");
        }
        try (var looked = new Looked(disk, spool, environment, progress);
                var _ = SpoolLock.take(disk, target);
                var copy = new Copy(disk, target, looked, environment)) {
            long[] ids = looked.queue.ids();
            for (int i = 0; i < ids.length; i++) {
                copy.add(new MessageId(ids[i]));
                progress.at("copying", "messages", i + 1L, ids.length);
            }
            copy.finish(spool);
            return new Salvage(
                    copy.messages, copy.bytes, looked.journal.damage(), List.copyOf(copy.lost));
        }
    }

    /// A queue over a spool that is only read.
    private static final class Looked implements AutoCloseable {
        final ReadOnlyJournal journal;
        final Bodies bodies;
        final MailQueue queue;
        private final Progress progress;

        Looked(Disk disk, Path spool, QueueEnvironment environment, Progress progress)
                throws IOException {
            this.progress = progress;
            if (disk.kind(spool) != Disk.Kind.DIRECTORY) {
                throw new IOException(spool + " is no directory; name that of a spool");
            }
            AutoCloseable lock = SpoolLock.takeForReading(spool);
            journal =
                    new ReadOnlyJournal(
                            disk,
                            spool,
                            (done, total) -> progress.at("scanning", "bytes", done, total));
            bodies = new Bodies(new DiskBodies(disk, spool));
            QueueLimits limits = QueueLimits.standard().withMessagesMax(Integer.MAX_VALUE);
            queue =
                    MailQueue.open(
                            QueueSettings.standard(spool).withLimits(limits),
                            new QueueEnvironment(
                                    environment.clock(),
                                    environment.nanoTime(),
                                    environment.random(),
                                    environment.threads(),
                                    environment.io(),
                                    (_, _) -> {}),
                            journal,
                            bodies,
                            new NoSuspensions(),
                            lock);
        }

        /// Reads each body that has a file of its own. The others were part of their record.
        List<String> checkBodies() {
            var problems = new ArrayList<String>();
            long[] ids = queue.ids();
            ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BYTES);
            for (int i = 0; i < ids.length; i++) {
                var id = new MessageId(ids[i]);
                if (queue.hasBodyFile(id)) {
                    try (MessageBody body = queue.body(id)) {
                        while (body.read(buffer.clear()) >= 0) {}
                    } catch (IOException e) {
                        problems.add("message " + id + ": " + e.getMessage());
                    }
                }
                progress.at("reading bodies", "messages", i + 1L, ids.length);
            }
            return problems;
        }

        @Override
        public void close() {
            queue.close();
        }
    }

    /// A new spool that is being filled.
    private static final class Copy implements AutoCloseable {
        private final Disk disk;
        private final Path target;
        private final Looked source;
        private final DiskBodies bodies;
        private final SpoolJournal journal;
        private final List<String> lost = new ArrayList<>();
        private long messages;
        private long bytes;
        private long unforcedBytes;

        Copy(Disk disk, Path target, Looked source, QueueEnvironment environment)
                throws IOException {
            this.disk = disk;
            this.target = target;
            this.source = source;
            QueueLimits limits = QueueLimits.standard();
            this.bodies = DiskBodies.make(disk, target);
            this.journal =
                    SegmentJournal.openAfter(
                            source.journal.epoch(),
                            disk,
                            target,
                            new JournalSettings(
                                    limits.journalFileBytes(),
                                    true,
                                    0,
                                    limits.freeSpaceReserveBytes()),
                            environment.random(),
                            environment.io());
        }

        /// What cannot be read is lost; what cannot be written ends it all.
        void add(MessageId id) throws IOException {
            JournalRecord record;
            MessageBody opened;
            try {
                record = source.queue.mover().copyOf(id);
                opened = source.queue.body(id);
            } catch (IOException | IllegalArgumentException e) {
                // The latter: what the remotes said of many recipients makes the record too large.
                lost.add("message " + id + ": " + e.getMessage());
                return;
            }
            try (MessageBody body = opened) {
                if (record == null || (source.queue.hasBodyFile(id) && !copyFile(id, body))) {
                    return;
                }
                append(record);
                messages++;
                bytes += body.size();
            }
        }

        /// @return false when it is not whole
        private boolean copyFile(MessageId id, MessageBody body) throws IOException {
            BodyStore.Draft draft = bodies.create(id);
            ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BYTES);
            while (true) {
                int count;
                try {
                    count = body.read(buffer.clear());
                } catch (IOException e) {
                    draft.discard();
                    lost.add("message " + id + ": " + e.getMessage());
                    return false;
                }
                if (count < 0) {
                    draft.publish(true);
                    return true;
                }
                draft.write(buffer.flip());
            }
        }

        private void append(JournalRecord record) throws IOException {
            long size = record.length() + FRAME_OVERHEAD_BYTES;
            if (!journal.reserve(size)) {
                throw new IOException("there is no space for " + target);
            }
            journal.append(record);
            unforcedBytes += size;
            if (unforcedBytes >= GROUP_BYTES) {
                journal.force();
                unforcedBytes = 0;
            }
        }

        /// Which destinations are suspended comes along, too.
        void finish(Path spool) throws IOException {
            journal.force();
            try {
                List<String> suspended = new SuspensionFile(disk, spool).load();
                if (!suspended.isEmpty()) {
                    new SuspensionFile(disk, target).save(suspended);
                }
            } catch (IOException e) {
                lost.add("which destinations are suspended: " + e.getMessage());
            }
        }

        @Override
        public void close() throws IOException {
            journal.close();
        }
    }

    /// Bodies that are only read.
    private static final class Bodies implements BodyStore {
        private final DiskBodies bodies;
        private final List<String> orphans = new ArrayList<>();

        Bodies(DiskBodies bodies) {
            this.bodies = bodies;
        }

        List<String> orphans() {
            return List.copyOf(orphans);
        }

        @Override
        public Draft create(MessageId id) throws IOException {
            throw new IOException("the spool is only read");
        }

        @Override
        public MessageBody.Source open(MessageId id) throws IOException {
            return bodies.open(id);
        }

        @Override
        public long size(MessageId id) {
            return bodies.size(id);
        }

        @Override
        public void delete(MessageId id) {}

        @Override
        public int removeOrphans(LongPredicate keep, boolean setAside) throws IOException {
            for (MessageId id : bodies.ids()) {
                if (!keep.test(id.value())) {
                    orphans.add(id.toString());
                }
            }
            return 0;
        }
    }

    /// None, and none is recorded.
    private static final class NoSuspensions implements SuspensionStore {
        @Override
        public List<String> load() {
            return List.of();
        }

        @Override
        public void save(List<String> destinations) throws IOException {
            throw new IOException("the spool is only read");
        }
    }
}
