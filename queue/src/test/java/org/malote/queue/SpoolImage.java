package org.malote.queue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A spool in memory, as a queue left it: its files, what it holds, and where in the journal each
/// message's records are. A test damages its bytes and asks what must still be there.
final class SpoolImage {
    private static final int JOURNAL_FILE_BYTES = 256 << 10;
    static final int BODY_FILE_THRESHOLD_BYTES = 6 << 10;
    private static final long DEFERRED_UNTIL_MILLIS = Long.MAX_VALUE / 2;

    /// Zeros that stay behind the last record of a file: a scan goes through them.
    private static final int ZEROS_KEPT_BYTES = 5000;

    /// The bytes of each file, by its path in the spool.
    private final Map<String, byte[]> files;

    /// Every message that was ever accepted: its body.
    private final Map<MessageId, byte[]> bodies;

    /// What the queue holds.
    private final Map<MessageId, QueueEntry> entries;

    /// The journal's records, by file.
    private final Map<String, List<JournalBytes.Frame>> frames;

    private SpoolImage(
            Map<String, byte[]> files,
            Map<MessageId, byte[]> bodies,
            Map<MessageId, QueueEntry> entries,
            Map<String, List<JournalBytes.Frame>> frames) {
        this.files = files;
        this.bodies = bodies;
        this.entries = entries;
        this.frames = frames;
    }

    static QueueSettings settings(Path directory, JournalKind journal) {
        QueueSettings settings = OnDisk.settings(directory, journal);
        return settings.withLimits(
                settings.limits()
                        .withJournalFileBytes(JOURNAL_FILE_BYTES)
                        .withIntake(BODY_FILE_THRESHOLD_BYTES, 64 << 20, 1 << 20));
    }

    /// Two starts that took so many messages each, in every state, in several files.
    static SpoolImage make(Path directory, JournalKind journal, int messages) throws IOException {
        var bodies = new LinkedHashMap<MessageId, byte[]>();
        var entries = new HashMap<MessageId, QueueEntry>();
        for (int start = 0; start < 2; start++) {
            try (var spool = new OnDisk(settings(directory, journal))) {
                for (int i = 0; i < messages; i++) {
                    accept(spool.queue, start * messages + i, bodies);
                }
            }
        }
        try (var spool = new OnDisk(settings(directory, journal))) {
            spool.queue.list().forEach(entry -> entries.put(entry.id(), entry));
        }
        return read(directory, bodies, entries);
    }

    /// The first is held, so that the first file of the journal stays.
    private static void accept(MailQueue queue, int number, Map<MessageId, byte[]> bodies)
            throws IOException {
        int size = number % 20 == 7 ? BODY_FILE_THRESHOLD_BYTES + 900 : number * 977 % 5000;
        byte[] body = Mail.random(number, size);
        MessageId id =
                Mail.accept(queue, Mail.to("a" + number + "@b.example", "z@c.example"), body);
        bodies.put(id, body);
        switch (number % 5) {
            case 0 -> queue.hold(Selection.of(id));
            case 1 -> {
                settle(queue, "b.example", true);
                settle(queue, "c.example", number % 2 == 0);
            }
            case 2 -> settle(queue, "c.example", number % 3 == 0);
            case 3 -> queue.remove(Selection.of(id));
            default -> {} // It waits.
        }
    }

    /// The oldest that is due there, which need not be the newest that came.
    private static void settle(MailQueue queue, String destination, boolean isDelivered) {
        var others = new ArrayList<Claim>();
        long now = System.currentTimeMillis();
        for (Claim claim = queue.claim(now); claim != null; claim = queue.claim(now)) {
            if (claim.destination().equals(destination)) {
                Mail.settle(
                        claim,
                        isDelivered
                                ? Mail.delivered(claim)
                                : Mail.deferred(claim, DEFERRED_UNTIL_MILLIS));
                break;
            }
            others.add(claim);
        }
        others.forEach(claim -> claim.release(0));
    }

