package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ZeroAheadTest {
    @TempDir Path directory;

    /// The committer asks for every group; a step in the background forces the disk.
    @Test
    void tellsItsEndWhileItIsExtended() throws IOException {
        Path path = directory.resolve("file");
        var file = new LocalDisk().open(path, Disk.Access.CREATE);
        try (var range = new ZeroAhead(file, 0, true)) {
            range.extendTo(100);
            assertEquals(Files.size(path), range.zeroedTo());
            synchronized (range) {
                assertEquals(
                        Files.size(path),
                        CompletableFuture.supplyAsync(range::zeroedTo)
                                .orTimeout(30, TimeUnit.SECONDS)
                                .join());
            }
        }
    }
}
