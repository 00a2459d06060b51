package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// A disk that fails on command, and that knows what a power cut could undo: a file that came to
/// the spares may not leave them before its directories were forced.
final class FaultyDisk implements Disk {
    private final Disk disk;
    private boolean failsCreate;
    private boolean isFullAtWrites;
    private long usableBytes = -1;
    private int stepsLeft = Integer.MAX_VALUE;

    /// By the file that was moved into the spares: the directories that do not know it for good.
    private final Map<Path, Set<Path>> unforced = new HashMap<>();

    FaultyDisk(Disk disk) {
        this.disk = disk;
    }

    /// From now on no file can be made, as if there were no descriptor for it; or it can again.
    void failCreate(boolean fails) {
        failsCreate = fails;
    }

    /// From now on every write finds the disk full, or none does.
    void fill(boolean full) {
        isFullAtWrites = full;
    }

    /// What the file system claims to have free.
    void setUsableBytes(long bytes) {
        usableBytes = bytes;
    }

    /// The process ends at one of the next steps, in its middle or before it: nothing is done from
    /// then on.
    void endAfter(int count) {
        stepsLeft = count;
    }

    private void step() throws IOException {
        if (stepsLeft-- <= 0) {
            stepsLeft = 0;
            throw new IOException("the process has ended");
        }
    }

    private final class CheckedFile implements DiskFile {
        private final DiskFile file;

        CheckedFile(DiskFile file) {
            this.file = file;
        }

        @Override
        public int read(ByteBuffer destination, long at) throws IOException {
            return file.read(destination, at);
        }

        @Override
        public void write(ByteBuffer source, long at) throws IOException {
            step();
            if (isFullAtWrites) {
                throw new IOException("No space left on device");
            }
            file.write(source, at);
        }

        /// The process ends here, not the machine: nothing is lost that was written.
        @Override
        public void force() throws IOException {
            step();
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    @Override
    public DiskFile open(Path file, Access access) throws OpenFailedException {
        if (failsCreate && (access == Access.CREATE || access == Access.CREATE_UNCACHED)) {
            throw new OpenFailedException(new IOException("Too many open files"));
        }
        if (access != Access.READ && access != Access.READ_UNCACHED) {
            try {
                step();
            } catch (IOException e) {
                throw new OpenFailedException(e);
            }
        }
        return new CheckedFile(disk.open(file, access));
    }

    @Override
    public DiskDirectory openDirectory(Path directory) throws OpenFailedException {
        DiskDirectory opened = disk.openDirectory(directory);
        return new DiskDirectory() {
            @Override
            public void force() throws IOException {
                step();
                unforced.values().forEach(directories -> directories.remove(directory));
            }

            @Override
            public void close() throws IOException {
                opened.close();
            }
        };
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        step();
        Path source = Objects.requireNonNull(from.getParent());
        Path target = Objects.requireNonNull(to.getParent());
        if (!source.equals(target)) {
            Set<Path> doubtful = unforced.getOrDefault(from, Set.of());
            if (!doubtful.isEmpty()) {
                throw new AssertionError(from + " is used before it is known to " + doubtful);
            }
            unforced.put(to, new HashSet<>(Set.of(source, target)));
        }
        disk.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
        step();
        disk.delete(path);
    }

    @Override
    public List<Path> list(Path directory) throws IOException {
        return disk.list(directory);
    }

    @Override
    public void makeDirectory(Path directory) throws IOException {
        step();
        disk.makeDirectory(directory);
    }

    @Override
    public Kind kind(Path path) {
        return disk.kind(path);
    }

    @Override
    public long size(Path file) throws IOException {
        return disk.size(file);
    }

    @Override
    public long usableBytes(Path path) {
        return usableBytes >= 0 ? usableBytes : disk.usableBytes(path);
    }
}
