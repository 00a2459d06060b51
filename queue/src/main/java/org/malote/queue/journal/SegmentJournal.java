package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The journal in segments: files of one size that have their blocks before the first record, and
/// are written, not mapped. A group of records is gathered in one buffer, written by one write, and
/// forced by one force that has no metadata to wait for.
///
/// A durable group ends with zeros up to the end of a block, so a block that was forced is never
/// written again: what tears in a power cut is of the last group alone. And whole blocks need not
/// be read before they are written.
public final class SegmentJournal implements SpoolJournal {
    private static final Logger log = LoggerFactory.getLogger(SegmentJournal.class);

    /// A group of 1 MiB and its headers; a larger one takes several writes. Whole blocks.
    private static final int BUFFER_BYTES = (1 << 20) + (64 << 10);

    private final JournalSettings settings;
    private final Epochs epochs;
    private final SpaceAhead spaceAhead;

    // The committer's own.

    /// What was appended and not yet written, from a whole block on; when not durable, also what is
    /// in that block already.
    private final ByteBuffer group = ByteBuffer.allocateDirect(BUFFER_BYTES);

    /// Where in the file the group begins.
    private long groupAt;

    private boolean isWritten = true;
    private int number = FileNames.SEGMENT_FIRST - 1;
    private long sequence = Frames.FIRST_SEQUENCE;

    /// The salt of the current file.
    private long salt;

    private @Nullable DiskFile current;
    private @Nullable ZeroAhead ahead;

    /// Earlier files of this start with records that were not yet forced: one at most, unless the
    /// owner forces seldom.
    private final ArrayDeque<DiskFile> rolledFiles = new ArrayDeque<>();

    private boolean namesChanged;
    private boolean isRollLate;

    /// Begins a new epoch.
    ///
    /// @param spool the directory that holds `epochs`, `spares` and `quarantine`
    /// @param io prepares space ahead
    /// @throws IOException when the directory cannot be used
    public static SegmentJournal open(
            Disk disk, Path spool, JournalSettings settings, RandomGenerator random, Executor io)
            throws IOException {
        return new SegmentJournal(
                new Epochs(disk, spool, settings, true, random, io), settings, io);
    }

    /// Begins a new spool whose epochs come after those of another: what came from there keeps its
    /// name.
    ///
    /// @param epoch the last one of the other
    /// @throws IOException when the directory cannot be used
    public static SegmentJournal openAfter(
            int epoch,
            Disk disk,
            Path spool,
            JournalSettings settings,
            RandomGenerator random,
            Executor io)
            throws IOException {
        Epochs.begin(disk, spool, epoch);
        return open(disk, spool, settings, random, io);
    }

    private SegmentJournal(Epochs epochs, JournalSettings settings, Executor io) {
        this.epochs = epochs;
        this.settings = settings;
        this.spaceAhead = new SpaceAhead(settings.fileBytes(), io);
    }

    @Override
    public int epoch() {
        return epochs.number();
    }

    @Override
    public void recover(JournalVisitor visitor) throws IOException {
        epochs.recover(visitor);
    }

    @Override
    public boolean reserve(long bytes) throws IOException {
        spaceAhead.throwFailure();
        return epochs.withSpace(() -> cover(bytes));
    }

    private void cover(long bytes) throws IOException {
        if (ahead == null || (endWith(bytes) > settings.fileBytes() && groupAt > 0)) {
            rollOrGoOn();
        }
        ZeroAhead range = ahead;
        if (range == null) {
            throw new IOException("no journal file is open");
        }
        spaceAhead.cover(range, endWith(bytes), settings.fileBytes());
        epochs.refillSpares(groupAt);
    }

    @Override
    public boolean roll() throws IOException {
        boolean isEmpty = groupAt + group.position() == 0;
        return ahead != null && !isEmpty && epochs.withSpace(this::beginFile);
    }

    /// Where the file ends with so many bytes more, in whole blocks.
    private long endWith(long bytes) {
        return inBlocks(groupAt + group.position() + bytes);
    }

    private static long inBlocks(long bytes) {
        return (bytes + Disk.BLOCK_BYTES - 1) / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES;
    }

