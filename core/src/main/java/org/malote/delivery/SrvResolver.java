package org.malote.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.RecordType;
import org.malote.smtp.DomainName;
import org.malote.smtp.IpAddresses;
import org.malote.smtp.Printable;

/// Finds the hosts that take mail for a domain over AMTP, in the order to try them
/// (draft-weinman-amtp-03 §4.3.1: SRV records in place of MX records and addresses; RFC 2782). For
/// any thread; it holds nothing between calls.
public final class SrvResolver {
    /// Before the domain of a recipient. The underscores are RFC 2782's.
    public static final String PREFIX = "_amtp._tcp.";

    /// Targets that are looked at; those of the lowest priority stay. Ours, as with MX hosts.
    static final int TARGETS_MAX = 32;

    private final Dns dns;
    private final MxRules rules;
    private final Predicate<InetSocketAddress> isOurs;
    private final HostAddresses addresses;

    /// @param rules those that hold for MX hosts, but for `isOurAddress`
    /// @param isOurs whether what is sent there comes back to us
    /// @param random chooses by weight; used under a lock
    public SrvResolver(
            Dns dns, MxRules rules, Predicate<InetSocketAddress> isOurs, RandomGenerator random) {
        this.dns = dns;
        this.rules = rules;
        this.isOurs = isOurs;
        this.addresses = new HostAddresses(dns, rules, random);
    }

    /// Finds the hosts of a domain.
    ///
    /// @param answered told exactly once, on any thread, perhaps before this method returns. It
    ///     must not block
    public void resolve(DomainName domain, Consumer<SrvAnswer> answered) {
        dns.lookup(
                PREFIX + domain.text(),
                RecordType.SRV,
                answer -> {
                    switch (answer) {
                        case DnsAnswer.Records(var records, _, _) -> onRecords(records, answered);
                        case DnsAnswer.NoData _, DnsAnswer.NoSuchName _ ->
                                answered.accept(new SrvAnswer.None());
                        case DnsAnswer.TryLater(var reason) ->
                                answered.accept(new SrvAnswer.TryLater(reason));
                    }
                });
    }

    /// A record with what the DNS has for its target.
    private record Found(DnsRecord.Service service, HostAddresses.Found found) {}

    private void onRecords(List<DnsRecord> records, Consumer<SrvAnswer> answered) {
        List<DnsRecord.Service> sorted = new ArrayList<>();
        for (DnsRecord record : records) {
            if (record instanceof DnsRecord.Service service) {
                sorted.add(service);
            }
        }
        sorted.sort(Comparator.comparingInt(DnsRecord.Service::priority));
        List<DnsRecord.Service> useful = new ArrayList<>();
        List<String> ignored = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        boolean refuses = !sorted.isEmpty();
        for (DnsRecord.Service service : sorted) {
            if (service.target().equals(".")) {
                continue; // RFC 2782: it stands alone; beside others it means nothing
            }
            refuses = false;
            String fault = fault(service, seen, useful.size());
            if (fault == null) {
                useful.add(service);
            } else {
                ignored.add(
                        "the target "
                                + Printable.escape(service.target())
                                + ":"
                                + service.port()
                                + " "
                                + fault);
            }
        }
        if (refuses) {
            answered.accept(new SrvAnswer.Refuses());
        } else if (useful.isEmpty()) {
            answered.accept(new SrvAnswer.NoAddress(ignored));
        } else {
            onUseful(useful, ignored, answered);
        }
    }

    /// @return null when there is none
    private static @Nullable String fault(DnsRecord.Service service, Set<String> seen, int useful) {
        String target = service.target();
        if (DomainName.parse(target) == null) {
            return "is no host name";
        }
        // RFC 2782: a name, never an address. As with MX records, it is not asked for.
        if (IpAddresses.parseIpv4(target) != null) {
            return "is an address where a name must be";
        }
        if (service.port() == 0) {
            return "has no port";
        }
        if (!seen.add(target + ":" + service.port())) {
            return "is there twice";
        }
        return useful == TARGETS_MAX ? "is beyond the first " + TARGETS_MAX : null;
    }

