package org.malote.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.malote.dns.Idna;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.DomainName;
import org.malote.smtp.IpAddresses;
import org.malote.smtp.Printable;

/// From a route and a destination to the addresses to connect to, in order. For any thread.
final class Targets {
    /// What was found.
    sealed interface Found {}

    /// At least one hop. Those of AMTP come first.
    record Hops(List<Hop> hops) implements Found {
        /// For the key of their site: the hosts, with the port where each has its own.
        Set<String> hosts() {
            Set<String> hosts = new TreeSet<>();
            hops.forEach(
                    hop ->
                            hosts.add(
                                    hop.protocol() == Protocol.AMTP
                                            ? hop.name() + ":" + hop.address().getPort()
                                            : hop.name()));
            return hosts;
        }

        /// For the same key. AMTP and SMTP are never mixed under one.
        String protocols() {
            boolean isAmtp = hops.getFirst().protocol() == Protocol.AMTP;
            Hop last = hops.getLast();
            boolean isHybrid = isAmtp && last.protocol() != Protocol.AMTP;
            return isHybrid ? " hybrid" : isAmtp ? " amtp" : ":" + last.address().getPort();
        }
    }

    /// Nothing to connect to.
    record Nowhere(Failure failure) implements Found {}

    /// One of each address family, in the usual case.
    private static final int ADDRESSES_FIRST = 2;

    private final MxResolver mx;
    private final SrvResolver srv;
    private final MxRules rules;
    private final int mxPort;
    private final Executor names;

    /// @param names runs look-ups with the system's resolver, which blocks
    Targets(MxResolver mx, SrvResolver srv, MxRules rules, int mxPort, Executor names) {
        this.mx = mx;
        this.srv = srv;
        this.rules = rules;
        this.mxPort = mxPort;
        this.names = names;
    }

    /// The hops of one attempt: at most two addresses of each host come first, so that a host with
    /// many addresses that is down does not keep the mail from the next (RFC 5321 §5.1).
    /// Hops of AMTP do not take the place of those that mail may fall back to.
    static List<Hop> firstTries(List<Hop> hops, int max) {
        List<Hop> amtp = hops.stream().filter(hop -> hop.protocol() == Protocol.AMTP).toList();
        List<Hop> others = hops.stream().filter(hop -> hop.protocol() != Protocol.AMTP).toList();
        List<Hop> all = new ArrayList<>(firstTriesOfOne(amtp, max));
        all.addAll(firstTriesOfOne(others, max));
        return List.copyOf(all);
    }

    private static List<Hop> firstTriesOfOne(List<Hop> hops, int max) {
        Map<String, Integer> seen = new HashMap<>();
        List<Hop> first = new ArrayList<>();
        List<Hop> more = new ArrayList<>();
        for (Hop hop : hops) {
            (seen.merge(hop.name(), 1, Integer::sum) <= ADDRESSES_FIRST ? first : more).add(hop);
        }
        first.addAll(more);
        return List.copyOf(first.subList(0, Math.min(max, first.size())));
    }

    /// The hops that can be reached on these terms: with a source, those of a family that it has an
    /// address of.
    static List<Hop> from(Terms terms, List<Hop> hops) {
        return hops.stream()
                .filter(
                        hop -> {
                            Source source = terms.towards(hop).source();
                            return source == null
                                    || source.towards(hop.address().getAddress()) != null;
                        })
                .toList();
    }

    /// Finds where a destination's MX hosts are.
    ///
    /// @param found told once, on any thread
    void findMx(String destination, Consumer<Found> found) {
        AddressLiteral literal = AddressLiteral.parse(destination);
        if (literal != null) { // RFC 5321 §2.3.5: no look-up
            found.accept(ofLiteral(literal));
            return;
        }
        DomainName domain = DomainName.parse(destination);
        if (domain == null) {
            found.accept(
                    nowhere(true, "5.1.2", Printable.escape(destination) + " is not a domain"));
            return;
        }
        mx.resolve(domain, answer -> found.accept(ofAnswer(domain, answer)));
    }

    /// Finds where a destination's hosts for AMTP are, by SRV alone.
    ///
    /// @param found told once, on any thread
    void findAmtp(String destination, Consumer<Found> found) {
        DomainName domain = DomainName.parse(destination);
        if (domain == null) {
            found.accept(
                    nowhere(
                            true,
                            "5.1.2",
                            Printable.escape(destination)
                                    + " is not a domain, and AMTP is for domains"));
            return;
        }
        srv.resolve(
                domain,
                answer ->
                        found.accept(
                                switch (answer) {
                                    case SrvAnswer.Hosts hosts -> new Hops(hops(domain, hosts));
                                    // The route says that there is one: a zone can be broken for a
                                    // while, so the mail waits. RFC 3463 §3.5, X.4.4.
                                    case SrvAnswer.None _ ->
                                            nowhere(
                                                    false,
                                                    "4.4.4",
                                                    domain
                                                            + " has no SRV record "
                                                            + SrvResolver.PREFIX
                                                            + domain
                                                            + ", and its route is AMTP alone");
                                    case SrvAnswer.NoAddress(List<String> reasons) ->
                                            nowhere(
                                                    false,
                                                    "4.4.4",
                                                    "no AMTP host of "
                                                            + domain
                                                            + " can be used: "
                                                            + String.join("; ", reasons));
                                    case SrvAnswer.Refuses _ ->
                                            nowhere(
                                                    true,
                                                    "5.4.4",
                                                    domain
                                                            + " says that it takes no AMTP, and its"
                                                            + " route is AMTP alone");
                                    case SrvAnswer.Forbidden _ -> forbidden(domain.text());
                                    case SrvAnswer.LoopToUs _ -> loop(domain.text());
                                    case SrvAnswer.TryLater(String reason) -> later(domain, reason);
                                }));
    }

