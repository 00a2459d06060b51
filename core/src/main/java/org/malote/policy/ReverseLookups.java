package org.malote.policy;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.malote.amtp.ReverseDns;
import org.malote.amtp.ReverseFinding;
import org.malote.amtp.ReverseFinding.Forward;
import org.malote.amtp.ReverseNames;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.Idna;
import org.malote.dns.RecordType;
import org.malote.smtp.DomainName;

/// Names of addresses by the DNS, confirmed by the addresses of the names (RFC 8601 §3, `iprev`).
/// IPv6 as IPv4 (draft-weinman-amtp-03 §4.2: equivalent tests apply).
///
/// For any thread. The answers are kept where the DNS keeps them, for their time to live.
public final class ReverseLookups implements ReverseNames {
    /// RFC 8601 §3: so many names are looked at.
    static final int NAMES_MAX = 10;

    /// At one time. Ours: each has one query on its way, which is as many as a [Dns] has by
    /// default; who comes when there are more is told to try later.
    public static final int IN_FLIGHT_MAX = 256;

    /// How long a session waits for all of it. Ours: two look-ups of two tries each, which a path
    /// to the name servers that works needs a fraction of; the peer waits five minutes (RFC 5321
    /// §4.5.3.2).
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Dns dns;
    private final NullMxPolicy.Timer timer;
    private final AtomicInteger inFlight = new AtomicInteger();

    /// @param dns not the one of the deliveries: strangers choose what is asked here
    /// @param timer ends the waiting
    public ReverseLookups(Dns dns, NullMxPolicy.Timer timer) {
        this.dns = dns;
        this.timer = timer;
    }

    /// Look-ups that are on their way now.
    public int inFlight() {
        return inFlight.get();
    }

    @Override
    public void find(InetAddress address, Consumer<ReverseFinding> found) {
        if (inFlight.incrementAndGet() > IN_FLIGHT_MAX) {
            inFlight.decrementAndGet();
            found.accept(
                    ReverseFinding.of(
                            new ReverseDns.TryLater("too many addresses are being looked up")));
            return;
        }
        AtomicBoolean isTold = new AtomicBoolean();
        Consumer<ReverseFinding> last =
                finding -> {
                    inFlight.decrementAndGet();
                    if (isTold.compareAndSet(false, true)) {
                        found.accept(finding);
                    }
                };
        dns.lookup(
                reverseName(address),
                RecordType.PTR,
                answer -> {
                    switch (answer) {
                        case DnsAnswer.Records(var records, _, _) ->
                                confirm(address, names(records), new LinkedHashMap<>(), last);
                        case DnsAnswer.NoData _, DnsAnswer.NoSuchName _ ->
                                last.accept(ReverseFinding.of(new ReverseDns.Nameless()));
                        case DnsAnswer.TryLater(var reason) ->
                                last.accept(ReverseFinding.of(new ReverseDns.TryLater(reason)));
                    }
                });
        if (!isTold.get()) {
            timer.after(
                    PATIENCE,
                    () -> {
                        if (isTold.compareAndSet(false, true)) {
                            found.accept(
                                    ReverseFinding.of(
                                            new ReverseDns.TryLater("no answer came in time")));
                        }
                    });
        }
    }

    /// Those that can be the name of a host, in A-labels.
    private static List<String> names(List<DnsRecord> records) {
        List<String> names = new ArrayList<>();
        for (DnsRecord record : records) {
            if (record instanceof DnsRecord.Pointer(var target) && names.size() < NAMES_MAX) {
                String name = Idna.toAscii(target);
                if (name != null && DomainName.parse(name) != null && !names.contains(name)) {
                    names.add(name);
                }
            }
        }
        return names;
    }

    /// Looks one name up after the other, so that an address with many of them takes no more of the
    /// DNS at a time than one with a single name.
    private void confirm(
            InetAddress address,
            List<String> names,
            Map<String, Forward> forwards,
            Consumer<ReverseFinding> found) {
        if (names.isEmpty()) {
            found.accept(ReverseFinding.of(new ReverseDns.Nameless()));
            return;
        }
        if (forwards.size() == names.size()) {
            found.accept(ReverseFinding.of(names, forwards));
            return;
        }
        String name = names.get(forwards.size());
        dns.lookup(
                name,
                address instanceof Inet4Address ? RecordType.A : RecordType.AAAA,
                answer -> {
                    forwards.put(name, forward(address, answer));
                    confirm(address, names, forwards, found);
                });
    }

    private static Forward forward(InetAddress address, DnsAnswer answer) {
        return switch (answer) {
            case DnsAnswer.Records(var records, _, _) ->
                    records.contains(new DnsRecord.Address(address))
                            ? Forward.CONFIRMED
                            : Forward.ELSEWHERE;
            case DnsAnswer.NoData _, DnsAnswer.NoSuchName _ -> Forward.ELSEWHERE;
            case DnsAnswer.TryLater _ -> Forward.UNKNOWN;
        };
    }

    /// RFC 1035 §3.5, RFC 3596 §2.5.
    static String reverseName(InetAddress address) {
        byte[] octets = address.getAddress();
        StringBuilder name = new StringBuilder(72);
        for (int i = octets.length - 1; i >= 0; i--) {
            int octet = octets[i] & 0xff;
            if (octets.length == 4) {
                name.append(octet).append('.');
            } else {
                name.append(Character.forDigit(octet & 0xf, 16))
                        .append('.')
                        .append(Character.forDigit(octet >> 4, 16))
                        .append('.');
            }
        }
        return name.append(octets.length == 4 ? "in-addr.arpa" : "ip6.arpa").toString();
    }
}
