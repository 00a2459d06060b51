package org.malote.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;

final class DnsjavaDnsTest {
    private static final Executor VIRTUAL = task -> Thread.ofVirtual().start(task);
    private static final String SOA =
            "example. 600 SOA ns.example. postmaster.example. 1 7200 900 1209600 120";

    /// Moves only when a test moves it, on top of real time, since sockets wait in real time.
    private final AtomicLong skippedNanos = new AtomicLong();

    private long nanoTime() {
        return System.nanoTime() + skippedNanos.get();
    }

    private static DnsSettings settings(ScriptedDnsServer... servers) {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (ScriptedDnsServer server : servers) {
            addresses.add(server.address());
        }
        DnsSettings usual = DnsSettings.defaults().withServers(addresses);
        return new DnsSettings(
                addresses,
                Duration.ofSeconds(5),
                1,
                usual.queriesInFlightMax(),
                usual.lookupsWaitingMax(),
                usual.cacheOctetsMax(),
                usual.ttlMax(),
                usual.negativeTtlMax(),
                usual.failureTtl());
    }

    private static DnsSettings withTimeout(DnsSettings settings, Duration timeout) {
        return new DnsSettings(
                settings.servers(),
                timeout,
                1,
                settings.queriesInFlightMax(),
                settings.lookupsWaitingMax(),
                settings.cacheOctetsMax(),
                settings.ttlMax(),
                settings.negativeTtlMax(),
                settings.failureTtl());
    }

    private DnsjavaDns dns(ScriptedDnsServer... servers) {
        return new DnsjavaDns(settings(servers), VIRTUAL, this::nanoTime);
    }

    private static DnsAnswer lookup(Dns dns, String name, RecordType type)
            throws InterruptedException {
        LinkedBlockingQueue<DnsAnswer> answers = new LinkedBlockingQueue<>();
        dns.lookup(name, type, answers::add);
        DnsAnswer answer = answers.poll(30, TimeUnit.SECONDS);
        assertTrue(answer != null, "no answer came");
        assertTrue(answers.isEmpty(), "answered twice");
        return answer;
    }

    private static ScriptedDnsServer.Script always(int rcode, String... records) {
        return (query, _) -> List.of(ScriptedDnsServer.reply(query, rcode, records).toWire(65_535));
    }

    private static String reason(DnsAnswer answer) {
        return assertInstanceOf(DnsAnswer.TryLater.class, answer).reason();
    }

