package org.malote.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.malote.queue.CommitResult;
import org.malote.queue.Durability;
import org.malote.queue.Envelope;
import org.malote.queue.JournalKind;
import org.malote.queue.MailQueue;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueSettings;
import org.malote.queue.Recipient;

/// A folder on a disk, for one measurement, and the threads that a spool in it needs.
final class Scratch implements AutoCloseable {
    /// Where it is made: on a disk, not in memory, or forces cost nothing.
    private static final Path PARENT = Path.of(System.getProperty("malote.scratch", "/var/tmp"));

    private static final int IO_THREADS = 4;

    private final Path path;
    private final ExecutorService io =
            Executors.newFixedThreadPool(IO_THREADS, Thread.ofPlatform().daemon().factory());

    Scratch() {
        try {
            path = Files.createTempDirectory(PARENT, "malote-jmh-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path path() {
        return path;
    }

    ExecutorService io() {
        return io;
    }

    /// A queue as the server has it.
    MailQueue openQueue(JournalKind journal, Durability durability) throws IOException {
        QueueSettings usual = QueueSettings.standard(path);
        return MailQueue.open(
                usual.withDurability(durability).withJournal(journal, usual.sparesBytes()),
                new QueueEnvironment(
                        InstantSource.system(),
                        System::nanoTime,
                        new Random(1),
                        Thread.ofPlatform().daemon().factory(),
                        io,
                        (kind, detail) -> {
                            throw new IllegalStateException(kind + " " + detail);
                        }));
    }

    /// For one recipient.
    static Envelope envelope() {
        return new Envelope(
                "load@peer.example",
                Map.of(),
                List.of(new Recipient("box@sink.example", "sink.example", Map.of())));
    }

    /// For our user alone, as keys and what opens them have to be.
    static Path privateFile(Path file, String text) throws IOException {
        return Files.writeString(
                Files.createFile(
                        file,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------"))),
                text);
    }

    static byte[] body(int octets) {
        byte[] body = new byte[octets];
        new Random(1).nextBytes(body);
        return body;
    }

    static void requireCommitted(CommitResult result) {
        if (!(result instanceof CommitResult.Committed)) {
            throw new IllegalStateException("a message was not taken: " + result);
        }
    }

    @Override
    public void close() {
        io.shutdown();
        try (Stream<Path> all = Files.walk(path)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
