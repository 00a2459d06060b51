package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.Disk;
import org.malote.queue.journal.DiskDirectory;
import org.malote.queue.journal.DiskFile;
import org.malote.queue.journal.OpenFailedException;

/// A disk in memory that keeps what was written apart from what was forced.
///
/// [#afterPowerCut] gives the disk that a power cut leaves: the forced bytes, and of what was
/// written since, any sectors, each by itself; the forced entries of each directory, and of what
/// was changed since, any beginning, for each directory by itself. That is less than real file
/// systems promise and no more than POSIX does.
///
/// At a moment that is set beforehand the power fails in the middle of an operation: this throws
/// [PowerFailure], and so does everything afterwards. Single-threaded.
final class SimulatedDisk implements Disk {
    private static final int SECTOR_BYTES = 512;

    /// The power is gone. Not for production code to catch, which treats it as a bug.
    static final class PowerFailure extends Error {
        private static final long serialVersionUID = 1L;
    }

    /// What a name stands for.
    private abstract static class Node {}

    private static final class File extends Node {
        byte[] written = new byte[0];
        int size;
        byte[] forced = new byte[0];
        int forcedSize;
        final BitSet dirty = new BitSet();

        void write(ByteBuffer source, int at) {
            int count = source.remaining();
            if (written.length < at + count) {
                written = Arrays.copyOf(written, Math.max(at + count, 2 * written.length));
            }
            source.get(written, at, count);
            dirty.set(at / SECTOR_BYTES, (at + count + SECTOR_BYTES - 1) / SECTOR_BYTES);
            size = Math.max(size, at + count);
        }

        void force() {
            if (forced.length < size) {
                forced = Arrays.copyOf(forced, written.length);
            }
            for (int i = dirty.nextSetBit(0); i >= 0; i = dirty.nextSetBit(i + 1)) {
                copySector(i);
            }
            dirty.clear();
            forcedSize = size;
        }

        private void copySector(int sector) {
            int from = sector * SECTOR_BYTES;
            int to = Math.min(from + SECTOR_BYTES, size);
            if (from < to) {
                System.arraycopy(written, from, forced, from, to - from);
            }
        }

        File afterPowerCut(Random random) {
            var left = new File();
            // The size is metadata: the old one, or any up to the new one.
            left.size =
                    size == forcedSize || random.nextBoolean()
                            ? forcedSize
                            : forcedSize + random.nextInt(size - forcedSize + 1);
            left.written = Arrays.copyOf(forced, Math.max(left.size, forced.length));
            Arrays.fill(
                    left.written,
                    Math.min(forcedSize, left.written.length),
                    left.written.length,
                    (byte) 0);
            int share = random.nextInt(5);
            for (int i = dirty.nextSetBit(0); i >= 0; i = dirty.nextSetBit(i + 1)) {
                int from = i * SECTOR_BYTES;
                int to = Math.min(from + SECTOR_BYTES, left.size);
                if (from < to && random.nextInt(4) < share) {
                    System.arraycopy(written, from, left.written, from, to - from);
                }
            }
            left.forced = left.written.clone();
            left.forcedSize = left.size;
            return left;
        }
    }

    private static final class Directory extends Node {
        final Map<String, Node> entries = new TreeMap<>();
        final Map<String, Node> forced = new TreeMap<>();

        /// Since the last force: a name and what it became, null for nothing.
        final List<Map.Entry<String, @Nullable Node>> changes = new ArrayList<>();

        void set(String name, @Nullable Node node) {
            if (node == null) {
                entries.remove(name);
            } else {
                entries.put(name, node);
            }
            changes.add(new java.util.AbstractMap.SimpleEntry<>(name, node));
        }

        void force() {
            forced.clear();
            forced.putAll(entries);
            changes.clear();
        }
    }

    private final Random random;
    private long capacityBytes;
    private Directory root = new Directory();
    private long operationsLeft = Long.MAX_VALUE;
    private int forcesUntilFailure = Integer.MAX_VALUE;
    private boolean isLying;
    private boolean isDead;

    SimulatedDisk(Random random, long capacityBytes) {
        this.random = random;
        this.capacityBytes = capacityBytes;
    }