    @Test
    void answersWithRecordsInLowerCaseWithoutTheFinalDot() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        always(
                                Rcode.NOERROR,
                                "isp.example. 300 MX 10 MX1.Isp.Example.",
                                "isp.example. 60 MX 0 ."))) {
            DnsAnswer answer = lookup(dns(server), "ISP.Example.", RecordType.MX);
            assertEquals(
                    new DnsAnswer.Records(
                            List.of(
                                    new DnsRecord.Mx(10, "mx1.isp.example"),
                                    new DnsRecord.Mx(0, ".")),
                            60,
                            false),
                    answer);
            assertEquals(List.of("udp MX isp.example"), server.asked());
        }
    }

    @Test
    void readsEveryTypeOfRecord() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        always(
                                Rcode.NOERROR,
                                "a.example. 9 A 192.0.2.1",
                                "a.example. 9 AAAA 2001:db8::1",
                                "a.example. 9 PTR B.example.",
                                "a.example. 9 TXT \"v=spf1 \" \"-all\"",
                                "a.example. 9 SRV 10 60 24 MX.example.",
                                "a.example. 9 TLSA 3 1 1 ABCD01"))) {
            Dns dns = dns(server);
            assertEquals(
                    List.of(new DnsRecord.Address(FakeDns.address("192.0.2.1"))),
                    records(lookup(dns, "a.example", RecordType.A)));
            assertEquals(
                    List.of(new DnsRecord.Address(FakeDns.address("2001:db8::1"))),
                    records(lookup(dns, "a.example", RecordType.AAAA)));
            assertEquals(
                    List.of(new DnsRecord.Pointer("b.example")),
                    records(lookup(dns, "a.example", RecordType.PTR)));
            assertEquals(
                    List.of(new DnsRecord.Text("v=spf1 -all")),
                    records(lookup(dns, "a.example", RecordType.TXT)));
            assertEquals(
                    List.of(new DnsRecord.Service(10, 60, 24, "mx.example")),
                    records(lookup(dns, "a.example", RecordType.SRV)));
            assertEquals(
                    List.of(new DnsRecord.Tlsa(3, 1, 1, "abcd01")),
                    records(lookup(dns, "a.example", RecordType.TLSA)));
        }
    }

    private static List<DnsRecord> records(DnsAnswer answer) {
        return assertInstanceOf(DnsAnswer.Records.class, answer).records();
    }

    @Test
    void tellsNoSuchNameFromNoData() throws Exception {
        try (var absent = ScriptedDnsServer.start(always(Rcode.NXDOMAIN, "", SOA));
                var empty = ScriptedDnsServer.start(always(Rcode.NOERROR, "", SOA))) {
            assertEquals(
                    new DnsAnswer.NoSuchName(), lookup(dns(absent), "a.example", RecordType.MX));
            assertEquals(new DnsAnswer.NoData(), lookup(dns(empty), "a.example", RecordType.MX));
        }
    }

    @Test
    void defersWhenServersFailRefuseOrSpeakNonsense() throws Exception {
        for (int code : new int[] {Rcode.SERVFAIL, Rcode.REFUSED, Rcode.FORMERR, Rcode.NOTIMP}) {
            try (var server = ScriptedDnsServer.start(always(code))) {
                String reason = reason(lookup(dns(server), "a.example", RecordType.MX));
                assertTrue(reason.contains(Rcode.string(code)), reason);
                assertTrue(reason.contains("MX of a.example"), reason);
            }
        }
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            byte[] wire =
                                    ScriptedDnsServer.reply(
                                                    query,
                                                    Rcode.NOERROR,
                                                    "a.example. 9 A 192.0.2.1")
                                            .toWire();
                            return List.of(Arrays.copyOf(wire, wire.length - 3));
                        })) {
            String reason = reason(lookup(dns(server), "a.example", RecordType.A));
            assertTrue(reason.contains("cannot be read"), reason);
        }
    }

    @Test
    void anEmptyAnswerOfAServerThatDoesNotRecurseProvesNothing() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            Message referral =
                                    ScriptedDnsServer.reply(
                                            query, Rcode.NOERROR, "", "example. 9 NS ns.example.");
                            referral.getHeader().unsetFlag(Flags.RA);
                            return List.of(referral.toWire());
                        })) {
            reason(lookup(dns(server), "a.example", RecordType.MX));
        }
    }

    @Test
    void defersWhenNobodyAnswersInTime() throws Exception {
        try (var server = ScriptedDnsServer.start((_, _) -> List.of())) {
            Dns dns =
                    new DnsjavaDns(
                            withTimeout(settings(server), Duration.ofMillis(50)),
                            VIRTUAL,
                            System::nanoTime);
            String reason = reason(lookup(dns, "a.example", RecordType.MX));
            assertTrue(reason.contains("did not answer in time"), reason);
        }
    }

    @Test
    void asksTheNextServerAndStaysWithTheOneThatAnswers() throws Exception {
        try (var broken = ScriptedDnsServer.start(always(Rcode.SERVFAIL));
                var good =
                        ScriptedDnsServer.start(
                                (query, _) ->
                                        List.of(
                                                ScriptedDnsServer.reply(
                                                                query,
                                                                Rcode.NOERROR,
                                                                query.getQuestion().getName()
                                                                        + " 9 A 192.0.2.1")
                                                        .toWire()))) {
            Dns dns = dns(broken, good);
            assertEquals(1, records(lookup(dns, "a.example", RecordType.A)).size());
            assertEquals(1, records(lookup(dns, "b.example", RecordType.A)).size());
            assertEquals(List.of("udp A a.example"), broken.asked());
            assertEquals(List.of("udp A a.example", "udp A b.example"), good.asked());
        }
    }

    @Test
    void followsAliasesWithinOneAnswerAndOverSeveral() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            String name = query.getQuestion().getName().toString();
                            String[] records =
                                    name.equals("a.example.")
                                            ? new String[] {
                                                "c.example. 90 CNAME d.example.",
                                                "a.example. 80 CNAME c.example."
                                            }
                                            : new String[] {"d.example. 70 MX 5 mx.example."};
                            return List.of(
                                    ScriptedDnsServer.reply(query, Rcode.NOERROR, records)
                                            .toWire());
                        })) {
            assertEquals(
                    new DnsAnswer.Records(List.of(new DnsRecord.Mx(5, "mx.example")), 70, false),
                    lookup(dns(server), "a.example", RecordType.MX));
            assertEquals(List.of("udp MX a.example", "udp MX d.example"), server.asked());
        }
    }

    @Test
    void theCodeOfAChainSpeaksOfItsEnd() throws Exception {
        try (var absent =
                        ScriptedDnsServer.start(
                                always(Rcode.NXDOMAIN, "a.example. 9 CNAME b.example.", "", SOA));
                var empty =
                        ScriptedDnsServer.start(
                                always(Rcode.NOERROR, "a.example. 9 CNAME b.example.", "", SOA))) {
            assertEquals(
                    new DnsAnswer.NoSuchName(), lookup(dns(absent), "a.example", RecordType.MX));
            assertEquals(new DnsAnswer.NoData(), lookup(dns(empty), "a.example", RecordType.MX));
        }
    }

    @Test
    void aliasesInACircleOrWithoutEndAreDeferred() throws Exception {
        try (var circle =
                        ScriptedDnsServer.start(
                                always(
                                        Rcode.NOERROR,
                                        "a.example. 9 CNAME b.example.",
                                        "b.example. 9 CNAME a.example."));
                var self =
                        ScriptedDnsServer.start(
                                always(Rcode.NOERROR, "a.example. 9 CNAME a.example."));
                var endless =
                        ScriptedDnsServer.start(
                                (query, _) -> {
                                    String name = query.getQuestion().getName().toString();
                                    return List.of(
                                            ScriptedDnsServer.reply(
                                                            query,
                                                            Rcode.NOERROR,
                                                            name + " 9 CNAME x" + name)
                                                    .toWire());
                                })) {
            reason(lookup(dns(circle), "a.example", RecordType.MX));
            reason(lookup(dns(self), "a.example", RecordType.MX));
            reason(lookup(dns(endless), "a.example", RecordType.MX));
            assertEquals(4, endless.asked().size());
        }
    }

    @Test
    void takesATruncatedAnswerOverTcp() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, isTcp) -> {
                            Message reply =
                                    ScriptedDnsServer.reply(
                                            query,
                                            Rcode.NOERROR,
                                            isTcp
                                                    ? new String[] {"a.example. 9 MX 1 m.example."}
                                                    : new String[0]);
                            if (!isTcp) {
                                reply.getHeader().setFlag(Flags.TC);
                            }
                            return List.of(reply.toWire());
                        })) {
            assertEquals(
                    List.of(new DnsRecord.Mx(1, "m.example")),
                    records(lookup(dns(server), "a.example", RecordType.MX)));
            assertEquals(List.of("udp MX a.example", "tcp MX a.example"), server.asked());
        }
    }

    @Test
    void readsATxtRecordOf64KibAndDoesNotCacheWhatIsTooBig() throws Exception {
        String part = "\"" + "x".repeat(255) + "\" ";
        String record = "a.example. 300 TXT " + part.repeat(250);
        try (var server =
                ScriptedDnsServer.start(
                        (query, isTcp) -> {
                            Message reply =
                                    ScriptedDnsServer.reply(
                                            query,
                                            Rcode.NOERROR,
                                            isTcp ? new String[] {record} : new String[0]);
                            if (!isTcp) {
                                reply.getHeader().setFlag(Flags.TC);
                            }
                            return List.of(reply.toWire(65_535));
                        })) {
            DnsSettings usual = settings(server);
            Dns dns =
                    new DnsjavaDns(
                            new DnsSettings(
                                    usual.servers(),
                                    usual.timeout(),
                                    1,
                                    1,
                                    10,
                                    60_000,
                                    usual.ttlMax(),
                                    usual.negativeTtlMax(),
                                    usual.failureTtl()),
                            VIRTUAL,
                            this::nanoTime);
            for (int i = 0; i < 2; i++) {
                var text =
                        assertInstanceOf(
                                DnsRecord.Text.class,
                                records(lookup(dns, "a.example", RecordType.TXT)).getFirst());
                assertEquals(250 * 255, text.text().length());
            }
            assertEquals(4, server.asked().size());
        }
    }

    @Test
    void passesOverAnswersToOtherQuestions() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            Message forged =
                                    ScriptedDnsServer.reply(
                                            query, Rcode.NOERROR, "a.example. 9 A 203.0.113.66");
                            forged.getHeader().setID(query.getHeader().getID() ^ 1);
                            Message other =
                                    ScriptedDnsServer.reply(
                                            Message.newQuery(
                                                    org.xbill.DNS.Record.newRecord(
                                                            org.xbill.DNS.Name.fromString("b."),
                                                            1,
                                                            1)),
                                            Rcode.NOERROR);
                            other.getHeader().setID(query.getHeader().getID());
                            Message right =
                                    ScriptedDnsServer.reply(
                                            query, Rcode.NOERROR, "a.example. 9 A 192.0.2.1");
                            return List.of(
                                    forged.toWire(),
                                    new byte[1],
                                    query.toWire(),
                                    other.toWire(),
                                    right.toWire());
                        })) {
            assertEquals(
                    List.of(new DnsRecord.Address(FakeDns.address("192.0.2.1"))),
                    records(lookup(dns(server), "a.example", RecordType.A)));
        }
    }

    @Test
    void givesUpOnAFloodOfForeignAnswers() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            Message forged =
                                    ScriptedDnsServer.reply(
                                            query, Rcode.NOERROR, "a.example. 9 A 203.0.113.66");
                            forged.getHeader().setID(query.getHeader().getID() ^ 1);
                            List<byte[]> flood = new ArrayList<>();
                            for (int i = 0; i < 40; i++) {
                                flood.add(forged.toWire());
                            }
                            return flood;
                        })) {
            reason(lookup(dns(server), "a.example", RecordType.A));
        }
    }

    @Test
    void asksWithoutEdnsWhereAServerDoesNotKnowIt() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            boolean hasOpt =
                                    query.getSection(Section.ADDITIONAL).stream()
                                            .anyMatch(OPTRecord.class::isInstance);
                            return List.of(
                                    (hasOpt
                                                    ? ScriptedDnsServer.reply(query, Rcode.FORMERR)
                                                    : ScriptedDnsServer.reply(
                                                            query,
                                                            Rcode.NOERROR,
                                                            "a.example. 9 A 192.0.2.1"))
                                            .toWire());
                        })) {
            assertEquals(1, records(lookup(dns(server), "a.example", RecordType.A)).size());
            assertEquals(2, server.asked().size());
        }
    }

    @Test
    void believesTheAdBitOfThisHost() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            assertTrue(query.getHeader().getFlag(Flags.AD));
                            Message reply =
                                    ScriptedDnsServer.reply(
                                            query, Rcode.NOERROR, "a.example. 9 A 192.0.2.1");
                            reply.getHeader().setFlag(Flags.AD);
                            return List.of(reply.toWire());
                        })) {
            var answer =
                    assertInstanceOf(
                            DnsAnswer.Records.class,
                            lookup(dns(server), "a.example", RecordType.A));
            assertTrue(answer.isAuthentic());
        }
    }

    @Test
    void keepsAnswersForTheirTimeToLiveAndNoLonger() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) ->
                                List.of(
                                        (query.getQuestion().getName().toString().startsWith("no")
                                                        ? ScriptedDnsServer.reply(
                                                                query, Rcode.NXDOMAIN, "", SOA)
                                                        : ScriptedDnsServer.reply(
                                                                query,
                                                                Rcode.NOERROR,
                                                                "a.example. 300 A 192.0.2.1"))
                                                .toWire()))) {
            Dns dns = dns(server);
            lookup(dns, "a.example", RecordType.A);
            lookup(dns, "no.example", RecordType.A);
            skip(Duration.ofSeconds(100));
            lookup(dns, "a.example", RecordType.A);
            lookup(dns, "no.example", RecordType.A);
            assertEquals(2, server.asked().size());
            skip(Duration.ofSeconds(50)); // the SOA's minimum is 120 s
            lookup(dns, "a.example", RecordType.A);
            assertEquals(new DnsAnswer.NoSuchName(), lookup(dns, "no.example", RecordType.A));
            assertEquals(3, server.asked().size());
            skip(Duration.ofSeconds(200));
            lookup(dns, "a.example", RecordType.A);
            assertEquals(4, server.asked().size());
        }
    }

    private void skip(Duration time) {
        skippedNanos.addAndGet(time.toNanos());
    }

    @Test
    void remembersAFailureForAMoment() throws Exception {
        try (var server = ScriptedDnsServer.start(always(Rcode.SERVFAIL))) {
            Dns dns = dns(server);
            reason(lookup(dns, "a.example", RecordType.A));
            reason(lookup(dns, "a.example", RecordType.A));
            assertEquals(1, server.asked().size());
            skip(Duration.ofSeconds(20));
            reason(lookup(dns, "a.example", RecordType.A));
            assertEquals(2, server.asked().size());
        }
    }

    @Test
    void equalQuestionsAreOneQueryAndQueriesInFlightAreBounded() throws Exception {
        CountDownLatch mayAnswer = new CountDownLatch(1);
        AtomicInteger inFlight = new AtomicInteger();
        AtomicInteger mostInFlight = new AtomicInteger();
        try (var server =
                ScriptedDnsServer.start(
                        (query, _) -> {
                            await(mayAnswer);
                            return List.of(
                                    ScriptedDnsServer.reply(
                                                    query,
                                                    Rcode.NOERROR,
                                                    query.getQuestion().getName()
                                                            + " 9 A 192.0.2.1")
                                            .toWire());
                        })) {
            DnsSettings usual = settings(server);
            Executor counting =
                    task ->
                            Thread.ofVirtual()
                                    .start(
                                            () -> {
                                                mostInFlight.accumulateAndGet(
                                                        inFlight.incrementAndGet(), Math::max);
                                                task.run();
                                                inFlight.decrementAndGet();
                                            });
            Dns dns =
                    new DnsjavaDns(
                            new DnsSettings(
                                    usual.servers(),
                                    usual.timeout(),
                                    1,
                                    2,
                                    6,
                                    0,
                                    usual.ttlMax(),
                                    usual.negativeTtlMax(),
                                    usual.failureTtl()),
                            counting,
                            System::nanoTime);
            LinkedBlockingQueue<DnsAnswer> answers = new LinkedBlockingQueue<>();
            for (String name : List.of("a.", "b.", "c.", "d.", "a.", "a.")) {
                dns.lookup(name, RecordType.A, answers::add);
            }
            assertTrue(answers.isEmpty());
            dns.lookup("e.", RecordType.A, answers::add);
            assertTrue(reason(answers.remove()).contains("too many"));
            mayAnswer.countDown();
            for (int i = 0; i < 6; i++) {
                assertInstanceOf(DnsAnswer.Records.class, answers.poll(30, TimeUnit.SECONDS));
            }
            assertEquals(4, server.asked().size());
            assertEquals(2, mostInFlight.get());
        }
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void answersEveryoneWhenTheExecutorHasStopped() throws Exception {
        try (var server = ScriptedDnsServer.start(always(Rcode.NOERROR))) {
            Dns dns =
                    new DnsjavaDns(
                            settings(server),
                            _ -> {
                                throw new RejectedExecutionException();
                            },
                            System::nanoTime);
            reason(lookup(dns, "a.example", RecordType.A));
            reason(lookup(dns, "a.example", RecordType.A));
        }
    }

    @Test
    void asksForALabelsAndNeverForWhatCannotBeAName() throws Exception {
        try (var server =
                ScriptedDnsServer.start(
                        always(Rcode.NOERROR, "xn--strae-oqa.example. 9 A 192.0.2.1"))) {
            Dns dns = dns(server);
            assertEquals(1, records(lookup(dns, "Straße.example", RecordType.A)).size());
            for (String name : List.of("", "a..b", "a b", "x".repeat(64), "a.".repeat(130))) {
                assertEquals(new DnsAnswer.NoSuchName(), lookup(dns, name, RecordType.A));
            }
            assertEquals(List.of("udp A xn--strae-oqa.example"), server.asked());
        }
    }

    @Test
    void answersForLocalhostItself() throws Exception {
        try (var server = ScriptedDnsServer.start(always(Rcode.SERVFAIL))) {
            Dns dns = dns(server);
            assertEquals(
                    List.of(new DnsRecord.Address(FakeDns.address("127.0.0.1"))),
                    records(lookup(dns, "localhost", RecordType.A)));
            assertEquals(
                    List.of(new DnsRecord.Address(FakeDns.address("::1"))),
                    records(lookup(dns, "localhost", RecordType.AAAA)));
            assertEquals(new DnsAnswer.NoData(), lookup(dns, "localhost", RecordType.MX));
            assertTrue(server.asked().isEmpty());
        }
    }

    @Test
    void takesTheServersOfTheSystemWhenNoneAreNamed() {
        DnsjavaDns dns = new DnsjavaDns(DnsSettings.defaults(), VIRTUAL, System::nanoTime);
        assertFalse(dns.servers().isEmpty());
        for (InetSocketAddress server : dns.servers()) {
            assertFalse(server.isUnresolved());
        }
    }
}
