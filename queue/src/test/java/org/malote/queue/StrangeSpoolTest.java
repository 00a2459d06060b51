package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// D11: whatever lies in the spool, a start succeeds, sets aside what it cannot read, counts it,
/// and delivers the rest.
@ParameterizedClass
@EnumSource
final class StrangeSpoolTest {
    private static final int MESSAGES = 150;

    @SuppressWarnings("NullAway.Init") // Made before the first test of each journal.
    private static SpoolImage original;

    /// What wrote the spool.
    private final JournalKind journal;

    @TempDir private Path directory;
    private SpoolImage image;

    StrangeSpoolTest(JournalKind journal) {
        this.journal = journal;
    }

    @BeforeParameterizedClassInvocation
    static void make(JournalKind journal, @TempDir Path made) throws IOException {
        original = SpoolImage.make(made, journal, MESSAGES);
    }

    @BeforeEach
    void copy() {
        image = original.copy();
        image.dropContents();
    }

    /// A later version may write what this one does not know; its checksums hold.
    @Test
    void setsAsideARecordOfALaterVersion() throws IOException {
        String file = image.journalFiles().getFirst();
        JournalBytes.Frame frame = firstMessageIn(file, 3);
        JournalBytes.setVersion(image.bytes(file), frame, 99);
        assertOthersAreDelivered(Set.of(frame.messageId()), 1);
        byte[] record = Arrays.copyOfRange(image.bytes(file), (int) frame.at(), (int) frame.end());
        assertQuarantined(record);
    }

    /// A file without which the sequence of its epoch has a hole: there is one behind it, and one
    /// before it if it is not the epoch's first.
    private String fileInTheMiddle() {
        List<String> files = image.journalFiles();
        for (int i = 0; i + 1 < files.size(); i++) {
            String file = files.get(i);
            boolean isAfterOther = i > 0 && epochOf(files.get(i - 1)).equals(epochOf(file));
            if (epochOf(file).equals(epochOf(files.get(i + 1)))
                    && (isAfterOther || file.matches(".*/(00000001-.*|.*-00LX\\.cq4)"))) {
                return file;
            }
        }
        throw new AssertionError("no epoch has files enough: " + files);
    }

    private static String epochOf(String file) {
        return file.substring(0, file.lastIndexOf('/'));
    }

    /// Of the newest messages, when the power went as it was begun: nobody was told of any.
    @Test
    void goesOnPastAnEmptyFileAtTheEnd() throws IOException {
        String file = image.journalFiles().getLast();
        Set<MessageId> gone = messagesIn(file);
        image.replace(file, new byte[0]);
        assertOthersAreDelivered(gone, 0);
    }

    @Test
    void countsAnEmptyFileInTheMiddle() throws IOException {
        String file = fileInTheMiddle();
        Set<MessageId> gone = messagesIn(file);
        System.err.println(
                "DBG "
                        + journal
                        + " "
                        + file
                        + " of "
                        + image.journalFiles()
                        + " gone "
                        + gone.size());
        image.replace(file, new byte[0]);
        assertOthersAreDelivered(gone, 1);
    }

    @Test
    void countsAFileOfZeros() throws IOException {
        String file = fileInTheMiddle();
        Set<MessageId> gone = messagesIn(file);
        image.replace(file, new byte[image.bytes(file).length]);
        assertOthersAreDelivered(gone, 1);
    }

    @Test
    void setsAsideAFileOfGarbage() throws IOException {
        String file = image.journalFiles().getLast();
        Set<MessageId> gone = messagesIn(file);
        byte[] garbage = Mail.random(1, 9000);
        image.replace(file, garbage);
        assertOthersAreDelivered(gone, 1);
        Path path = directory.resolve(file);
        String name = file.substring("epochs/".length()).replace('/', '-');
        Path kept = Files.exists(path) ? path : directory.resolve("quarantine").resolve(name);
        assertArrayEquals(garbage, Files.readAllBytes(kept));
    }

    /// The directory of a start whose journal this version does not know.
    @Test
    void setsAsideAnEpochOfUnknownLayout() throws IOException {
        byte[] unknown = Mail.random(2, 5000);
        image.replace("epochs/0000005-00000000000000ff/records.v9", unknown);
        assertOthersAreDelivered(Set.of(), 1);
        assertQuarantined(unknown);
    }

    /// Nor one whose name means nothing: a later version, or an operator, put it there.
    @Test
    void leavesAloneWhatIsNotOfTheSpool() throws IOException {
        byte[] unknown = Mail.random(3, 5000);
        image.replace("epochs/of-an-operator/notes", unknown);
        image.replace("epochs/notes", unknown);
        assertOthersAreDelivered(Set.of(), 0);
        assertArrayEquals(
                unknown, Files.readAllBytes(directory.resolve("epochs/of-an-operator/notes")));
        assertArrayEquals(unknown, Files.readAllBytes(directory.resolve("epochs/notes")));
    }

    private JournalBytes.Frame firstMessageIn(String file, int skipped) {
        return image.framesOf(file).stream()
                .filter(JournalBytes.Frame::isMessage)
                .filter(frame -> image.entries().containsKey(frame.messageId()))
                .skip(skipped)
                .findFirst()
                .orElseThrow();
    }

    private Set<MessageId> messagesIn(String file) {
        var ids = new TreeSet<MessageId>();
        for (JournalBytes.Frame frame : image.framesOf(file)) {
            if (frame.isMessage() && image.entries().containsKey(frame.messageId())) {
                ids.add(frame.messageId());
            }
        }
        assertTrue(!ids.isEmpty(), file);
        return ids;
    }

    private void assertQuarantined(byte[] bytes) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.list(directory.resolve("quarantine"))) {
            files = walk.toList();
        }
        for (Path file : files) {
            if (Arrays.equals(Files.readAllBytes(file), bytes)) {
                return;
            }
        }
        throw new AssertionError("it is not in quarantine: " + files);
    }

    /// Starts on the damaged spool: what is in no damaged place is there and is handed out, and the
    /// damage is told.
    private void assertOthersAreDelivered(Set<MessageId> gone, int places) throws IOException {
        image.writeTo(directory);
        var others = new TreeSet<>(original.entries().keySet());
        others.removeAll(gone);
        try (var spool = new OnDisk(SpoolImage.settings(directory, journal))) {
            assertEquals(places, spool.queue.stats().quarantined());
            assertEquals(
                    places > 0,
                    spool.alarms.stream().anyMatch(alarm -> alarm.startsWith("QUARANTINED")),
                    spool.alarms::toString);
            spool.queue.release(Selection.all());
            spool.queue.retry(Selection.all());
            for (Claim claim = spool.queue.claim(System.currentTimeMillis());
                    claim != null;
                    claim = spool.queue.claim(System.currentTimeMillis())) {
                assertArrayEquals(original.bodyOf(claim.messageId()), Mail.read(claim.body()));
                others.remove(claim.messageId());
                assertTrue(!gone.contains(claim.messageId()), "it cannot have been read");
                Mail.settle(claim, Mail.delivered(claim));
            }
            assertEquals(Set.of(), others, "not handed out");
            assertEquals(0, spool.queue.stats().messages());
        }
    }
}
