package org.malote.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.MailPolicyCode;
import org.malote.smtp.ReversePath;
import org.malote.smtp.wire.AddressParser;

final class UserFileTest {
    private static final String HASH =
            PasswordHash.of("secret", new PasswordHash.Cost(64, 1, 1), new Random(1)).text();
    private static final String VERIFIER = ScramVerifier.of("secret", 4096, new Random(1)).text();

    @TempDir Path folder;

    @Test
    void readsUsers() throws IOException {
        Users users =
                valid(
                        "# who may send\n\n"
                                + "Ann@isp.example: "
                                + HASH
                                + "\t"
                                + VERIFIER
                                + " from=ann@ISP.example,@Bücher.example mpc=Per/Individual\r\n"
                                + "box7:certificate=Box7.example,b.example\n"
                                + "zoe\u0308:"
                                + VERIFIER);
        assertEquals(3, users.size());
        User ann = users.find("ann@isp.example");
        assertNotNull(ann);
        assertEquals(HASH, String.valueOf(ann.hash() == null ? null : ann.hash().text()));
        assertEquals(
                VERIFIER, String.valueOf(ann.verifier() == null ? null : ann.verifier().text()));
        assertEquals(Set.of("ann@isp.example", "@xn--bcher-kva.example"), ann.senders());
        assertEquals("per/individual", String.valueOf(ann.code()));
        assertTrue(ann.maySendAs(sender("ANN@isp.example")));
        assertTrue(ann.maySendAs(sender("x@bücher.example")));
        assertTrue(ann.maySendAs(sender("x@xn--bcher-kva.example")));
        assertTrue(ann.maySendAs(ReversePath.NULL));
        assertFalse(ann.maySendAs(sender("ann@isp.example.org")));
        User box = users.find("box7");
        assertNotNull(box);
        assertEquals(List.of("box7.example", "b.example"), box.certificates());
        assertNull(box.hash());
        assertTrue(box.maySendAs(sender("anybody@example.org")));
        assertNotNull(users.find("zo\u00eb"));
        assertEquals(
                MailPolicyCode.parse("per/individual"),
                new MailPolicyCode.Parsed.Known(Objects.requireNonNull(ann.code())));
    }

    /// Every mistake with its line, and no secret in any of them.
    @Test
    void namesEveryMistakeAndTellsNoSecret() throws IOException {
        String text =
                "nobody\n"
                        + "a b:"
                        + HASH
                        + "\nann:geheim\nann:"
                        + HASH
                        + "\nbob:$argon2id$geheim\ncid:SCRAM-SHA-256$geheim\ndan:\n"
                        + "eve:"
                        + HASH
                        + " "
                        + HASH
                        + " from=eve,@ mpc=eve/x certificate=a_b@c form=geheim\n";
        List<String> problems = invalid(text);
        String file = folder.resolve("users").toString();
        assertEquals(
                """
                users:1: a line is name:... with what malote password prints for the name
                users:2: a line is name:... with what malote password prints for the name
                users:3: there is a field that is no hash, verifier, from=, mpc= or certificate=
                users:3: nothing proves who "ann" is; run malote password
                users:4: the user "ann" is there twice
                users:5: a hash is $argon2id$v=19$m=...,t=...,p=...$salt$hash with at most 256 MiB and 64 passes; run malote password
                users:5: nothing proves who "bob" is; run malote password
                users:6: a verifier is SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey with at least 4096 iterations; run malote password
                users:6: nothing proves who "cid" is; run malote password
                users:7: there is a field that is no hash, verifier, from=, mpc= or certificate=
                users:7: nothing proves who "dan" is; run malote password
                users:8: a field is there twice
                users:8: "eve" is not an address or @domain
                users:8: "@" is not an address or @domain
                users:8: "eve/x" is no code such as per/individual
                users:8: "a_b@c" is not a host name
                users:8: there is a field that is no hash, verifier, from=, mpc= or certificate=
                """
                        .strip(),
                String.join("\n", problems).replace(file, "users"));
        assertFalse(problems.toString().contains("geheim"), problems.toString());
    }

    @Test
    void tellsTwentyMistakesAndCountsTheOthers() throws IOException {
        List<String> problems = invalid("x\n".repeat(50));
        assertEquals(21, problems.size());
        assertTrue(problems.getLast().endsWith(": and 30 more"), problems.getLast());
    }

    @Test
    void aFileThatOthersCanReadIsRefused() throws IOException {
        for (String mode : List.of("rw-r-----", "rw----r--", "rw--w----", "rw-----w-")) {
            Path file = write("ann:" + HASH, mode);
            List<String> problems = invalid(UserFile.read(file));
            assertEquals(
                    List.of(
                            "file of users "
                                    + file
                                    + " is open to other users: run chmod 600 "
                                    + file),
                    problems);
        }
    }

    @Test
    void saysWhatIsWrongWithTheFile() throws IOException {
        Path missing = folder.resolve("none");
        assertEquals(
                List.of(
                        "the file of users "
                                + missing
                                + " does not exist: make its lines with malote password"),
                invalid(UserFile.read(missing)));
        Path binary = write("", "rw-------");
        Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe});
        assertTrue(invalid(UserFile.read(binary)).getFirst().endsWith(" is not UTF-8 text"));
        try (RandomAccessFile huge = new RandomAccessFile(binary.toFile(), "rw")) {
            huge.setLength((64 << 20) + 1);
        }
        assertTrue(invalid(UserFile.read(binary)).getFirst().contains("larger than 64 MiB"));
        assertEquals(1, invalid(UserFile.read(folder)).size());
    }

    @Test
    void withoutAFileNobodyIsKnown() {
        assertEquals(
                0,
                assertInstanceOf(UserFile.Result.Valid.class, UserFile.read(null)).users().size());
    }

    private static ReversePath sender(String address) {
        return new ReversePath.Sender(Objects.requireNonNull(AddressParser.parseMailbox(address)));
    }

    private Users valid(String text) throws IOException {
        return assertInstanceOf(
                        UserFile.Result.Valid.class, UserFile.read(write(text, "rw-------")))
                .users();
    }

    private List<String> invalid(String text) throws IOException {
        return invalid(UserFile.read(write(text, "rw-------")));
    }

    private static List<String> invalid(UserFile.Result result) {
        return assertInstanceOf(UserFile.Result.Invalid.class, result).problems();
    }

    private Path write(String text, String mode) throws IOException {
        Path file = folder.resolve("users");
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        return file;
    }
}
