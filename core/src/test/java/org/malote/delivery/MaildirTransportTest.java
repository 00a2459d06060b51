package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.queue.Claim;
import org.malote.queue.CommitResult;
import org.malote.queue.Durability;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MemorySpool;
import org.malote.queue.MessageWriter;
import org.malote.queue.Recipient;
import org.malote.queue.Settlement;
import org.malote.smtp.EnhancedStatus;

final class MaildirTransportTest {
    private static final Executor DIRECT = Runnable::run;
    private static final Instant NOW = Instant.parse("2026-03-01T10:00:00.123456Z");

    @TempDir Path directory;
    private final MemorySpool spool = new MemorySpool();
    private final MailQueue queue = spool.open();

    @AfterEach
    void closeQueue() {
        queue.close();
        spool.close();
    }

    private MaildirTransport transport(Executor io, Durability durability) {
        return new MaildirTransport(
                io, directory, "mx1.isp.example", () -> NOW, new Random(5), durability);
    }

    private Claim claim(String sender, Map<String, String> attributes, byte[] body, String... to) {
        MessageWriter writer = queue.begin();
        writer.write(ByteBuffer.wrap(body));
        CompletableFuture<CommitResult> committed = new CompletableFuture<>();
        writer.seal(
                new Envelope(
                        sender,
                        attributes,
                        Arrays.stream(to)
                                .map(a -> new Recipient(a, "isp.example", Map.of()))
                                .toList()),
                committed::complete);
        assertInstanceOf(CommitResult.Committed.class, committed.join());
        Claim claim = queue.claim(spool.nowMillis());
        assertNotNull(claim);
        return claim;
    }

    private static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static AttemptResult deliver(MaildirTransport transport, Claim claim, String template) {
        List<AttemptResult> results = new ArrayList<>();
        transport.deliver(claim, claim.recipients(), new Via.Maildir(template), results::add);
        assertEquals(1, results.size());
        return results.getFirst();
    }

