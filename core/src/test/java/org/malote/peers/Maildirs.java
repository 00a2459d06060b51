package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What is in a Maildir.
final class Maildirs {
    private Maildirs() {}

    /// The messages in `new`, none when the folder is not there.
    static List<byte[]> messages(Path maildir) {
        Path fresh = maildir.resolve("new");
        if (!Files.isDirectory(fresh)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(fresh)) {
            List<byte[]> messages = new ArrayList<>();
            for (Path file : files.sorted().toList()) {
                messages.add(Files.readAllBytes(file));
            }
            return messages;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Deletes the messages in `new`.
    static void clear(Path maildir) {
        try (Stream<Path> files = Files.list(maildir.resolve("new"))) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<byte[]> await(Path maildir, int count, Duration limit) {
        Await.until(
                limit,
                () -> messages(maildir).size() >= count,
                () -> messages(maildir).size() + " of " + count + " messages in " + maildir);
        return messages(maildir);
    }
}
