package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import org.malote.queue.journal.Disk;
import org.malote.queue.journal.DiskDirectory;
import org.malote.queue.journal.DiskFile;
import org.malote.queue.journal.OpenFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Bodies in one directory, named by their message; those that are not finished have a suffix.
final class DiskBodies implements BodyStore {
    private static final Logger log = LoggerFactory.getLogger(DiskBodies.class);

    private static final String DRAFT_SUFFIX = ".tmp";

    private final Disk disk;
    private final Path directory;
    private final Path quarantine;

    /// Those of a spool.
    DiskBodies(Disk disk, Path spool) {
        this.disk = disk;
        this.directory = spool.resolve("bodies");
        this.quarantine = spool.resolve("quarantine");
    }

    /// Those of a spool, whose directory is made when it is not there.
    static DiskBodies make(Disk disk, Path spool) throws IOException {
        var bodies = new DiskBodies(disk, spool);
        disk.makeDirectories(bodies.directory);
        return bodies;
    }

    /// The finished ones.
    List<MessageId> ids() throws IOException {
        var ids = new ArrayList<MessageId>();
        if (disk.kind(directory) != Disk.Kind.NOTHING) {
            for (Path entry : disk.list(directory)) {
                if (isOrphan(entry.getFileName().toString(), _ -> false)) {
                    ids.add(MessageId.parse(entry.getFileName().toString()));
                }
            }
        }
        return ids;
    }

    private Path pathOf(MessageId id) {
        return directory.resolve(id.toString());
    }

    @Override
    public Draft create(MessageId id) throws IOException {
        Path draft = directory.resolve(id + DRAFT_SUFFIX);
        return new DiskDraft(draft, pathOf(id), disk.open(draft, Disk.Access.CREATE));
    }

    private final class DiskDraft implements Draft {
        private final Path draft;
        private final Path finished;
        private final DiskFile file;
        private long written;

        DiskDraft(Path draft, Path finished, DiskFile file) {
            this.draft = draft;
            this.finished = finished;
            this.file = file;
        }

        @Override
        public void write(ByteBuffer bytes) throws IOException {
            int count = bytes.remaining();
            file.write(bytes, written);
            written += count;
        }

        @Override
        public void publish(boolean durable) throws IOException {
            if (!durable) {
                file.close();
                disk.rename(draft, finished);
                return;
            }
            // First, while it is no harm that there is no descriptor for it.
            try (DiskDirectory entries = disk.openDirectory(directory)) {
                file.force();
                file.close();
                disk.rename(draft, finished);
                entries.force();
            }
        }

        @Override
        public void discard() {
            try {
                file.close();
                disk.delete(draft);
            } catch (IOException e) {
                // The next start deletes it.
                log.debug("{} is left behind: {}", draft, e.toString());
            }
        }
    }

    @Override
    public MessageBody.Source open(MessageId id) throws IOException {
        DiskFile file;
        try {
            file = disk.open(pathOf(id), Disk.Access.READ);
        } catch (OpenFailedException e) {
            if (e.getCause() instanceof NoSuchFileException) {
                throw new IOException(
                        "the body of message " + id + " is missing: " + e.getMessage(), e);
            }
            throw e;
        }
        return new MessageBody.Source() {
            @Override
            public int read(long offset, ByteBuffer destination) throws IOException {
                int count = file.read(destination, offset);
                if (count < 0) {
                    throw new IOException("the body of message " + id + " ends at " + offset);
                }
                return count;
            }

            @Override
            public void close() {
                try {
                    file.close();
                } catch (IOException e) {
                    log.debug("closing the body of {}: {}", id, e.toString());
                }
            }
        };
    }

    @Override
    public long size(MessageId id) {
        try {
            return disk.size(pathOf(id));
        } catch (IOException e) {
            return -1;
        }
    }

    @Override
    public void delete(MessageId id) throws IOException {
        disk.delete(pathOf(id));
    }

    @Override
    public int removeOrphans(LongPredicate keep, boolean setAside) throws IOException {
        int removed = 0;
        for (Path entry : disk.list(directory)) {
            String name = entry.getFileName().toString();
            // Rows C1, C2 and C8 of queue/DESIGN.md.
            if (name.endsWith(DRAFT_SUFFIX) || (isOrphan(name, keep) && !setAside)) {
                disk.delete(entry);
                removed++;
            } else if (isOrphan(name, keep)) {
                log.warn("{} is now {}", entry, disk.moveInto(quarantine, entry, name));
                removed++;
            }
        }
        return removed;
    }

    private static boolean isOrphan(String name, LongPredicate keep) {
        try {
            return !keep.test(MessageId.parse(name).value());
        } catch (IllegalArgumentException e) {
            // Not of the spool: left alone.
            return false;
        }
    }
}
