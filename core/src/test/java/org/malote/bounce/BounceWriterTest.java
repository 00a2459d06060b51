package org.malote.bounce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.malote.bounce.BounceFixture.MESSAGE;
import static org.malote.bounce.BounceFixture.failed;
import static org.malote.bounce.BounceFixture.settle;
import static org.malote.bounce.BounceFixture.text;
import static org.malote.bounce.BounceFixture.to;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.malote.delivery.AttemptResult;
import org.malote.delivery.Failure;
import org.malote.delivery.FailureScope;
import org.malote.delivery.RecipientOutcome;
import org.malote.queue.Claim;
import org.malote.queue.Recipient;
import org.malote.smtp.BodyType;
import org.malote.smtp.MailParameters;
import org.malote.smtp.MailParameters.ReturnContent;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.RecipientParameters.Notify;
import org.malote.smtp.RecipientParameters.OriginalRecipient;
import org.malote.smtp.Reply;

final class BounceWriterTest {
    private static final Reply NO_SUCH_USER = Reply.of(550, "5.1.1", "no such user here");
    private static final Reply BUSY = Reply.of(451, "4.3.2", "busy");
    private static final RecipientOutcome FAILED = failed(true, NO_SUCH_USER);
    private static final RecipientOutcome DEFERRED = failed(false, BUSY);
    private static final String ANN = "ann@a.example";

    private BounceFixture fixture = new BounceFixture();

    @AfterEach
    void close() {
        fixture.close();
    }

    private static MailParameters parameters(
            BodyType body,
            boolean isUtf8,
            @Nullable ReturnContent content,
            @Nullable String envelopeId) {
        return new MailParameters(0, body, isUtf8, content, envelopeId);
    }

    private static String field(Map<String, String> fields, String name) {
        String value = fields.get(name);
        assertNotNull(value, name);
        return value;
    }

    private static RecipientParameters notify(Notify... conditions) {
        return new RecipientParameters(Set.of(conditions), null);
    }

    private Claim claim(Recipient... to) {
        return fixture.claim(ANN, MailParameters.NONE, MESSAGE, to);
    }

    /// draft-weinman-amtp-03 §6.4, AMTP 48: whatever the message had, or if it had nothing.
    @Test
    void aNotificationIsAnAutoresponseOfTheNetwork() throws Exception {
        fixture.close();
        fixture = new BounceFixture(64 * 1024, 64 * 1024, true);
        for (String message : List.of(MESSAGE, "MPC: com/optin\r\n" + MESSAGE)) {
            assertTrue(
                    fixture.report(
                            fixture.claim(ANN, MailParameters.NONE, message, to("b@isp.example")),
                            FAILED));
            Claim notification = fixture.notification();
            assertEquals(Map.of("mpc", "net/autoresponse"), notification.attributes());
            assertNull(ParsedReport.parse(text(notification)).header().get("MPC"));
        }
    }

