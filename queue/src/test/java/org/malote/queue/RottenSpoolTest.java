package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// D05: files of the spool are cut and rot at random. No start fails on them, what is not damaged
/// is whole and is delivered, and what is damaged is counted and kept for an operator.
///
/// Either journal starts on what either has written. `-Drotten.seed=N` runs one seed,
/// `-Drotten.seeds=N` so many from 0.
@ParameterizedClass
@EnumSource
final class RottenSpoolTest {
    private static final int SEEDS = 50;
    private static final int MESSAGES = 150;

    /// Every so many seeds also deliver what is left.
    private static final int DELIVERED_EVERY = 5;

    private static final JournalKind[] READERS = JournalKind.values();

    @SuppressWarnings("NullAway.Init") // Made before the first test of each journal.
    private static SpoolImage original;

    /// What wrote the spool.
    private final JournalKind journal;

    @TempDir private Path work;

    /// Messages whose record is damaged, and that a start knew all the same.
    private int knownByContents;

    RottenSpoolTest(JournalKind journal) {
        this.journal = journal;
    }

    @BeforeParameterizedClassInvocation
    static void make(JournalKind journal, @TempDir Path made) throws IOException {
        original = SpoolImage.make(made, journal, MESSAGES);
        assertTrue(original.journalFiles().size() >= 4, original.journalFiles().toString());
        assertTrue(original.bodyFiles().size() >= 5, original.bodyFiles().toString());
    }

    @Test
    void losesOnlyWhatIsDamaged() throws IOException {
        Integer only = Integer.getInteger("rotten.seed");
        int first = only == null ? 0 : only;
        int end = only == null ? Integer.getInteger("rotten.seeds", SEEDS) : only + 1;
        int lost = 0;
        int gaps = 0;
        for (int seed = first; seed < end; seed++) {
            SpoolImage image = original.copy();
            if (seed % 4 < 2) {
                image.dropContents();
            }
            var rot = new Rot(image, new SplittableRandom(seed));
            rot.run();
            SpoolImage.Damage damage = image.damageSince(original);
            lost += damage.lost().size();
            gaps += damage.gaps();
            try {
                check(image, damage, READERS[seed % READERS.length], seed % DELIVERED_EVERY == 0);
            } catch (AssertionError | IOException | RuntimeException e) {
                throw new AssertionError("-Drotten.seed=" + seed + ": " + rot.done, e);
            }
        }
        if (only == null) {
            assertTrue(lost > end && gaps > end, lost + " messages and " + gaps + " gaps");
            assertEquals(journal == JournalKind.SEGMENT, knownByContents > end / 4);
        }
    }

    /// The control: what is damaged and not told to the check is missed by it.
    @Test
    void wouldNoticeAMessageThatIsLost() {
        int noticed = 0;
        for (String file : original.journalFiles()) {
            SpoolImage image = original.copy();
            image.dropContents();
            JournalBytes.Frame frame =
                    original.framesOf(file).stream()
                            .filter(f -> f.isMessage())
                            .filter(f -> original.entries().containsKey(f.messageId()))
                            .findFirst()
                            .orElseThrow();
            image.bytes(file)[(int) frame.end() - 1] ^= 1;
            SpoolImage.Damage none = original.damageSince(original);
            assertThrows(AssertionError.class, () -> check(image, none, journal, false));
            noticed++;
        }
        assertEquals(original.journalFiles().size(), noticed);
    }

    private void check(
            SpoolImage image, SpoolImage.Damage damage, JournalKind reader, boolean isDelivered)
            throws IOException {
        Path directory = Files.createTempDirectory(work, "spool");
        image.writeTo(directory);
        var whole = new HashSet<MessageId>();
        try (var spool = new OnDisk(SpoolImage.settings(directory, reader))) {
            for (Map.Entry<MessageId, QueueEntry> expected : original.entries().entrySet()) {
                MessageId id = expected.getKey();
                QueueEntry entry = spool.queue.find(id);
                if (damage.lost().contains(id)) {
                    if (entry != null) {
                        knownByContents++;
                        assertNotGiven(spool.queue, id);
                    }
                    continue;
                }
                assertNotNull(entry, () -> "message " + id + " is lost");
                if (damage.bodies().contains("bodies/" + id)) {
                    continue; // Below.
                }
                whole.add(id);
                if (!damage.doubtful().contains(id)) {
                    assertEquals(expected.getValue(), entry);
                }
            }
            for (QueueEntry entry : spool.queue.list().toList()) {
                if (!damage.lost().contains(entry.id())) {
                    checkBody(spool.queue, entry, damage);
                }
            }
            if (image.contentsFiles().isEmpty()) {
                checkReports(spool, directory, damage);
            }
            if (isDelivered) {
                deliver(spool.queue, whole);
            }
        }
        delete(directory);
    }

    /// One that the contents of its segment tell of, which the segment no longer holds.
    private static void assertNotGiven(MailQueue queue, MessageId id) {
        assertThrows(IOException.class, () -> Mail.read(queue.body(id)));
    }