    private static SpoolImage read(
            Path directory, Map<MessageId, byte[]> bodies, Map<MessageId, QueueEntry> entries)
            throws IOException {
        var files = new TreeMap<String, byte[]>();
        var frames = new TreeMap<String, List<JournalBytes.Frame>>();
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(directory)) {
            paths = walk.filter(Files::isRegularFile).toList();
        }
        for (Path path : paths) {
            String name = directory.relativize(path).toString();
            byte[] bytes = Files.readAllBytes(path);
            List<JournalBytes.Frame> found = JournalBytes.frames(path, bytes);
            if (!found.isEmpty()) {
                frames.put(name, found);
                long end = found.getLast().end() + ZEROS_KEPT_BYTES;
                bytes = Arrays.copyOf(bytes, (int) Math.min(end, bytes.length));
            }
            files.put(name, bytes);
        }
        return new SpoolImage(files, bodies, entries, frames);
    }

    /// The same spool, whose bytes a test may change.
    SpoolImage copy() {
        var copies = new TreeMap<String, byte[]>();
        files.forEach((name, bytes) -> copies.put(name, bytes.clone()));
        return new SpoolImage(copies, bodies, entries, frames);
    }

    /// Leaves the segments without their contents, as a crash can: a start reads them all.
    void dropContents() {
        files.keySet().removeAll(contentsFiles());
    }

    List<String> contentsFiles() {
        return files.keySet().stream().filter(name -> name.endsWith(".toc")).toList();
    }

    /// Files of the journal that hold records, in order.
    List<String> journalFiles() {
        return List.copyOf(frames.keySet());
    }

    List<String> bodyFiles() {
        return files.keySet().stream().filter(name -> name.startsWith("bodies/")).toList();
    }

    List<JournalBytes.Frame> framesOf(String file) {
        return frames.getOrDefault(file, List.of());
    }

    byte[] bytes(String file) {
        byte[] bytes = files.get(file);
        if (bytes == null) {
            throw new IllegalArgumentException("no file " + file);
        }
        return bytes;
    }

    void replace(String file, byte[] bytes) {
        files.put(file, bytes);
    }

    void writeTo(Path directory) throws IOException {
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = directory.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
    }

    byte[] bodyOf(MessageId id) {
        byte[] body = bodies.get(id);
        if (body == null) {
            throw new AssertionError("message " + id + " was never accepted");
        }
        return body;
    }

    /// What the queue held before anything was damaged.
    Map<MessageId, QueueEntry> entries() {
        return entries;
    }

    /// What is damaged, in comparison with the original.
    ///
    /// @param lost messages whose record is
    /// @param doubtful messages of which some record is: their state may be an earlier one
    /// @param gaps runs of damaged records with a whole one of the same start behind them
    /// @param files of the journal, that have a damaged record
    /// @param bodies files of bodies
    record Damage(
            Set<MessageId> lost,
            Set<MessageId> doubtful,
            int gaps,
            Set<String> files,
            Set<String> bodies) {}

    Damage damageSince(SpoolImage original) {
        var lost = new HashSet<MessageId>();
        var doubtful = new HashSet<MessageId>();
        var damagedFiles = new HashSet<String>();
        int gaps = 0;
        boolean isInRun = false;
        String epoch = "";
        for (Map.Entry<String, List<JournalBytes.Frame>> file : frames.entrySet()) {
            String parent = String.valueOf(Path.of(file.getKey()).getParent());
            if (!parent.equals(epoch)) {
                isInRun = false; // A torn tail.
                epoch = parent;
            }
            for (JournalBytes.Frame frame : file.getValue()) {
                if (isWhole(original, file.getKey(), frame)) {
                    gaps += isInRun ? 1 : 0;
                    isInRun = false;
                    continue;
                }
                isInRun = true;
                damagedFiles.add(file.getKey());
                doubtful.add(frame.messageId());
                if (frame.isMessage()) {
                    lost.add(frame.messageId());
                }
            }
        }
        var damagedBodies = new HashSet<String>();
        for (String body : bodyFiles()) {
            if (!Arrays.equals(bytes(body), original.bytes(body))) {
                damagedBodies.add(body);
            }
        }
        return new Damage(lost, doubtful, gaps, damagedFiles, damagedBodies);
    }

    private boolean isWhole(SpoolImage original, String file, JournalBytes.Frame frame) {
        int from = (int) frame.at();
        int to = (int) frame.end();
        byte[] now = bytes(file);
        return now.length >= to && Arrays.equals(now, from, to, original.bytes(file), from, to);
    }
}