    /// RFC 3464 §2, RFC 5321 §6.1, RFC 3834 §5.
    @Test
    void tellsTheSenderOfAFailureFromTheNullReversePath() throws Exception {
        assertTrue(fixture.report(claim(to("bob@isp.example")), FAILED));
        Claim notification = fixture.notification();
        assertEquals("", notification.sender());
        assertEquals("a.example", notification.destination());
        assertEquals(ANN, notification.recipients().getFirst().recipient().address());
        assertEquals(Map.of(), notification.attributes());
        ParsedReport report = ParsedReport.parse(text(notification));
        assertEquals(
                "Mail Delivery System <MAILER-DAEMON@mx1.isp.example>",
                report.header().get("From"));
        assertEquals("<ann@a.example>", report.header().get("To"));
        assertEquals("auto-replied", report.header().get("Auto-Submitted"));
        assertEquals("Undelivered mail returned to sender", report.header().get("Subject"));
        assertEquals(
                "<" + notification.messageId() + "@mx1.isp.example>",
                report.header().get("Message-ID"));
        assertTrue(
                field(report.header(), "Content-Type")
                        .startsWith("multipart/report; report-type=delivery-status;"));
        assertEquals(
                Map.of(
                        "Reporting-MTA",
                        "dns; mx1.isp.example",
                        "Arrival-Date",
                        "Sun, 9 Sep 2001 01:46:40 +0000"),
                report.perMessage());
        assertEquals(
                List.of(
                        Map.of(
                                "Final-Recipient",
                                "rfc822; bob@isp.example",
                                "Action",
                                "failed",
                                "Status",
                                "5.1.1",
                                "Remote-MTA",
                                "dns; mx.x.example",
                                "Diagnostic-Code",
                                "smtp; 550 5.1.1 no such user here",
                                "Last-Attempt-Date",
                                "Sun, 9 Sep 2001 01:46:40 +0000")),
                report.perRecipient());
        assertTrue(
                report.readable()
                        .contains("<bob@isp.example>:\r\n    host mx.x.example said: 550 5.1.1 no"),
                report.readable());
        assertEquals("message/rfc822", report.returnedType());
        assertEquals(MESSAGE, report.returned());
    }

    /// RFC 5321 §6.1: a notification is never answered.
    @Test
    void neverAnswersTheNullReversePath() throws Exception {
        Claim claim = fixture.claim("", MailParameters.NONE, MESSAGE, to("bob@isp.example"));
        assertTrue(fixture.report(claim, FAILED));
        fixture.assertNoNotification();
    }

    @Test
    void aNotificationThatFailsIsNotAnswered() throws Exception {
        fixture.report(claim(to("bob@isp.example")), FAILED);
        assertTrue(fixture.report(fixture.notification(), FAILED));
        fixture.assertNoNotification();
    }

    @Test
    void aSenderThatCannotBeReadIsNotAnswered() throws Exception {
        Claim claim = fixture.claim("nonsense", MailParameters.NONE, MESSAGE, to("b@isp.example"));
        assertTrue(fixture.report(claim, FAILED));
        fixture.assertNoNotification();
    }

    /// RFC 3461 §4.1.
    @Test
    void notifyIsHonoured() throws Exception {
        fixture.spool.advance(Duration.ofSeconds(1));
        RecipientOutcome delivered =
                new RecipientOutcome.Delivered("maildir", Reply.of(250, "2.0.0", "kept"), false);
        RecipientOutcome relayed =
                new RecipientOutcome.Delivered(
                        "mx.x.example[192.0.2.9]:25", Reply.plain(250, "ok"), false);
        RecipientOutcome takenOver =
                new RecipientOutcome.Delivered(
                        "mx.x.example[192.0.2.9]:25", Reply.plain(250, "ok"), true);
        Object[][] table = {
            {RecipientParameters.NONE, FAILED, "failed"},
            {RecipientParameters.NONE, delivered, ""},
            {RecipientParameters.NONE, DEFERRED, ""},
            {notify(Notify.NEVER), FAILED, ""},
            {notify(Notify.NEVER), delivered, ""},
            {notify(Notify.FAILURE), FAILED, "failed"},
            {notify(Notify.FAILURE), delivered, ""},
            {notify(Notify.SUCCESS), FAILED, ""},
            {notify(Notify.SUCCESS), delivered, "delivered"},
            {notify(Notify.SUCCESS), relayed, "relayed"},
            {notify(Notify.SUCCESS), takenOver, ""},
            {notify(Notify.DELAY), FAILED, ""},
            {notify(Notify.SUCCESS, Notify.FAILURE), FAILED, "failed"},
        };
        for (Object[] row : table) {
            Claim claim = claim(to("bob@isp.example", (RecipientParameters) row[0]));
            assertTrue(fixture.report(claim, (RecipientOutcome) row[1]));
            if (row[2].equals("")) {
                fixture.assertNoNotification();
            } else {
                Claim notification = fixture.notification();
                ParsedReport report = ParsedReport.parse(text(notification));
                assertEquals(row[2], report.perRecipient().getFirst().get("Action"));
                settle(notification);
            }
            settle(claim);
        }
    }

