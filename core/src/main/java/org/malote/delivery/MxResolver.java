package org.malote.delivery;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.Idna;
import org.malote.dns.RecordType;
import org.malote.smtp.DomainName;
import org.malote.smtp.IpAddresses;

/// Finds the hosts that take mail for a domain, in the order to try them (RFC 5321 §5.1). For any
/// thread; it holds nothing between calls.
public final class MxResolver {
    /// MX hosts that are looked at; the ones with the lowest preference stay. Ours: the largest
    /// mailbox providers publish a dozen.
    static final int HOSTS_MAX = 32;

    private final Dns dns;
    private final MxRules rules;
    private final HostAddresses addresses;

    /// @param random shuffles hosts of equal preference; used under a lock
    public MxResolver(Dns dns, MxRules rules, RandomGenerator random) {
        this.dns = dns;
        this.rules = rules;
        this.addresses = new HostAddresses(dns, rules, random);
    }

    /// Finds the MX hosts of a domain.
    ///
    /// @param answered told exactly once, on any thread, perhaps before this method returns. It
    ///     must not block
    public void resolve(DomainName domain, Consumer<MxAnswer> answered) {
        dns.lookup(
                domain.text(),
                RecordType.MX,
                answer -> {
                    switch (answer) {
                        case DnsAnswer.Records(var records, _, _) -> onMx(records, answered);
                        // RFC 5321 §5.1: the domain itself, and only when there is no MX at all.
                        case DnsAnswer.NoData _ ->
                                onTargets(List.of(new Target(ascii(domain), 0)), answered);
                        case DnsAnswer.NoSuchName _ -> answered.accept(new MxAnswer.NoSuchDomain());
                        case DnsAnswer.TryLater(var reason) ->
                                answered.accept(new MxAnswer.TryLater(reason));
                    }
                });
    }

    /// A name from an MX record, before its addresses are known.
    private record Target(String name, int preference) {}

    /// A target with what the DNS has for it.
    private record Found(Target target, HostAddresses.Found found) {
        List<InetAddress> addresses() {
            return found.addresses();
        }
    }

    private void onMx(List<DnsRecord> records, Consumer<MxAnswer> answered) {
        List<Target> targets = new ArrayList<>();
        boolean onlyRoots = true;
        Set<String> names = new HashSet<>();
        List<DnsRecord.Mx> sorted = new ArrayList<>();
        for (DnsRecord record : records) {
            if (record instanceof DnsRecord.Mx mx) {
                sorted.add(mx);
            }
        }
        sorted.sort(Comparator.comparingInt(DnsRecord.Mx::preference));
        for (DnsRecord.Mx mx : sorted) {
            if (mx.exchange().equals(".")) {
                // RFC 7505 §3: a null MX stands alone. Beside other records it means nothing.
                continue;
            }
            onlyRoots = false;
            // RFC 5321 §5.1: the data of an MX record is a name, never an address. An address that
            // was written there anyway parses as a name, and no such name exists; it is not asked.
            if (DomainName.parse(mx.exchange()) != null
                    && IpAddresses.parseIpv4(mx.exchange()) == null
                    && names.add(mx.exchange())
                    && targets.size() < HOSTS_MAX) {
                targets.add(new Target(mx.exchange(), mx.preference()));
            }
        }
        if (onlyRoots) {
            answered.accept(new MxAnswer.NullMx());
        } else if (targets.isEmpty()) {
            answered.accept(new MxAnswer.NoAddress());
        } else {
            onTargets(targets, answered);
        }
    }

    /// Looks up all targets at once, and decides when the last answer is there.
    private void onTargets(List<Target> targets, Consumer<MxAnswer> answered) {
        Found[] found = new Found[targets.size()];
        AtomicInteger missing = new AtomicInteger(targets.size());
        for (int i = 0; i < targets.size(); i++) {
            int index = i;
            addresses.find(
                    targets.get(i).name(),
                    one -> {
                        found[index] = new Found(targets.get(index), one);
                        // The counter orders the writes of the array before the reading.
                        if (missing.decrementAndGet() == 0) {
                            answered.accept(decide(List.of(found)));
                        }
                    });
        }
    }

    /// The rules of RFC 5321 §5.1, once everything is known.
    private MxAnswer decide(List<Found> all) {
        int ourPreference = Integer.MAX_VALUE;
        String trouble = null;
        for (Found found : all) {
            if (isUs(found)) {
                ourPreference = Math.min(ourPreference, found.target().preference());
            }
            if (found.addresses().isEmpty() && found.found().trouble() != null) {
                trouble = found.found().trouble();
            }
        }
        boolean forbidden = false;
        List<MxHost> hosts = new ArrayList<>();
        for (Found found : all) {
            // RFC 5321 §5.1: only hosts that are better than we are; the others would send it back.
            if (found.target().preference() >= ourPreference) {
                continue;
            }
            List<InetAddress> allowed = addresses.allowed(found.addresses());
            forbidden |= allowed.size() < found.addresses().size();
            if (!allowed.isEmpty()) {
                hosts.add(
                        new MxHost(
                                found.target().name(),
                                found.target().preference(),
                                addresses.inOrder(allowed)));
            }
        }
        if (!hosts.isEmpty()) {
            return new MxAnswer.Hosts(shuffledByPreference(hosts));
        }
        if (trouble != null) {
            return new MxAnswer.TryLater(trouble);
        }
        if (forbidden) {
            return new MxAnswer.Forbidden();
        }
        return ourPreference < Integer.MAX_VALUE
                ? new MxAnswer.LoopToUs()
                : new MxAnswer.NoAddress();
    }

    private boolean isUs(Found found) {
        return rules.isOurName().test(found.target().name())
                || found.addresses().stream().anyMatch(rules.isOurAddress());
    }

    /// RFC 5321 §5.1: hosts of equal preference in random order, so that senders share the load.
    private List<MxHost> shuffledByPreference(List<MxHost> hosts) {
        List<MxHost> order = new ArrayList<>(hosts);
        addresses.shuffle(order);
        order.sort(Comparator.comparingInt(MxHost::preference)); // keeps the order of equals
        return order;
    }

    private static String ascii(DomainName domain) {
        String ascii = Idna.toAscii(domain.text());
        return ascii == null ? domain.text() : ascii;
    }
}
