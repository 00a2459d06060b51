package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.malote.queue.journal.Disk;

/// The suspended destinations in a file of the spool, one a line.
final class SuspensionFile implements SuspensionStore {
    /// Ours: whoever suspends more wants to hold, or a route.
    private static final int DESTINATIONS_MAX = 10_000;

    private static final long FILE_BYTES_MAX = 4L << 20;

    private final Path directory;
    private final Path file;

    SuspensionFile(Path spool) {
        this.directory = spool;
        this.file = spool.resolve("suspended");
    }

    @Override
    public List<String> load() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        if (Files.size(file) > FILE_BYTES_MAX) {
            throw new IOException(file + " is too large to be ours");
        }
        return Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
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
        try (var channel =
                FileChannel.open(
                        unfinished,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            var bytes = ByteBuffer.wrap(text);
            while (bytes.hasRemaining()) {
                var _ = channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        Disk.forceDirectory(directory);
    }
}
