package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.RollCycle;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.SparseRollCycles;
import net.openhft.chronicle.wire.DocumentContext;
import net.openhft.chronicle.wire.Wire;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The journal on Chronicle Queue: each epoch is a queue of its own, each record one excerpt that
/// holds one frame.
///
/// Chronicle appends; it is not asked to read. A header of its own that is lost would hide every
/// record behind it, so recovery and reads go to the files, by our frames. Nor does it decide what
/// is durable: its sync covers only the current chunk and hides errors, so the file is forced
/// through a channel.
public final class ChronicleJournal implements SpoolJournal {
    private static final Logger log = LoggerFactory.getLogger(ChronicleJournal.class);

    /// The epoch's number, then its salt. Together they are made by one mkdir.
    private static final Pattern EPOCH_NAME = Pattern.compile("([0-9]{7})-([0-9a-f]{16})");

    private static final String FILE_SUFFIX = ".cq4";

    /// Chronicle's table of its files.
    private static final String TABLE_NAME = "metadata.cq4t";

    /// Chronicle writes this near the start of each file, before any record.
    private static final String FILE_MARK = "SCQStore";

    /// The mark lies within them.
    private static final int FILE_MARK_BYTES = 64;

    /// Chronicle maps the file in such pieces; a record may be a quarter of one.
    private static final int BLOCK_BYTES = 64 << 20;

    /// Few indexes: nothing is looked up by them.
    private static final RollCycle ROLL_CYCLE = SparseRollCycles.LARGE_HOURLY_XSPARSE;

    private static final DateTimeFormatter FILE_NAME =
            DateTimeFormatter.ofPattern(ROLL_CYCLE.format()).withZone(ZoneOffset.UTC);

    /// What Chronicle itself may write between two records: a header, an index of 16 KiB, an end
    /// mark.
    private static final int OVERHEAD_BYTES = 1 << 20;

    /// Space is made in such steps; a larger one makes the force that pays for it rarer and slower.
    private static final int AHEAD_MAX_BYTES = 16 << 20;

    private final Path epochs;
    private final Path directory;
    private final Quarantine quarantine;
    private final int epoch;
    private final long salt;
    private final long fileBytes;
    private final int aheadBytes;
    private final boolean durable;
    private final Executor io;
    private final FileStore store;
    private final FileChannel directoryChannel;
    private final SingleChronicleQueue queue;
    private final ExcerptAppender appender;
    private final ByteBuffer header = ByteBuffer.allocateDirect(Frames.HEADER_BYTES);

    /// Grows at the end only; copied on each change.
    private volatile JournalFile[] files;

    private final int oldFiles;

    /// The files of an earlier epoch, as recovery needs them.
    private record OldEpoch(Path directory, int number, long salt) {}

    private final List<OldEpoch> oldEpochs;

    /// Guarded by the list.
    private boolean areOldFilesForced;

    // The committer's own.
    private int cycle;
    private long sequence = Frames.FIRST_SEQUENCE;
    private long appendedTo;
    private @Nullable ZeroAhead ahead;
    private @Nullable FileChannel forceChannel;

    /// Of earlier files of this start with records that were not yet forced: one at most, unless
    /// the owner forces seldom.
    private final ArrayDeque<FileChannel> rolledChannels = new ArrayDeque<>();

    private boolean directoryChanged;
    private boolean isRollLate;

    /// Set by the job that zeroes ahead; final for the journal.
    private volatile @Nullable IOException aheadFailure;

    private volatile boolean aheadRunning;
    private volatile int currentFile;

