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
/// are written, not mapped. A group of records is gathered in one window of the [Tail], written by
/// one write, and forced by one force that has no metadata to wait for.
///
/// When durable, the write goes around the page cache: a copy less, and no pages to be found for
/// what is read from the tail before it is ever read from a page. Measured: `benchmarks/NOTES.md`.
///
/// A durable group ends with zeros up to the end of a block, so a block that was forced is never
/// written again: what tears in a power cut is of the last group alone. And whole blocks need not
/// be read before they are written.
public final class SegmentJournal implements SpoolJournal {
    private static final Logger log = LoggerFactory.getLogger(SegmentJournal.class);

    private final Disk disk;
    private final JournalSettings settings;
    private final Epochs epochs;
    private final SpaceAhead spaceAhead;

    // The committer's own.

    private final Tail tail = new Tail();

    /// The window of the tail that is written to, up to its position.
    private ByteBuffer window = ByteBuffer.allocate(0);

    /// Where in the file the window begins.
    private long windowAt;

    /// What is in the window from here on, a whole block, is not yet in the file; when not durable,
    /// the bytes of its first block may be.
    private int unwritten;

    private boolean isWritten = true;
    private int number = FileNames.SEGMENT_FIRST - 1;
    private long sequence = Frames.FIRST_SEQUENCE;

    /// The salt of the current file.
    private long salt;

    private @Nullable DiskFile current;
    private @Nullable ZeroAhead ahead;

    /// Earlier files of this start with records that were not yet forced: one at most, unless the
    /// owner forces seldom.
    private final ArrayDeque<Rolled> rolledFiles = new ArrayDeque<>();

    /// @param end the offset behind its last record
    private record Rolled(DiskFile file, Contents.@Nullable Writer contents, long end) {}

    /// Of the current file.
    private Contents.@Nullable Writer contents;

    private boolean isForced = true;

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
                disk,
                new Epochs(disk, spool, settings, true, settings.durable(), random, io),
                settings,
                io);
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

    private SegmentJournal(Disk disk, Epochs epochs, JournalSettings settings, Executor io) {
        this.disk = disk;
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
        if (ahead == null || (endWith(bytes) > settings.fileBytes() && end() > 0)) {
            rollOrGoOn();
        }
        ZeroAhead range = ahead;
        if (range == null) {
            throw new IOException("no journal file is open");
        }
        spaceAhead.cover(range, endWith(bytes), settings.fileBytes());
        epochs.refillSpares(end());
        // One write for the group, if it can be.
        if (inBlocks(bytes) > window.remaining() && bytes <= Tail.WINDOW_BYTES) {
            beginWindow();
        }
    }

    @Override
    public boolean roll() throws IOException {
        return ahead != null && end() > 0 && epochs.withSpace(this::beginFile);
    }

    /// Where the next record goes.
    private long end() {
        return windowAt + window.position();
    }

    /// Where the file ends with so many bytes more, in whole blocks.
    private long endWith(long bytes) {
        return inBlocks(end() + bytes);
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
            rolledFiles.add(new Rolled(current, contents, end()));
        }
        if (ahead != null) {
            ahead.close();
        }
        current = begun.file();
        ahead = new ZeroAhead(zeros, begun.ownBytes(), settings.durable());
        number = next;
        salt = FileNames.saltOf(begun.path(), epochs.salt());
        contents = new Contents.Writer(disk, begun.path(), salt, epochs.number(), sequence);
        namesChanged = true;
        epochs.add(begun.path());
        window = tail.begin(currentFile(), 0);
        windowAt = 0;
        unwritten = 0;
    }

    @Override
    public long append(JournalRecord record) throws IOException {
        long at = end();
        isWritten = false;
        isForced = false;
        if (window.remaining() < Frames.HEADER_BYTES) {
            beginWindow();
        }
        Frames.encodeHeader(window, salt, epochs.number(), sequence, record);
        put(record.head());
        for (ByteBuffer piece : record.body()) {
            put(piece);
        }
        sequence++;
        if (contents != null) {
            contents.add(at, record);
        }
        return SpoolJournal.position(currentFile(), at);
    }

    private void put(ByteBuffer piece) throws IOException {
        int from = piece.position();
        int left = piece.remaining();
        while (left > 0) {
            int count = Math.min(left, window.remaining());
            window.put(window.position(), piece, from, count);
            window.position(window.position() + count);
            from += count;
            left -= count;
            if (left > 0) {
                beginWindow();
            }
        }
    }

    /// Writes the whole blocks of the window, and takes the rest into the next one.
    private void beginWindow() throws IOException {
        int position = window.position();
        int whole = position / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES;
        if (whole > unwritten) {
            write(whole);
        }
        tail.end(position);
        ByteBuffer full = window;
        windowAt += whole;
        window = tail.begin(currentFile(), windowAt);
        window.put(0, full, whole, position - whole).position(position - whole);
        unwritten = 0;
    }

    /// Writes what is not yet written of the window.
    ///
    /// @param to its index of the end, a whole block
    private void write(int to) throws IOException {
        if (current == null) {
            throw new IOException("no journal file is open");
        }
        current.write(window.duplicate().limit(to).position(unwritten), windowAt + unwritten);
    }

    @Override
    public void flush() throws IOException {
        if (isWritten) {
            return;
        }
        int end = window.position();
        int padded = (int) inBlocks(end);
        while (window.position() < padded) {
            window.put((byte) 0);
        }
        write(padded);
        isWritten = true;
        tail.end(end);
        if (settings.durable()) {
            unwritten = padded;
        } else {
            // Small groups would each take a block.
            window.position(end);
            unwritten = end / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES;
        }
    }

    @Override
    public void force() throws IOException {
        spaceAhead.throwFailure();
        flush();
        for (Rolled rolled : rolledFiles) {
            rolled.file().force();
            if (rolled.contents() != null) {
                rolled.contents().end(rolled.end());
            }
        }
        closeRolled();
        if (current != null) {
            current.force();
        }
        if (namesChanged) {
            epochs.forceNames();
            namesChanged = false;
        }
        isForced = true;
    }

    /// Of the current file, which nothing more is appended to.
    private void endContents() {
        if (contents != null && isForced) {
            contents.end(end());
        } else if (contents != null) {
            contents.giveUp();
        }
        contents = null;
    }

    private void closeRolled() throws IOException {
        while (!rolledFiles.isEmpty()) {
            rolledFiles.remove().file().close();
        }
    }

    @Override
    public @Nullable RecordInfo info(long position) throws IOException {
        int file = SpoolJournal.fileOf(position);
        var header = ByteBuffer.allocate(Frames.HEADER_BYTES);
        return tail.read(file, SpoolJournal.offsetOf(position), header)
                ? epochs.info(file, header.flip())
                : epochs.info(position);
    }

    @Override
    public void read(long position, int offset, ByteBuffer destination) throws IOException {
        int file = SpoolJournal.fileOf(position);
        long at = SpoolJournal.offsetOf(position) + Frames.HEADER_BYTES + offset;
        if (!tail.read(file, at, destination)) {
            epochs.read(position, offset, destination);
        }
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
    public void setDamaged(int file) {
        epochs.setDamaged(file);
    }

    @Override
    public long usableBytes() {
        return epochs.usableBytes();
    }

    @Override
    public void close() throws IOException {
        for (Rolled rolled : rolledFiles) {
            if (rolled.contents() != null) {
                rolled.contents().giveUp();
            }
        }
        closeRolled();
        endContents();
        if (ahead != null) {
            ahead.close();
        }
        if (current != null) {
            current.close();
        }
        epochs.close();
    }
}
