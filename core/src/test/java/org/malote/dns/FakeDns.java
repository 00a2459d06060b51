package org.malote.dns;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.malote.smtp.IpAddresses;

/// Names in a map, answered at once. A name that is nowhere does not exist; one that has records of
/// another type has no data.
public final class FakeDns implements Dns {
    private final Map<String, Map<RecordType, DnsAnswer>> names = new HashMap<>();
    private final List<String> asked = new ArrayList<>();

    /// Says how one question is answered.
    public FakeDns answer(String name, RecordType type, DnsAnswer answer) {
        names.computeIfAbsent(name, _ -> new HashMap<>()).put(type, answer);
        return this;
    }

    /// Gives a name MX records, written as `10 mx1.example`.
    public FakeDns mx(String name, String... records) {
        List<DnsRecord> parsed = new ArrayList<>();
        for (String record : records) {
            int space = record.indexOf(' ');
            parsed.add(
                    new DnsRecord.Mx(
                            Integer.parseInt(record.substring(0, space)),
                            record.substring(space + 1)));
        }
        return answer(name, RecordType.MX, new DnsAnswer.Records(parsed, 300, false));
    }

    /// Gives a name SRV records, written as `10 60 24 mx1.example`: priority, weight, port, target.
    public FakeDns srv(String name, String... records) {
        List<DnsRecord> parsed = new ArrayList<>();
        for (String record : records) {
            String[] words = record.split(" ", -1);
            parsed.add(
                    new DnsRecord.Service(
                            Integer.parseInt(words[0]),
                            Integer.parseInt(words[1]),
                            Integer.parseInt(words[2]),
                            words[3]));
        }
        return answer(name, RecordType.SRV, new DnsAnswer.Records(parsed, 300, false));
    }

    /// Gives a name addresses of both families.
    public FakeDns addresses(String name, String... addresses) {
        List<DnsRecord> v4 = new ArrayList<>();
        List<DnsRecord> v6 = new ArrayList<>();
        for (String address : addresses) {
            (address.contains(":") ? v6 : v4).add(new DnsRecord.Address(address(address)));
        }
        if (!v4.isEmpty()) {
            answer(name, RecordType.A, new DnsAnswer.Records(v4, 300, false));
        }
        if (!v6.isEmpty()) {
            answer(name, RecordType.AAAA, new DnsAnswer.Records(v6, 300, false));
        }
        return this;
    }

    /// What was asked, as `MX isp.example`, in order.
    public List<String> asked() {
        return List.copyOf(asked);
    }

    /// An address from text, without a look-up.
    public static InetAddress address(String text) {
        byte[] octets =
                text.contains(":") ? IpAddresses.parseIpv6(text) : IpAddresses.parseIpv4(text);
        if (octets == null) {
            throw new IllegalArgumentException(text);
        }
        try {
            return InetAddress.getByAddress(octets);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    @Override
    public void lookup(String name, RecordType type, Consumer<DnsAnswer> answered) {
        asked.add(type + " " + name);
        Map<RecordType, DnsAnswer> types = names.get(name);
        answered.accept(
                types == null
                        ? new DnsAnswer.NoSuchName()
                        : types.getOrDefault(type, new DnsAnswer.NoData()));
    }
}