    /// From now on forces do nothing and say that all is well.
    void lie() {
        isLying = true;
    }

    /// The power fails in the middle of one of the next operations that change something.
    void failPowerAfter(long operations) {
        operationsLeft = operations;
    }

    /// One of the next forces fails; what it should have kept stays in the page cache, is taken for
    /// clean, and is lost with the power.
    void failForceAfter(int forces) {
        forcesUntilFailure = forces;
    }

    void grow(long bytes) {
        capacityBytes += bytes;
    }

    boolean isDead() {
        return isDead;
    }

    /// What the next start finds when the process ends and the machine goes on.
    SimulatedDisk afterKill() {
        var disk = new SimulatedDisk(random, capacityBytes);
        disk.root = root;
        disk.isLying = isLying;
        isDead = true;
        return disk;
    }

    /// What the next start finds when the power is cut now.
    SimulatedDisk afterPowerCut() {
        var disk = new SimulatedDisk(random, capacityBytes);
        disk.root = (Directory) afterPowerCut(root, new IdentityHashMap<>());
        disk.isLying = isLying;
        isDead = true;
        return disk;
    }

    private Node afterPowerCut(Node node, Map<Node, Node> done) {
        Node known = done.get(node);
        if (known != null) {
            return known;
        }
        if (node instanceof File file) {
            File left = file.afterPowerCut(random);
            done.put(node, left);
            return left;
        }
        var directory = (Directory) node;
        var left = new Directory();
        done.put(node, left);
        var entries = new LinkedHashMap<>(directory.forced);
        int kept = random.nextInt(directory.changes.size() + 1);
        for (Map.Entry<String, @Nullable Node> change : directory.changes.subList(0, kept)) {
            Node became = change.getValue();
            if (became == null) {
                entries.remove(change.getKey());
            } else {
                entries.put(change.getKey(), became);
            }
        }
        entries.forEach((name, entry) -> left.entries.put(name, afterPowerCut(entry, done)));
        left.force();
        return left;
    }

    // ---- The moment of failure ----

    private void requirePower() {
        if (isDead) {
            throw new PowerFailure();
        }
    }

    /// @return whether the power fails during this operation
    private boolean failsNow() {
        requirePower();
        return operationsLeft-- <= 0;
    }

    private void change(Runnable change) {
        boolean fails = failsNow();
        if (!fails || random.nextBoolean()) {
            change.run();
        }
        if (fails) {
            isDead = true;
            throw new PowerFailure();
        }
    }

    private long usedBytes(Node node) {
        return switch (node) {
            case File file -> file.size;
            case Directory directory ->
                    directory.entries.values().stream().mapToLong(this::usedBytes).sum();
            default -> 0;
        };
    }

    // ---- Names ----

    private @Nullable Node find(Path path) {
        Node node = root;
        for (Path name : path) {
            if (!(node instanceof Directory directory)) {
                return null;
            }
            Node next = directory.entries.get(name.toString());
            if (next == null) {
                return null;
            }
            node = next;
        }
        return node;
    }

    private Directory directory(Path path) throws IOException {
        Node node = path.getNameCount() == 0 ? root : find(path);
        if (node instanceof Directory directory) {
            return directory;
        }
        throw node == null
                ? new NoSuchFileException(path.toString())
                : new NotDirectoryException(path.toString());
    }

    private Directory parentOf(Path path) throws IOException {
        Path parent = path.getParent();
        return parent == null ? root : directory(parent);
    }

    private static String nameOf(Path path) {
        return String.valueOf(path.getFileName());
    }

    private File file(Path path) throws IOException {
        if (find(path) instanceof File file) {
            return file;
        }
        throw new NoSuchFileException(path.toString());
    }

    @Override
    public DiskFile open(Path path, Access access) throws OpenFailedException {
        requirePower();
        try {
            return switch (access) {
                case READ, READ_UNCACHED, WRITE, WRITE_UNCACHED -> new Open(file(path));
                case CREATE, CREATE_UNCACHED -> {
                    Directory parent = parentOf(path);
                    if (parent.entries.containsKey(nameOf(path))) {
                        throw new FileAlreadyExistsException(path.toString());
                    }
                    var made = new File();
                    change(() -> parent.set(nameOf(path), made));
                    yield new Open(made);
                }
            };
        } catch (IOException e) {
            throw new OpenFailedException(e);
        }
    }

