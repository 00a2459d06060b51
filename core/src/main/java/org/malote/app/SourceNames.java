package org.malote.app;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.malote.delivery.PrivateAddresses;
import org.malote.delivery.Source;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.RecordType;
import org.malote.offload.CertificateSettings;
import org.malote.offload.HostCertificate;
import org.malote.offload.TlsProblems;
import org.malote.smtp.IpAddresses;

/// Whether the names of ours are one: that of the certificate, of EHLO and of reverse DNS, which
/// hosts of AMTP compare (draft-weinman-amtp-03 §4.2, §4.3.2, §4.4.2). It blocks its caller.
final class SourceNames {
    /// Ours: longer than any name server is waited for.
    private static final int ANSWER_SECONDS_MAX = 30;

    /// RFC 8601 §3 leaves it open; ours, as for peers.
    private static final int NAMES_MAX = 10;

    private SourceNames() {}

    /// What was compared.
    record Finding(boolean isGood, String sentence) {}

    static List<Finding> of(Source source, Dns dns) {
        List<Finding> findings = new ArrayList<>();
        String name = source.heloName().toLowerCase(Locale.ROOT);
        certificates(source.certificates(), name, findings);
        for (InetAddress address : source.addresses()) {
            findings.add(reverse(address, name, dns));
        }
        return findings;
    }

    /// Whether one of the certificates is for a name.
    static void certificates(
            List<CertificateSettings> certificates, String name, List<Finding> findings) {
        if (certificates.isEmpty()) {
            findings.add(new Finding(false, "there is no certificate, and AMTP needs one"));
        }
        for (CertificateSettings one : certificates) {
            try {
                HostCertificate certificate = HostCertificate.read(one.chain());
                boolean isFor =
                        certificate.names().stream().anyMatch(each -> each.equalsIgnoreCase(name));
                findings.add(
                        new Finding(
                                isFor,
                                "the certificate "
                                        + one.chain()
                                        + (isFor
                                                ? " is for " + name + ", the name in EHLO"
                                                : " is for "
                                                        + String.join(", ", certificate.names())
                                                        + " and not for "
                                                        + name
                                                        + ", the name in EHLO")
                                        + "; it expires at "
                                        + certificate.notAfter()));
            } catch (TlsProblems e) {
                findings.add(new Finding(false, String.join("; ", e.problems())));
            }
        }
    }

    /// RFC 8601 §3, for one name.
    static Finding reverse(InetAddress address, String name, Dns dns) {
        String shown = IpAddresses.format(address);
        if (PrivateAddresses.contains(address)) {
            return new Finding(
                    true, shown + " is a private address: its reverse DNS was not asked");
        }
        List<String> names = new ArrayList<>();
        switch (ask(dns, reverseName(address), RecordType.PTR)) {
            case DnsAnswer.Records(var records, _, _) ->
                    records.stream()
                            .limit(NAMES_MAX)
                            .forEach(
                                    record -> {
                                        if (record instanceof DnsRecord.Pointer(var target)) {
                                            names.add(target);
                                        }
                                    });
            case DnsAnswer.NoData _, DnsAnswer.NoSuchName _ -> {}
            case DnsAnswer.TryLater(var reason) -> {
                return new Finding(
                        false, "the reverse DNS of " + shown + " cannot be asked: " + reason);
            }
        }
        if (names.isEmpty()) {
            return new Finding(false, shown + " has no name in reverse DNS; let it be " + name);
        }
        if (!names.contains(name)) {
            return new Finding(
                    false,
                    shown
                            + " is "
                            + String.join(", ", names)
                            + " in reverse DNS and "
                            + name
                            + " in EHLO: make them one");
        }
        return confirmed(address, shown, name, dns);
    }

    private static Finding confirmed(InetAddress address, String shown, String name, Dns dns) {
        RecordType type = address.getAddress().length == 4 ? RecordType.A : RecordType.AAAA;
        return switch (ask(dns, name, type)) {
            case DnsAnswer.Records(var records, _, _)
                    when records.contains(new DnsRecord.Address(address)) ->
                    new Finding(true, shown + " is " + name + ", and " + name + " is " + shown);
            case DnsAnswer.TryLater(var reason) ->
                    new Finding(false, "the address of " + name + " cannot be asked: " + reason);
            case DnsAnswer.Records _, DnsAnswer.NoData _, DnsAnswer.NoSuchName _ ->
                    new Finding(
                            false,
                            shown
                                    + " is "
                                    + name
                                    + " in reverse DNS, but that name has not this address: add"
                                    + " the record");
        };
    }

    private static DnsAnswer ask(Dns dns, String name, RecordType type) {
        CompletableFuture<DnsAnswer> answer = new CompletableFuture<>();
        dns.lookup(name, type, answer::complete);
        return answer.completeOnTimeout(
                        new DnsAnswer.TryLater("no answer in time"),
                        ANSWER_SECONDS_MAX,
                        TimeUnit.SECONDS)
                .join();
    }

    /// RFC 1035 §3.5, RFC 3596 §2.5.
    static String reverseName(InetAddress address) {
        byte[] octets = address.getAddress();
        StringBuilder name = new StringBuilder();
        for (int i = octets.length - 1; i >= 0; i--) {
            int octet = octets[i] & 0xff;
            if (octets.length == 4) {
                name.append(octet).append('.');
            } else {
                name.append(Character.forDigit(octet & 15, 16)).append('.');
                name.append(Character.forDigit(octet >> 4, 16)).append('.');
            }
        }
        return name.append(octets.length == 4 ? "in-addr.arpa" : "ip6.arpa").toString();
    }
}
