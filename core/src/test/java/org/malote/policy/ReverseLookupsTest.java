package org.malote.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.malote.amtp.ReverseDns;
import org.malote.amtp.ReverseFinding;
import org.malote.amtp.ReverseFinding.Forward;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.FakeDns;
import org.malote.dns.RecordType;

/// RFC 8601 §3: the names of an address, confirmed by their addresses.
final class ReverseLookupsTest {
    private static final String V4 = "192.0.2.7";
    private static final String V4_NAME = "7.2.0.192.in-addr.arpa";
    private static final String V6 = "2001:db8::7";
    private static final String V6_NAME =
            "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";

    private final FakeDns dns = new FakeDns();
    private final List<Runnable> timed = new ArrayList<>();
    private final ReverseLookups lookups = new ReverseLookups(dns, (_, task) -> timed.add(task));

    @Test
    void aNameThatHasTheAddressIsConfirmed() {
        pointers(V4_NAME, "Out1.Peer.example", "www.peer.example", "gone.peer.example");
        dns.addresses("out1.peer.example", "192.0.2.6", V4)
                .addresses("www.peer.example", "192.0.2.8");
        assertEquals(
                new ReverseFinding(
                        new ReverseDns.Confirmed(List.of("out1.peer.example")),
                        Map.of(
                                "out1.peer.example",
                                Forward.CONFIRMED,
                                "www.peer.example",
                                Forward.ELSEWHERE,
                                "gone.peer.example",
                                Forward.ELSEWHERE)),
                find(V4));
        assertEquals(0, lookups.inFlight());
        assertEquals(List.of(), timed);
    }

    /// Draft-weinman-amtp-03 §4.2: equivalent tests for IPv6.
    @Test
    void anAddressOfVersion6IsLookedUpAsOneOfVersion4() {
        pointers(V6_NAME, "out1.peer.example");
        dns.addresses("out1.peer.example", V4, V6);
        assertEquals(new ReverseDns.Confirmed(List.of("out1.peer.example")), find(V6).summary());
        assertEquals(List.of("PTR " + V6_NAME, "AAAA out1.peer.example"), dns.asked());
    }

    @Test
    void namesWithoutTheAddressAreNotConfirmed() {
        pointers(V4_NAME, "a.example");
        dns.addresses("a.example", "192.0.2.8");
        assertEquals(new ReverseDns.Unconfirmed(List.of("a.example")), find(V4).summary());
    }

    @Test
    void anAddressWithoutANameOrWithWhatIsNoneIsNameless() {
        assertEquals(new ReverseDns.Nameless(), find(V4).summary());
        dns.answer(V4_NAME, RecordType.PTR, new DnsAnswer.NoData());
        assertEquals(new ReverseDns.Nameless(), find(V4).summary());
        pointers(V4_NAME, ".", "a b.example", "*.example");
        assertEquals(new ReverseDns.Nameless(), find(V4).summary());
    }

    @Test
    void whatNobodyCanSayIsLeftOpen() {
        dns.answer(V4_NAME, RecordType.PTR, new DnsAnswer.TryLater("a time-out"));
        assertEquals(new ReverseDns.TryLater("a time-out"), find(V4).summary());
        pointers(V4_NAME, "a.example", "b.example");
        dns.answer("a.example", RecordType.A, new DnsAnswer.TryLater("a time-out"));
        assertInstanceOf(ReverseDns.TryLater.class, find(V4).summary());
        dns.addresses("b.example", V4);
        ReverseFinding finding = find(V4);
        assertEquals(new ReverseDns.Confirmed(List.of("b.example")), finding.summary());
        assertEquals(Forward.UNKNOWN, finding.names().get("a.example"));
    }

    @Test
    void tenNamesAreLookedAt() {
        String[] names =
                Stream.iterate(0, i -> i + 1)
                        .limit(30)
                        .map(i -> "n" + i + ".example")
                        .toArray(String[]::new);
        pointers(V4_NAME, names);
        dns.addresses("n9.example", V4).addresses("n10.example", V4);
        ReverseFinding finding = find(V4);
        assertEquals(10, finding.names().size());
        assertEquals(new ReverseDns.Confirmed(List.of("n9.example")), finding.summary());
        assertEquals(11, dns.asked().size());
    }

    @Test
    void onlySoManyAreOnTheirWay() {
        List<Consumer<DnsAnswer>> waiting = new ArrayList<>();
        ReverseLookups slow =
                new ReverseLookups(
                        (_, _, answered) -> waiting.add(answered), (_, task) -> timed.add(task));
        List<ReverseFinding> found = new ArrayList<>();
        for (int i = 0; i < ReverseLookups.IN_FLIGHT_MAX; i++) {
            slow.find(FakeDns.address(V4), found::add);
        }
        assertEquals(List.of(), found);
        slow.find(FakeDns.address(V4), found::add);
        assertInstanceOf(ReverseDns.TryLater.class, found.getFirst().summary());
        waiting.forEach(answered -> answered.accept(new DnsAnswer.NoSuchName()));
        assertEquals(0, slow.inFlight());
        assertEquals(ReverseLookups.IN_FLIGHT_MAX + 1, found.size());
    }

    /// The peer is told once, and the look-up still counts until its servers have answered.
    @Test
    void aSlowAnswerIsNotWaitedForAndHarmsNothingWhenItComes() {
        List<Consumer<DnsAnswer>> waiting = new ArrayList<>();
        ReverseLookups slow =
                new ReverseLookups(
                        (_, _, answered) -> waiting.add(answered), (_, task) -> timed.add(task));
        List<ReverseFinding> found = new ArrayList<>();
        slow.find(FakeDns.address(V4), found::add);
        timed.getFirst().run();
        assertEquals(
                List.of(ReverseFinding.of(new ReverseDns.TryLater("no answer came in time"))),
                found);
        assertEquals(1, slow.inFlight());
        waiting.getFirst().accept(new DnsAnswer.NoSuchName());
        timed.getFirst().run();
        assertEquals(1, found.size());
        assertEquals(0, slow.inFlight());
    }

    private void pointers(String name, String... targets) {
        dns.answer(
                name,
                RecordType.PTR,
                new DnsAnswer.Records(
                        Stream.of(targets).map(t -> (DnsRecord) new DnsRecord.Pointer(t)).toList(),
                        300,
                        false));
    }

    private ReverseFinding find(String address) {
        AtomicReference<ReverseFinding> found = new AtomicReference<>();
        lookups.find(FakeDns.address(address), found::set);
        return found.get();
    }
}