    private AttemptResult deliver(Claim claim, String template) {
        return deliver(transport(DIRECT, Durability.COMMIT), claim, template);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static Failure failure(AttemptResult result) {
        return assertInstanceOf(
                        RecipientOutcome.Failed.class, result.entries().getFirst().outcome())
                .failure();
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    /// RFC 5321 §4.4: Return-Path at final delivery.
    @Test
    void writesOneFileWithItsTraceAndLocalLineEnds() throws Exception {
        Claim claim =
                claim(
                        "a@b.example",
                        Map.of(),
                        octets("Subject: x\r\n\r\nf\u00fcr\rall\nof you\r\n.\r\n"),
                        "Bob@isp.example");
        AttemptResult result = deliver(claim, "mail/{domain}/{local}");
        assertInstanceOf(RecipientOutcome.Delivered.class, result.entries().getFirst().outcome());
        Path maildir = directory.resolve("mail/isp.example/Bob");
        assertEquals(List.of(), files(maildir.resolve("tmp")));
        assertEquals(List.of(), files(maildir.resolve("cur")));
        Path file = files(maildir.resolve("new")).getFirst();
        assertEquals(
                """
                Return-Path: <a@b.example>
                Delivered-To: Bob@isp.example
                Subject: x

                f\u00fcr\rall
                of you
                .
                """,
                Files.readString(file, StandardCharsets.ISO_8859_1));
        String name = file.getFileName().toString();
        assertTrue(
                name.matches(
                        "1772359200\\.M123456R[0-9a-f]{16}Q1\\.mx1\\.isp\\.example,S="
                                + Files.size(file)),
                name);
        assertEquals("rw-------", mode(file));
        assertEquals("rwx------", mode(maildir.resolve("new")));
        assertEquals("rwx------", mode(directory.resolve("mail/isp.example")));
    }

    /// draft-weinman-amtp-03 §4.4.4.
    @Test
    void theCodeOfTheEnvelopeIsWrittenAsAHeader() throws Exception {
        deliver(
                claim(
                        "a@b.example",
                        Map.of("mpc", "com/confirmed"),
                        octets("Subject: x\r\n\r\n"),
                        "bob@isp.example"),
                "mail/{local}");
        assertEquals(
                """
                Return-Path: <a@b.example>
                Delivered-To: bob@isp.example
                MPC: com/confirmed
                Subject: x

                """,
                Files.readString(files(directory.resolve("mail/bob/new")).getFirst()));
        deliver(
                claim(
                        "a@b.example",
                        Map.of("mpc", "net/autoresponse", "body", "BINARY_MIME"),
                        octets("Subject: x\r\n\r\n"),
                        "ann@isp.example"),
                "mail/{local}");
        assertEquals(
                """
                Return-Path: <a@b.example>
                Delivered-To: ann@isp.example
                MPC: net/autoresponse
                Subject: x

                """
                        .replace("\n", "\r\n"),
                Files.readString(files(directory.resolve("mail/ann/new")).getFirst()));
    }

    @Test
    void theNullSenderIsWrittenAsSuch() throws Exception {
        deliver(claim("", Map.of(), octets("x\r\n"), "bob@isp.example"), "mail/{local}");
        assertTrue(
                Files.readString(files(directory.resolve("mail/bob/new")).getFirst())
                        .startsWith("Return-Path: <>\n"));
    }

    /// RFC 3030 §3: in binary parts CR LF are data.
    @Test
    void aBinaryMessageKeepsEveryOctet() throws Exception {
        byte[] body = octets("Subject: x\r\n\r\n\u0000\r\n\n\r\u00ff");
        deliver(claim("", Map.of("body", "BINARY_MIME"), body, "bob@isp.example"), "m/{local}");
        assertEquals(
                "Return-Path: <>\r\nDelivered-To: bob@isp.example\r\n"
                        + new String(body, StandardCharsets.ISO_8859_1),
                Files.readString(
                        files(directory.resolve("m/bob/new")).getFirst(),
                        StandardCharsets.ISO_8859_1));
    }

    @Test
    void lineEndsAreConvertedOverThePiecesToo() throws Exception {
        RandomGenerator random = new Random(11);
        for (int i = 0; i < 20; i++) {
            StringBuilder body = new StringBuilder("x".repeat(64 * 1024 - 4 + random.nextInt(8)));
            for (int j = 0; j < 70_000; j++) {
                body.append("\r\na".charAt(random.nextInt(3)));
            }
            Claim claim = claim("", Map.of(), octets(body.toString()), "bob@isp.example");
            deliver(transport(DIRECT, Durability.RELAXED), claim, "m/" + i);
            claim.settle(List.of(new Settlement.Delivered(0, "250 ok")));
            String written =
                    Files.readString(files(directory.resolve("m/" + i + "/new")).getFirst());
            assertEquals(
                    "Return-Path: <>\nDelivered-To: bob@isp.example\n"
                            + body.toString().replace("\r\n", "\n"),
                    written);
        }
    }

    @Test
    void eachRecipientHasAFileOfItsOwn() throws Exception {
        Claim claim =
                claim(
                        "",
                        Map.of(),
                        octets("x\r\n"),
                        "bob@isp.example",
                        "\"../eve\"@isp.example",
                        "postmaster@isp.example");
        AttemptResult result = deliver(claim, "mail/{local}");
        assertEquals(
                List.of(0, 1, 2),
                result.entries().stream().map(AttemptResult.Entry::recipient).toList());
        assertEquals(
                List.of("%2E.%2Feve", "bob", "postmaster"),
                files(directory.resolve("mail")).stream()
                        .map(path -> path.getFileName().toString())
                        .toList());
        for (Path maildir : files(directory.resolve("mail"))) {
            assertEquals(1, files(maildir.resolve("new")).size());
        }
    }

    @Test
    void namesAreUniqueWhenTheClockStandsStill() throws Exception {
        MaildirTransport transport = transport(DIRECT, Durability.RELAXED);
        for (int i = 0; i < 50; i++) {
            Claim claim = claim("", Map.of(), octets("x"), "a@isp.example", "b@isp.example");
            deliver(transport, claim, "all");
            claim.settle(
                    List.of(
                            new Settlement.Delivered(0, "250 ok"),
                            new Settlement.Delivered(1, "250 ok")));
        }
        Set<String> names = new HashSet<>();
        for (Path file : files(directory.resolve("all/new"))) {
            names.add(file.getFileName().toString());
        }
        assertEquals(100, names.size());
    }

    @Test
    void whatTheDiskRefusesIsTriedAgainLater() throws Exception {
        Files.createDirectory(directory.resolve("mail"));
        Files.createFile(directory.resolve("mail/bob"));
        Failure failure =
                failure(
                        deliver(
                                claim("", Map.of(), octets("x"), "bob@isp.example"),
                                "mail/{local}"));
        assertFalse(failure.isPermanent());
        assertEquals(FailureScope.RECIPIENT, failure.scope());
        assertEquals(new EnhancedStatus(4, 2, 0), failure.status());
        assertTrue(failure.detail().contains("mail/bob is in the way"), failure.detail());
    }

    @Test
    void oneRecipientsTroubleIsNotAnothers() throws Exception {
        Files.createDirectory(directory.resolve("mail"));
        Files.createFile(directory.resolve("mail/bob"));
        AttemptResult result =
                deliver(
                        claim("", Map.of(), octets("x"), "bob@isp.example", "eve@isp.example"),
                        "mail/{local}");
        assertInstanceOf(RecipientOutcome.Failed.class, result.entries().get(0).outcome());
        assertInstanceOf(RecipientOutcome.Delivered.class, result.entries().get(1).outcome());
    }

    @Test
    void aLinkDoesNotLeadOutOfTheBase() throws Exception {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Path base = Files.createDirectory(directory.resolve("mail"));
        Files.createSymbolicLink(base.resolve("bob"), outside);
        Failure failure =
                failure(
                        deliver(
                                claim("", Map.of(), octets("x"), "bob@isp.example"),
                                "mail/{local}"));
        assertFalse(failure.isPermanent());
        assertTrue(failure.detail().contains("symbolic link"), failure.detail());
        failure =
                failure(
                        deliver(
                                claim("", Map.of(), octets("x"), "bob@isp.example"),
                                "mail/{local}/deeper"));
        assertTrue(failure.detail().contains("symbolic link"), failure.detail());
        assertEquals(List.of(), files(outside));
    }

    @Test
    void aLinkToTheBaseItselfIsTheOperatorsWish() throws Exception {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Files.createSymbolicLink(directory.resolve("mail"), outside);
        deliver(claim("", Map.of(), octets("x"), "bob@isp.example"), "mail/{local}");
        assertEquals(1, files(outside.resolve("bob/new")).size());
    }

    @Test
    void aBodyThatCannotBeReadLeavesNothingBehind() throws Exception {
        Claim claim = claim("", Map.of(), octets("x"), "bob@isp.example");
        MaildirTransport.Mail mail =
                new MaildirTransport.Mail(
                        "id",
                        "",
                        "isp.example",
                        Map.of(),
                        claim.recipients(),
                        () -> {
                            throw new IOException("message id is damaged on the disk");
                        });
        List<AttemptResult> results = new ArrayList<>();
        transport(DIRECT, Durability.COMMIT)
                .deliver(mail, new Via.Maildir("mail/{local}"), results::add);
        assertFalse(failure(results.getFirst()).isPermanent());
        assertEquals(List.of(), files(directory.resolve("mail/bob/tmp")));
        assertEquals(List.of(), files(directory.resolve("mail/bob/new")));
    }

    @Test
    void anAddressThatIsNoneFailsForGood() {
        Failure failure = failure(deliver(claim("", Map.of(), octets("x"), "bob"), "mail/{local}"));
        assertTrue(failure.isPermanent());
        assertEquals(new EnhancedStatus(5, 1, 3), failure.status());
    }

    @Test
    void saysSoWhenTheExecutorHasStopped() {
        AttemptResult result =
                deliver(
                        transport(
                                _ -> {
                                    throw new RejectedExecutionException();
                                },
                                Durability.COMMIT),
                        claim("", Map.of(), octets("x"), "bob@isp.example"),
                        "mail/{local}");
        assertFalse(failure(result).isPermanent());
    }

    @Test
    void aBadTemplateIsTheOperatorsToCure() {
        Failure failure =
                failure(
                        deliver(
                                claim("", Map.of(), octets("x"), "bob@isp.example"),
                                "mail/{user}"));
        assertFalse(failure.isPermanent());
        assertTrue(failure.detail().contains("{domain} and {local}"), failure.detail());
    }
}