    /// RFC 3461 §4.3: reports that tell of no failure return the header section.
    @Test
    void aReportOfSuccessReturnsTheHeaderSection() throws Exception {
        Claim claim =
                fixture.claim(
                        ANN,
                        parameters(BodyType.SEVEN_BIT, false, ReturnContent.FULL, "id"),
                        MESSAGE,
                        to("bob@isp.example", notify(Notify.SUCCESS)));
        fixture.report(
                claim,
                new RecipientOutcome.Delivered("maildir", Reply.of(250, "2.1.5", "kept"), false));
        ParsedReport report = fixture.parsed();
        assertEquals("text/rfc822-headers", report.returnedType());
        assertEquals("From: ann@a.example\r\nSubject: hello\r\n", report.returned());
        assertEquals("2.1.5", report.perRecipient().getFirst().get("Status"));
        assertFalse(report.perRecipient().getFirst().containsKey("Remote-MTA"));
        assertEquals("Successful mail delivery report", report.header().get("Subject"));
    }

    @Test
    void oneReportTellsOfAllRecipientsOfAnAttempt() throws Exception {
        Claim claim =
                claim(
                        to("bob@isp.example"),
                        to("eve@isp.example", notify(Notify.NEVER)),
                        to("joe@isp.example", notify(Notify.SUCCESS)),
                        to("tim@isp.example"));
        RecipientOutcome local =
                new RecipientOutcome.Failed(
                        Failure.local(
                                FailureScope.RECIPIENT, true, "5.4.6", "mail loops back to us"));
        assertTrue(
                fixture.report(
                        claim,
                        List.of(
                                new AttemptResult.Entry(0, FAILED),
                                new AttemptResult.Entry(1, FAILED),
                                new AttemptResult.Entry(
                                        2,
                                        new RecipientOutcome.Delivered(
                                                "maildir", Reply.plain(250, "ok"), false)),
                                new AttemptResult.Entry(3, local))));
        ParsedReport report = fixture.parsed();
        assertEquals(
                List.of("failed", "delivered", "failed"),
                report.perRecipient().stream().map(fields -> fields.get("Action")).toList());
        assertEquals(
                "x-malote; 554 5.4.6 mail loops back to us",
                report.perRecipient().get(2).get("Diagnostic-Code"));
        assertFalse(report.perRecipient().get(2).containsKey("Remote-MTA"));
        assertEquals("2.0.0", report.perRecipient().get(1).get("Status"));
    }

    /// RFC 3461 §4.2, §4.4; RFC 3464 §2.2.1, §2.3.1.
    @Test
    void envelopeIdAndOriginalRecipientComeBack() throws Exception {
        Claim claim =
                fixture.claim(
                        ANN,
                        parameters(BodyType.SEVEN_BIT, false, ReturnContent.HDRS, "QQ+1=x"),
                        MESSAGE,
                        to(
                                "bob@isp.example",
                                new RecipientParameters(
                                        Set.of(),
                                        new OriginalRecipient("rfc822", "Bob+list@b.example"))));
        fixture.report(claim, FAILED);
        ParsedReport report = fixture.parsed();
        assertEquals("QQ+1=x", report.perMessage().get("Original-Envelope-Id"));
        assertEquals(
                "rfc822; Bob+list@b.example",
                report.perRecipient().getFirst().get("Original-Recipient"));
        assertEquals("text/rfc822-headers", report.returnedType());
    }