    /// Begins the next file. When it cannot be opened the current one goes on, and the next group
    /// tries again: what frees the disk must be recorded somewhere.
    private void rollOrGoOn() throws IOException {
        try {
            beginFile();
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

    private void beginFile() throws IOException {
        // To the file that it was appended to.
        flush();
        int next = number + 1;
        Epochs.Begun begun =
                epochs.begin(fileNumber -> FileNames.segment(epochs.directory(), next, fileNumber));
        // A file of its own: the kernel tells an error of the disk once to each. Were it told to
        // the force of zeros, the one of records beside it would succeed with those gone.
        DiskFile zeros = epochs.openAgain(begun);
        if (current != null) {
            rolledFiles.add(current);
        }
        if (ahead != null) {
            ahead.close();
        }
        current = begun.file();
        ahead = new ZeroAhead(zeros, begun.ownBytes(), settings.durable());
        number = next;
        salt = FileNames.saltOf(begun.path(), epochs.salt());
        namesChanged = true;
        group.clear();
        groupAt = 0;
        epochs.add(begun.path());
    }

    @Override
    public long append(JournalRecord record) throws IOException {
        long at = groupAt + group.position();
        isWritten = false;
        if (group.remaining() < Frames.HEADER_BYTES) {
            writeBlocks();
        }
        Frames.encodeHeader(group, salt, epochs.number(), sequence, record);
        put(record.head());
        for (ByteBuffer piece : record.body()) {
            put(piece);
        }
        sequence++;
        return SpoolJournal.position(currentFile(), at);
    }

    private void put(ByteBuffer piece) throws IOException {
        int from = piece.position();
        int left = piece.remaining();
        while (left > 0) {
            int count = Math.min(left, group.remaining());
            group.put(group.position(), piece, from, count);
            group.position(group.position() + count);
            from += count;
            left -= count;
            if (left > 0) {
                writeBlocks();
            }
        }
    }

    /// Makes room in the buffer: writes its whole blocks and keeps the rest.
    private void writeBlocks() throws IOException {
        int whole = group.position() / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES;
        int rest = group.position() - whole;
        write(whole);
        group.put(0, group, whole, rest);
        group.position(rest);
        groupAt += whole;
    }

    private void write(int bytes) throws IOException {
        if (current == null) {
            throw new IOException("no journal file is open");
        }
        current.write(group.duplicate().position(0).limit(bytes), groupAt);
    }

    @Override
    public void flush() throws IOException {
        if (isWritten) {
            return;
        }
        int end = group.position();
        int padded = (int) inBlocks(end);
        while (group.position() < padded) {
            group.put((byte) 0);
        }
        write(padded);
        isWritten = true;
        if (settings.durable()) {
            groupAt += padded;
            group.clear();
        } else {
            // Small groups would each take a block.
            group.position(end);
            int whole = end / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES;
            group.put(0, group, whole, end - whole);
            group.position(end - whole);
            groupAt += whole;
        }
    }

    @Override
    public void force() throws IOException {
        spaceAhead.throwFailure();
        flush();
        for (DiskFile rolled : rolledFiles) {
            rolled.force();
        }
        closeRolled();
        if (current != null) {
            current.force();
        }
        if (namesChanged) {
            epochs.forceNames();
            namesChanged = false;
        }
    }

    private void closeRolled() throws IOException {
        while (!rolledFiles.isEmpty()) {
            rolledFiles.remove().close();
        }
    }

    @Override
    public @Nullable RecordInfo info(long position) throws IOException {
        return epochs.info(position);
    }

    @Override
    public void read(long position, int offset, ByteBuffer destination) throws IOException {
        epochs.read(position, offset, destination);
    }

    @Override
    public int currentFile() {
        return epochs.currentFile();
    }

    @Override
    public void delete(int file) throws IOException {
        epochs.delete(file);
    }

    @Override
    public long usableBytes() {
        return epochs.usableBytes();
    }

    @Override
    public void close() throws IOException {
        closeRolled();
        if (ahead != null) {
            ahead.close();
        }
        if (current != null) {
            current.close();
        }
        epochs.close();
    }
}
