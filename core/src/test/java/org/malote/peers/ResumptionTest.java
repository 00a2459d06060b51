package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// T06: the second connection of OpenSSL's client resumes, in both versions, at the server that it
/// was with before, at that server after a restart, and at another one with the same ticket key
/// file; not once the key has aged out.
@Tag("peers")
@Timeout(240)
final class ResumptionTest {
    private static final List<String> VERSIONS = List.of("TLSv1.2", "TLSv1.3");
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Test
    void aSessionIsTakenUpByWhoeverHasItsKey() throws Exception {
        try (Folder folder = Folder.create();
                Folder otherFolder = Folder.create()) {
            Path keys = folder.path().resolve("ticket-keys");
            Toml one = toml(folder, keys);
            Toml other = toml(otherFolder, keys);
            try (MaloteServer first = MaloteServer.start(folder, one.text());
                    MaloteServer _ = MaloteServer.start(otherFolder, other.text())) {
                for (String version : VERSIONS) {
                    String session = sessionFile(folder, version);
                    assertEquals("New", begun(one, version, "-sess_out", session));
                    assertEquals("Reused", begun(one, version, "-sess_in", session));
                    assertEquals("Reused", begun(other, version, "-sess_in", session));
                }

                first.terminate();
                assertEquals(0, first.await(LIMIT));
                first.restart();
                for (String version : VERSIONS) {
                    String session = sessionFile(folder, version);
                    assertEquals("Reused", begun(one, version, "-sess_in", session));
                }

                first.terminate();
                assertEquals(0, first.await(LIMIT));
                age(keys, Duration.ofDays(30));
                first.restart();
                for (String version : VERSIONS) {
                    String session = sessionFile(folder, version);
                    assertEquals("New", begun(one, version, "-sess_in", session));
                    // The key of today serves.
                    assertEquals("New", begun(one, version, "-sess_out", session));
                    assertEquals("Reused", begun(one, version, "-sess_in", session));
                }
            }
        }
    }

    private static Toml toml(Folder folder, Path keys) {
        return Toml.withoutRelay(folder, Certificate.make(folder), "")
                .withTls("ticket-key-file = \"" + keys + "\"");
    }

    private static String sessionFile(Folder folder, String version) {
        return folder.path().resolve(version + ".session").toString();
    }

    /// @return how the session began, in the client's word: `New` or `Reused`
    private static String begun(Toml server, String version, String... options) {
        String[] all = {version.equals("TLSv1.2") ? "-tls1_2" : "-tls1_3", options[0], options[1]};
        String said = SClient.startTls(server.port(), all);
        for (String word : List.of("New", "Reused")) {
            if (said.contains(word + ", " + version)) {
                assertTrue(said.contains("\n221 "), said);
                return word;
            }
        }
        throw new AssertionError(said);
    }

    /// As if the keys of the file had been made so much earlier.
    private static void age(Path keys, Duration by) throws IOException {
        List<String> lines = Files.readAllLines(keys);
        for (int i = 1; i < lines.size(); i++) {
            int space = lines.get(i).indexOf(' ');
            Instant begin = Instant.parse(lines.get(i).substring(0, space));
            lines.set(i, begin.minus(by) + lines.get(i).substring(space));
        }
        Files.write(keys, lines);
    }
}