    /// RFC 3461 §4.1: DELAY, once.
    @Test
    void aDelayIsToldOnceWhenTheMessageHasTheAge() throws Exception {
        Claim claim = claim(to("bob@isp.example"));
        fixture.spool.advance(Duration.ofHours(3));
        assertTrue(fixture.report(claim, DEFERRED));
        fixture.assertNoNotification();
        fixture.spool.advance(Duration.ofHours(2));
        assertTrue(fixture.report(claim, DEFERRED));
        Claim notification = fixture.notification();
        ParsedReport report = ParsedReport.parse(text(notification));
        assertEquals("delayed", report.perRecipient().getFirst().get("Action"));
        assertEquals("4.3.2", report.perRecipient().getFirst().get("Status"));
        assertEquals(
                "Fri, 14 Sep 2001 01:46:40 +0000",
                report.perRecipient().getFirst().get("Will-Retry-Until"));
        assertEquals("text/rfc822-headers", report.returnedType());
        assertTrue(report.readable().contains("Fri, 14 Sep 2001"), report.readable());
        settle(notification);
        fixture.spool.advance(Duration.ofHours(1));
        assertTrue(fixture.report(claim, DEFERRED));
        fixture.assertNoNotification();
    }

    @Test
    void aDelayIsNotToldToThoseWhoWantFailuresOnlyNorDaysLater() throws Exception {
        Claim claim = claim(to("bob@isp.example", notify(Notify.FAILURE)));
        Claim other = claim(to("eve@isp.example", notify(Notify.DELAY)));
        fixture.spool.advance(Duration.ofHours(5));
        assertTrue(fixture.report(claim, DEFERRED));
        fixture.assertNoNotification();
        fixture.spool.advance(Duration.ofDays(2));
        assertTrue(fixture.report(other, DEFERRED));
        fixture.assertNoNotification();
    }

    /// Check P17: no new line in a header or a field.
    @Test
    void whatAHostSaysCannotMakeALine() throws Exception {
        String evil =
                "no\u0001 \u0085\u2028X-Evil: yes \u001b[2J \\r\\n " + "y".repeat(300) + "\u202e";
        RecipientOutcome outcome =
                new RecipientOutcome.Failed(
                        new Failure(
                                FailureScope.RECIPIENT,
                                true,
                                new Reply(550, null, List.of(evil, "", "second\tline")),
                                evil,
                                "mx\r\nX-Evil: 1.example[192.0.2.1]:25"));
        assertTrue(fixture.report(claim(to("\"a\\\"b c\"@isp.example")), outcome));
        ParsedReport report = fixture.parsed();
        Map<String, String> fields = report.perRecipient().getFirst();
        assertFalse(fields.containsKey("X-Evil"));
        assertEquals("rfc822; \"a\\\"b c\"@isp.example", fields.get("Final-Recipient"));
        assertEquals("dns; mx\\x0d\\x0aX-Evil: 1.example", fields.get("Remote-MTA"));
        String code = field(fields, "Diagnostic-Code");
        assertTrue(code.startsWith("smtp; 550 no\\x01 \\x85\\u2028X-Evil: yes \\x1b[2J"), code);
        assertTrue(code.endsWith("second\\x09line"), code);
        assertEquals("5.0.0", fields.get("Status"));
    }

    @Test
    void anEightBitMessageMakesAnEightBitReport() throws Exception {
        String message = "Subject: x\r\n\r\nM\u00fcll\r\n";
        fixture.report(
                fixture.claim(
                        ANN,
                        parameters(BodyType.EIGHT_BIT_MIME, false, ReturnContent.FULL, "i"),
                        message,
                        to("bob@isp.example")),
                FAILED);
        Claim notification = fixture.notification();
        assertEquals(
                parameters(BodyType.EIGHT_BIT_MIME, false, null, null),
                MailParameters.fromAttributes(notification.attributes(), 0));
        ParsedReport report = ParsedReport.parse(text(notification));
        assertEquals(message, report.returned());
        assertEquals("message/rfc822", report.returnedType());
    }

