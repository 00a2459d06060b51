package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What recovery could not read, for an operator to look at: copies of pieces while their file is
/// still needed, and whole files that were damaged. The copies are bounded: evidence must not fill
/// the spool. The files are not: they take no more space than they did.
final class Quarantine {
    private static final Logger log = LoggerFactory.getLogger(Quarantine.class);

    /// Of one piece. One record at most, plus what was beside it.
    private static final int PIECE_MAX_BYTES = 16 << 20;

    /// Of one start.
    private static final int PIECES_MAX = 100;

    private final Disk disk;
    private final Path directory;
    private int pieces;

    Quarantine(Disk disk, Path directory) {
        this.disk = disk;
        this.directory = directory;
    }

    /// How a file of an epoch is called here.
    static String nameOf(Path file) {
        Path parent = file.getParent();
        return (parent == null ? "" : parent.getFileName() + "-") + file.getFileName();
    }

    /// Moves what lies in an epoch's directory here, whatever it is. Durable when it returns.
    void take(Path file) throws IOException {
        log.warn("{} is now {}", file, disk.moveInto(directory, file, nameOf(file)));
    }

    /// Copies a piece of a journal file.
    ///
    /// @return where it is, or why it is nowhere; for the operator
    String copy(DiskFile source, String name, long from, long to) {
        if (to <= from) {
            return "nothing is left of it";
        }
        if (pieces >= PIECES_MAX) {
            return "not copied: " + PIECES_MAX + " pieces are in quarantine from this start";
        }
        pieces++;
        long end = Math.min(to, from + PIECE_MAX_BYTES);
        Path target = directory.resolve(name + "-" + from + ".bin");
        try {
            disk.makeDirectories(directory);
            // Of an earlier start, which found the same.
            disk.delete(target);
            try (DiskFile out = disk.open(target, Disk.Access.CREATE)) {
                var buffer = ByteBuffer.allocate(64 << 10);
                long at = from;
                while (at < end) {
                    buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
                    int count = source.read(buffer, at);
                    if (count < 0) {
                        break;
                    }
                    buffer.flip();
                    out.write(buffer, at - from);
                    at += count;
                }
            }
            return "copied to " + target;
        } catch (IOException e) {
            log.warn("cannot copy to quarantine: {}", e.toString());
            try {
                disk.delete(target);
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            return "not copied: " + e.getMessage();
        }
    }
}
