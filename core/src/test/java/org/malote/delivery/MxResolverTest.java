package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.FakeDns;
import org.malote.dns.RecordType;
import org.malote.smtp.DomainName;
import org.malote.smtp.IpAddresses;

final class MxResolverTest {
    private static final DnsAnswer BROKEN = new DnsAnswer.TryLater("SERVFAIL");

    private final FakeDns dns = new FakeDns();
    private final Set<String> ourNames = new HashSet<>();
    private final Set<String> ourAddresses = new HashSet<>();
    private AddressFamilies families = AddressFamilies.IPV6_FIRST;
    private long seed = 1;

    private MxAnswer resolve(String domain) {
        List<MxAnswer> answers = new ArrayList<>();
        resolver(dns).resolve(new DomainName(domain), answers::add);
        assertEquals(1, answers.size());
        return answers.getFirst();
    }

    private MxResolver resolver(Dns names) {
        return new MxResolver(
                names,
                new MxRules(
                        ourNames::contains,
                        address -> ourAddresses.contains(IpAddresses.format(address)),
                        PrivateAddresses::contains,
                        families),
                new Random(seed));
    }

    /// `10 mx1.example 192.0.2.1 192.0.2.2`, one for each host, in order.
    private static List<String> shown(MxAnswer answer) {
        return assertInstanceOf(MxAnswer.Hosts.class, answer).hosts().stream()
                .map(
                        host -> {
                            StringBuilder text =
                                    new StringBuilder()
                                            .append(host.preference())
                                            .append(' ')
                                            .append(host.name());
                            host.addresses()
                                    .forEach(a -> text.append(' ').append(IpAddresses.format(a)));
                            return text.toString();
                        })
                .toList();
    }

    @Test
    void ordersHostsByPreference() {
        dns.mx("isp.example", "20 b.example", "10 a.example", "30 c.example")
                .addresses("a.example", "192.0.2.1")
                .addresses("b.example", "192.0.2.2")
                .addresses("c.example", "2001:db8::3");
        assertEquals(
                List.of(
                        "10 a.example 192.0.2.1",
                        "20 b.example 192.0.2.2",
                        "30 c.example 2001:db8::3"),
                shown(resolve("isp.example")));
    }

    @Test
    void shufflesHostsOfEqualPreference() {
        dns.mx("isp.example", "10 a.example", "10 b.example", "5 z.example")
                .addresses("a.example", "192.0.2.1")
                .addresses("b.example", "192.0.2.2")
                .addresses("z.example", "192.0.2.26");
        Set<List<String>> orders = new HashSet<>();
        for (seed = 0; seed < 40; seed++) {
            List<String> order = shown(resolve("isp.example"));
            assertEquals("5 z.example 192.0.2.26", order.getFirst());
            orders.add(order);
        }
        assertEquals(2, orders.size());
    }

