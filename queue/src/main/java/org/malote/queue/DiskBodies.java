package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.function.LongPredicate;
import org.malote.queue.journal.Disk;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Bodies in one directory, named by their message; those that are not finished have a suffix.
final class DiskBodies implements BodyStore {
    private static final Logger log = LoggerFactory.getLogger(DiskBodies.class);

    private static final String DRAFT_SUFFIX = ".tmp";

    private final Path directory;
    private final Path quarantine;

    /// @param quarantine where orphans are set aside, on the same file system
    DiskBodies(Path directory, Path quarantine) throws IOException {
        this.directory = directory;
        this.quarantine = quarantine;
        Disk.makeDirectories(directory);
    }

    private Path pathOf(MessageId id) {
        return directory.resolve(id.toString());
    }

    @Override
    public Draft create(MessageId id) throws IOException {
        Path draft = directory.resolve(id + DRAFT_SUFFIX);
        return new DiskDraft(
                draft,
                pathOf(id),
                Disk.open(draft, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    }

    private final class DiskDraft implements Draft {
        private final Path draft;
        private final Path finished;
        private final FileChannel channel;

        DiskDraft(Path draft, Path finished, FileChannel channel) {
            this.draft = draft;
            this.finished = finished;
            this.channel = channel;
        }

        @Override
        public void write(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }

        @Override
        public void publish(boolean durable) throws IOException {
            if (!durable) {
                channel.close();
                Files.move(draft, finished, StandardCopyOption.ATOMIC_MOVE);
                return;
            }
            // First, while it is no harm that there is no descriptor for it.
            try (var entries = Disk.open(directory, StandardOpenOption.READ)) {
                channel.force(false);
                channel.close();
                Files.move(draft, finished, StandardCopyOption.ATOMIC_MOVE);
                entries.force(true);
            }
        }

        @Override
        public void discard() {
            try {
                channel.close();
                Files.deleteIfExists(draft);
            } catch (IOException e) {
                // The next start deletes it.
                log.debug("{} is left behind: {}", draft, e.toString());
            }
        }
    }

    @Override
    public MessageBody.Source open(MessageId id) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(pathOf(id), StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new IOException(
                    "the body of message " + id + " is missing: " + e.getMessage(), e);
        }
        return new MessageBody.Source() {
            @Override
            public int read(long offset, ByteBuffer destination) throws IOException {
                int count = channel.read(destination, offset);
                if (count < 0) {
                    throw new IOException("the body of message " + id + " ends at " + offset);
                }
                return count;
            }

            @Override
            public void close() {
                try {
                    channel.close();
                } catch (IOException e) {
                    log.debug("closing the body of {}: {}", id, e.toString());
                }
            }
        };
    }

    @Override
    public long size(MessageId id) {
        try {
            return Files.size(pathOf(id));
        } catch (IOException e) {
            return -1;
        }
    }

    @Override
    public void delete(MessageId id) throws IOException {
        Files.deleteIfExists(pathOf(id));
    }

    @Override
    public int removeOrphans(LongPredicate keep, boolean setAside) throws IOException {
        int removed = 0;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (name.endsWith(DRAFT_SUFFIX) || (isOrphan(name, keep) && !setAside)) {
                    Files.deleteIfExists(entry);
                    removed++;
                } else if (isOrphan(name, keep)) {
                    log.warn("{} is now {}", entry, Disk.moveInto(quarantine, entry, name));
                    removed++;
                }
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