    /// Also of one that had left the queue, and came back because the record of its end is lost.
    private static void checkBody(MailQueue queue, QueueEntry entry, SpoolImage.Damage damage)
            throws IOException {
        byte[] body = original.bodyOf(entry.id());
        boolean hasFile = original.bodyFiles().contains("bodies/" + entry.id());
        boolean isInJournal = body.length <= SpoolImage.BODY_FILE_THRESHOLD_BYTES;
        if (isInJournal || (hasFile && !damage.bodies().contains("bodies/" + entry.id()))) {
            assertArrayEquals(body, Mail.read(queue.body(entry.id())));
            return;
        }
        boolean isHeld =
                entry.recipients().stream()
                        .allMatch(
                                r ->
                                        r.state() != RecipientState.WAITING
                                                && r.state() != RecipientState.ACTIVE);
        if (!isHeld) {
            // Of the right size: the checksum tells, before the last bytes can be sent.
            assertThrows(IOException.class, () -> Mail.read(queue.body(entry.id())));
        }
    }

    private static void checkReports(OnDisk spool, Path directory, SpoolImage.Damage damage)
            throws IOException {
        long quarantined = spool.queue.stats().quarantined();
        assertTrue(
                quarantined >= damage.gaps()
                        && quarantined <= damage.gaps() + damage.files().size(),
                () -> quarantined + " counted of " + damage);
        assertEquals(
                quarantined > 0,
                spool.alarms.stream().anyMatch(alarm -> alarm.startsWith("QUARANTINED")),
                spool.alarms::toString);
        Set<String> kept = new HashSet<>();
        Path quarantine = directory.resolve("quarantine");
        if (Files.isDirectory(quarantine)) {
            try (Stream<Path> files = Files.list(quarantine)) {
                files.forEach(file -> kept.add(file.getFileName().toString()));
            }
        }
        for (String file : damage.files()) {
            String name = file.substring("epochs/".length()).replace('/', '-');
            assertTrue(
                    Files.exists(directory.resolve(file)) || kept.contains(name),
                    () -> file + " is gone: " + kept);
        }
    }

    private static void deliver(MailQueue queue, Set<MessageId> whole) throws IOException {
        long now = System.currentTimeMillis();
        Set<MessageId> due = new HashSet<>();
        for (MessageId id : whole) {
            QueueEntry entry = queue.find(id);
            assertNotNull(entry);
            if (entry.recipients().stream()
                    .anyMatch(
                            r ->
                                    r.state() == RecipientState.WAITING
                                            && r.nextAttemptMillis() <= now)) {
                due.add(id);
            }
        }
        for (Claim claim = queue.claim(now); claim != null; claim = queue.claim(now)) {
            try {
                assertArrayEquals(original.bodyOf(claim.messageId()), Mail.read(claim.body()));
                due.remove(claim.messageId());
            } catch (IOException e) {
                assertTrue(!whole.contains(claim.messageId()), e.toString());
            }
            Mail.settle(claim, Mail.delivered(claim));
        }
        assertEquals(Set.of(), due, "due and not handed out");
    }

    private static void delete(Path directory) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(directory)) {
            all = walk.sorted(java.util.Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }

    /// What disks do to files.
    private static final class Rot {
        private static final int BLOWS_MAX = 6;
        private static final int FLIPS_MAX = 8;
        private static final int SECTOR_BYTES = 512;
        private static final int SECTORS_MAX = 16;

        private final SpoolImage image;
        private final SplittableRandom random;
        private final StringBuilder done = new StringBuilder();

        Rot(SpoolImage image, SplittableRandom random) {
            this.image = image;
            this.random = random;
        }

        void run() {
            int blows = 1 + random.nextInt(BLOWS_MAX);
            for (int i = 0; i < blows; i++) {
                boolean isBody = random.nextInt(8) == 0;
                List<String> files = isBody ? image.bodyFiles() : journalOrContents();
                strike(files.get(random.nextInt(files.size())));
            }
        }

        private List<String> journalOrContents() {
            List<String> contents = image.contentsFiles();
            return contents.isEmpty() || random.nextInt(8) > 0 ? image.journalFiles() : contents;
        }

        private void strike(String file) {
            byte[] bytes = image.bytes(file);
            if (bytes.length == 0) {
                return;
            }
            int at = random.nextInt(bytes.length);
            done.append('\n').append(file);
            switch (random.nextInt(8)) {
                case 0 -> {
                    done.append(" is cut at ").append(at);
                    image.replace(file, Arrays.copyOf(bytes, at));
                }
                case 1, 2 -> {
                    int from = at / SECTOR_BYTES * SECTOR_BYTES;
                    int sectors = 1 + random.nextInt(SECTORS_MAX);
                    int to = Math.min(bytes.length, from + sectors * SECTOR_BYTES);
                    boolean isNoise = random.nextBoolean();
                    done.append(isNoise ? " is noise" : " is zero");
                    done.append(" from ").append(from).append(" to ").append(to);
                    for (int i = from; i < to; i++) {
                        bytes[i] = isNoise ? (byte) random.nextInt() : 0;
                    }
                }
                default -> {
                    int flips = 1 + random.nextInt(FLIPS_MAX);
                    for (int i = 0; i < flips; i++) {
                        int place = random.nextInt(bytes.length);
                        int bit = random.nextInt(Byte.SIZE);
                        done.append(" flips bit ").append(bit).append(" at ").append(place);
                        bytes[place] ^= (byte) (1 << bit);
                    }
                }
            }
        }
    }
}
