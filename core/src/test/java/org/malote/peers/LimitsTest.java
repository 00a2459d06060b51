package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// P06: each limit of RFC 5321 §4.5.3.1 just below, at and just above it, and lines without an end.
@Tag("peers")
final class LimitsTest {
    private static final int MESSAGE_OCTETS_MAX = 1 << 20;
    private static final int LINE_OCTETS_MAX = 2048;

    /// A line without an end.
    private static final int ENDLESS_OCTETS = 1 << 30;

    /// The JVM's heap is 512 MiB; before this test it has hardly been touched.
    private static final long GROWTH_BYTES_MAX = 200L << 20;

    private static Folder folder;
    private static Toml toml;
    private static MaloteServer server;

    @BeforeAll
    static void start() {
        folder = Folder.create();
        Path mail = folder.path().resolve("mail");
        toml =
                Toml.withoutRelay(
                        folder,
                        Certificate.make(folder),
                        """
                        [queue]
                        durability = "relaxed"
                        [limits]
                        message-octets-max = "1MiB"
                        recipients-max = 100
                        command-line-octets-max = 2048
                        [[route]]
                        domain = "*"
                        via = "maildir:%s/box"
                        """
                                .formatted(mail));
        server = MaloteServer.start(folder, toml.text());
    }

    @AfterAll
    static void stop() {
        try (var _ = folder;
                var _ = server) {}
    }

    /// RFC 5321 §4.5.3.1.1.
    @Test
    void localPartHas64Octets() {
        assertRecipient("250", "l".repeat(63) + "@box.test");
        assertRecipient("250", "l".repeat(64) + "@box.test");
        assertRecipient("5", "l".repeat(65) + "@box.test");
        // Counted without the quotes, which the same mailbox does not need.
        assertRecipient("250", "\"" + "l".repeat(64) + "\"@box.test");
        assertRecipient("5", "\"" + "l".repeat(65) + "\"@box.test");
    }

    /// RFC 5321 §4.5.3.1.2 allows 255, but a path has 256 with its brackets and its local part
    /// (§4.5.3.1.3), so that the domain ends at 252; DNS has 253 (RFC 1035 §2.3.4).
    @Test
    void pathHas256Octets() {
        String labels = ("d".repeat(63) + ".").repeat(3);
        for (int tail : new int[] {58, 59, 60, 61, 62}) {
            String domain = labels + "d".repeat(tail);
            int path = "<l@>".length() + domain.length();
            assertRecipient(path <= 256 ? "250" : "5", "l@" + domain);
        }
        assertRecipient("250", "l@" + "d".repeat(63) + ".test");
        assertRecipient("5", "l@" + "d".repeat(64) + ".test");
    }

    private static void assertRecipient(String code, String address) {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            smtp.expect(code, smtp.ask("RCPT TO:<" + address + ">"));
        }
    }

    /// RFC 5321 §4.5.3.1.4 asks for 512 at least.
    @Test
    void commandLineHasItsOctets() {
        for (int octets : new int[] {511, 512, 513, 2047, LINE_OCTETS_MAX}) {
            try (Smtp smtp = Smtp.open(toml.port())) {
                smtp.expect("250", smtp.ask("NOOP " + "x".repeat(octets - "NOOP \r\n".length())));
            }
        }
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("500", smtp.ask("NOOP " + "x".repeat(LINE_OCTETS_MAX + 1 - 7)));
            smtp.expect("250", smtp.ask("NOOP"));
        }
    }

    /// RFC 5321 §4.5.3.1.6 asks for 1000 at least; what is longer is taken too, since a line
    /// streams
    /// past like any other octets.
    @Test
    void textLineHasItsOctets() {
        for (int octets : new int[] {999, 1000, 1001, 100_000}) {
            try (Smtp smtp = Smtp.open(toml.port())) {
                String line = "x".repeat(octets - 2) + "\r\n";
                smtp.expect("250", smtp.mail("a@peer.test", "b@box.test", "S: x\r\n\r\n" + line));
            }
        }
    }

    /// RFC 5321 §4.5.3.1.7, RFC 1870: counted without the dots that were doubled and the last one.
    @Test
    void messageHasItsOctets() {
        for (int more : new int[] {-1, 0, 1}) {
            String code = more <= 0 ? "250" : "552";
            int octets = MESSAGE_OCTETS_MAX + more;
            try (Smtp smtp = Smtp.open(toml.port())) {
                smtp.expect(code, smtp.ask("MAIL FROM:<a@peer.test> SIZE=" + octets));
                smtp.expect("250", smtp.ask("RSET"));
                String start = "S: x\r\n\r\n";
                String data = start + "x".repeat(octets - start.length() - 2) + "\r\n";
                smtp.expect(code, smtp.mail("a@peer.test", "b@box.test", data));
                smtp.expect("250", smtp.ask("NOOP"));
            }
        }
    }

    /// RFC 5321 §4.5.3.1.8, §4.5.3.1.10.
    @Test
    void transactionHas100Recipients() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
            for (int i = 0; i < 100; i++) {
                smtp.expect("250", smtp.ask("RCPT TO:<r" + i + "@box.test>"));
            }
            smtp.expect("452 4.5.3", smtp.ask("RCPT TO:<r100@box.test>"));
            smtp.expect("354", smtp.ask("DATA"));
            smtp.expect("250", smtp.ask("S: x\r\n\r\nx\r\n."));
        }
    }

    @Test
    void endlessLinesTakeNoMemory() {
        byte[] piece = "x".repeat(1 << 16).getBytes(StandardCharsets.US_ASCII);
        for (boolean tls : new boolean[] {false, true}) {
            try (Smtp smtp = tls ? Smtp.openTls(toml.port()) : Smtp.open(toml.port())) {
                long before = server.residentBytes();
                for (int sent = 0; sent < ENDLESS_OCTETS; sent += piece.length) {
                    if (!smtp.trySend(piece)) {
                        break; // Cut.
                    }
                }
                String all = smtp.rest();
                assertTrue(all.isEmpty() || all.startsWith("500"), all);
                assertFalse(all.contains("250"), all);
                assertFlat(before);
            }
            try (Smtp smtp = tls ? Smtp.openTls(toml.port()) : Smtp.open(toml.port())) {
                long before = server.residentBytes();
                smtp.expect("250", smtp.ask("MAIL FROM:<a@peer.test>"));
                smtp.expect("250", smtp.ask("RCPT TO:<b@box.test>"));
                smtp.expect("354", smtp.ask("DATA"));
                for (int sent = 0; sent < ENDLESS_OCTETS; sent += piece.length) {
                    smtp.send(piece);
                }
                smtp.send("\r\n.\r\n");
                smtp.expect("552 5.3.4", smtp.reply());
                smtp.expect("250", smtp.ask("NOOP"));
                assertFlat(before);
            }
        }
    }

    private static void assertFlat(long before) {
        long growth = server.residentBytes() - before;
        assertTrue(growth < GROWTH_BYTES_MAX, () -> "it grew by " + growth + " octets");
    }

    @Test
    void errorsEndTheSession() {
        try (Smtp smtp = Smtp.open(toml.port())) {
            for (int i = 0; i < 20; i++) {
                smtp.expect("500", smtp.ask("BLAH"));
            }
            smtp.expect("421", smtp.ask("BLAH"));
            assertEquals("", smtp.rest());
        }
    }
}