    @Override
    public DiskDirectory openDirectory(Path path) throws OpenFailedException {
        requirePower();
        try {
            Directory directory = directory(path);
            return new DiskDirectory() {
                @Override
                public void force() throws IOException {
                    SimulatedDisk.this.force(directory::force);
                }

                @Override
                public void close() {}
            };
        } catch (IOException e) {
            throw new OpenFailedException(e);
        }
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        requirePower();
        Node node = find(from);
        if (node == null) {
            throw new NoSuchFileException(from.toString());
        }
        Directory source = parentOf(from);
        Directory target = parentOf(to);
        change(
                () -> {
                    source.set(nameOf(from), null);
                    target.set(nameOf(to), node);
                });
    }

    @Override
    public void delete(Path path) throws IOException {
        requirePower();
        Node node = find(path);
        if (node == null) {
            return;
        }
        if (node instanceof Directory directory && !directory.entries.isEmpty()) {
            throw new IOException(path + " is not empty");
        }
        Directory parent = parentOf(path);
        change(() -> parent.set(nameOf(path), null));
    }

    @Override
    public List<Path> list(Path path) throws IOException {
        requirePower();
        return directory(path).entries.keySet().stream().map(path::resolve).toList();
    }

    @Override
    public void makeDirectory(Path path) throws IOException {
        requirePower();
        Directory parent = parentOf(path);
        if (parent.entries.containsKey(nameOf(path))) {
            throw new FileAlreadyExistsException(path.toString());
        }
        change(() -> parent.set(nameOf(path), new Directory()));
    }

    @Override
    public Kind kind(Path path) {
        requirePower();
        return switch (path.getNameCount() == 0 ? root : find(path)) {
            case File _ -> Kind.FILE;
            case Directory _ -> Kind.DIRECTORY;
            case null, default -> Kind.NOTHING;
        };
    }

    @Override
    public long size(Path path) throws IOException {
        requirePower();
        return file(path).size;
    }

    /// Time is simulated, too.
    @Override
    public void rest(long nanos) {}

    @Override
    public long usableBytes(Path path) {
        requirePower();
        return Math.max(0, capacityBytes - usedBytes(root));
    }

    private void force(Runnable keep) throws IOException {
        if (forcesUntilFailure-- == 0) {
            requirePower();
            throw new IOException("Input/output error");
        }
        if (isLying) {
            requirePower();
            return;
        }
        change(keep);
    }

    private final class Open implements DiskFile {
        private final File file;
        private boolean isClosed;

        Open(File file) {
            this.file = file;
        }

        private void requireOpen() throws ClosedChannelException {
            requirePower();
            if (isClosed) {
                throw new ClosedChannelException();
            }
        }

        @Override
        public int read(ByteBuffer destination, long at) throws IOException {
            requireOpen();
            if (at >= file.size) {
                return -1;
            }
            int count = (int) Math.min(destination.remaining(), file.size - at);
            destination.put(file.written, (int) at, count);
            return count;
        }

        @Override
        public void write(ByteBuffer source, long at) throws IOException {
            requireOpen();
            long grows = at + source.remaining() - file.size;
            if (grows > 0 && grows > usableBytes(Path.of("/"))) {
                throw new IOException("No space left on device");
            }
            int count = source.remaining();
            boolean fails = failsNow();
            if (fails) {
                source.limit(source.position() + random.nextInt(count + 1));
            }
            file.write(source, Math.toIntExact(at));
            if (fails) {
                isDead = true;
                throw new PowerFailure();
            }
        }

        @Override
        public void force() throws IOException {
            requireOpen();
            if (forcesUntilFailure == 0) {
                file.dirty.clear(); // taken for clean
            }
            SimulatedDisk.this.force(file::force);
        }

        @Override
        public long size() throws IOException {
            requireOpen();
            return file.size;
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }
}
