package org.malote.delivery;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.RecordType;

/// The addresses of hosts that the DNS named, in the order to try them. For any thread; it holds
/// nothing between calls.
final class HostAddresses {
    /// Addresses of one host that are used.
    static final int PER_HOST_MAX = 16;

    private final Dns dns;
    private final MxRules rules;
    private final RandomGenerator random;

    /// @param random used under a lock
    HostAddresses(Dns dns, MxRules rules, RandomGenerator random) {
        this.dns = dns;
        this.rules = rules;
        this.random = random;
    }

    /// What the DNS has for a name.
    ///
    /// @param addresses may be empty
    /// @param trouble why there may be more addresses than these, or null
    record Found(List<InetAddress> addresses, @Nullable String trouble) {
        Found {
            addresses = List.copyOf(addresses);
        }
    }

    /// Looks a name up in the families that are used.
    ///
    /// @param done told exactly once, on any thread, perhaps before this method returns
    void find(String name, Consumer<Found> done) {
        List<RecordType> types =
                switch (rules.families()) {
                    case IPV6_FIRST, IPV4_FIRST -> List.of(RecordType.AAAA, RecordType.A);
                    case IPV4_ONLY -> List.of(RecordType.A);
                    case IPV6_ONLY -> List.of(RecordType.AAAA);
                };
        DnsAnswer[] answers = new DnsAnswer[types.size()];
        AtomicInteger missing = new AtomicInteger(types.size());
        for (int i = 0; i < types.size(); i++) {
            int index = i;
            dns.lookup(
                    name,
                    types.get(i),
                    answer -> {
                        answers[index] = answer;
                        // The counter orders the writes of the array before the reading.
                        if (missing.decrementAndGet() == 0) {
                            done.accept(found(List.of(answers)));
                        }
                    });
        }
    }

    private static Found found(List<DnsAnswer> answers) {
        List<InetAddress> addresses = new ArrayList<>();
        String trouble = null;
        for (DnsAnswer answer : answers) {
            switch (answer) {
                case DnsAnswer.Records(var records, _, _) -> {
                    for (DnsRecord record : records) {
                        if (record instanceof DnsRecord.Address(var address)) {
                            addresses.add(address);
                        }
                    }
                }
                case DnsAnswer.NoData _, DnsAnswer.NoSuchName _ -> {}
                case DnsAnswer.TryLater(var reason) -> trouble = reason;
            }
        }
        return new Found(addresses, trouble);
    }

    /// Those that mail may be sent to.
    List<InetAddress> allowed(List<InetAddress> addresses) {
        return addresses.stream().filter(one -> !rules.isForbidden().test(one)).toList();
    }

    /// One family after the other in turn, so that a family that does not work costs one attempt
    /// in two; within a family in random order, since a cache keeps one order.
    List<InetAddress> inOrder(List<InetAddress> addresses) {
        List<InetAddress> v6 = new ArrayList<>();
        List<InetAddress> v4 = new ArrayList<>();
        for (InetAddress address : addresses) {
            (address instanceof Inet6Address ? v6 : v4).add(address);
        }
        shuffle(v6);
        shuffle(v4);
        boolean v6First = rules.families() != AddressFamilies.IPV4_FIRST;
        List<InetAddress> first = v6First ? v6 : v4;
        List<InetAddress> second = v6First ? v4 : v6;
        List<InetAddress> order = new ArrayList<>(addresses.size());
        for (int i = 0; i < Math.max(first.size(), second.size()); i++) {
            if (i < first.size()) {
                order.add(first.get(i));
            }
            if (i < second.size()) {
                order.add(second.get(i));
            }
        }
        return order.subList(0, Math.min(order.size(), PER_HOST_MAX));
    }

    /// Shuffles a list of the caller's.
    void shuffle(List<?> list) {
        synchronized (random) {
            Collections.shuffle(list, Random.from(random));
        }
    }

    /// A whole number from 0 to `max`, each as likely as the others.
    int upTo(int max) {
        synchronized (random) {
            return random.nextInt(max + 1);
        }
    }
}
