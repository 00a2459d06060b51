package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

    private record OldEpoch(Path directory, int number, long salt) {}

    private final Disk disk;
    private final Path parent;
    private final Quarantine quarantine;
    private final List<OldEpoch> oldEpochs;
    private final int number;
    private final long salt;
    private final Path directory;
    private final int oldFiles;

    /// Grows at the end only; copied on each change.
    private volatile JournalFile[] files;

    /// Guarded by the list of old epochs.
    private boolean areOldFilesForced;

    /// Finds the epochs of a spool and begins a new one.
    ///
    /// @param spool the directory that holds `epochs` and `quarantine`
    /// @throws IOException when the directory cannot be used
    static Epochs begin(Disk disk, Path spool, RandomGenerator random) throws IOException {
        Path parent = spool.resolve("epochs");
        disk.makeDirectories(parent);
        List<OldEpoch> old = find(disk, parent);
        int number = old.isEmpty() ? 1 : old.getLast().number() + 1;
        long salt = random.nextLong();
        Path directory = parent.resolve("%07d-%016x".formatted(number, salt));
        disk.makeDirectory(directory);
        disk.forceDirectory(parent);
        return new Epochs(disk, spool, old, number, salt, directory);
    }

    private static List<OldEpoch> find(Disk disk, Path parent) throws IOException {
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

    private Epochs(Disk disk, Path spool, List<OldEpoch> old, int number, long salt, Path directory)
            throws IOException {
        this.disk = disk;
        this.parent = spool.resolve("epochs");
        this.quarantine = new Quarantine(disk, spool.resolve("quarantine"));
        this.oldEpochs = old;
        this.number = number;
        this.salt = salt;
        this.directory = directory;
        var known = new ArrayList<JournalFile>();
        for (OldEpoch epoch : old) {
            for (Path path : filesOf(epoch)) {
                known.add(new JournalFile(disk, path, epoch.number(), epoch.salt()));
            }
        }
        this.oldFiles = known.size();
        this.files = known.toArray(JournalFile[]::new);
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

    /// Adds a file of this start, which becomes the current one. Committer only.
    void add(Path path) {
        JournalFile[] grown = Arrays.copyOf(files, files.length + 1);
        grown[files.length] = new JournalFile(disk, path, number, salt);
        files = grown;
    }

    /// See [SpoolJournal#recover].
    void recover(JournalVisitor visitor) throws IOException {
        new Recovery(disk, Arrays.copyOf(files, oldFiles), visitor, quarantine::copy).run();
        for (OldEpoch old : oldEpochs) {
            deleteIfEmpty(old);
        }
    }

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
        gone.delete(quarantine);
        for (OldEpoch old : oldEpochs) {
            if (old.number() == gone.epoch()) {
                deleteIfEmpty(old);
            }
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
                if (disk.kind(old.directory()) == Disk.Kind.DIRECTORY) {
                    disk.forceDirectory(old.directory());
                }
            }
            areOldFilesForced = true;
        }
    }

    private void deleteIfEmpty(OldEpoch old) throws IOException {
        if (disk.kind(old.directory()) != Disk.Kind.DIRECTORY || !filesOf(old).isEmpty()) {
            return;
        }
        for (Path entry : disk.list(old.directory())) {
            if (entry.endsWith(CHRONICLE_TABLE)) {
                disk.delete(entry);
            } else {
                quarantine.take(entry);
            }
        }
        disk.delete(old.directory());
        disk.forceDirectory(parent);
    }

    /// Free space where the files of this start are.
    long usableBytes() {
        return disk.usableBytes(directory);
    }

    @Override
    public void close() throws IOException {
        for (JournalFile file : files) {
            file.close();
        }
    }
}