    /// Looks up all targets at once, and decides when the last answer is there.
    private void onUseful(
            List<DnsRecord.Service> services, List<String> ignored, Consumer<SrvAnswer> answered) {
        Found[] found = new Found[services.size()];
        AtomicInteger missing = new AtomicInteger(services.size());
        for (int i = 0; i < services.size(); i++) {
            int index = i;
            addresses.find(
                    services.get(i).target(),
                    one -> {
                        found[index] = new Found(services.get(index), one);
                        // The counter orders the writes of the array before the reading.
                        if (missing.decrementAndGet() == 0) {
                            answered.accept(decide(List.of(found), ignored));
                        }
                    });
        }
    }

    private SrvAnswer decide(List<Found> all, List<String> faults) {
        int ours = Integer.MAX_VALUE;
        String trouble = null;
        for (Found found : all) {
            if (isUs(found)) {
                ours = Math.min(ours, found.service().priority());
            }
            if (found.found().addresses().isEmpty() && found.found().trouble() != null) {
                trouble = found.found().trouble();
            }
        }
        List<String> ignored = new ArrayList<>(faults);
        boolean forbidden = false;
        List<DnsRecord.Service> services = new ArrayList<>();
        List<SrvHost> hosts = new ArrayList<>();
        for (Found found : all) {
            DnsRecord.Service service = found.service();
            // As RFC 5321 §5.1 has it for MX: only hosts that are better than we are.
            if (service.priority() >= ours) {
                continue;
            }
            List<InetAddress> allowed = addresses.allowed(found.found().addresses());
            forbidden |= allowed.size() < found.found().addresses().size();
            if (allowed.isEmpty()) {
                ignored.add("the target " + service.target() + " has no address that can be used");
            } else {
                services.add(service);
                hosts.add(
                        new SrvHost(service.target(), service.port(), addresses.inOrder(allowed)));
            }
        }
        if (!hosts.isEmpty()) {
            return new SrvAnswer.Hosts(inOrder(services, hosts), ignored);
        }
        if (trouble != null) {
            return new SrvAnswer.TryLater(trouble);
        }
        if (ours < Integer.MAX_VALUE) {
            return new SrvAnswer.LoopToUs();
        }
        return forbidden ? new SrvAnswer.Forbidden() : new SrvAnswer.NoAddress(ignored);
    }

    private boolean isUs(Found found) {
        return rules.isOurName().test(found.service().target())
                || found.found().addresses().stream()
                        .anyMatch(
                                one ->
                                        isOurs.test(
                                                new InetSocketAddress(
                                                        one, found.service().port())));
    }

    /// RFC 2782: by priority; among those of one, again and again one of the rest, each as likely
    /// as its weight is heavy. Those without weight stand first, so that they have a chance at all.
    ///
    /// @param services in the order of their priorities, each with its host
    private List<SrvHost> inOrder(List<DnsRecord.Service> services, List<SrvHost> hosts) {
        List<SrvHost> order = new ArrayList<>(hosts.size());
        List<Integer> rest = new ArrayList<>();
        for (int i = 0; i < services.size(); i++) {
            rest.add(i);
        }
        addresses.shuffle(rest); // a cache keeps one order
        rest.sort(
                Comparator.comparingInt((Integer i) -> services.get(i).priority())
                        .thenComparingInt(i -> Math.min(1, services.get(i).weight())));
        while (!rest.isEmpty()) {
            int priority = services.get(rest.getFirst()).priority();
            int sum = 0;
            for (int i : rest) {
                if (services.get(i).priority() == priority) {
                    sum += services.get(i).weight(); // at most 32 times 65535
                }
            }
            int chosen = addresses.upTo(sum);
            int running = 0;
            int at = -1;
            do {
                at++;
                running += services.get(rest.get(at)).weight();
            } while (running < chosen);
            order.add(hosts.get(rest.get(at)));
            rest.subList(at, at + 1).clear();
        }
        return order;
    }
}