    @Test
    void interleavesTheFamilies() {
        dns.mx("isp.example", "10 a.example")
                .addresses("a.example", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1");
        assertEquals(List.of(6, 4, 4, 4), familiesOfFirstHost());
        families = AddressFamilies.IPV4_FIRST;
        assertEquals(List.of(4, 6, 4, 4), familiesOfFirstHost());
        families = AddressFamilies.IPV4_ONLY;
        assertEquals(List.of(4, 4, 4), familiesOfFirstHost());
        families = AddressFamilies.IPV6_ONLY;
        assertEquals(List.of(6), familiesOfFirstHost());
    }

    private List<Integer> familiesOfFirstHost() {
        return assertInstanceOf(MxAnswer.Hosts.class, resolve("isp.example"))
                .hosts()
                .getFirst()
                .addresses()
                .stream()
                .map(address -> address.getAddress().length == 4 ? 4 : 6)
                .toList();
    }

    /// RFC 5321 §5.1: implicit MX.
    @Test
    void takesTheDomainItselfOnlyWhenItHasNoMx() {
        dns.addresses("a.example", "192.0.2.1");
        assertEquals(List.of("0 a.example 192.0.2.1"), shown(resolve("a.example")));
        dns.mx("b.example", "10 gone.example").addresses("b.example", "192.0.2.2");
        assertEquals(new MxAnswer.NoAddress(), resolve("b.example"));
        dns.answer("c.example", RecordType.MX, BROKEN).addresses("c.example", "192.0.2.3");
        assertInstanceOf(MxAnswer.TryLater.class, resolve("c.example"));
    }

    @Test
    void aDomainThatDoesNotExistIsNotAskedForAddresses() {
        assertEquals(new MxAnswer.NoSuchDomain(), resolve("gone.example"));
        assertEquals(List.of("MX gone.example"), dns.asked());
    }

    @Test
    void aDomainWithoutMxAndAddressesHasNoAddress() {
        dns.answer("a.example", RecordType.TXT, new DnsAnswer.NoData());
        assertEquals(new MxAnswer.NoAddress(), resolve("a.example"));
    }

    /// RFC 7505 §3.
    @Test
    void nullMxStandsAlone() {
        dns.mx("no.example", "0 .").addresses("no.example", "192.0.2.1");
        assertEquals(new MxAnswer.NullMx(), resolve("no.example"));
        dns.mx("mixed.example", "0 .", "10 a.example").addresses("a.example", "192.0.2.1");
        assertEquals(List.of("10 a.example 192.0.2.1"), shown(resolve("mixed.example")));
        dns.mx("dead.example", "0 .", "10 gone.example");
        assertEquals(new MxAnswer.NoAddress(), resolve("dead.example"));
    }

    @Test
    void passesOverAddressesWrittenAsNamesAndNamesThatAreNone() {
        dns.mx("a.example", "5 192.0.2.9", "6 bad\\032name.example", "10 m.example")
                .addresses("192.0.2.9", "192.0.2.9")
                .addresses("m.example", "192.0.2.1");
        assertEquals(List.of("10 m.example 192.0.2.1"), shown(resolve("a.example")));
        dns.mx("b.example", "5 192.0.2.9");
        assertEquals(new MxAnswer.NoAddress(), resolve("b.example"));
    }

    @Test
    void defersWhenTheOnlyHostsAreUnknownForNow() {
        dns.mx("a.example", "10 broken.example", "20 gone.example")
                .answer("broken.example", RecordType.A, BROKEN)
                .answer("broken.example", RecordType.AAAA, new DnsAnswer.NoData());
        assertInstanceOf(MxAnswer.TryLater.class, resolve("a.example"));
        dns.mx("b.example", "10 broken.example", "20 good.example")
                .addresses("good.example", "192.0.2.1");
        assertEquals(List.of("20 good.example 192.0.2.1"), shown(resolve("b.example")));
    }

    @Test
    void oneFamilyIsEnoughWhenTheOtherIsBroken() {
        dns.mx("a.example", "10 m.example")
                .addresses("m.example", "192.0.2.1")
                .answer("m.example", RecordType.AAAA, BROKEN);
        assertEquals(List.of("10 m.example 192.0.2.1"), shown(resolve("a.example")));
    }

    /// RFC 5321 §5.1: mail never goes to a host that is as far as we are.
    @Test
    void dropsHostsThatAreNoBetterThanWeAre() {
        ourNames.add("us.example");
        dns.mx("a.example", "10 m.example", "20 us.example", "20 twin.example", "30 far.example")
                .addresses("m.example", "192.0.2.1")
                .addresses("us.example", "192.0.2.2")
                .addresses("twin.example", "192.0.2.3")
                .addresses("far.example", "192.0.2.4");
        assertEquals(List.of("10 m.example 192.0.2.1"), shown(resolve("a.example")));
        dns.mx("b.example", "10 us.example", "20 far.example");
        assertEquals(new MxAnswer.LoopToUs(), resolve("b.example"));
    }

    @Test
    void knowsItselfByAddressAndWithoutMx() {
        ourAddresses.add("192.0.2.2");
        dns.mx("a.example", "10 alias.example").addresses("alias.example", "192.0.2.2");
        assertEquals(new MxAnswer.LoopToUs(), resolve("a.example"));
        dns.addresses("b.example", "192.0.2.2", "2001:db8::2");
        assertEquals(new MxAnswer.LoopToUs(), resolve("b.example"));
    }

    @Test
    void waitsForABetterHostThatIsUnknownForNowInsteadOfCallingItALoop() {
        ourNames.add("us.example");
        dns.mx("a.example", "10 broken.example", "20 us.example")
                .answer("broken.example", RecordType.A, BROKEN)
                .addresses("us.example", "192.0.2.2");
        assertInstanceOf(MxAnswer.TryLater.class, resolve("a.example"));
    }

    @Test
    void neverLeadsToForbiddenAddresses() {
        for (String address :
                List.of(
                        "127.0.0.1",
                        "10.1.2.3",
                        "192.168.1.1",
                        "172.31.255.255",
                        "169.254.169.254",
                        "0.0.0.0",
                        "100.64.0.1",
                        "255.255.255.255",
                        "::1",
                        "::",
                        "fe80::1",
                        "fd00::1",
                        "ff02::1",
                        "::ffff:10.0.0.1")) {
            FakeDns names = new FakeDns().mx("a.example", "1 m.example");
            names.addresses("m.example", address);
            List<MxAnswer> answers = new ArrayList<>();
            resolver(names).resolve(new DomainName("a.example"), answers::add);
            assertEquals(List.of(new MxAnswer.Forbidden()), answers, address);
        }
        dns.mx("b.example", "1 m.example").addresses("m.example", "10.0.0.1", "192.0.2.1");
        assertEquals(List.of("1 m.example 192.0.2.1"), shown(resolve("b.example")));
        assertFalse(PrivateAddresses.contains(FakeDns.address("172.32.0.1")));
        assertFalse(PrivateAddresses.contains(FakeDns.address("2600::1")));
        assertFalse(PrivateAddresses.contains(FakeDns.address("64:ff9b::808:808")));
        assertTrue(PrivateAddresses.contains(FakeDns.address("64:ff9b::a00:1")));
    }

    @Test
    void boundsHostsAndAddresses() {
        String[] records = new String[100];
        String[] addresses = new String[100];
        for (int i = 0; i < 100; i++) {
            records[99 - i] = i + " m" + i + ".example";
            addresses[i] = "192.0.2." + i;
        }
        dns.mx("a.example", records);
        for (int i = 0; i < 100; i++) {
            dns.addresses("m" + i + ".example", addresses);
        }
        List<MxHost> hosts = assertInstanceOf(MxAnswer.Hosts.class, resolve("a.example")).hosts();
        assertEquals(MxResolver.HOSTS_MAX, hosts.size());
        assertEquals("m0.example", hosts.getFirst().name());
        assertEquals("m31.example", hosts.getLast().name());
        assertEquals(HostAddresses.PER_HOST_MAX, hosts.getFirst().addresses().size());
        assertEquals(1 + 2 * MxResolver.HOSTS_MAX, dns.asked().size());
    }

    @Test
    void asksForAllAddressesBeforeTheFirstAnswerComes() {
        List<String> asked = new ArrayList<>();
        List<Consumer<DnsAnswer>> waiting = new ArrayList<>();
        dns.mx("a.example", "1 m.example", "2 n.example").addresses("n.example", "192.0.2.1");
        Dns slow =
                (name, type, answered) -> {
                    if (type == RecordType.MX) {
                        dns.lookup(name, type, answered);
                    } else {
                        asked.add(type + " " + name);
                        waiting.add(answer -> dns.lookup(name, type, answered));
                    }
                };
        List<MxAnswer> answers = new ArrayList<>();
        resolver(slow).resolve(new DomainName("a.example"), answers::add);
        assertEquals(
                List.of("AAAA m.example", "A m.example", "AAAA n.example", "A n.example"), asked);
        for (Consumer<DnsAnswer> one : waiting.reversed()) {
            assertTrue(answers.isEmpty());
            one.accept(BROKEN);
        }
        assertEquals(1, answers.size());
    }
}
