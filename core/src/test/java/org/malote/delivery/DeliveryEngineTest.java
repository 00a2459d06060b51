package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.malote.offload.CertificateSettings;
import org.malote.offload.HostPolicy;
import org.malote.offload.HostTls;
import org.malote.offload.HostTlsSettings;
import org.malote.offload.HostWay;
import org.malote.offload.SelfSigned;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.malote.queue.HoldCause;
import org.malote.queue.MessageId;
import org.malote.queue.QueueEntry;
import org.malote.queue.RecipientState;
import org.malote.queue.Selection;
import org.malote.queue.schedule.SiteLimits;

/// From the queue to hosts in this process and back.
@Timeout(60)
final class DeliveryEngineTest {
    @Test
    void relaysToAFixedHostByteForByte() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(viaSmtp(host), Bench.settings(25), null);
            bench.awaitGone(bench.send("b@y.example", "c@y.example"));
            assertEquals(List.of(Bench.TEXT), host.messages);
            assertEquals(List.of("b@y.example", "c@y.example"), host.recipients);
            assertEquals("EHLO out.example", host.commands.getFirst());
        }
    }

    @Test
    void relaysLargeMessagesInPieces() throws IOException {
        String text = "Subject: large\r\n\r\n" + ".line of text\r\n".repeat(40_000);
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(viaSmtp(host), Bench.settings(25), null);
            bench.awaitGone(bench.sendText("a@x.example", text, "b@y.example"));
            host.extensions = List.of("PIPELINING", "8BITMIME", "CHUNKING", "LIMITS MAILMAX=1");
            bench.awaitGone(bench.sendText("a@x.example", text, "b@y.example"));
            assertEquals(2, host.messages.size());
            assertEquals(text, host.messages.getFirst());
            assertEquals(text, host.messages.getLast());
        }
    }

    /// draft-weinman-amtp-03 §4.4.4: what the pieces of a message are read for, they are read again
    /// with its header.
    @Test
    void theCodeOfTheEnvelopeGoesBeforeTheMessage() throws IOException {
        String text = "Subject: x\r\n\r\n" + "0123456789\r\n".repeat(20_000);
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(viaSmtp(host), Bench.settings(25), null);
            for (List<String> extensions :
                    List.of(
                            List.of("PIPELINING", "8BITMIME", "SIZE 1000000"),
                            List.of("PIPELINING", "SIZE 1000000", "LIMITS MAILMAX=1"),
                            List.of("PIPELINING", "8BITMIME", "CHUNKING"))) {
                host.extensions = extensions;
                host.dropConnections();
                bench.awaitGone(
                        bench.send("a@x.example", Map.of("mpc", "com/optin"), text, "b@y.example"));
                assertEquals("MPC: com/optin\r\n" + text, host.messages.getLast());
            }
            assertEquals(3, host.messages.size());
        }
    }

    @Test
    void severalMessagesShareOneConnection() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(viaSmtp(host), Bench.settings(25), null);
            for (int i = 0; i < 5; i++) {
                bench.awaitGone(bench.send("b@y.example"));
            }
            assertEquals(5, host.messages.size());
            assertEquals(1, host.connections.get());
            assertEquals(0, host.count("RSET"));
        }
    }

    @Test
    void aConnectionThatTheHostDroppedIsReplaced() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(viaSmtp(host), Bench.settings(25), null);
            bench.awaitGone(bench.send("b@y.example"));
            host.dropConnections();
            bench.awaitGone(bench.send("b@y.example"));
            assertEquals(2, host.connections.get());
            assertEquals(2, host.messages.size());
        }
    }

    @Test
    void aHostThatLeavesWhenItIsUsedAgainGetsANewConnectionAtOnce() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(viaSmtp(host), Bench.settings(25), null);
            bench.awaitGone(bench.send("b@y.example"));
            AtomicInteger mails = new AtomicInteger();
            host.says =
                    c -> c.startsWith("MAIL") && mails.getAndIncrement() == 0 ? FakeHost.CLOSE : "";
            bench.awaitGone(bench.send("b@y.example"));
            assertEquals(2, host.connections.get());
            assertEquals(2, host.messages.size());
        }
    }

    /// An operator gives mail back: whoever sent it is told, and no host is asked.
    @Test
    void whatTheOperatorReturnsFailsWithoutAnAttempt() throws IOException, InterruptedException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(Bench.allVia(new Via.Hold()), Bench.settings(25), null);
            MessageId id = bench.send("b@y.example", "c@y.example");
            Bench.await(
                    "a hold",
                    () ->
                            !states(bench, id).contains(RecipientState.ACTIVE)
                                    && states(bench, id).contains(RecipientState.HELD));
            assertTrue(bench.queue.suspend("y.example"));
            assertEquals(1, bench.queue.bounce(new Selection.Recipients(Map.of(id, Set.of(1)))));
            AttemptResult result = bench.nextResult();
            assertEquals(1, result.entries().size());
            assertEquals(1, result.entries().getFirst().recipient());
            Failure failure =
                    assertInstanceOf(
                                    RecipientOutcome.Failed.class,
                                    result.entries().getFirst().outcome())
                            .failure();
            assertTrue(failure.isPermanent());
            assertEquals("5.0.0", failure.status().toString());
            Bench.await("the settlement", () -> states(bench, id).contains(RecipientState.FAILED));
            assertEquals(List.of(RecipientState.HELD, RecipientState.FAILED), states(bench, id));
            assertEquals(0, host.connections.get());
        }
    }

    /// Domains with the same host share what it may get, and the knowledge that it is down.
    @Test
    void aHostThatIsDownIsNotTriedForEachMessage() throws IOException, InterruptedException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.says = c -> c.equals("greeting") ? "421 4.3.2 not now" : "";
            bench.start(viaSmtp(host), Bench.settings(25), null);
            List<MessageId> ids = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                ids.add(bench.send("b@y" + i % 3 + ".example"));
            }
            for (MessageId id : ids) {
                Bench.await(
                        "a deferral",
                        () -> {
                            bench.letPass(Duration.ofMillis(20));
                            QueueEntry entry = bench.queue.find(id);
                            return entry != null
                                    && entry.recipients().getFirst().lastReply() != null;
                        });
            }
            assertTrue(host.connections.get() <= 15, host.connections.get() + " connections");
            QueueEntry last = bench.queue.find(ids.getLast());
            assertNotNull(last);
            String reply = String.valueOf(last.recipients().getFirst().lastReply());
            assertTrue(reply.startsWith("not tried now: "), reply);
            assertTrue(reply.contains("421 4.3.2 not now"), reply);
            host.says = _ -> "";
            for (MessageId id : ids) {
                Bench.await(
                        "delivery",
                        () -> {
                            bench.letPass(Duration.ofMinutes(1));
                            return !bench.queue.contains(id);
                        });
            }
            assertEquals(30, host.messages.size());
        }
    }

    /// Its rule bounds what a site gets at a time, whatever the domains are called.
    @Test
    void aSiteKeepsToItsConnections() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.sites =
                    new SiteTable(
                            List.of(
                                    new SiteRule(
                                            new DomainPattern("*.y.example"),
                                            SiteLimits.window(2),
                                            Terms.USUAL)),
                            SiteTable.usual(20, Terms.USUAL));
            host.says = c -> c.startsWith("DATA") ? FakeHost.SILENCE : "";
            bench.start(viaSmtp(host), Bench.settings(25), null);
            for (int i = 0; i < 12; i++) {
                bench.send("b@d" + i + ".y.example");
            }
            Bench.await("two attempts", () -> host.count("DATA") == 2);
            assertEquals(2, bench.queue.stats().claims());
            assertEquals(2, host.connections.get());
        }
    }

    @Test
    void overLmtpEachRecipientHasItsOwnEnd() throws IOException, InterruptedException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.isLmtp = true;
            host.says =
                    c ->
                            switch (c) {
                                case "end c@y.example" -> "552 5.2.2 c is full";
                                case "end d@y.example" -> "451 4.2.1 d is busy";
                                default -> "";
                            };
            bench.start(
                    Bench.allVia(new Via.Lmtp("127.0.0.1", host.port())), Bench.settings(25), null);
            MessageId id = bench.send("b@y.example", "c@y.example", "d@y.example");
            AttemptResult result = bench.nextResult();
            assertInstanceOf(
                    RecipientOutcome.Delivered.class, result.entries().getFirst().outcome());
            Bench.await("two to be done", () -> states(bench, id).contains(RecipientState.FAILED));
            assertEquals(
                    List.of(
                            RecipientState.DELIVERED,
                            RecipientState.FAILED,
                            RecipientState.WAITING),
                    states(bench, id));
            host.says = _ -> "";
            bench.advance(Duration.ofHours(1));
            bench.awaitGone(id);
            assertEquals(1, host.recipients.stream().filter("b@y.example"::equals).count());
        }
    }

    @Test
    void whatOneHostRefusesForNowGoesToTheNext() throws IOException {
        try (FakeHost first = new FakeHost();
                FakeHost second = new FakeHost("127.0.0.2", first.port());
                Bench bench = new Bench()) {
            first.says = c -> c.startsWith("RCPT") ? "450 4.2.0 greylisted" : "";
            bench.zone("y.example", "MX 10 mx1.y.example", "MX 20 mx2.y.example");
            bench.zone("mx1.y.example", "127.0.0.1");
            bench.zone("mx2.y.example", "127.0.0.2");
            bench.start(RouteTable.EMPTY, Bench.settings(first.port()), null);
            bench.awaitGone(bench.send("b@y.example"));
            assertEquals(0, first.messages.size());
            assertEquals(1, second.messages.size());
            assertEquals(1, first.connections.get());
        }
    }

    @Test
    void whatEveryHostRefusesForNowIsTriedLater() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.says = c -> c.startsWith("RCPT") ? "450 4.2.0 greylisted" : "";
            bench.start(viaSmtp(host), Bench.settings(25), null);
            MessageId id = bench.send("b@y.example");
            QueueEntry.QueuedRecipient resting = bench.awaitResting(id, 1);
            assertEquals(RecipientState.WAITING, resting.state());
            assertTrue(String.valueOf(resting.lastReply()).contains("450 4.2.0 greylisted"));
            assertTrue(resting.nextAttemptMillis() > bench.spool.nowMillis());
            host.says = _ -> "";
            bench.advance(Duration.ofMinutes(10));
            bench.awaitGone(id);
        }
    }

    @Test
    void aRefusalForGoodIsReportedBeforeItLeavesTheQueue() throws Exception {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.says = c -> c.startsWith("RCPT") ? "550 5.1.1 no such user" : "";
            bench.takesReports = false;
            bench.start(viaSmtp(host), Bench.settings(25), null);
            MessageId id = bench.send("b@y.example");
            Failure failure = bench.nextFailure();
            assertEquals("5.1.1", failure.status().toString());
            assertTrue(String.valueOf(failure.host()).startsWith("127.0.0.1[127.0.0.1]:"));
            // The queue refused the notification: the recipient stays.
            assertEquals(RecipientState.WAITING, bench.awaitResting(id, 1).state());
            bench.takesReports = true;
            bench.advance(Duration.ofMinutes(10));
            bench.awaitGone(id);
        }
    }

    @Test
    void anOldMessageIsGivenUp() throws Exception {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.says = c -> c.startsWith("MAIL") ? "451 4.7.1 never mind" : "";
            bench.start(viaSmtp(host), Bench.settings(25), null);
            MessageId id = bench.send("b@y.example");
            bench.awaitResting(id, 1);
            bench.nextResult();
            bench.advance(Duration.ofDays(6));
            Failure failure = bench.nextFailure();
            assertTrue(failure.isPermanent());
            assertEquals("4.4.7", failure.status().toString());
            assertTrue(failure.reply().oneLine().contains("451 4.7.1 never mind"));
            bench.awaitGone(id);
        }
    }

    @Test
    void aHostThatNeverSpeaksDelaysNobodyElse() throws IOException {
        try (FakeHost silent = new FakeHost();
                FakeHost good = new FakeHost();
                Bench bench = new Bench()) {
            silent.says = _ -> FakeHost.SILENCE;
            RouteTable routes =
                    new RouteTable(
                            List.of(
                                    new Route(
                                            new DomainPattern("slow.example"),
                                            new Via.Smtp("127.0.0.1", silent.port())),
                                    new Route(
                                            new DomainPattern("good.example"),
                                            new Via.Smtp("127.0.0.1", good.port()))));
            bench.start(routes, Bench.settings(25), null);
            for (int i = 0; i < 60; i++) {
                bench.send("b@slow.example");
            }
            bench.awaitGone(bench.send("b@good.example"));
            assertTrue(silent.connections.get() <= 5, "connections for each host are bounded");
        }
    }

    @Test
    void anAddressThatDidNotAnswerCostsItsTimeoutOnce() throws IOException {
        try (FakeHost silent = new FakeHost();
                Bench bench = new Bench()) {
            silent.says = _ -> FakeHost.SILENCE;
            bench.start(viaSmtp(silent), impatient(), null);
            assertTrue(
                    String.valueOf(bench.awaitResting(bench.send("b@y.example"), 1).lastReply())
                            .contains("timed out (greeting)"));
            assertTrue(
                    String.valueOf(bench.awaitResting(bench.send("b@y.example"), 1).lastReply())
                            .contains("did not answer a moment ago"));
            assertEquals(1, silent.connections.get());
        }
    }

    /// None of those who wait for a place may be forgotten when the places are gone.
    @Test
    void everyoneWhoWaitsForADeadHostIsTold() throws IOException {
        try (FakeHost silent = new FakeHost();
                Bench bench = new Bench()) {
            silent.says = _ -> FakeHost.SILENCE;
            bench.start(viaSmtp(silent), impatient(), null);
            List<MessageId> ids = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                ids.add(bench.send("b@d" + i + ".example"));
            }
            for (MessageId id : ids) {
                Bench.await(
                        "a first attempt",
                        () -> {
                            bench.letPass(Duration.ofMillis(10));
                            QueueEntry entry = bench.queue.find(id);
                            return entry != null && entry.recipients().getFirst().attempts() > 0;
                        });
            }
            assertTrue(silent.connections.get() <= 5);
        }
    }

    @Test
    void namesThatShareAnAddressShareItsConnections() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            for (int i = 0; i < 40; i++) {
                bench.zone("d" + i + ".example", "MX 10 mx" + i + ".example");
                bench.zone("mx" + i + ".example", "127.0.0.1");
            }
            bench.start(RouteTable.EMPTY, Bench.settings(host.port()), null);
            host.says = c -> c.equals("end") ? FakeHost.SILENCE : "";
            for (int i = 0; i < 40; i++) {
                bench.send("b@d" + i + ".example");
            }
            Bench.await("five to be sent", () -> host.messages.size() == 5);
            assertEquals(5, host.connections.get());
            host.says = _ -> "";
            host.dropConnections();
            Bench.await(
                    "all to leave the queue",
                    () -> {
                        bench.advance(Duration.ofHours(1));
                        return bench.queue.stats().messages() == 0;
                    });
        }
    }

    @Test
    void aHostWithManyAddressesLeavesRoomForTheNext() {
        List<Hop> hops = new ArrayList<>();
        for (String host : List.of("a", "b")) {
            for (int i = 1; i <= 4; i++) {
                hops.add(new Hop(new InetSocketAddress("192.0.2." + i, 25), host, Protocol.SMTP));
            }
        }
        assertEquals(
                List.of("a 1", "a 2", "b 1", "b 2", "a 3"),
                Targets.firstTries(hops, 5).stream()
                        .map(hop -> hop.name() + " " + hop.address().getAddress().getAddress()[3])
                        .toList());
    }

    @Test
    void aHostThatRefusesConnectionsIsTriedAgainAndTheMailStays() throws Exception {
        int port;
        try (FakeHost gone = new FakeHost()) {
            port = gone.port();
        }
        try (Bench bench = new Bench()) {
            bench.start(Bench.allVia(new Via.Smtp("127.0.0.1", port)), Bench.settings(25), null);
            MessageId id = bench.send("b@y.example");
            assertTrue(
                    String.valueOf(bench.awaitResting(id, 1).lastReply())
                            .contains("connection refused"));
            try (FakeHost back = new FakeHost("127.0.0.1", port)) {
                bench.queue.retry(Selection.of(id));
                bench.awaitGone(id);
                assertEquals(1, back.messages.size());
            }
        }
    }

    @Test
    void destinationsThatCannotBeAreFailures() throws Exception {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.zone("null.example", "MX 0 .");
            bench.zone("loop.example", "MX 10 out.example");
            bench.zone("out.example", "192.0.2.77");
            bench.zone("private.example", "127.0.0.1");
            bench.start(RouteTable.EMPTY, Bench.settings(host.port(), false), null);
            bench.send("b@null.example");
            assertEquals("5.1.10", bench.nextFailure().status().toString());
            bench.send("b@loop.example");
            assertEquals("5.4.6", bench.nextFailure().status().toString());
            bench.send("b@nowhere.example");
            assertEquals("5.1.2", bench.nextFailure().status().toString());
            bench.send("b@private.example");
            assertEquals("5.4.4", bench.nextFailure().status().toString());
            bench.send("b@[127.0.0.1]");
            assertEquals("5.4.4", bench.nextFailure().status().toString());
            bench.send("b@[192.0.2.77]");
            assertEquals("5.4.6", bench.nextFailure().status().toString());
            assertEquals(0, host.connections.get());
        }
    }

    @Test
    void anAddressLiteralIsConnectedToWithoutALookUp() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(RouteTable.EMPTY, Bench.settings(host.port()), null);
            bench.awaitGone(bench.send("b@[127.0.0.1]"));
            assertEquals(List.of("b@[127.0.0.1]"), host.recipients);
        }
    }

    @Test
    void aHeldMessageGoesWhenItIsReleasedOrHasAnotherRoute() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.zone("y.example", "127.0.0.1");
            bench.zone("z.example", "127.0.0.1");
            DeliveryEngine engine =
                    bench.start(Bench.allVia(new Via.Hold()), Bench.settings(host.port()), null);
            MessageId released = bench.send("b@y.example");
            MessageId rerouted = bench.send("b@z.example");
            Bench.await(
                    "both to be held",
                    () ->
                            states(bench, released).equals(List.of(RecipientState.HELD))
                                    && states(bench, rerouted)
                                            .equals(List.of(RecipientState.HELD)));
            QueueEntry entry = bench.queue.find(rerouted);
            assertNotNull(entry);
            assertEquals(HoldCause.ROUTE, entry.recipients().getFirst().heldBy());
            bench.queue.release(Selection.of(released));
            bench.awaitGone(released);
            assertEquals(List.of("b@y.example"), host.recipients);
            engine.reload(RouteTable.EMPTY);
            bench.awaitGone(rerouted);
        }
    }

    @Test
    void aHeldMessageGoesWhenItsRouteChangedWhileNothingRan() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.zone("y.example", "127.0.0.1");
            DeliveryEngine first =
                    bench.start(Bench.allVia(new Via.Hold()), Bench.settings(host.port()), null);
            MessageId held = bench.send("b@y.example");
            Bench.await(
                    "it to be held",
                    () -> states(bench, held).equals(List.of(RecipientState.HELD)));
            first.close();
            bench.start(RouteTable.EMPTY, Bench.settings(host.port()), null);
            bench.awaitGone(held);
            assertEquals(List.of("b@y.example"), host.recipients);
        }
    }

    @Test
    void discardedMailLeavesTheQueue() {
        try (Bench bench = new Bench()) {
            bench.start(Bench.allVia(new Via.Discard()), Bench.settings(25), null);
            bench.awaitGone(bench.send("b@y.example"));
        }
    }

    @Test
    void aHostsLimitsAreKept() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.extensions = List.of("PIPELINING", "8BITMIME", "LIMITS RCPTMAX=2 MAILMAX=2");
            bench.start(viaSmtp(host), Bench.settings(25), null);
            bench.awaitGone(
                    bench.send(
                            "1@y.example",
                            "2@y.example",
                            "3@y.example",
                            "4@y.example",
                            "5@y.example"));
            assertEquals(3, host.messages.size());
            assertEquals(5, host.recipients.size());
            assertEquals(2, host.connections.get());
        }
    }

    @Test
    void recipientsThatWereTooManyGoInTheNextTransaction() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.says =
                    c ->
                            c.startsWith("RCPT") && host.recipients.isEmpty() && c.contains("2@")
                                    ? "452 4.5.3 too many recipients"
                                    : "";
            bench.start(viaSmtp(host), Bench.settings(25), null);
            bench.awaitGone(bench.send("1@y.example", "2@y.example"));
            assertEquals(List.of("1@y.example", "2@y.example"), host.recipients);
        }
    }

    @Test
    void speaksTlsWhereItIsOfferedAndResumes(@TempDir Path directory) throws Exception {
        try (FakeHost host = new FakeHost();
                HostTls contexts = contexts();
                Bench bench = new Bench()) {
            host.tls = serverContext(directory);
            host.extensions = List.of("PIPELINING", "8BITMIME", "LIMITS MAILMAX=1");
            bench.start(viaSmtp(host), Bench.settings(25), contexts);
            bench.awaitGone(bench.send("b@y.example"));
            bench.awaitGone(bench.send("b@y.example"));
            assertEquals(2, host.messages.size());
            assertEquals(2, host.count("STARTTLS"));
            assertEquals(4, host.count("EHLO"));
            String meters = bench.meters.scrape();
            assertTrue(
                    meters.lines()
                            .filter(l -> l.startsWith("malote_handshake_seconds_count{"))
                            .filter(l -> l.contains("direction=\"outbound\""))
                            .anyMatch(l -> l.endsWith("resumed=\"true\",version=\"TLSv1.3\"} 1")),
                    meters);
            for (String resumed : List.of("true", "false")) {
                String line =
                        "malote_outbound_handshakes_total{policy=\"opportunistic\",resumed=\""
                                + resumed
                                + "\",source=\"none\"} 1.0";
                assertTrue(meters.contains(line), meters);
            }
        }
    }

    @Test
    void aFailedHandshakeIsFollowedByTheClear() throws Exception {
        try (FakeHost host = new FakeHost();
                HostTls contexts = contexts();
                Bench bench = new Bench()) {
            host.extensions = List.of("STARTTLS", "8BITMIME", "LIMITS MAILMAX=1");
            host.says = c -> c.equals("STARTTLS") ? "220 and then no TLS" : "";
            bench.start(viaSmtp(host), Bench.settings(25), contexts);
            bench.awaitGone(bench.send("b@y.example"));
            bench.awaitGone(bench.send("b@y.example"));
            assertEquals(2, host.messages.size());
            assertEquals(1, host.count("STARTTLS"), "the failure is remembered");
            String meters = bench.meters.scrape();
            assertTrue(
                    meters.contains(
                            "malote_handshakes_failed_total{cause=\"closed\","
                                    + "direction=\"outbound\",key=\"none\",provider=\"none\","
                                    + "version=\"none\"} 1.0"),
                    meters);
        }
    }

    @Test
    void aDrainWaitsForAttemptsAndGivesTheRestBack() throws Exception {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            host.says = c -> c.equals("end") ? FakeHost.SILENCE : "";
            DeliveryEngine engine = bench.start(viaSmtp(host), Bench.settings(25), null);
            MessageId id = bench.send("b@y.example");
            Bench.await("the message to be sent", () -> host.messages.size() == 1);
            assertFalse(engine.drain(Duration.ofMillis(50)));
            Bench.await(
                    "the message to be given back",
                    () -> states(bench, id).equals(List.of(RecipientState.WAITING)));
            QueueEntry entry = bench.queue.find(id);
            assertNotNull(entry);
            assertEquals(0, entry.recipients().getFirst().attempts());
            assertTrue(engine.drain(Duration.ofSeconds(5)), "nothing is under way any more");
        }
    }

    @Test
    void manyMessagesToManyHostsAllArriveOnce() throws IOException {
        try (FakeHost host = new FakeHost();
                Bench bench = new Bench()) {
            bench.start(viaSmtp(host), Bench.settings(25), null);
            List<MessageId> ids = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                ids.add(bench.send("u" + i + "@d" + i % 20 + ".example"));
            }
            ids.forEach(bench::awaitGone);
            assertEquals(200, host.recipients.size());
            assertEquals(200, Set.copyOf(host.recipients).size());
            assertTrue(host.connections.get() <= 5);
        }
    }

    /// Waits a moment for a greeting.
    private static DeliverySettings impatient() {
        DeliverySettings usual = Bench.settings(25);
        DeliveryTimeouts times = usual.timeouts();
        return new DeliverySettings(
                usual.heloName(),
                usual.mxPort(),
                usual.attemptsInFlightMax(),
                usual.connectionsPerHostMax(),
                usual.recipientsPerTransactionMax(),
                usual.transactionsPerConnectionMax(),
                usual.addressesPerAttemptMax(),
                usual.chunkOctetsMax(),
                usual.idleConnectionTimeout(),
                usual.deadHostMemory(),
                usual.tlsFailureMemory(),
                usual.allowPrivateTargets(),
                new DeliveryTimeouts(
                        times.connect(),
                        Duration.ofMillis(100),
                        times.hello(),
                        times.startTls(),
                        times.mail(),
                        times.recipient(),
                        times.dataInitiation(),
                        times.dataBlock(),
                        times.dataTermination(),
                        times.reset(),
                        times.quit()),
                usual.amtp());
    }

    private static RouteTable viaSmtp(FakeHost host) {
        return Bench.allVia(new Via.Smtp("127.0.0.1", host.port()));
    }

    private static List<RecipientState> states(Bench bench, MessageId id) {
        QueueEntry entry = bench.queue.find(id);
        return entry == null
                ? List.of()
                : entry.recipients().stream().map(QueueEntry.QueuedRecipient::state).toList();
    }

    private static HostTls contexts() throws TlsProblems {
        return HostTls.open(
                new HostTlsSettings(
                        TlsSettings.withDefaults(List.of()),
                        List.of(new HostWay(HostPolicy.OPPORTUNISTIC, null)),
                        List.of()),
                new TlsEnvironment(InstantSource.system(), new SecureRandom()));
    }

    private static SSLContext serverContext(Path directory) throws IOException {
        CertificateSettings own =
                SelfSigned.ensure(
                        directory, "mx.y.example", InstantSource.system(), new SecureRandom());
        JdkSslContext context =
                (JdkSslContext)
                        SslContextBuilder.forServer(
                                        own.chain().toFile(), Path.of(own.key()).toFile())
                                .sslProvider(SslProvider.JDK)
                                .build();
        return context.context();
    }
}
