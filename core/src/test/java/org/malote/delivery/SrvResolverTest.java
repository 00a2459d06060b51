package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.malote.dns.DnsAnswer;
import org.malote.dns.FakeDns;
import org.malote.dns.RecordType;
import org.malote.smtp.DomainName;
import org.malote.smtp.IpAddresses;

final class SrvResolverTest {
    private static final String NAME = "_amtp._tcp.isp.example";

    private final FakeDns dns =
            new FakeDns()
                    .addresses("a.example", "192.0.2.1")
                    .addresses("b.example", "192.0.2.2")
                    .addresses("c.example", "2001:db8::3");
    private final Set<String> ourNames = new HashSet<>();
    private final Set<String> ours = new HashSet<>();
    private final Random random = new Random(7);

    private SrvAnswer resolve() {
        List<SrvAnswer> answers = new ArrayList<>();
        new SrvResolver(
                        dns,
                        new MxRules(
                                ourNames::contains,
                                _ -> false,
                                PrivateAddresses::contains,
                                AddressFamilies.IPV6_FIRST),
                        one ->
                                ours.contains(
                                        IpAddresses.format(one.getAddress()) + ":" + one.getPort()),
                        random)
                .resolve(new DomainName("isp.example"), answers::add);
        assertEquals(1, answers.size());
        return answers.getFirst();
    }

    private List<String> hosts() {
        return assertInstanceOf(SrvAnswer.Hosts.class, resolve()).hosts().stream()
                .map(host -> host.name() + ":" + host.port())
                .toList();
    }

    @Test
    void ordersHostsByPriority() {
        dns.srv(NAME, "20 0 24 b.example", "10 0 2400 a.example", "30 9 24 c.example");
        assertEquals(List.of("a.example:2400", "b.example:24", "c.example:24"), hosts());
    }

    /// RFC 2782: 60 + 30 + 10 + 0; the last comes first in one of 101 draws.
    @Test
    void choosesByWeightWithinAPriority() {
        dns.srv(
                NAME,
                "10 60 1 a.example",
                "10 30 2 a.example",
                "10 10 3 a.example",
                "10 0 4 a.example",
                "20 65535 5 a.example");
        int[] first = new int[6];
        for (int i = 0; i < 10_100; i++) {
            List<String> hosts = hosts();
            assertEquals(5, hosts.size());
            assertEquals("a.example:5", hosts.getLast());
            first[hosts.getFirst().charAt("a.example:".length()) - '0']++;
        }
        int[] wanted = {0, 6000, 3000, 1000, 100, 0};
        for (int i = 0; i < wanted.length; i++) {
            int most = wanted[i] / 5 + (wanted[i] == 0 ? 0 : 30);
            assertTrue(Math.abs(first[i] - wanted[i]) <= most, i + ": " + first[i]);
        }
    }

    @Test
    void withoutWeightsEveryOrderComes() {
        dns.srv(NAME, "0 0 24 a.example", "0 0 24 b.example", "0 0 24 c.example");
        Set<List<String>> orders = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            orders.add(hosts());
        }
        assertEquals(6, orders.size());
    }

    @Test
    void whatIsNoUseIsNamed() {
        dns.srv(
                NAME,
                "0 0 24 .",
                "1 0 24 192.0.2.9",
                "2 0 0 b.example",
                "3 0 24 a.example",
                "4 0 24 a.example",
                "5 0 24 -stairs.example",
                "6 0 24 nowhere.example");
        SrvAnswer.Hosts found = assertInstanceOf(SrvAnswer.Hosts.class, resolve());
        assertEquals(1, found.hosts().size());
        assertEquals(
                List.of(
                        "the target 192.0.2.9:24 is an address where a name must be",
                        "the target b.example:0 has no port",
                        "the target a.example:24 is there twice",
                        "the target -stairs.example:24 is no host name",
                        "the target nowhere.example has no address that can be used"),
                found.ignored());
    }

    @Test
    void aZoneCannotMakeUsAskForEver() {
        dns.srv(
                NAME,
                IntStream.range(0, 500)
                        .mapToObj(i -> i + " 0 24 h" + i + ".example")
                        .toArray(String[]::new));
        assertInstanceOf(SrvAnswer.NoAddress.class, resolve());
        assertEquals(1 + 2 * SrvResolver.TARGETS_MAX, dns.asked().size());
    }

    @Test
    void theDotMeansThatThereIsNoAmtp() {
        dns.srv(NAME, "0 0 0 .");
        assertInstanceOf(SrvAnswer.Refuses.class, resolve());
    }

    @Test
    void noRecordIsNotTheSameAsNoAnswer() {
        assertInstanceOf(SrvAnswer.None.class, resolve());
        dns.answer(NAME, RecordType.SRV, new DnsAnswer.NoData());
        assertInstanceOf(SrvAnswer.None.class, resolve());
        dns.answer(NAME, RecordType.SRV, new DnsAnswer.TryLater("SERVFAIL"));
        assertEquals(new SrvAnswer.TryLater("SERVFAIL"), resolve());
        dns.srv(NAME, "0 0 24 d.example")
                .answer("d.example", RecordType.A, new DnsAnswer.TryLater("SERVFAIL"));
        assertEquals(new SrvAnswer.TryLater("SERVFAIL"), resolve());
    }

    @Test
    void privateAddressesAreNotForStrangersToName() {
        dns.srv(NAME, "0 0 24 d.example").addresses("d.example", "10.1.2.3");
        assertInstanceOf(SrvAnswer.Forbidden.class, resolve());
    }

    /// As RFC 5321 §5.1 has it for MX: the better ones, or nobody.
    @Test
    void weAreNotOurOwnNextHost() {
        dns.srv(NAME, "10 0 24 a.example", "20 0 24 b.example", "30 0 24 c.example");
        ours.add("192.0.2.2:2400");
        assertEquals(3, hosts().size());
        ours.add("192.0.2.2:24");
        assertEquals(List.of("a.example:24"), hosts());
        ourNames.add("a.example");
        assertInstanceOf(SrvAnswer.LoopToUs.class, resolve());
    }
}
