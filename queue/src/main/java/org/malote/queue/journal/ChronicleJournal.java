package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
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

    /// Chronicle maps the file in such pieces; a record may be a quarter of one.
    private static final int BLOCK_BYTES = 64 << 20;

    /// Few indexes: nothing is looked up by them.
    private static final RollCycle ROLL_CYCLE = SparseRollCycles.LARGE_HOURLY_XSPARSE;

    private static final DateTimeFormatter FILE_NAME =
            DateTimeFormatter.ofPattern(ROLL_CYCLE.format()).withZone(ZoneOffset.UTC);

    /// What Chronicle itself may write between two records: a header, an index of 16 KiB, an end
    /// mark.
    private static final int OVERHEAD_BYTES = 1 << 20;

    private final Disk disk;
    private final Epochs epochs;
    private final JournalSettings settings;
    private final SpaceAhead spaceAhead;
    private final SingleChronicleQueue queue;
    private final ExcerptAppender appender;
    private final ByteBuffer header = ByteBuffer.allocateDirect(Frames.HEADER_BYTES);

    // The committer's own.
    private int cycle;
    private long sequence = Frames.FIRST_SEQUENCE;
    private long appendedTo;
    private @Nullable ZeroAhead ahead;
    private @Nullable DiskFile forceFile;

    /// Of earlier files of this start with records that were not yet forced: one at most, unless
    /// the owner forces seldom.
    private final ArrayDeque<DiskFile> rolledFiles = new ArrayDeque<>();

    private boolean namesChanged;
    private boolean isRollLate;

    /// Begins a new epoch.
    ///
    /// @param spool the directory that holds `epochs`, `spares` and `quarantine`
    /// @param io prepares space ahead
    /// @throws IOException when the directory cannot be used
    public static ChronicleJournal open(
            Disk disk, Path spool, JournalSettings settings, RandomGenerator random, Executor io)
            throws IOException {
        // Chronicle takes a file for its own only when it is all zeros.
        Epochs epochs = new Epochs(disk, spool, settings, false, false, random, io);
        try {
            return new ChronicleJournal(disk, epochs, settings, io);
        } catch (RuntimeException | InternalError e) {
            throw new IOException(
                    "Chronicle Queue cannot open " + epochs.directory() + ": " + e, e);
        }
    }

    private ChronicleJournal(Disk disk, Epochs epochs, JournalSettings settings, Executor io)
            throws IOException {
        this.disk = disk;
        this.epochs = epochs;
        this.settings = settings;
        this.spaceAhead = new SpaceAhead(settings.fileBytes(), io);
        // Cycles follow our count, not the clock: a file ends by its size.
        this.queue =
                SingleChronicleQueueBuilder.binary(epochs.directory())
                        .blockSize(BLOCK_BYTES)
                        .rollCycle(ROLL_CYCLE)
                        .timeProvider(() -> (long) cycle * ROLL_CYCLE.lengthInMillis())
                        .build();
        this.appender = queue.createAppender();
        // Made here, used by the committer alone.
        appender.singleThreadedCheckDisabled(true);
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
        if (ahead == null || appendedTo >= settings.fileBytes()) {
            roll(bytes);
        }
        ZeroAhead range = ahead;
        if (range == null) {
            throw new IOException("no journal file is open");
        }
        spaceAhead.cover(range, appendedTo + bytes + OVERHEAD_BYTES, Long.MAX_VALUE);
        epochs.refillSpares(appendedTo);
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

    @Override
    public boolean roll() throws IOException {
        if (ahead == null || appendedTo == 0 || !epochs.withSpace(() -> beginFile(0))) {
            return false;
        }
        leaveLastFile();
        return true;
    }

    /// Chronicle maps the file before until something is written into the next. Deleted or not,
    /// that file keeps its space so long, and on a full disk no record may ever come.
    private void leaveLastFile() throws IOException {
        try (DocumentContext context = appender.writingDocument(true)) {
            Wire wire = context.wire();
            if (wire == null) {
                throw new IOException("Chronicle Queue gave no document to write");
            }
            // No frame of ours, as Chronicle's own documents are none.
            wire.bytes().writeLong(0);
            appendedTo = wire.bytes().writePosition();
        } catch (RuntimeException | InternalError e) {
            throw new IOException("beginning " + epochs.path(currentFile()) + " failed: " + e, e);
        }
    }

    /// Makes the next cycle's file before Chronicle does, so that it has its space. Chronicle takes
    /// it as its own.
    private void beginFile(long bytes) throws IOException {
        int next = ahead == null ? 0 : cycle + 1;
        Epochs.Begun begun = epochs.begin(_ -> pathOf(next));
        var range = new ZeroAhead(begun.file(), begun.ownBytes(), settings.durable());
        DiskFile file = null;
        try {
            file = disk.open(begun.path(), Disk.Access.WRITE);
            // No more than is needed: where little is left, this is how space comes back.
            range.extendTo(bytes + 2 * OVERHEAD_BYTES);
            // Chronicle opens the file too, at an append, when there is no way back.
            try (var _ = disk.open(begun.path(), Disk.Access.READ);
                    var _ = disk.open(begun.path(), Disk.Access.READ)) {}
        } catch (IOException e) {
            range.close();
            if (file != null) {
                file.close();
            }
            disk.delete(begun.path());
            throw e;
        }
        if (ahead != null) {
            ahead.close();
        }
        if (forceFile != null) {
            rolledFiles.add(forceFile);
        }
        forceFile = file;
        ahead = range;
        cycle = next;
        namesChanged = true;
        appendedTo = 0;
        epochs.add(begun.path());
    }

    private Path pathOf(int cycleNumber) {
        return epochs.directory().resolve(nameOf(cycleNumber));
    }

    private static String nameOf(int cycleNumber) {
        var begin = Instant.ofEpochMilli((long) cycleNumber * ROLL_CYCLE.lengthInMillis());
        return FILE_NAME.format(begin) + FileNames.CHRONICLE_SUFFIX;
    }

    @Override
    public long append(JournalRecord record) throws IOException {
        header.clear();
        Frames.encodeHeader(header, epochs.salt(), epochs.number(), sequence, record);
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
            return SpoolJournal.position(currentFile(), at);
        } catch (RuntimeException | InternalError e) {
            // InternalError: the mapping could not be stored to, because the disk is full or
            // broken.
            throw new IOException(
                    "appending to " + epochs.path(currentFile()) + " failed: " + e, e);
        }
    }

    private static long put(Bytes<?> bytes, long at, ByteBuffer piece) {
        int length = piece.remaining();
        if (length > 0) {
            bytes.write(at, piece, piece.position(), length);
        }
        return at + length;
    }

    /// Nothing to do: the mapping is the page cache.
    @Override
    public void flush() {}

    @Override
    public void force() throws IOException {
        spaceAhead.throwFailure();
        for (DiskFile rolled : rolledFiles) {
            rolled.force();
        }
        closeRolled();
        if (forceFile != null) {
            forceFile.force();
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
    public void setDamaged(int file) {
        epochs.setDamaged(file);
    }

    @Override
    public long usableBytes() {
        return epochs.usableBytes();
    }

    @Override
    public void close() throws IOException {
        try {
            appender.close();
            queue.close();
        } catch (RuntimeException | InternalError e) {
            // Behind a failed disk; all that counts was forced, or refused.
            log.warn("closing {}: {}", epochs.directory(), e.toString());
        }
        closeRolled();
        if (forceFile != null) {
            forceFile.close();
        }
        if (ahead != null) {
            ahead.close();
        }
        epochs.close();
    }
}