    /// Begins a new epoch.
    ///
    /// @param spool the directory that holds `epochs` and `quarantine`
    /// @param fileBytes a new file begins when one has grown to this
    /// @param durable whether the owner forces what it appends; if not, little else is forced
    /// @param io runs what prepares the space ahead
    /// @throws IOException when the directory cannot be used
    public static ChronicleJournal open(
            Path spool, long fileBytes, boolean durable, RandomGenerator random, Executor io)
            throws IOException {
        Path epochs = spool.resolve("epochs");
        Disk.makeDirectories(epochs);
        var old = new ArrayList<OldEpoch>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(epochs)) {
            for (Path entry : entries) {
                Matcher name = EPOCH_NAME.matcher(entry.getFileName().toString());
                if (name.matches() && Files.isDirectory(entry)) {
                    old.add(
                            new OldEpoch(
                                    entry,
                                    Integer.parseInt(name.group(1)),
                                    Long.parseUnsignedLong(name.group(2), 16)));
                } else {
                    log.warn("{} is not of the spool and is left alone", entry);
                }
            }
        }
        old.sort(Comparator.comparingInt(OldEpoch::number));
        int number = old.isEmpty() ? 1 : old.getLast().number() + 1;
        long salt = random.nextLong();
        Path directory = epochs.resolve("%07d-%016x".formatted(number, salt));
        Files.createDirectory(directory);
        Disk.forceDirectory(epochs);
        try {
            return new ChronicleJournal(
                    spool, directory, number, salt, old, fileBytes, durable, io);
        } catch (RuntimeException | InternalError e) {
            throw new IOException("Chronicle Queue cannot open " + directory + ": " + e, e);
        }
    }

    private ChronicleJournal(
            Path spool,
            Path directory,
            int epoch,
            long salt,
            List<OldEpoch> oldEpochs,
            long fileBytes,
            boolean durable,
            Executor io)
            throws IOException {
        this.epochs = spool.resolve("epochs");
        this.directory = directory;
        this.quarantine = new Quarantine(spool.resolve("quarantine"));
        this.epoch = epoch;
        this.salt = salt;
        this.oldEpochs = oldEpochs;
        this.fileBytes = fileBytes;
        this.aheadBytes = (int) Math.min(AHEAD_MAX_BYTES, fileBytes);
        this.durable = durable;
        this.io = io;
        this.store = Files.getFileStore(directory);
        var known = new ArrayList<JournalFile>();
        for (OldEpoch old : oldEpochs) {
            for (Path path : filesOf(old.directory())) {
                known.add(new JournalFile(path, old.number()));
            }
        }
        this.oldFiles = known.size();
        this.files = known.toArray(JournalFile[]::new);
        this.currentFile = oldFiles - 1;
        this.directoryChannel = FileChannel.open(directory, StandardOpenOption.READ);
        // Cycles follow our count, not the clock: a file ends by its size.
        this.queue =
                SingleChronicleQueueBuilder.binary(directory)
                        .blockSize(BLOCK_BYTES)
                        .rollCycle(ROLL_CYCLE)
                        .timeProvider(() -> (long) cycle * ROLL_CYCLE.lengthInMillis())
                        .build();
        this.appender = queue.createAppender();
        // Made here, used by the committer alone.
        appender.singleThreadedCheckDisabled(true);
    }

    private static List<Path> filesOf(Path epochDirectory) throws IOException {
        var found = new ArrayList<Path>();
        try (DirectoryStream<Path> entries =
                Files.newDirectoryStream(epochDirectory, "*" + FILE_SUFFIX)) {
            for (Path entry : entries) {
                found.add(entry);
            }
        }
        // The names are dates of equal length: their order is that of the cycles.
        found.sort(Comparator.comparing(path -> path.getFileName().toString()));
        return found;
    }

    @Override
    public int epoch() {
        return epoch;
    }

    @Override
    public void recover(JournalVisitor visitor) throws IOException {
        int file = 0;
        for (OldEpoch old : oldEpochs) {
            var sink = new RecoverySink(file, visitor);
            var scanner =
                    new FrameScanner(
                            old.salt(),
                            old.number(),
                            file < oldFiles && files[file].path().endsWith(nameOf(0)),
                            sink);
            for (; file < oldFiles && files[file].epoch() == old.number(); file++) {
                recover(file, scanner, sink);
            }
            scanner.finish();
            if (file == 0 || files[file - 1].epoch() != old.number()) {
                deleteEpochIfEmpty(old.number());
            }
        }
    }

    private void recover(int file, FrameScanner scanner, RecoverySink sink) {
        Path path = files[file].path();
        if (!Files.isRegularFile(path)) {
            sink.damagedFile(file, "is no file");
            return;
        }
        try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
            sink.open(file, channel);
            if (!scanner.scan(file, channel)) {
                sink.damagedFile(file, "has pages that the disk cannot read");
            } else if (!sink.foundAny() && !beginsAsOurs(channel)) {
                sink.damagedFile(file, "holds nothing that this version can read");
            }
        } catch (IOException e) {
            sink.damagedFile(file, "cannot be read: " + e.getMessage());
        }
    }

    /// Whether a file without records begins as one that never had any: with zeros, or as Chronicle
    /// begins it.
    private static boolean beginsAsOurs(FileChannel channel) throws IOException {
        var start = new byte[FILE_MARK_BYTES];
        channel.read(ByteBuffer.wrap(start), 0);
        return Arrays.equals(start, new byte[FILE_MARK_BYTES])
                || new String(start, StandardCharsets.ISO_8859_1).contains(FILE_MARK);
    }

    private final class RecoverySink implements FrameScanner.Sink {
        private final JournalVisitor visitor;
        private @Nullable FileChannel channel;
        private int file;
        private boolean any;

        /// The file of the last whole frame: what is lost behind it may have been in this one.
        private int wholeIn;

        RecoverySink(int firstFile, JournalVisitor visitor) {
            this.wholeIn = firstFile;
            this.visitor = visitor;
        }

        void open(int number, FileChannel opened) {
            file = number;
            channel = opened;
            any = false;
        }

        /// Whether there was a whole frame in the file that was opened last.
        boolean foundAny() {
            return any;
        }

        void damagedFile(int inFile, String what) {
            files[inFile].setDamaged();
            visitor.onDamage(files[inFile].path() + " " + what + "; it is kept");
        }

        @Override
        public void onFrame(long offset, Frames.Header frame, ByteBuffer payload) {
            any = true;
            wholeIn = file;
            long end = offset + Frames.HEADER_BYTES + frame.length();
            if (frame.version() != Frames.VERSION) {
                damage(offset, end, "a record of format version " + frame.version());
                return;
            }
            try {
                visitor.onRecord(position(file, offset), frame.type(), payload);
            } catch (MalformedRecordException e) {
                damage(offset, end, "a record that makes no sense (" + e.getMessage() + ")");
            }
        }

        private void damage(long from, long to, String what) {
            files[file].setDamaged();
            visitor.onDamage(files[file].path() + " holds " + what + "; " + copy(file, from, to));
        }

        @Override
        public void onGap(int inFile, long from, long to, long lost) {
            for (int i = Math.min(wholeIn, inFile); i <= file; i++) {
                files[i].setDamaged();
            }
            visitor.onDamage(
                    files[inFile].path()
                            + " lost "
                            + (lost == 1 ? "a record" : lost + " records")
                            + " at "
                            + from
                            + "; "
                            + copy(inFile, from, to));
        }

        @Override
        public void onTornTail(int inFile, long from, long to) {
            visitor.onTornTail(
                    files[inFile].path()
                            + " ends in a broken record at "
                            + from
                            + "; "
                            + copy(inFile, from, to));
        }

        private String copy(int inFile, long from, long to) {
            String name = Quarantine.nameOf(files[inFile].path());
            if (channel != null && channel.isOpen() && inFile == file) {
                return quarantine.copy(channel, name, from, to);
            }
            try (var again = FileChannel.open(files[inFile].path(), StandardOpenOption.READ)) {
                return quarantine.copy(again, name, from, to);
            } catch (IOException e) {
                return "not copied: " + e.getMessage();
            }
        }
    }

    private static long position(int file, long offset) {
        return SpoolJournal.position(file, offset);
    }

    @Override
    public boolean reserve(long bytes) throws IOException {
        throwAheadFailure();
        try {
            if (ahead == null || appendedTo >= fileBytes) {
                roll(bytes);
            }
            ZeroAhead range = ahead;
            if (range == null) {
                throw new IOException("no journal file is open");
            }
            long needed = appendedTo + bytes + OVERHEAD_BYTES;
            if (range.zeroedTo() < needed) {
                range.extendTo(needed + aheadBytes / 2);
            } else if (range.zeroedTo() < needed + aheadBytes / 2) {
                extendLater(range, needed + aheadBytes);
            }
            return true;
        } catch (IOException e) {
            if (Disk.isFull(e) || e instanceof OpenFailedException) {
                return false;
            }
            throw e;
        }
    }

    /// Begins the next file. When it cannot be opened the current one goes on, and the next group
    /// tries again: what frees the disk must be recorded somewhere.
    private void roll(long bytes) throws IOException {
        try {
            beginFile(bytes);
            isRollLate = false;
        } catch (OpenFailedException e) {
            if (ahead == null) {
                throw e;
            }
            if (!isRollLate) {
                isRollLate = true;
                log.warn("the journal cannot begin a new file yet: {}", e.getMessage());
            }
        }
    }

    private void extendLater(ZeroAhead range, long offset) {
        if (aheadRunning) {
            return;
        }
        aheadRunning = true;
        try {
            io.execute(
                    () -> {
                        try {
                            range.extendTo(offset);
                        } catch (java.nio.channels.ClosedChannelException e) {
                            log.debug("the journal went on to another file");
                        } catch (IOException e) {
                            // A full disk is told to whoever reserves next.
                            if (!Disk.isFull(e)) {
                                aheadFailure = e;
                            }
                        } finally {
                            aheadRunning = false;
                        }
                    });
        } catch (RejectedExecutionException e) {
            // At the end of the process: the committer extends the range itself.
            aheadRunning = false;
        }
    }

    /// Makes the next cycle's file before Chronicle does, so that it has its space. Chronicle takes
    /// it as its own.
    private void beginFile(long bytes) throws IOException {
        boolean first = ahead == null;
        int next = first ? 0 : cycle + 1;
        Path path = pathOf(next);
        deleteLeftover(path);
        ZeroAhead range = ZeroAhead.create(path, durable);
        FileChannel channel = null;
        try {
            channel = Disk.open(path, StandardOpenOption.WRITE);
            range.extendTo(Math.max(aheadBytes, bytes + 2 * OVERHEAD_BYTES));
            // Chronicle opens the file too, at an append, when there is no way back.
            try (var _ = Disk.open(path, StandardOpenOption.READ);
                    var _ = Disk.open(path, StandardOpenOption.READ)) {}
        } catch (IOException e) {
            range.close();
            if (channel != null) {
                channel.close();
            }
            Files.deleteIfExists(path);
            throw e;
        }
        if (ahead != null) {
            ahead.close();
        }
        if (forceChannel != null) {
            rolledChannels.add(forceChannel);
        }
        forceChannel = channel;
        ahead = range;
        cycle = next;
        directoryChanged = true;
        appendedTo = 0;
        JournalFile[] grown = Arrays.copyOf(files, files.length + 1);
        grown[files.length] = new JournalFile(path, epoch);
        files = grown;
        currentFile = grown.length - 1;
    }

    /// Of an attempt that found the disk full, or no descriptor.
    private static void deleteLeftover(Path path) throws OpenFailedException {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new OpenFailedException(e);
        }
    }

    private Path pathOf(int cycleNumber) {
        return directory.resolve(nameOf(cycleNumber));
    }

    private static String nameOf(int cycleNumber) {
        var begin = Instant.ofEpochMilli((long) cycleNumber * ROLL_CYCLE.lengthInMillis());
        return FILE_NAME.format(begin) + FILE_SUFFIX;
    }

    @Override
    public long append(JournalRecord record) throws IOException {
        header.clear();
        Frames.encodeHeader(header, salt, epoch, sequence, record);
        header.flip();
        try (DocumentContext context = appender.writingDocument()) {
            Wire wire = context.wire();
            if (wire == null) {
                throw new IOException("Chronicle Queue gave no document to write");
            }
            Bytes<?> bytes = wire.bytes();
            long at = bytes.writePosition();
            long end = put(bytes, at, header);
            end = put(bytes, end, record.head());
            List<ByteBuffer> body = record.body();
            for (int i = 0; i < body.size(); i++) {
                end = put(bytes, end, body.get(i));
            }
            bytes.writePosition(end);
            sequence++;
            appendedTo = end;
            return position(currentFile, at);
        } catch (RuntimeException | InternalError e) {
            // InternalError: the mapping could not be stored to, because the disk is full or
            // broken.
            throw new IOException("appending to " + files[currentFile].path() + " failed: " + e, e);
        }
    }

    private static long put(Bytes<?> bytes, long at, ByteBuffer piece) {
        int length = piece.remaining();
        if (length > 0) {
            bytes.write(at, piece, piece.position(), length);
        }
        return at + length;
    }

    @Override
    public void force() throws IOException {
        throwAheadFailure();
        for (FileChannel rolled : rolledChannels) {
            rolled.force(false);
        }
        closeRolled();
        if (forceChannel != null) {
            forceChannel.force(false);
        }
        if (directoryChanged) {
            // Opened when the journal was: what was appended cannot be refused any more.
            directoryChannel.force(true);
            directoryChanged = false;
        }
    }

    private void closeRolled() throws IOException {
        while (!rolledChannels.isEmpty()) {
            rolledChannels.remove().close();
        }
    }

    private void throwAheadFailure() throws IOException {
        IOException failure = aheadFailure;
        if (failure != null) {
            throw new IOException("preparing space for the journal failed: " + failure, failure);
        }
    }

    @Override
    public @Nullable RecordInfo info(long position) throws IOException {
        JournalFile file = files[SpoolJournal.fileOf(position)];
        var bytes = ByteBuffer.allocate(Frames.HEADER_BYTES);
        file.read(SpoolJournal.offsetOf(position), bytes);
        Frames.Header frame =
                Frames.decodeHeader(bytes.flip(), 0, saltOf(file.epoch()), file.epoch());
        return frame == null ? null : new RecordInfo(frame.type(), frame.length());
    }

    private long saltOf(int number) {
        for (OldEpoch old : oldEpochs) {
            if (old.number() == number) {
                return old.salt();
            }
        }
        return salt;
    }

    @Override
    public void read(long position, int offset, ByteBuffer destination) throws IOException {
        files[SpoolJournal.fileOf(position)].read(
                SpoolJournal.offsetOf(position) + Frames.HEADER_BYTES + offset, destination);
    }

    @Override
    public int currentFile() {
        return currentFile;
    }

    @Override
    public void delete(int file) throws IOException {
        if (file >= currentFile && file >= oldFiles) {
            throw new IllegalArgumentException("the current file is not deleted");
        }
        JournalFile gone = files[file];
        if (gone.isDeleted()) {
            return;
        }
        forceOldFiles();
        gone.delete(quarantine);
        if (gone.epoch() != epoch) {
            deleteEpochIfEmpty(gone.epoch());
        }
    }

    /// The process before may have ended between an append and its force. Recovery read that from
    /// the page cache; what it takes for recorded elsewhere must be so before anything is deleted.
    private void forceOldFiles() throws IOException {
        synchronized (oldEpochs) {
            if (areOldFilesForced) {
                return;
            }
            for (int file = 0; file < oldFiles; file++) {
                files[file].force();
            }
            for (OldEpoch old : oldEpochs) {
                if (Files.isDirectory(old.directory())) {
                    Disk.forceDirectory(old.directory());
                }
            }
            areOldFilesForced = true;
        }
    }

    private void deleteEpochIfEmpty(int number) throws IOException {
        for (OldEpoch old : oldEpochs) {
            if (old.number() != number || !filesOf(old.directory()).isEmpty()) {
                continue;
            }
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(old.directory())) {
                for (Path entry : entries) {
                    if (entry.endsWith(TABLE_NAME)) {
                        Files.deleteIfExists(entry);
                    } else {
                        quarantine.take(entry);
                    }
                }
            }
            Files.deleteIfExists(old.directory());
            Disk.forceDirectory(epochs);
        }
    }

    @Override
    public long usableBytes() throws IOException {
        return store.getUsableSpace();
    }

    @Override
    public void close() throws IOException {
        try {
            appender.close();
            queue.close();
        } catch (RuntimeException | InternalError e) {
            // Behind a failed disk; all that counts was forced, or refused.
            log.warn("closing {}: {}", directory, e.toString());
        }
        closeRolled();
        if (forceChannel != null) {
            forceChannel.close();
        }
        if (ahead != null) {
            ahead.close();
        }
        directoryChannel.close();
        for (JournalFile file : files) {
            file.close();
        }
    }
}
