package org.malote.delivery;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.offload.CertificateSettings;

/// Who we are to the hosts that get mail from an address of ours: the address, the name in EHLO and
/// the certificate belong together.
///
/// @param name by which `[[site]]` and `[delivery]` choose it
/// @param addresses at least one, of each family one at most
/// @param heloName our name in EHLO (RFC 5321 §4.1.1.1)
/// @param certificates shown to hosts that ask for one; none to show none
public record Source(
        String name,
        List<InetAddress> addresses,
        String heloName,
        List<CertificateSettings> certificates) {
    public Source {
        addresses = List.copyOf(addresses);
        certificates = List.copyOf(certificates);
        if (addresses.isEmpty() || heloName.isEmpty()) {
            throw new IllegalArgumentException("a source has an address and a name: " + name);
        }
    }

    /// Its address of the family of a host's.
    ///
    /// @return null when it has none
    public @Nullable InetAddress towards(InetAddress host) {
        for (InetAddress address : addresses) {
            if (address.getAddress().length == host.getAddress().length) {
                return address;
            }
        }
        return null;
    }

    /// The name of its identity in TLS; null when it has no certificate.
    public @Nullable String identity() {
        return certificates.isEmpty() ? null : name;
    }
}