    /// Finds where a destination's hosts for AMTP are, and behind them its MX hosts. A name server
    /// that does not answer for the SRV record makes the mail wait: whoever can silence it must not
    /// make it leave in the clear. A null MX leaves nothing to fall back to (RFC 7505 §3).
    ///
    /// @param found told once, on any thread
    void findHybrid(String destination, Consumer<Found> found) {
        DomainName domain = DomainName.parse(destination);
        if (domain == null) {
            findMx(destination, found);
            return;
        }
        srv.resolve(
                domain,
                answer -> {
                    switch (answer) {
                        case SrvAnswer.Hosts hosts ->
                                mx.resolve(
                                        domain,
                                        second -> {
                                            List<Hop> all = new ArrayList<>(hops(domain, hosts));
                                            if (ofAnswer(domain, second)
                                                    instanceof Hops(var more)) {
                                                all.addAll(more);
                                            }
                                            found.accept(new Hops(all));
                                        });
                        case SrvAnswer.None _,
                                SrvAnswer.Refuses _,
                                SrvAnswer.NoAddress _,
                                SrvAnswer.Forbidden _ ->
                                findMx(destination, found);
                        case SrvAnswer.LoopToUs _ -> found.accept(loop(domain.text()));
                        case SrvAnswer.TryLater(String reason) ->
                                found.accept(later(domain, reason));
                    }
                });
    }

    private static List<Hop> hops(DomainName domain, SrvAnswer.Hosts answer) {
        String ascii = Idna.toAscii(domain.text());
        List<Hop> hops = new ArrayList<>();
        for (SrvHost host : answer.hosts()) {
            for (InetAddress address : host.addresses()) {
                hops.add(
                        new Hop(
                                new InetSocketAddress(address, host.port()),
                                host.name(),
                                Protocol.AMTP,
                                ascii));
            }
        }
        return hops;
    }

    private static Found later(DomainName domain, String reason) {
        return nowhere(false, "4.4.3", "name service for " + domain + ": " + reason);
    }

    /// Finds a host that the operator named, as the system knows it: an `/etc/hosts` entry counts.
    ///
    /// @param found told once, on any thread
    void findFixed(String host, int port, Protocol protocol, Consumer<Found> found) {
        byte[] octets = IpAddresses.parseIpv4(host);
        if (octets == null) {
            octets = IpAddresses.parseIpv6(host);
        }
        if (octets != null) {
            found.accept(fixed(host, port, protocol, octets));
            return;
        }
        try {
            names.execute(() -> found.accept(lookUp(host, port, protocol)));
        } catch (RejectedExecutionException e) {
            found.accept(nowhere(false, "4.3.2", "delivery has stopped"));
        }
    }

    private static Found fixed(String host, int port, Protocol protocol, byte[] octets) {
        try {
            InetAddress address = InetAddress.getByAddress(octets);
            return new Hops(List.of(new Hop(new InetSocketAddress(address, port), host, protocol)));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 octets are always an address", e);
        }
    }

    private static Found lookUp(String host, int port, Protocol protocol) {
        try {
            List<Hop> hops = new ArrayList<>();
            for (InetAddress address : InetAddress.getAllByName(host)) {
                hops.add(new Hop(new InetSocketAddress(address, port), host, protocol));
            }
            return new Hops(hops);
        } catch (UnknownHostException e) {
            // A configured host: the operator can cure it, so the mail waits.
            return nowhere(false, "4.4.3", "the host " + host + " of the route is not found");
        }
    }

    private Found ofLiteral(AddressLiteral literal) {
        InetAddress address = literal.address();
        if (rules.isOurAddress().test(address)) {
            return loop(literal.text());
        }
        if (rules.isForbidden().test(address)) {
            return forbidden(literal.text());
        }
        return new Hops(
                List.of(
                        new Hop(
                                new InetSocketAddress(address, mxPort),
                                IpAddresses.format(address),
                                Protocol.SMTP)));
    }

    private Found ofAnswer(DomainName domain, MxAnswer answer) {
        return switch (answer) {
            case MxAnswer.Hosts(List<MxHost> hosts) -> {
                List<Hop> hops = new ArrayList<>();
                for (MxHost host : hosts) {
                    for (InetAddress address : host.addresses()) {
                        hops.add(
                                new Hop(
                                        new InetSocketAddress(address, mxPort),
                                        host.name(),
                                        Protocol.SMTP));
                    }
                }
                yield new Hops(hops);
            }
            case MxAnswer.NullMx _ -> // RFC 7505 §4.1
                    nowhere(true, "5.1.10", domain + " takes no mail (null MX)");
            case MxAnswer.NoSuchDomain _ ->
                    nowhere(true, "5.1.2", "the domain " + domain + " does not exist");
            case MxAnswer.NoAddress _ ->
                    nowhere(true, "5.4.4", "no mail host of " + domain + " has an address");
            case MxAnswer.LoopToUs _ -> loop(domain.text());
            case MxAnswer.Forbidden _ -> forbidden(domain.text());
            case MxAnswer.TryLater(String reason) -> later(domain, reason);
        };
    }

    /// RFC 5321 §5.1, RFC 3463 §3.5 X.4.6.
    private static Found loop(String destination) {
        return nowhere(true, "5.4.6", "mail for " + destination + " loops back to myself");
    }

    /// Check N01.
    private static Found forbidden(String destination) {
        return nowhere(
                true, "5.4.4", "the mail hosts of " + destination + " have private addresses only");
    }

    private static Found nowhere(boolean isPermanent, String status, String sentence) {
        return new Nowhere(Failure.local(FailureScope.RECIPIENT, isPermanent, status, sentence));
    }
}
