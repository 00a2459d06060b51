package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// A process that is killed with mail on its way keeps what it acknowledged.
@ParameterizedClass
@EnumSource
final class KillTest {
    private static final int KILLS = 10;
    private static final int ACKNOWLEDGED_BEFORE_A_KILL = 120;

    private final JournalKind journal;
    @TempDir Path directory;

    KillTest(JournalKind journal) {
        this.journal = journal;
    }

    @Test
    void losesNothingToTenKills() throws IOException, InterruptedException {
        Set<MessageId> acknowledged = new HashSet<>();
        for (int kill = 0; kill < KILLS; kill++) {
            Process child = start();
            int ofThisChild = 0;
            try (var lines =
                    new BufferedReader(
                            new InputStreamReader(
                                    child.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    acknowledged.add(MessageId.parse(line));
                    if (++ofThisChild == ACKNOWLEDGED_BEFORE_A_KILL) {
                        // By the handle: what the pipe still holds was acknowledged too.
                        child.toHandle().destroyForcibly();
                    }
                }
            }
            // SIGKILL.
            assertEquals(128 + 9, child.waitFor());
        }
        assertTrue(acknowledged.size() >= KILLS * ACKNOWLEDGED_BEFORE_A_KILL);
        try (var spool = new OnDisk(OnDisk.settings(directory, journal))) {
            assertEquals(List.of(), spool.alarms);
            for (MessageId id : acknowledged) {
                QueueEntry entry = spool.queue.find(id);
                assertNotNull(entry, id + " was acknowledged and is lost");
                assertArrayEquals(
                        Mail.random(id.value(), (int) entry.sizeBytes()),
                        Mail.read(spool.queue.body(id)));
            }
        }
    }

    /// The control of the test itself: a child whose parent was killed would write for ever.
    @Test
    void endsWithItsParent() throws IOException, InterruptedException {
        Process child = start();
        try (var lines =
                new BufferedReader(
                        new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            assertNotNull(lines.readLine());
            child.getOutputStream().close();
            while (lines.readLine() != null) {}
        }
        assertEquals(1, child.waitFor());
    }

    private Process start() throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // What Chronicle needs, as this process has it.
        for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (argument.startsWith("--") || argument.startsWith("-Dchronicle")) {
                command.add(argument);
            }
        }
        command.addAll(
                List.of(
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KillChild.class.getName(),
                        directory.toString(),
                        journal.name()));
        // Its log is nobody's; its standard output is the acknowledgements.
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }
}
