package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.malote.delivery.Source;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.FakeDns;
import org.malote.dns.RecordType;

/// The names of ours, as `malote check` and `malote amtp probe` compare them.
final class SourceNamesTest {
    private static final String REVERSE = "7.2.0.192.in-addr.arpa";

    private final FakeDns dns = new FakeDns();

    private List<String> findings() {
        Source source =
                new Source(
                        "out1",
                        List.of(InetAddress.ofLiteral("192.0.2.7")),
                        "out1.isp.example",
                        List.of());
        return SourceNames.of(source, dns).stream()
                .map(one -> (one.isGood() ? "ok " : "FAILS ") + one.sentence())
                .toList();
    }

    private void pointer(String name) {
        dns.answer(
                REVERSE,
                RecordType.PTR,
                new DnsAnswer.Records(List.of(new DnsRecord.Pointer(name)), 60, false));
    }

    @Test
    void saysOfEachWhatIsMissing() {
        String certificate = "FAILS there is no certificate, and AMTP needs one";
        assertEquals(
                List.of(
                        certificate,
                        "FAILS 192.0.2.7 has no name in reverse DNS; let it be out1.isp.example"),
                findings());
        pointer("host7.isp.example");
        assertEquals(
                "FAILS 192.0.2.7 is host7.isp.example in reverse DNS and out1.isp.example in EHLO:"
                        + " make them one",
                findings().getLast());
        pointer("out1.isp.example");
        assertEquals(
                "FAILS 192.0.2.7 is out1.isp.example in reverse DNS, but that name has not this"
                        + " address: add the record",
                findings().getLast());
        dns.addresses("out1.isp.example", "192.0.2.6", "192.0.2.7");
        assertEquals(
                List.of(
                        certificate,
                        "ok 192.0.2.7 is out1.isp.example, and out1.isp.example is 192.0.2.7"),
                findings());
        dns.answer(REVERSE, RecordType.PTR, new DnsAnswer.TryLater("SERVFAIL"));
        assertEquals(
                "FAILS the reverse DNS of 192.0.2.7 cannot be asked: SERVFAIL",
                findings().getLast());
    }

    /// RFC 3596 §2.5.
    @Test
    void anAddressOfIpv6IsReversedByNibbles() {
        assertEquals(
                "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                SourceNames.reverseName(InetAddress.ofLiteral("2001:db8::7")));
    }
}
