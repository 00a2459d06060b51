package org.malote.queue.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/// All that the spool does to a disk, except for the appends that Chronicle Queue makes through its
/// mappings. [LocalDisk] is the real one.
///
/// It promises what POSIX does and no more. What was written to a file survives a power cut when
/// [DiskFile#force()] has returned after it. A name that was made, renamed or deleted stays so
/// through a power cut when [#forceDirectory] has returned after it, for each directory that the
/// change touched; before that, either state may come back, for each directory by itself. The first
/// force that fails is final: a later one may succeed with the data gone.
///
/// Any thread may call it. Every method blocks.
public interface Disk {
    /// What a file is opened for.
    enum Access {
        /// Reading one that is there.
        READ,
        /// As `READ`, around the page cache where the file system can do that. Offsets, lengths and
        /// the address of each buffer are multiples of [#BLOCK_BYTES].
        READ_UNCACHED,
        /// Writing one that is there.
        WRITE,
        /// As `WRITE` and `READ_UNCACHED`.
        WRITE_UNCACHED,
        /// Writing one that is made; fails when the name is taken.
        CREATE,
        /// As `CREATE` and `WRITE_UNCACHED`.
        CREATE_UNCACHED
    }

    /// What a name stands for.
    enum Kind {
        NOTHING,
        FILE,
        DIRECTORY,
        /// A device, a link to nothing, or what cannot be asked.
        OTHER
    }

    /// Whole blocks, from a multiple of this on, are written without being read first.
    int BLOCK_BYTES = 4096;

    /// @throws OpenFailedException when it cannot be opened; nothing was written
    DiskFile open(Path file, Access access) throws OpenFailedException;

    /// Opens a directory, to be forced when it is too late for an error of opening it.
    ///
    /// @throws OpenFailedException when it cannot be opened
    DiskDirectory openDirectory(Path directory) throws OpenFailedException;

    /// Gives a file or a directory another name on the same file system, in one step. A file that
    /// has that name is replaced.
    void rename(Path from, Path to) throws IOException;

    /// Deletes a file or an empty directory; does nothing when it is not there.
    void delete(Path path) throws IOException;

    /// What is in a directory, by name.
    List<Path> list(Path directory) throws IOException;

    /// Makes a directory; fails when the name is taken.
    void makeDirectory(Path directory) throws IOException;

    /// What a name stands for, behind links.
    Kind kind(Path path);

    /// The bytes of a file.
    ///
    /// @throws IOException also when there is none
    long size(Path file) throws IOException;

    /// Free space of the file system that this is on; 0 when it cannot be told. Cheap.
    long usableBytes(Path path);

    /// Leaves the disk to others for a while.
    default void rest(long nanos) {
        LockSupport.parkNanos(nanos);
    }

    /// Puts a directory's entries on stable storage.
    default void forceDirectory(Path directory) throws IOException {
        try (DiskDirectory opened = openDirectory(directory)) {
            opened.force();
        }
    }

    /// Makes a directory and those above it, durably.
    default void makeDirectories(Path directory) throws IOException {
        if (kind(directory) == Kind.DIRECTORY) {
            return;
        }
        Path parent = directory.toAbsolutePath().getParent();
        if (parent != null) {
            makeDirectories(parent);
        }
        makeDirectory(directory);
        if (parent != null) {
            forceDirectory(parent);
        }
    }

    /// Moves a file, readable or not, to a directory of the same file system, durably. The
    /// directory is made when it is not there; a name that is taken in it gets a number.
    ///
    /// @return where it is now
    default Path moveInto(Path directory, Path file, String name) throws IOException {
        makeDirectories(directory);
        Path target = directory.resolve(name);
        for (int i = 1; kind(target) != Kind.NOTHING; i++) {
            target = directory.resolve(name + "." + i);
        }
        rename(file, target);
        forceDirectory(directory);
        Path parent = file.toAbsolutePath().getParent();
        if (parent != null) {
            forceDirectory(parent);
        }
        return target;
    }

    /// Whether a write failed for want of space. The JDK tells it by the system's message only; the
    /// JVM runs with the messages of the C locale or of its host, so both errors are looked for by
    /// their English text.
    static boolean isFull(IOException failure) {
        String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
        return message.contains("no space left") || message.contains("quota exceeded");
    }
}