    /// RFC 6533 §3, §4.
    @Test
    void addressesBeyondAsciiMakeAGlobalReport() throws Exception {
        String message =
                new String(
                        "Subject: gr\u00fc\u00dfe\r\n\r\nx\r\n".getBytes(StandardCharsets.UTF_8),
                        StandardCharsets.ISO_8859_1);
        fixture.report(
                fixture.claim(
                        "j\u00f6rg@a.example",
                        parameters(BodyType.EIGHT_BIT_MIME, true, null, null),
                        message,
                        to("b\u00fcro@isp.example")),
                FAILED);
        Claim notification = fixture.notification();
        assertTrue(MailParameters.fromAttributes(notification.attributes(), 0).isUtf8());
        ParsedReport report = ParsedReport.parse(text(notification));
        assertTrue(
                field(report.header(), "Content-Type")
                        .contains("report-type=global-delivery-status"));
        assertEquals("message/global-delivery-status", report.statusType());
        assertEquals("message/global", report.returnedType());
        assertEquals(message, report.returned());
        assertEquals(
                "utf-8; b\u00fcro@isp.example",
                new String(
                        field(report.perRecipient().getFirst(), "Final-Recipient")
                                .getBytes(StandardCharsets.ISO_8859_1),
                        StandardCharsets.UTF_8));
    }

    @Test
    void aSenderThatMayNotReadUtf8GetsAnAsciiReport() throws Exception {
        fixture.report(
                fixture.claim(
                        ANN,
                        MailParameters.NONE,
                        MESSAGE,
                        to(
                                "bob@isp.example",
                                new RecipientParameters(
                                        Set.of(),
                                        new OriginalRecipient(
                                                "utf-8", "b\u00fc\\ro@isp.example")))),
                FAILED);
        Claim notification = fixture.notification();
        assertEquals(Map.of(), notification.attributes());
        String text = text(notification);
        assertTrue(text.chars().allMatch(c -> c < 0x80));
        assertEquals(
                "utf-8; b\\x{FC}\\x{5C}ro@isp.example",
                ParsedReport.parse(text).perRecipient().getFirst().get("Original-Recipient"));
    }

    @Test
    void whatIsTooLargeOrUnsoundComesBackAsItsHeaderSectionOrNotAtAll() throws Exception {
        fixture.close();
        fixture = new BounceFixture(1_000, 60);
        String header = "Subject: x\r\nX-One: 1\r\n";
        String[][] table = {
            {header + "\r\n" + "y".repeat(900) + "\r\n", "message/rfc822"},
            {header + "\r\n" + "y".repeat(1_000), "text/rfc822-headers"},
            {header + "\r\nbare\nline", "text/rfc822-headers"},
            {header + "\r\nnul\0", "text/rfc822-headers"},
            {header + "\r\nends in\r", "text/rfc822-headers"},
            {header, "message/rfc822"},
            {"\r\nonly a body and a bare\n", ""},
            {"Bare: \n header\r\n\r\nbody", ""},
            {"no line end at all".repeat(100), ""},
        };
        for (String[] row : table) {
            Claim claim = fixture.claim(ANN, MailParameters.NONE, row[0], to("bob@isp.example"));
            assertTrue(fixture.report(claim, FAILED));
            Claim notification = fixture.notification();
            ParsedReport report = ParsedReport.parse(text(notification));
            assertEquals(row[1], report.returnedType(), row[0]);
            assertEquals(
                    switch (row[1]) {
                        case "message/rfc822" -> row[0];
                        case "" -> "";
                        default -> header;
                    },
                    report.returned());
            settle(claim);
            settle(notification);
        }
    }

    @Test
    void aLongHeaderSectionIsCutBehindALine() throws Exception {
        fixture.close();
        fixture = new BounceFixture(100, 60);
        String header = "A: " + "a".repeat(40) + "\r\n";
        fixture.report(
                fixture.claim(
                        ANN, MailParameters.NONE, header.repeat(50) + "\r\n", to("b@isp.example")),
                FAILED);
        assertEquals(header, fixture.parsed().returned());
    }

