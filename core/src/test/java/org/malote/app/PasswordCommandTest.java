package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.auth.UserFile;

final class PasswordCommandTest {
    @TempDir Path folder;

    @Test
    void printsALineThatTheFileOfUsersTakes() throws IOException {
        TestScreen screen = screen("correct horse\nnext line\n");
        assertEquals(0, screen.run("password", "Ann@isp.example"), screen.err());
        assertTrue(
                screen.out()
                        .matches(
                                "ann@isp\\.example:\\$argon2id\\$v=19\\$m=19456,t=2,p=1\\$[^ ]+"
                                        + " SCRAM-SHA-256\\$100000:[^ ]+\n"),
                screen.out());
        assertFalse(screen.out().contains("horse"));
        Path file = folder.resolve("users");
        Files.writeString(file, screen.out());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertEquals(
                1,
                assertInstanceOf(UserFile.Result.Valid.class, UserFile.read(file)).users().size());
    }

    @Test
    void leavesTheVerifierOut() {
        TestScreen screen = screen("secret");
        assertEquals(0, screen.run("password", "--no-scram", "ann"));
        assertTrue(screen.out().matches("ann:\\$argon2id\\$[^ ]+\n"), screen.out());
    }

    @Test
    void saysWhatIsNoPasswordAndNoName() {
        for (String typed : new String[] {"", "\n", "a\tb\n", "x".repeat(1025)}) {
            TestScreen screen = screen(typed);
            assertEquals(1, screen.run("password", "ann"));
            assertEquals(
                    "malote: a password is a line of 1 to 1024 octets in UTF-8, without controls;"
                            + " give one at the terminal or on standard input\n",
                    screen.err());
            assertEquals("", screen.out());
        }
        TestScreen screen = screen("secret\n");
        assertEquals(2, screen.run("password", "a b"));
        assertTrue(screen.err().startsWith("malote: a user's name has 1 to 255"), screen.err());
    }

    /// The tests' own input is no terminal, so what is typed could not be hidden.
    @Test
    void readsNothingThatWouldBeShown() {
        TestScreen screen = screen("secret\nsecret\n").with(TestScreen.Terminal.IN);
        assertEquals(1, screen.run("password", "ann"));
        assertTrue(
                screen.err()
                        .endsWith(
                                "malote: the terminal would show the password; give it on standard"
                                        + " input instead\n"),
                screen.err());
        assertEquals("", screen.out());
    }

    private static TestScreen screen(String typed) {
        return new TestScreen(() -> Instant.EPOCH).typing(typed);
    }
}
