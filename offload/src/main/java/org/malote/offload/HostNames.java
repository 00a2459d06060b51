package org.malote.offload;

import io.netty.util.NetUtil;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/// Whether a certificate is for a host, by RFC 9525 §6: of its subject alternative names alone,
/// never by its common name.
final class HostNames {
    /// RFC 5280 §4.2.1.6: the tag of an iPAddress.
    private static final int IP_ADDRESS = 7;

    private static final String ANY_LABEL = "*.";

    private HostNames() {}

    /// @param expected a DNS name in A-labels, or an address; a certificate for one of them will do
    static boolean isFor(X509Certificate certificate, List<String> expected) {
        List<String> names = ServedCertificate.dnsNames(certificate);
        for (String one : expected) {
            byte[] address = NetUtil.createByteArrayFromIpAddressString(one);
            boolean isFor =
                    address == null
                            ? names.stream().anyMatch(name -> matches(name, one))
                            : addresses(certificate).stream()
                                    .anyMatch(own -> Arrays.equals(own, address));
            if (isFor) {
                return true;
            }
        }
        return false;
    }

    /// RFC 9525 §6.3: letters in any case; a `*` stands for the whole of the left-most label, and
    /// for one label. Ours: not for one right below a top-level domain.
    static boolean matches(String presented, String expected) {
        String own = withoutDot(presented.toLowerCase(Locale.ROOT));
        String wanted = withoutDot(expected.toLowerCase(Locale.ROOT));
        if (!own.startsWith(ANY_LABEL)) {
            return own.equals(wanted);
        }
        String above = own.substring(1);
        int dot = wanted.indexOf('.');
        return dot > 0 && above.indexOf('.', 1) > 0 && wanted.substring(dot).equals(above);
    }

    private static String withoutDot(String name) {
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    /// What it is for, for the operator: DNS names and addresses.
    static List<String> shown(X509Certificate certificate) {
        List<String> shown = new ArrayList<>(ServedCertificate.dnsNames(certificate));
        for (byte[] address : addresses(certificate)) {
            shown.add(NetUtil.bytesToIpAddress(address));
        }
        return shown;
    }

    private static List<byte[]> addresses(X509Certificate certificate) {
        List<byte[]> addresses = new ArrayList<>();
        try {
            Collection<List<?>> all = certificate.getSubjectAlternativeNames();
            if (all != null) {
                for (List<?> name : all) {
                    if (name.get(0) instanceof Integer tag
                            && tag == IP_ADDRESS
                            && name.get(1) instanceof String text) {
                        byte[] address = NetUtil.createByteArrayFromIpAddressString(text);
                        if (address != null) {
                            addresses.add(address);
                        }
                    }
                }
            }
        } catch (CertificateParsingException _) {
            // A damaged extension means no names.
        }
        return addresses;
    }
}
