package org.malote.delivery;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.offload.HostPolicy;

/// What is asked of the TLS of hosts. Authorities and names are kept where hosts are verified, so
/// that equal policies are equal.
///
/// @param authorities a PEM file of the authorities that hosts are verified by; null for those of
///     the system
/// @param names of which a host that is verified must have one, in lower case and A-labels; empty
///     for the one that the MX record, the route or the address literal gives
public record TlsPolicy(TlsUse use, @Nullable Path authorities, List<String> names) {
    /// TLS where it can be had.
    public static final TlsPolicy OPPORTUNISTIC =
            new TlsPolicy(TlsUse.OPPORTUNISTIC, null, List.of());

    /// As AMTP has it: by the authorities of the system, for the name of the hop.
    public static final TlsPolicy AMTP = new TlsPolicy(TlsUse.AMTP, null, List.of());

    public TlsPolicy {
        boolean isVerified = use == TlsUse.VERIFIED || use == TlsUse.AMTP;
        authorities = isVerified ? authorities : null;
        names = isVerified ? List.copyOf(names) : List.of();
    }

    /// What is asked of the handshake; null where there is none.
    public @Nullable HostPolicy hostPolicy() {
        return switch (use) {
            case NONE -> null;
            case OPPORTUNISTIC -> HostPolicy.OPPORTUNISTIC;
            case REQUIRED -> HostPolicy.ENCRYPTED;
            case VERIFIED -> HostPolicy.verified(authorities, names);
            case AMTP ->
                    names.isEmpty()
                            ? HostPolicy.verifiedButForName(authorities)
                            : HostPolicy.verified(authorities, names);
        };
    }
}
