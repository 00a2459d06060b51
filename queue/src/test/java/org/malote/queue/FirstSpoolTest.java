package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/// D11: a spool of the first version is understood to the last bit, whatever version starts on it,
/// and whatever journal that writes.
@ParameterizedClass
@CsvSource({
    "CHRONICLE, CHRONICLE",
    "CHRONICLE, SEGMENT",
    "SEGMENT, SEGMENT",
    "SEGMENT, CHRONICLE",
})
final class FirstSpoolTest {
    private static final long DUE = FirstSpool.ACCEPTED_AT.toEpochMilli();
    private static final long LATER = FirstSpool.DEFERRED_UNTIL_MILLIS;
    private static final String BUSY = "450 4.2.1 busy";

    /// What the spool was written with.
    private final JournalKind written;

    private final JournalKind journal;
    @TempDir Path directory;

    FirstSpoolTest(JournalKind written, JournalKind journal) {
        this.written = written;
        this.journal = journal;
    }

    @BeforeEach
    void unpack() throws IOException {
        FirstSpool.unpack(directory, written);
    }

    /// What the archive is for: every kind of record is in it, and nothing of the journal's first
    /// file, whose message was carried.
    @Test
    void holdsEveryKindOfRecord() throws IOException {
        Set<Integer> types = new TreeSet<>();
        Set<Byte> versions = new TreeSet<>();
        List<Path> files = JournalBytes.files(directory);
        assertTrue(files.size() >= 2, files.toString());
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            for (JournalBytes.Frame frame : JournalBytes.frames(file, bytes)) {
                types.add(frame.type());
                versions.add(bytes[(int) frame.at() + 12]);
            }
        }
        assertEquals(Set.of(1, 2, 3, 4), types);
        assertEquals(Set.of((byte) 1), versions);
        byte[] first = Files.readAllBytes(files.getFirst());
        assertTrue(JournalBytes.frames(files.getFirst(), first).getFirst().sequence() > 1);
    }

    @Test
    void holdsEveryKindOfFile() throws IOException {
        String names = FirstSpool.names(directory);
        List<String> kinds =
                switch (written) {
                    case CHRONICLE -> List.of("epochs/.*\\.cq4", "bodies/[^.]*");
                    case SEGMENT ->
                            List.of(
                                    "epochs/0000001-[0-9a-f]+/.*\\.seg",
                                    "epochs/0000002-[0-9a-f]+/00000001-[0-9]{8}\\.seg",
                                    "epochs/0000002-[0-9a-f]+/00000001-.*\\.seg\\.toc",
                                    "spares/[0-9]{8}\\.(zeros|used)",
                                    "bodies/[^.]*",
                                    "suspended");
                };
        for (String kind : kinds) {
            assertTrue(names.lines().anyMatch(name -> name.matches(kind)), kind + ":\n" + names);
        }
    }

    /// What is damaged behind its contents is not noticed: the contents alone were read.
    @Test
    void isStartedFromItsContents() throws IOException {
        int damaged = 0;
        for (Path segment : JournalBytes.files(directory)) {
            if (Files.exists(segment.resolveSibling(segment.getFileName() + ".toc"))) {
                byte[] bytes = Files.readAllBytes(segment);
                List<JournalBytes.Frame> frames = JournalBytes.frames(segment, bytes);
                bytes[(int) frames.get(frames.size() / 2).at()]++;
                Files.write(segment, bytes);
                damaged++;
            }
        }
        assertEquals(written == JournalKind.SEGMENT, damaged > 0);
        try (var spool = new OnDisk(OnDisk.settings(directory, journal))) {
            assertEquals(List.of(), spool.alarms);
            assertEquals(11, spool.queue.stats().messages());
        }
    }

    @Test
    void isFoundAsItWasLeft() throws IOException {
        try (var spool = new OnDisk(OnDisk.settings(directory, journal))) {
            assertEquals(List.of(), spool.alarms);
            assertFoundAsLeft(spool.queue);
        }
        // Again, from what the first start made of it.
        try (var spool = new OnDisk(OnDisk.settings(directory, journal))) {
            assertEquals(List.of(), spool.alarms);
            assertFoundAsLeft(spool.queue);
        }
    }

    private void assertFoundAsLeft(MailQueue queue) throws IOException {
        assertEquals(
                written == JournalKind.SEGMENT ? List.of(FirstSpool.SUSPENDED) : List.of(),
                queue.suspended());
        assertEquals(0, queue.stats().quarantined());
        assertEquals(11, queue.stats().messages());
        Map<String, QueueEntry> found = new HashMap<>();
        for (QueueEntry entry : queue.list().toList()) {
            found.put(entry.sender(), entry);
            assertEquals(DUE, entry.acceptedAtMillis());
            assertEquals(Map.of("body", "8bitmime"), entry.attributes());
            assertArrayEquals(FirstSpool.bodyOf(entry.sender()), Mail.read(queue.body(entry.id())));
        }
        assertFound(
                found,
                "carried@a.example",
                delivered("done@b.example", "250 kept"),
                held("held@c.example", HoldCause.OPERATOR, null));
        assertFound(found, "waiting@a.example", waiting("one@b.example"), waiting("two@c.example"));
        assertFound(found, "deferred@a.example", deferred("busy@d.example", LATER));
        assertFound(found, "held@a.example", held("stopped@e.example", HoldCause.OPERATOR, null));
        assertFound(
                found,
                "routed@a.example",
                held("parked@f.example", HoldCause.ROUTE, "held by its route"));
        assertFound(
                found,
                "partly@a.example",
                delivered("delivered@g.example", "250 2.0.0 ok"),
                failed("failed@h.example", "550 5.1.1 nobody"),
                deferred("deferred@i.example", LATER),
                waiting("waiting@j.example"));
        assertFound(found, "large@a.example", waiting("file@l.example"));
        assertFound(found, "released@a.example", waiting("free@m.example"));
        assertFound(found, "retried@a.example", deferred("again@n.example", DUE));
        assertFound(
                found,
                "rerouted@a.example",
                recipient(
                        "moved@o.example",
                        RecipientState.WAITING,
                        null,
                        0,
                        DUE,
                        "held by its route"));
        assertFound(found, "", waiting("bounce@p.example"));
        assertEquals(Map.of(), found);
    }

    private static void assertFound(
            Map<String, QueueEntry> found,
            String sender,
            QueueEntry.QueuedRecipient... recipients) {
        QueueEntry entry = found.remove(sender);
        assertNotNull(entry, sender);
        assertEquals(Arrays.asList(recipients), entry.recipients(), sender);
    }

    private static QueueEntry.QueuedRecipient recipient(
            String address,
            RecipientState state,
            @Nullable HoldCause heldBy,
            int attempts,
            long dueMillis,
            @Nullable String reply) {
        String destination = address.substring(address.indexOf('@') + 1);
        return new QueueEntry.QueuedRecipient(
                new Recipient(address, destination, Map.of()),
                state,
                heldBy,
                attempts,
                dueMillis,
                false,
                reply);
    }

    /// Not tried yet.
    private static QueueEntry.QueuedRecipient waiting(String address) {
        return recipient(address, RecipientState.WAITING, null, 0, DUE, null);
    }

    private static QueueEntry.QueuedRecipient deferred(String address, long dueMillis) {
        return recipient(address, RecipientState.WAITING, null, 1, dueMillis, BUSY);
    }

    private static QueueEntry.QueuedRecipient held(
            String address, HoldCause cause, @Nullable String reply) {
        return recipient(address, RecipientState.HELD, cause, 0, 0, reply);
    }

    private static QueueEntry.QueuedRecipient delivered(String address, String reply) {
        return recipient(address, RecipientState.DELIVERED, null, 1, 0, reply);
    }

    private static QueueEntry.QueuedRecipient failed(String address, String reply) {
        return recipient(address, RecipientState.FAILED, null, 1, 0, reply);
    }

    /// What is due is handed out with the bytes that came, once, and then is gone; what is held or
    /// deferred stays. What was released is handed out as released.
    @Test
    void isDeliveredByALaterVersion() throws IOException {
        Set<String> attempted = new TreeSet<>();
        try (var spool = new OnDisk(OnDisk.settings(directory, journal))) {
            for (Claim claim = spool.queue.claim(LATER - 1);
                    claim != null;
                    claim = spool.queue.claim(LATER - 1)) {
                assertArrayEquals(FirstSpool.bodyOf(claim.sender()), Mail.read(claim.body()));
                for (ClaimedRecipient recipient : claim.recipients()) {
                    String address = recipient.recipient().address();
                    assertTrue(attempted.add(address), address);
                    assertEquals(
                            claim.sender().startsWith("re") && !claim.sender().startsWith("ret"),
                            recipient.wasReleased(),
                            claim.sender());
                }
                Mail.settle(claim, Mail.delivered(claim));
            }
        }
        assertEquals(
                Set.of(
                        "again@n.example",
                        "bounce@p.example",
                        "file@l.example",
                        "free@m.example",
                        "moved@o.example",
                        "one@b.example",
                        "two@c.example",
                        "waiting@j.example"),
                attempted);
        try (var spool = new OnDisk(OnDisk.settings(directory, journal))) {
            assertEquals(List.of(), spool.alarms);
            assertEquals(
                    Set.of(
                            "carried@a.example",
                            "deferred@a.example",
                            "held@a.example",
                            "partly@a.example",
                            "routed@a.example"),
                    new TreeSet<>(spool.queue.list().map(QueueEntry::sender).toList()));
        }
    }
}
