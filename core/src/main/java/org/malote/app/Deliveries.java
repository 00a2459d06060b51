package org.malote.app;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Enumeration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.malote.amtp.Dial;
import org.malote.bounce.BounceWriter;
import org.malote.config.Settings;
import org.malote.delivery.AddressFamilies;
import org.malote.delivery.DeliveryEngine;
import org.malote.delivery.DeliveryEnvironment;
import org.malote.delivery.DomainPattern;
import org.malote.delivery.MaildirTransport;
import org.malote.delivery.MxResolver;
import org.malote.delivery.MxRules;
import org.malote.delivery.PrivateAddresses;
import org.malote.delivery.Route;
import org.malote.delivery.RouteTable;
import org.malote.delivery.SrvResolver;
import org.malote.delivery.Terms;
import org.malote.delivery.Via;
import org.malote.dns.Dns;
import org.malote.dns.DnsjavaDns;
import org.malote.offload.HostIdentity;
import org.malote.offload.HostTls;
import org.malote.offload.HostTlsSettings;
import org.malote.offload.HostWay;
import org.malote.queue.MailQueue;
import org.malote.telemetry.DeliveryLog;
import org.malote.telemetry.Meters;

/// Puts the outbound side together.
final class Deliveries {
    private Deliveries() {}

    /// An engine that has not begun.
    ///
    /// @param bound where we listen: mail for these addresses would come back
    /// @param hostTls for the ways of [#hostTls]
    static DeliveryEngine engine(
            Settings settings,
            Collection<InetSocketAddress> bound,
            MailQueue queue,
            HostTls hostTls,
            Threads threads,
            Clock clock,
            SplittableRandom random,
            Meters meters) {
        DeliveryLog log = new DeliveryLog();
        String hostname = settings.hostname().text();
        boolean allowsPrivate = settings.delivery().allowPrivateTargets();
        int mxPort = settings.delivery().mxPort();
        Predicate<InetSocketAddress> isOurs = isOurs(bound);
        MxRules rules =
                new MxRules(
                        hostname::equals,
                        address -> isOurs.test(new InetSocketAddress(address, mxPort)),
                        address -> !allowsPrivate && PrivateAddresses.contains(address),
                        families());
        Dns dns = new DnsjavaDns(settings.dns(), threads.waiting(), System::nanoTime);
        MxResolver mx = new MxResolver(dns, rules, random.split());
        SrvResolver srv = new SrvResolver(dns, rules, isOurs, random.split());
        MaildirTransport maildir =
                new MaildirTransport(
                        threads.io(),
                        settings.state(), // templates are absolute already
                        hostname,
                        clock,
                        random.split(),
                        settings.queue().durability());
        BounceWriter bounces =
                new BounceWriter(
                        queue,
                        settings.bounce(),
                        takesCodes(settings),
                        clock,
                        random.split(),
                        threads.io(),
                        log);
        return new DeliveryEngine(
                queue,
                settings.queue().retry(),
                routes(settings),
                settings.sites(),
                mx,
                srv,
                rules,
                maildir,
                bounces,
                hostTls,
                settings.delivery(),
                new DeliveryEnvironment(
                        threads.loops(),
                        threads.clientChannel(),
                        threads.agent(),
                        threads.io(),
                        threads.names(),
                        clock,
                        System::nanoTime,
                        random.split(),
                        log,
                        meters));
    }

    /// TLS for the side that connects: the ways that the sites' terms need, for AMTP where a route
    /// leads there. Engine, limits and times are those of `[tls]`.
    static HostTlsSettings hostTls(Settings settings) {
        Set<HostWay> ways = new LinkedHashSet<>();
        boolean speaksAmtp = settings.routes().routes().stream().anyMatch(r -> r.via().isAmtp());
        for (Terms terms : settings.sites().terms()) {
            List<Terms> all = new ArrayList<>(List.of(terms, terms.forLmtp()));
            if (speaksAmtp && terms.forAmtp().hasCertificate()) {
                all.add(terms.forAmtp());
            }
            for (Terms each : all) {
                HostWay way = each.way();
                if (way != null) {
                    ways.add(way);
                }
            }
        }
        return new HostTlsSettings(
                settings.tls().withCertificates(List.of()),
                List.copyOf(ways),
                settings.sources().stream()
                        .filter(source -> source.identity() != null)
                        .map(source -> new HostIdentity(source.name(), source.certificates()))
                        .toList());
    }

    /// The operator's routes, and one behind them: mail for our own name, which is that for
    /// postmaster, is kept until somebody says where it goes. It makes nothing ours to take.
    static RouteTable routes(Settings settings) {
        List<Route> routes = new ArrayList<>(settings.routes().routes());
        DomainPattern ours = DomainPattern.parse(settings.hostname().text());
        if (ours != null) {
            routes.add(new Route(ours, new Via.Hold()));
        }
        return new RouteTable(routes);
    }

    private static boolean takesCodes(Settings settings) {
        return settings.listeners().stream().anyMatch(l -> l.codes() != Dial.OFF);
    }

    /// Whether what is sent to an address and a port comes back to a listener of ours.
    private static Predicate<InetSocketAddress> isOurs(Collection<InetSocketAddress> bound) {
        List<InetSocketAddress> listening = List.copyOf(bound);
        return wanted -> {
            InetAddress address = wanted.getAddress();
            for (InetSocketAddress each : listening) {
                InetAddress ours = each.getAddress();
                if (each.getPort() == wanted.getPort()
                        && (ours.equals(address)
                                || (ours.isAnyLocalAddress() && isLocal(address)))) {
                    return true;
                }
            }
            return false;
        };
    }

    private static boolean isLocal(InetAddress address) {
        try {
            return address.isAnyLocalAddress()
                    || NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException _) {
            return false; // the interfaces cannot be read: a loop then ends by its hops
        }
    }

    /// IPv6 first where this host has an address for it.
    private static AddressFamilies families() {
        try {
            Enumeration<NetworkInterface> interfaces = NetworkInterface.getNetworkInterfaces();
            while (interfaces.hasMoreElements()) {
                Enumeration<InetAddress> addresses = interfaces.nextElement().getInetAddresses();
                while (addresses.hasMoreElements()) {
                    InetAddress address = addresses.nextElement();
                    if (address.getAddress().length == 16 && !PrivateAddresses.contains(address)) {
                        return AddressFamilies.IPV6_FIRST;
                    }
                }
            }
        } catch (SocketException _) {
            // the interfaces cannot be read: IPv4 first works everywhere
        }
        return AddressFamilies.IPV4_FIRST;
    }
}
