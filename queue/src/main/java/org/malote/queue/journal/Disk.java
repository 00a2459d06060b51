package org.malote.queue.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/// What POSIX asks for beyond writing a file.
public final class Disk {
    private Disk() {}

    /// Opens a file, or makes it.
    public static FileChannel open(Path path, OpenOption... options) throws OpenFailedException {
        try {
            return FileChannel.open(path, options);
        } catch (IOException e) {
            throw new OpenFailedException(e);
        }
    }

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

    /// Moves a file, readable or not, to a directory of the same file system, durably. The
    /// directory is made when it is not there; a name that is taken in it gets a number.
    ///
    /// @return where it is now
    public static Path moveInto(Path directory, Path file, String name) throws IOException {
        makeDirectories(directory);
        Path target = directory.resolve(name);
        for (int i = 1; Files.exists(target, LinkOption.NOFOLLOW_LINKS); i++) {
            target = directory.resolve(name + "." + i);
        }
        Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
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
    public static boolean isFull(IOException failure) {
        String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
        return message.contains("no space left") || message.contains("quota exceeded");
    }
}
