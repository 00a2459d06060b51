package org.malote.queue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/// The spools of the first version, one of each journal: how the archives in the test resources
/// were made, and how they are unpacked. The archives are what counts. They were written by the
/// code of their day and are never written again; this program shows what is in them, and makes the
/// like for a later version.
///
/// Their processes were killed: each is a copy of the directory of a queue that was open. Two
/// starts wrote to it. In the first, one message was carried to a newer file of the journal and its
/// first file was deleted; in the second every other state of a message came about. Each message is
/// named by its sender. That of segments has a full one with its contents, a spare, and a
/// destination that is suspended besides.
final class FirstSpool {
    /// Compressed twice: a journal is mostly zeros, and so is what is left of them the first time.
    private static String resource(JournalKind journal) {
        return switch (journal) {
            case CHRONICLE -> "spool-of-version-1.zip.gz";
            case SEGMENT -> "spool-of-segments-1.zip.gz";
        };
    }

    static final Instant ACCEPTED_AT = Instant.parse("2026-11-24T12:00:00Z");

    /// Long after any test.
    static final long DEFERRED_UNTIL_MILLIS = Instant.parse("2126-11-24T12:00:00Z").toEpochMilli();

    static final String SUSPENDED = "quiet.example";

    private static final int JOURNAL_FILE_BYTES = 1 << 20;
    private static final int SPARES_BYTES = 2 << 20;

    /// The contents of the second start's first segment.
    private static final String FULL = "epochs/0000002-.*/00000001-.*\\.seg\\.toc";

    private static final int BODY_FILE_THRESHOLD_BYTES = 16 << 10;

    private static final int PIECE_BYTES = 64 << 10;

    private final Path directory;
    private final JournalKind journal;

    private FirstSpool(Path directory, JournalKind journal) {
        this.directory = directory;
        this.journal = journal;
    }

    /// `java … org.malote.queue.FirstSpool ARCHIVE JOURNAL` makes such an archive with the code of
    /// today.
    public static void main(String[] arguments) throws IOException {
        Path directory = Files.createTempDirectory("first-spool-");
        var maker = new FirstSpool(directory.resolve("spool"), JournalKind.valueOf(arguments[1]));
        maker.carry();
        maker.fill(Path.of(arguments[0]));
    }

    /// The body of the message with this sender.
    static byte[] bodyOf(String sender) {
        return Mail.random(sender.hashCode(), sender.startsWith("large") ? 20_000 : 700);
    }

    private static Envelope envelope(String sender, String... addresses) {
        Envelope some = Mail.to(addresses);
        return new Envelope(sender, some.attributes(), some.recipients());
    }

    private MailQueue open(int start, ExecutorService io) throws IOException {
        QueueSettings settings =
                OnDisk.settings(directory, journal).withJournal(journal, SPARES_BYTES);
        QueueLimits limits =
                settings.limits()
                        .withJournalFileBytes(JOURNAL_FILE_BYTES)
                        .withIntake(BODY_FILE_THRESHOLD_BYTES, 64 << 20, 1 << 20);
        return MailQueue.open(
                settings.withLimits(limits),
                new QueueEnvironment(
                        InstantSource.fixed(ACCEPTED_AT),
                        System::nanoTime,
                        new Random(start),
                        Thread.ofPlatform().daemon().name("committer").factory(),
                        io,
                        (kind, detail) -> {
                            throw new AssertionError(kind + " " + detail);
                        }));
    }

    /// The first start.
    private void carry() throws IOException {
        try (var io = Executors.newSingleThreadExecutor();
                MailQueue queue = open(1, io)) {
            String sender = "carried@a.example";
            Mail.accept(
                    queue, envelope(sender, "done@b.example", "held@c.example"), bodyOf(sender));
            settleNext(queue, "b.example", index -> new Settlement.Delivered(index, "250 kept"));
            queue.hold(Selection.all());
            // What comes and goes until the journal is mostly empty.
            while (firstFileIsThere()) {
                passThrough(queue);
            }
        }
    }

    private static void passThrough(MailQueue queue) {
        for (int i = 0; i < 70; i++) {
            Mail.accept(queue, envelope("", "gone@d.example"), new byte[16_000]);
            settleNext(queue, "d.example", index -> new Settlement.Delivered(index, "250"));
        }
    }

