package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The files of a spool's journal, those of earlier starts and those of this one, whichever journal
/// wrote them: numbered, read, and deleted when nobody needs them.
///
/// The committer alone adds files; any thread reads and deletes.
final class Epochs implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Epochs.class);

    /// The epoch's number, then its salt. Together they are made by one mkdir.
    private static final Pattern NAME = Pattern.compile("([0-9]{7})-([0-9a-f]{16})");

    /// Chronicle's table of its files.
    private static final String CHRONICLE_TABLE = "metadata.cq4t";

    /// Spares are made from this part of a start's first file on.
    private static final int SPARES_BEGIN_SHARE = 4;

    record OldEpoch(Path directory, int number, long salt) {}

    private final Disk disk;
    private final Path parent;
    private final Quarantine quarantine;
    private final Spares spares;
    private final List<OldEpoch> oldEpochs;
    private final int number;
    private final long salt;
    private final Path directory;

    /// Opened when the journal is: what was appended cannot be refused any more.
    private final DiskDirectory opened;

    private final long fileBytes;
    private final boolean isUncached;
    private final Executor io;
    private final int oldFiles;

    /// Grows at the end only; copied on each change.
    private volatile JournalFile[] files;

    /// Guarded by the list of old epochs.
    private boolean areOldFilesForced;

    /// Of the force that failed: another may succeed with the data gone.
    private @Nullable IOException forceFailure;

    /// Finds the epochs of a spool and begins a new one.
    ///
    /// @param spool the directory that holds `epochs`, `spares` and `quarantine`
    /// @param takesUsed whether the journal can go on in files that are not zeros
    /// @param isUncached whether it writes whole blocks, around the page cache
    /// @param io prepares spares, and reads ahead in a recovery
    /// @throws IOException when the directory cannot be used
    Epochs(
            Disk disk,
            Path spool,
            JournalSettings settings,
            boolean takesUsed,
            boolean isUncached,
            RandomGenerator random,
            Executor io)
            throws IOException {
        this.disk = disk;
        this.parent = spool.resolve("epochs");
        this.quarantine = new Quarantine(disk, spool.resolve("quarantine"));
        this.fileBytes = settings.fileBytes();
        this.isUncached = isUncached;
        this.io = io;
        disk.makeDirectories(parent);
        this.oldEpochs = find(disk, parent);
        this.number = oldEpochs.isEmpty() ? 1 : oldEpochs.getLast().number() + 1;
        this.salt = random.nextLong();
        this.directory = parent.resolve(nameOf(number, salt));
        disk.makeDirectory(directory);
        disk.forceDirectory(parent);
        this.opened = disk.openDirectory(directory);
        List<JournalFile> known = filesOf(disk, oldEpochs);
        this.oldFiles = known.size();
        this.files = known.toArray(JournalFile[]::new);
        this.spares =
                new Spares(
                        disk,
                        spool.resolve("spares"),
                        settings,
                        takesUsed,
                        known.stream()
                                .map(file -> FileNames.fileNumber(file.path()))
                                .collect(Collectors.toSet()),
                        this::forceDirectories,
                        io);
    }

    /// The epochs of a spool, oldest first.
    static List<OldEpoch> find(Disk disk, Path parent) throws IOException {
        var found = new ArrayList<OldEpoch>();
        for (Path entry : disk.list(parent)) {
            Matcher name = NAME.matcher(entry.getFileName().toString());
            if (name.matches() && disk.kind(entry) == Disk.Kind.DIRECTORY) {
                found.add(
                        new OldEpoch(
                                entry,
                                Integer.parseInt(name.group(1)),
                                Long.parseUnsignedLong(name.group(2), 16)));
            } else {
                log.warn("{} is not of the spool and is left alone", entry);
            }
        }
        found.sort(Comparator.comparingInt(OldEpoch::number));
        return found;
    }

    /// Their files, in the order in which they were written.
    static List<JournalFile> filesOf(Disk disk, List<OldEpoch> epochs) throws IOException {
        var known = new ArrayList<JournalFile>();
        for (OldEpoch epoch : epochs) {
            for (Path path : disk.list(epoch.directory())) {
                if (FileNames.isJournal(path)) {
                    known.add(new JournalFile(disk, path, epoch.number(), epoch.salt()));
                }
            }
        }
        return known;
    }

    /// Makes a spool whose next start has a number above this one.
    static void begin(Disk disk, Path spool, int above) throws IOException {
        Path parent = spool.resolve("epochs");
        disk.makeDirectories(parent);
        disk.makeDirectory(parent.resolve(nameOf(above, 0)));
        disk.forceDirectory(parent);
    }

    private static String nameOf(int number, long salt) {
        return "%07d-%016x".formatted(number, salt);
    }

    private List<Path> filesOf(OldEpoch epoch) throws IOException {
        return disk.list(epoch.directory()).stream().filter(FileNames::isJournal).toList();
    }

    /// The number of this start.
    int number() {
        return number;
    }

    /// Where the files of this start go.
    Path directory() {
        return directory;
    }

    /// The salt of this start.
    long salt() {
        return salt;
    }

    /// The last file: that of this start which grows, or the last of the starts before.
    int currentFile() {
        return files.length - 1;
    }

    Path path(int file) {
        return files[file].path();
    }

    /// A file that may become the current one.
    ///
    /// @param file open for writing
    /// @param ownBytes those that have their place on the disk already
    record Begun(Path path, DiskFile file, long ownBytes) {}

    /// Makes a file for this start out of a spare, or anew.
    ///
    /// @param name its path, by the number that spares have
    /// @throws OpenFailedException when it cannot be opened now
    Begun begin(IntFunction<Path> name) throws OpenFailedException {
        Spares.Taken taken = spares.take(name, writing());
        if (taken != null) {
            return new Begun(taken.path(), taken.file(), fileBytes);
        }
        Path path = name.apply(spares.nextNumber());
        try {
            // Of an attempt that found the disk full, or no descriptor.
            disk.delete(path);
        } catch (IOException e) {
            throw new OpenFailedException(e);
        }
        Disk.Access access = isUncached ? Disk.Access.CREATE_UNCACHED : Disk.Access.CREATE;
        return new Begun(path, disk.open(path, access), 0);
    }

    private Disk.Access writing() {
        return isUncached ? Disk.Access.WRITE_UNCACHED : Disk.Access.WRITE;
    }

    /// Opens a file that was just begun once more, for writing.
    ///
    /// @throws OpenFailedException when that cannot be; the file is closed, and gone
    DiskFile openAgain(Begun begun) throws IOException {
        try {
            return disk.open(begun.path(), writing());
        } catch (OpenFailedException e) {
            begun.file().close();
            disk.delete(begun.path());
            throw e;
        }
    }

    /// Something to do with the disk.
    interface Step {
        void run() throws IOException;
    }

    /// Takes space, from the spares when there is no other.
    ///
    /// @return false when there is none, or no descriptor: that is no failure
    boolean withSpace(Step step) throws IOException {
        try {
            step.run();
            return true;
        } catch (OpenFailedException e) {
            return false;
        } catch (IOException e) {
            if (!Disk.isFull(e)) {
                throw e;
            }
            return spares.giveBack() && withSpace(step);
        }
    }

    /// Has spares made, once the journal is so far into its files that it may need one: a spool of
    /// a few messages needs none. Cheap.
    ///
    /// @param appendedTo in the current file
    void refillSpares(long appendedTo) {
        if (appendedTo >= fileBytes / SPARES_BEGIN_SHARE || files.length > oldFiles + 1) {
            spares.refill();
        }
    }

    /// Puts on stable storage which files there are, spares first: a spare must not have two names
    /// after a power cut.
    void forceNames() throws IOException {
        spares.force();
        opened.force();
    }

    /// Adds a file of this start, which becomes the current one. Committer only.
    void add(Path path) {
        JournalFile[] grown = Arrays.copyOf(files, files.length + 1);
        grown[files.length] = new JournalFile(disk, path, number, salt);
        files = grown;
    }

    /// See [SpoolJournal#recover].
    void recover(JournalVisitor visitor) throws IOException {
        new Recovery(disk, Arrays.copyOf(files, oldFiles), visitor, quarantine::copy, io, true)
                .run();
        for (OldEpoch old : oldEpochs) {
            for (Path stranger : deleteIfEmpty(old)) {
                visitor.onDamage(stranger + " is nothing that this version can read");
            }
        }
    }

    /// See [SpoolJournal#info].
    @Nullable RecordInfo info(long position) throws IOException {
        return files[SpoolJournal.fileOf(position)].info(SpoolJournal.offsetOf(position));
    }

    /// The same, of a record of this file whose header was read elsewhere.
    @Nullable RecordInfo info(int file, ByteBuffer header) {
        return files[file].info(header);
    }

    /// See [SpoolJournal#read].
    void read(long position, int offset, ByteBuffer destination) throws IOException {
        files[SpoolJournal.fileOf(position)].read(
                SpoolJournal.offsetOf(position) + Frames.HEADER_BYTES + offset, destination);
    }

    /// See [SpoolJournal#delete].
    void delete(int file) throws IOException {
        JournalFile[] known = files;
        if (file == known.length - 1 && file >= oldFiles) {
            throw new IllegalArgumentException("the current file is not deleted");
        }
        JournalFile gone = known[file];
        if (gone.isDeleted()) {
            return;
        }
        forceOldFiles();
        gone.delete(quarantine, spares);
        for (OldEpoch old : oldEpochs) {
            if (old.number() == gone.epoch()) {
                var _ = deleteIfEmpty(old);
            }
        }
    }

    /// See [SpoolJournal#setDamaged].
    void setDamaged(int file) {
        files[file].setDamaged();
    }

    /// The process before may have ended between an append and its force. Recovery read that from
    /// the page cache; what it takes for recorded elsewhere must be so before anything is deleted.
    private void forceOldFiles() throws IOException {
        synchronized (oldEpochs) {
            IOException failed = forceFailure;
            if (failed != null) {
                throw new IOException("nothing is deleted since a force failed: " + failed, failed);
            }
            if (areOldFilesForced) {
                return;
            }
            try {
                for (int file = 0; file < oldFiles; file++) {
                    files[file].force();
                }
                forceDirectories();
            } catch (IOException e) {
                if (!(e instanceof OpenFailedException)) {
                    forceFailure = e;
                }
                throw e;
            }
            areOldFilesForced = true;
        }
    }

    private void forceDirectories() throws IOException {
        for (OldEpoch old : oldEpochs) {
            if (disk.kind(old.directory()) == Disk.Kind.DIRECTORY) {
                disk.forceDirectory(old.directory());
            }
        }
        disk.forceDirectory(parent);
    }

    /// Row C15 of queue/DESIGN.md.
    ///
    /// @return what was in it and is of no kind that this version knows; it is in quarantine now
    private List<Path> deleteIfEmpty(OldEpoch old) throws IOException {
        var strangers = new ArrayList<Path>();
        if (disk.kind(old.directory()) != Disk.Kind.DIRECTORY || !filesOf(old).isEmpty()) {
            return strangers;
        }
        for (Path entry : disk.list(old.directory())) {
            if (entry.endsWith(CHRONICLE_TABLE) || FileNames.isContents(entry)) {
                disk.delete(entry);
            } else {
                strangers.add(entry);
                quarantine.take(entry);
            }
        }
        disk.delete(old.directory());
        disk.forceDirectory(parent);
        return strangers;
    }

    /// Free space where the files of this start are, with the spares, which are given back when the
    /// rest runs short.
    long usableBytes() {
        spares.giveBackWhenShort();
        return disk.usableBytes(directory) + spares.bytes();
    }

    @Override
    public void close() throws IOException {
        spares.close();
        opened.close();
        for (JournalFile file : files) {
            file.close();
        }
    }
}
