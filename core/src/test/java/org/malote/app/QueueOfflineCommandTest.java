package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.queue.CommitResult;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageWriter;
import org.malote.queue.QueueSettings;
import org.malote.queue.Recipient;

final class QueueOfflineCommandTest {
    @TempDir Path directory;

    private String run(String... arguments) {
        var screen = new TestScreen(Clock.systemUTC());
        String[] all = new String[arguments.length + 1];
        all[0] = "queue";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        int status = screen.run(all);
        return status + " " + screen.out() + screen.err();
    }

    private Path filled() throws IOException {
        Path spool = directory.resolve("spool");
        QueueSettings settings = QueueSettings.standard(spool);
        try (MailQueue queue =
                MailQueue.open(
                        settings.withJournal(settings.journal(), 0)
                                .withLimits(settings.limits().withFreeSpaceReserveBytes(1 << 20)),
                        QueueOfflineCommand.environment())) {
            for (int i = 0; i < 3; i++) {
                MessageWriter writer = queue.begin();
                writer.write(ByteBuffer.wrap(("text " + i).getBytes(StandardCharsets.US_ASCII)));
                var committed = new CompletableFuture<CommitResult>();
                writer.seal(
                        new Envelope(
                                "a@x.example",
                                Map.of(),
                                List.of(new Recipient("b@y.example", "y.example", Map.of()))),
                        committed::complete);
                assertInstanceOf(CommitResult.Committed.class, committed.join());
            }
        }
        return spool;
    }

    @Test
    void findsASoundSpoolSound() throws IOException {
        Path spool = filled();
        String said = run("verify", "--spool", spool.toString());
        assertTrue(said.startsWith("0 3 messages of 18 B, from 3 records in "), said);
        assertTrue(said.endsWith("the spool is sound\n"), said);
        said = run("verify", "--json", "--spool", spool.toString());
        assertTrue(said.startsWith("0 {\"sound\":true,\"epochs\":1,"), said);
    }

    @Test
    void findsDamageAndSavesTheRest() throws IOException {
        Path spool = filled();
        try (Stream<Path> all = Files.walk(spool.resolve("epochs"))) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("text 1");
                if (at >= 0) {
                    bytes[at] ^= 1;
                    Files.write(file, bytes);
                }
            }
        }
        String said = run("verify", "--spool", spool.toString());
        assertTrue(said.startsWith("1 2 messages of 12 B, from 2 records in "), said);
        assertTrue(said.contains("damaged:\n  "), said);
        Path target = directory.resolve("new");
        said = run("salvage", target.toString(), "--spool", spool.toString());
        assertTrue(said.startsWith("1 damaged in the old spool:\n"), said);
        assertTrue(said.endsWith("2 messages of 12 B are in " + target + "\n"), said);
        assertTrue(run("verify", "--spool", target.toString()).startsWith("0 2 messages"));
        said = run("salvage", target.toString(), "--spool", spool.toString());
        assertTrue(said.startsWith("2 malote: " + target + " is not empty"), said);
    }

    @Test
    void saysWhatItCannotLookAt() {
        assertEquals(
                "2 malote: " + directory + "/none is no directory; name that of a spool\n",
                run("verify", "--spool", directory + "/none"));
    }
}
