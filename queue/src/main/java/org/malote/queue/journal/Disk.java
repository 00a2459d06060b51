package org.malote.queue.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/// What POSIX asks for beyond writing a file.
public final class Disk {
    private Disk() {}

    /// Puts a directory's entries on stable storage: a file that was made, renamed or deleted is so
    /// for good only then.
    public static void forceDirectory(Path directory) throws IOException {
        try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Makes a directory and those above it, durably.
    public static void makeDirectories(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        Path parent = directory.toAbsolutePath().getParent();
        if (parent != null) {
            makeDirectories(parent);
        }
        Files.createDirectory(directory);
        if (parent != null) {
            forceDirectory(parent);
        }
    }

    /// Whether a write failed for want of space. The JDK tells it by the system's message only; the
    /// JVM runs with the messages of the C locale or of its host, so both errors are looked for by
    /// their English text.
    public static boolean isFull(IOException failure) {
        String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
        return message.contains("no space left") || message.contains("quota exceeded");
    }
}