    /// Of the files, one a line, without what is not finished.
    static String names(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> directory.relativize(file).toString())
                    .filter(name -> !name.endsWith(".tmp"))
                    .collect(Collectors.joining("\n"));
        }
    }

    private boolean isComplete() throws IOException {
        try {
            List<String> names = names(directory).lines().toList();
            return names.stream().anyMatch(name -> name.matches(FULL))
                    && names.stream().anyMatch(name -> name.startsWith("spares/"));
        } catch (UncheckedIOException e) {
            return false; // Something was deleted meanwhile.
        }
    }

    private boolean firstFileIsThere() throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("epochs"))) {
            return files.anyMatch(FirstSpool::holdsFirstRecord);
        } catch (UncheckedIOException e) {
            return true; // Something was deleted meanwhile.
        }
    }

    private static boolean holdsFirstRecord(Path file) {
        try {
            return Files.isRegularFile(file)
                    && JournalBytes.frames(file, Files.readAllBytes(file)).stream()
                            .anyMatch(frame -> frame.sequence() == 1);
        } catch (IOException e) {
            return false; // Deleted meanwhile.
        }
    }

    /// The second start.
    private void fill(Path archive) throws IOException {
        try (var io = Executors.newSingleThreadExecutor();
                MailQueue queue = open(2, io)) {
            accept(queue, "waiting@a.example", "one@b.example", "two@c.example");

            accept(queue, "deferred@a.example", "busy@d.example");
            settleNext(queue, "d.example", FirstSpool::deferred);

            MessageId held = accept(queue, "held@a.example", "stopped@e.example");
            queue.hold(Selection.of(held));

            accept(queue, "routed@a.example", "parked@f.example");
            settleNext(
                    queue, "f.example", index -> new Settlement.Held(index, "held by its route"));

            accept(
                    queue,
                    "partly@a.example",
                    "delivered@g.example",
                    "failed@h.example",
                    "deferred@i.example",
                    "waiting@j.example");
            settleNext(
                    queue, "g.example", index -> new Settlement.Delivered(index, "250 2.0.0 ok"));
            settleNext(
                    queue, "h.example", index -> new Settlement.Failed(index, "550 5.1.1 nobody"));
            settleNext(queue, "i.example", FirstSpool::deferred);

            MessageId removed = accept(queue, "removed@a.example", "never@k.example");
            queue.remove(Selection.of(removed));

            accept(queue, "large@a.example", "file@l.example");

            MessageId released = accept(queue, "released@a.example", "free@m.example");
            queue.hold(Selection.of(released));
            queue.release(Selection.of(released));

            MessageId retried = accept(queue, "retried@a.example", "again@n.example");
            settleNext(queue, "n.example", FirstSpool::deferred);
            queue.retry(Selection.of(retried));

            accept(queue, "rerouted@a.example", "moved@o.example");
            settleNext(
                    queue, "o.example", index -> new Settlement.Held(index, "held by its route"));
            queue.reconsiderHeld("o.example"::equals);

            accept(queue, "", "bounce@p.example");

            if (journal == JournalKind.SEGMENT) {
                queue.suspend(SUSPENDED);
                while (!isComplete()) {
                    passThrough(queue);
                }
            }
            pack(directory, archive);
        }
    }

    private static Settlement deferred(int index) {
        return new Settlement.Deferred(index, DEFERRED_UNTIL_MILLIS, "450 4.2.1 busy");
    }

    private static MessageId accept(MailQueue queue, String sender, String... addresses) {
        return Mail.accept(queue, envelope(sender, addresses), bodyOf(sender));
    }

    private interface Outcome {
        Settlement of(int index);
    }

    /// Settles what is due at a destination; what else is due stays so.
    private static void settleNext(MailQueue queue, String destination, Outcome outcome) {
        var others = new ArrayList<Claim>();
        while (true) {
            Claim claim = queue.claim(ACCEPTED_AT.toEpochMilli());
            if (claim == null) {
                throw new AssertionError("nothing is due at " + destination);
            }
            if (claim.destination().equals(destination)) {
                Mail.settle(
                        claim,
                        claim.recipients().stream().map(r -> outcome.of(r.index())).toList());
                break;
            }
            others.add(claim);
        }
        others.forEach(claim -> claim.release(ACCEPTED_AT.toEpochMilli()));
    }

    private static void pack(Path directory, Path archive) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(directory)) {
            files = walk.filter(Files::isRegularFile).sorted().toList();
        }
        try (OutputStream out = Files.newOutputStream(archive);
                var zip = new ZipOutputStream(new GZIPOutputStream(out))) {
            zip.setLevel(Deflater.BEST_COMPRESSION);
            for (Path file : files) {
                var entry = new ZipEntry(directory.relativize(file).toString());
                entry.setTimeLocal(java.time.LocalDateTime.of(2026, 11, 24, 12, 0));
                zip.putNextEntry(entry);
                Files.copy(file, zip);
                zip.closeEntry();
            }
        }
    }

    /// Makes a copy of the spool that was written with a journal.
    static void unpack(Path directory, JournalKind journal) throws IOException {
        InputStream archive = FirstSpool.class.getResourceAsStream(resource(journal));
        if (archive == null) {
            throw new IOException(resource(journal) + " is not among the test resources");
        }
        try (var zip = new ZipInputStream(new GZIPInputStream(archive))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path file = directory.resolve(entry.getName()).normalize();
                if (!file.startsWith(directory)) {
                    throw new IOException(entry.getName() + " is outside of the spool");
                }
                Files.createDirectories(file.getParent());
                copySparsely(zip, file);
            }
        }
    }

    /// Zeros become holes, as they are in a journal.
    private static void copySparsely(InputStream from, Path file) throws IOException {
        try (var to = new RandomAccessFile(file.toFile(), "rw")) {
            byte[] zeros = new byte[PIECE_BYTES];
            long size = 0;
            while (true) {
                byte[] piece = from.readNBytes(PIECE_BYTES);
                if (!Arrays.equals(piece, 0, piece.length, zeros, 0, piece.length)) {
                    to.seek(size);
                    to.write(piece);
                }
                size += piece.length;
                if (piece.length < PIECE_BYTES) {
                    break;
                }
            }
            to.setLength(size);
        }
    }
}
