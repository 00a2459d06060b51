package org.malote.accept;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.HopNetwork;
import org.malote.amtp.ReverseDns;
import org.malote.amtp.Shortcoming;
import org.malote.offload.PeerIdentity;
import org.malote.offload.TlsSummary;
import org.malote.policy.Peer;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageId;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.QueueSettings;
import org.malote.session.Greeting;
import org.malote.session.MessageOutcome;
import org.malote.session.MessageOutcome.Fault;
import org.malote.session.SessionFacts;
import org.malote.session.SessionLimits;
import org.malote.session.Transaction;
import org.malote.smtp.Command;
import org.malote.smtp.DomainName;
import org.malote.smtp.MailParameters;
import org.malote.smtp.ReversePath;
import org.malote.smtp.wire.CommandParser;

final class AcceptanceTest {
    private static final DomainName NAME = new DomainName("mx.example");
    private static final TlsSummary TLS =
            new TlsSummary("TLSv1.3", "TLS_AES_128_GCM_SHA256", 128, null, null, false);

    @TempDir Path folder;

    /// The queue keeps an envelope in one record: what does not fit is refused, not lost, and gives
    /// back what it held.
    @Test
    void refusesAnEnvelopeThatTheQueueCannotRecord() throws Exception {
        try (MailQueue queue =
                MailQueue.open(
                        QueueSettings.standard(folder.resolve("spool")),
                        new QueueEnvironment(
                                InstantSource.system(),
                                System::nanoTime,
                                new Random(1),
                                Executors.defaultThreadFactory(),
                                Runnable::run,
                                (_, _) -> {}))) {
            assertInstanceOf(MessageOutcome.Kept.class, outcome(queue, 1000));
            assertEquals(
                    new MessageOutcome.Spoiled(Fault.ENVELOPE_TOO_BIG),
                    outcome(queue, Envelope.RECIPIENTS_MAX));
            assertInstanceOf(MessageOutcome.Kept.class, outcome(queue, 1000));
            assertEquals(2, queue.stats().messages());
        }
    }

    private static MessageOutcome outcome(MailQueue queue, int recipients) throws Exception {
        CompletableFuture<MessageOutcome> outcome = new CompletableFuture<>();
        MessageIntake intake =
                new Acceptance(
                                queue,
                                InstantSource.system(),
                                () -> TrustSettings.defaults("mx.example").at(false))
                        .begin(
                                "s1",
                                new SessionFacts(NAME, false, null, SessionLimits.defaults()),
                                peer(),
                                Arrival.PLAIN,
                                new Greeting(NAME, true),
                                transaction(recipients));
        intake.seal(outcome::complete);
        return outcome.get(20, TimeUnit.SECONDS);
    }

    private static Transaction transaction(int count) {
        String tail = "@" + ("d".repeat(60) + ".").repeat(3) + "example>";
        String parameters = " ORCPT=rfc822;" + "o".repeat(480);
        List<Transaction.Recipient> recipients = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Command.Rcpt rcpt =
                    (Command.Rcpt) CommandParser.parse("RCPT TO:<l" + i + tail + parameters);
            recipients.add(new Transaction.Recipient(rcpt.to(), rcpt.parameters()));
        }
        return new Transaction(ReversePath.NULL, MailParameters.NONE, CodeClaim.NONE, recipients);
    }

    /// An operator who has to complain to somebody finds it beside the message.
    @Test
    void theEnvelopeSaysWhoTheOperatorIs() throws Exception {
        try (MailQueue queue =
                MailQueue.open(
                        QueueSettings.standard(folder.resolve("spool")),
                        new QueueEnvironment(
                                InstantSource.system(),
                                System::nanoTime,
                                new Random(1),
                                Executors.defaultThreadFactory(),
                                Runnable::run,
                                (_, _) -> {}))) {
            HopIdentity verified =
                    new HopIdentity(
                            HopNetwork.PUBLIC,
                            "out1.peer.example",
                            "CN=Federation \u202e,O=Peer",
                            new ReverseDns.Confirmed(List.of("out1.peer.example")),
                            null);
            assertEquals(
                    Map.of(
                            "over", "public",
                            "network", "public",
                            "operator", "out1.peer.example",
                            "issuer", "CN=Federation \\u202e,O=Peer",
                            "verdict", "verified",
                            "reverse", "pass out1.peer.example",
                            "trust", "4"),
                    hop(queue, verified));
            assertEquals(
                    Map.of(
                            "over", "public",
                            "network", "none",
                            "verdict", "the certificate does not hold",
                            "reason", "expired yesterday",
                            "reverse", "permerror",
                            "trust", "0"),
                    hop(
                            queue,
                            new HopIdentity(
                                    HopNetwork.NONE,
                                    "",
                                    "",
                                    new ReverseDns.Nameless(),
                                    Shortcoming.CHAIN,
                                    "expired yesterday")));
            assertEquals(Map.of("over", "public"), hop(queue, HopIdentity.UNKNOWN));
        }
    }

    /// Whoever reads the trace learns whose certificate it was, and what was found.
    @Test
    void theTraceNamesTheCertificate() {
        assertEquals("(client certificate out1.peer.example: verified)", shown(null));
        assertEquals(
                "(client certificate out1.peer.example: the address has no name)",
                shown(Shortcoming.REVERSE_MISSING));
        assertEquals(
                "(client certificate: the certificate does not hold)", shown(Shortcoming.CHAIN));
        assertEquals("for", shown(Shortcoming.NO_CERTIFICATE));
    }

    /// The line behind that about TLS.
    private static String shown(@Nullable Shortcoming shortcoming) {
        SessionFacts facts =
                new SessionFacts(NAME, false, null, SessionLimits.defaults())
                        .secured(TLS, new PeerIdentity.Unknown());
        HopIdentity identity =
                new HopIdentity(
                        HopNetwork.PUBLIC,
                        "out1.peer.example",
                        "CN=Federation",
                        new ReverseDns.Confirmed(List.of("out1.peer.example")),
                        shortcoming);
        String header =
                new String(
                        TraceHeader.received(
                                facts,
                                peer(),
                                new Greeting(NAME, true, identity),
                                transaction(1),
                                new MessageId(5),
                                Instant.EPOCH),
                        StandardCharsets.UTF_8);
        String line = header.split("\r\n", -1)[3].strip();
        return line.startsWith("for") ? "for" : line;
    }

    private static Map<String, String> hop(MailQueue queue, HopIdentity identity)
            throws IOException {
        MessageIntake intake =
                new Acceptance(
                                queue,
                                InstantSource.system(),
                                () -> TrustSettings.defaults("mx.example"))
                        .begin(
                                "s1",
                                new SessionFacts(NAME, false, null, SessionLimits.defaults())
                                        .secured(TLS, new PeerIdentity.Unknown()),
                                peer(),
                                new Arrival(true, true, false),
                                new Greeting(NAME, true, identity),
                                transaction(1));
        Map<String, String> attributes = intake.envelope().attributes();
        intake.abandon();
        return HopAttributes.of(attributes);
    }

    private static Peer peer() {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        return new Peer(new InetSocketAddress(loopback, 40000), loopback);
    }
}