    /// RFC 3030 §3: binary can stand in no report that is not binary itself.
    @Test
    void ofABinaryMessageOnlyTheHeaderSectionComesBack() throws Exception {
        fixture.report(
                fixture.claim(
                        ANN,
                        parameters(BodyType.BINARY_MIME, false, ReturnContent.FULL, null),
                        MESSAGE,
                        to("b@isp.example")),
                FAILED);
        assertEquals("text/rfc822-headers", fixture.parsed().returnedType());
    }

    @Test
    void aBoundaryThatOccursInTheMessageIsNotUsed() throws Exception {
        fixture.report(claim(to("bob@isp.example")), FAILED);
        String first = text(fixture.notification());
        String used = first.substring(first.indexOf("\"=_") + 1, first.indexOf("\"\r\n\r\n"));
        fixture.close();
        fixture = new BounceFixture(); // the same random numbers again
        String message = MESSAGE + "--" + used + "\r\n";
        fixture.report(
                fixture.claim(ANN, MailParameters.NONE, message, to("bob@isp.example")), FAILED);
        ParsedReport report = fixture.parsed();
        assertEquals(message, report.returned());
        assertFalse(field(report.header(), "Content-Type").contains(used));
    }

    @Test
    void manyRecipientsAreCountedInTheTextAndListedInTheReport() throws Exception {
        Recipient[] recipients = new Recipient[90];
        for (int i = 0; i < recipients.length; i++) {
            recipients[i] = to("u" + i + "@isp.example");
        }
        fixture.report(claim(recipients), FAILED);
        ParsedReport report = fixture.parsed();
        assertEquals(90, report.perRecipient().size());
        assertTrue(report.readable().contains("And 40 more"), report.readable());
        assertFalse(report.readable().contains("<u50@"));
    }

    @Test
    void aLargeMessageComesBackWhole() throws Exception {
        fixture.close();
        fixture = new BounceFixture(2 << 20, 64 * 1024);
        String message = MESSAGE + ("z".repeat(70) + "\r\n").repeat(20_000);
        assertTrue(
                fixture.report(
                        fixture.claim(ANN, MailParameters.NONE, message, to("bob@isp.example")),
                        FAILED));
        assertEquals(message, fixture.parsed().returned());
    }

    /// The failure stays in the queue until somebody can be told.
    @Test
    void aFailureIsNotRecordedWhenTheQueueRefusesTheReport() throws Exception {
        Claim failure = claim(to("bob@isp.example"));
        Claim success = claim(to("eve@isp.example", notify(Notify.SUCCESS)));
        fixture.spool.journal().failForce();
        assertFalse(fixture.report(failure, FAILED));
        assertTrue(
                fixture.report(
                        success,
                        new RecipientOutcome.Delivered("maildir", Reply.plain(250, "ok"), false)));
    }

    @Test
    void aFailureIsNotRecordedBeforeTheReportIsCommitted() throws Exception {
        Claim claim = claim(to("bob@isp.example"));
        fixture.spool.journal().pauseCommits(true);
        List<Boolean> recorded = new ArrayList<>();
        CountDownLatch told = new CountDownLatch(1);
        fixture.writer.report(
                claim,
                new AttemptResult(List.of(new AttemptResult.Entry(0, FAILED))),
                answer -> {
                    recorded.add(answer);
                    told.countDown();
                });
        fixture.spool.journal().awaitPausedCommit();
        assertTrue(recorded.isEmpty());
        fixture.spool.journal().pauseCommits(false);
        assertTrue(told.await(30, TimeUnit.SECONDS));
        assertEquals(List.of(true), recorded);
    }

    @Test
    void saysSoWhenTheExecutorHasStopped() throws Exception {
        Claim claim = claim(to("bob@isp.example"));
        fixture.io.shutdown();
        assertFalse(fixture.report(claim, FAILED));
    }
}
