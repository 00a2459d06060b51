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
import java.util.concurrent.RejectedExecutionException;
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

    /// Space is made in such steps; a larger one makes the force that pays for it rarer and slower.
    private static final int AHEAD_MAX_BYTES = 16 << 20;

    private final Disk disk;
    private final Epochs epochs;
    private final long fileBytes;
    private final int aheadBytes;
    private final boolean durable;
    private final Executor io;
    private final DiskDirectory directory;
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

    private boolean directoryChanged;
    private boolean isRollLate;

    /// Set by the job that zeroes ahead; final for the journal.
    private volatile @Nullable IOException aheadFailure;

    private volatile boolean aheadRunning;

    /// Begins a new epoch.
    ///
    /// @param spool the directory that holds `epochs` and `quarantine`
    /// @param fileBytes a new file begins when one has grown to this
    /// @param durable whether the owner forces what it appends; if not, little else is forced
    /// @param io runs what prepares the space ahead
    /// @throws IOException when the directory cannot be used
    public static ChronicleJournal open(
            Disk disk,
            Path spool,
            long fileBytes,
            boolean durable,
            RandomGenerator random,
            Executor io)
            throws IOException {
        Epochs epochs = Epochs.begin(disk, spool, random);
        try {
            return new ChronicleJournal(disk, epochs, fileBytes, durable, io);
        } catch (RuntimeException | InternalError e) {
            throw new IOException(
                    "Chronicle Queue cannot open " + epochs.directory() + ": " + e, e);
        }
    }

    private ChronicleJournal(Disk disk, Epochs epochs, long fileBytes, boolean durable, Executor io)
            throws IOException {
        this.disk = disk;
        this.epochs = epochs;
        this.fileBytes = fileBytes;
        this.aheadBytes = (int) Math.min(AHEAD_MAX_BYTES, fileBytes);
        this.durable = durable;
        this.io = io;
        this.directory = disk.openDirectory(epochs.directory());
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
        var range = new ZeroAhead(disk.open(path, Disk.Access.CREATE), 0, durable);
        DiskFile file = null;
        try {
            file = disk.open(path, Disk.Access.WRITE);
            range.extendTo(Math.max(aheadBytes, bytes + 2 * OVERHEAD_BYTES));
            // Chronicle opens the file too, at an append, when there is no way back.
            try (var _ = disk.open(path, Disk.Access.READ);
                    var _ = disk.open(path, Disk.Access.READ)) {}
        } catch (IOException e) {
            range.close();
            if (file != null) {
                file.close();
            }
            disk.delete(path);
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
        directoryChanged = true;
        appendedTo = 0;
        epochs.add(path);
    }

    /// Of an attempt that found the disk full, or no descriptor.
    private void deleteLeftover(Path path) throws OpenFailedException {
        try {
            disk.delete(path);
        } catch (IOException e) {
            throw new OpenFailedException(e);
        }
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

    @Override
    public void force() throws IOException {
        throwAheadFailure();
        for (DiskFile rolled : rolledFiles) {
            rolled.force();
        }
        closeRolled();
        if (forceFile != null) {
            forceFile.force();
        }
        if (directoryChanged) {
            // Opened when the journal was: what was appended cannot be refused any more.
            directory.force();
            directoryChanged = false;
        }
    }

    private void closeRolled() throws IOException {
        while (!rolledFiles.isEmpty()) {
            rolledFiles.remove().close();
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
        directory.close();
        epochs.close();
    }
}
