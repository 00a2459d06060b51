package org.malote.dns;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/// How names are looked up.
///
/// @param servers the recursive servers in order of liking; empty takes those of
///     `/etc/resolv.conf`
/// @param timeout how long one server has for one answer
/// @param tries how often the list of servers is gone through before a look-up ends
/// @param queriesInFlightMax look-ups that wait for a server at one time
/// @param lookupsWaitingMax callers that wait for an answer at one time; more are told to try later
/// @param cacheOctetsMax what the cache may hold, counted as octets of messages
/// @param ttlMax how long an answer is kept at most, whatever the zone says
/// @param negativeTtlMax the same for an answer that there is nothing
/// @param failureTtl how long a failure is remembered before the servers are asked again
public record DnsSettings(
        List<InetSocketAddress> servers,
        Duration timeout,
        int tries,
        int queriesInFlightMax,
        int lookupsWaitingMax,
        int cacheOctetsMax,
        Duration ttlMax,
        Duration negativeTtlMax,
        Duration failureTtl) {

    public DnsSettings {
        servers = List.copyOf(servers);
        for (InetSocketAddress server : servers) {
            if (server.isUnresolved()) {
                throw new IllegalArgumentException(
                        "a DNS server is given by its address, not as " + server.getHostString());
            }
        }
        if (timeout.toMillis() < 1) {
            throw new IllegalArgumentException("the DNS timeout must be above zero");
        }
        if (tries < 1 || queriesInFlightMax < 1 || lookupsWaitingMax < 1 || cacheOctetsMax < 0) {
            throw new IllegalArgumentException("a limit of DNS must be at least 1");
        }
        if (ttlMax.isNegative() || negativeTtlMax.isNegative() || failureTtl.isNegative()) {
            throw new IllegalArgumentException("a time of DNS must not be negative");
        }
    }

    /// The system's servers and safe limits.
    public static DnsSettings defaults() {
        return new DnsSettings(
                List.of(),
                Duration.ofSeconds(4), // resolv.conf(5) has 5 s; a recursive server gives up first
                2, // resolv.conf(5)
                256, // each holds a socket and a 4 KiB buffer
                16_384, // 32 MX hosts with two address types for 256 domains
                32 << 20, // about 200,000 small answers
                Duration.ofDays(1), // RFC 8767 §4: a cap of days; one bounds an operator's mistake
                Duration.ofHours(3), // RFC 2308 §5: one to three hours
                Duration.ofSeconds(15)); // RFC 2308 §7.1: at most five minutes
    }

    /// The same, where a caller that would have to wait for its turn is told to try later.
    public DnsSettings withoutWaiting() {
        return new DnsSettings(
                servers,
                timeout,
                tries,
                queriesInFlightMax,
                queriesInFlightMax,
                cacheOctetsMax,
                ttlMax,
                negativeTtlMax,
                failureTtl);
    }

    /// The same with other servers.
    public DnsSettings withServers(List<InetSocketAddress> others) {
        return new DnsSettings(
                others,
                timeout,
                tries,
                queriesInFlightMax,
                lookupsWaitingMax,
                cacheOctetsMax,
                ttlMax,
                negativeTtlMax,
                failureTtl);
    }
}
