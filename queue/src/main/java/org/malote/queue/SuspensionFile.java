package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.malote.queue.journal.Disk;
import org.malote.queue.journal.DiskFile;

/// The suspended destinations in a file of the spool, one a line.
final class SuspensionFile implements SuspensionStore {
    /// Ours: whoever suspends more wants to hold, or a route.
    private static final int DESTINATIONS_MAX = 10_000;

    private static final long FILE_BYTES_MAX = 4L << 20;

    private final Disk disk;
    private final Path directory;
    private final Path file;

    SuspensionFile(Disk disk, Path spool) {
        this.disk = disk;
        this.directory = spool;
        this.file = spool.resolve("suspended");
    }

    @Override
    public List<String> load() throws IOException {
        if (disk.kind(file) == Disk.Kind.NOTHING) {
            return List.of();
        }
        try (DiskFile opened = disk.open(file, Disk.Access.READ)) {
            long size = opened.size();
            if (size > FILE_BYTES_MAX) {
                throw new IOException(file + " is too large to be ours");
            }
            var bytes = ByteBuffer.allocate((int) size);
            while (bytes.hasRemaining() && opened.read(bytes, bytes.position()) >= 0) {}
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(bytes.flip())
                    .toString()
                    .lines()
                    .filter(line -> !line.isBlank())
                    .toList();
        }
    }

    @Override
    public void save(List<String> destinations) throws IOException {
        if (destinations.size() > DESTINATIONS_MAX) {
            throw new IOException(
                    "more than "
                            + DESTINATIONS_MAX
                            + " destinations cannot be suspended; hold their mail or give them a"
                            + " route with via = \"hold\"");
        }
        for (String destination : destinations) {
            if (destination.isBlank() || destination.chars().anyMatch(Character::isISOControl)) {
                throw new IOException(
                        "this is no destination: it is empty or has control characters");
            }
        }
        Path unfinished = directory.resolve("suspended.tmp");
        byte[] text = (String.join("\n", destinations) + "\n").getBytes(StandardCharsets.UTF_8);
        disk.delete(unfinished);
        try (DiskFile opened = disk.open(unfinished, Disk.Access.CREATE)) {
            opened.write(ByteBuffer.wrap(text), 0);
            opened.force();
        }
        disk.rename(unfinished, file);
        disk.forceDirectory(directory);
    }
}
