package org.malote.offload;

import java.util.List;

/// What an operator chooses about TLS with hosts that we connect to.
///
/// @param tls engine, provider, limits of keys, lifetime of sessions, time limit of handshakes; its
///     certificates are a server's and are not looked at
/// @param ways those that will be asked for
/// @param identities those that the ways name, each with a name of its own. More of them do no
/// harm:
///     their files are read, too
public record HostTlsSettings(TlsSettings tls, List<HostWay> ways, List<HostIdentity> identities) {
    public HostTlsSettings {
        ways = List.copyOf(ways);
        identities = List.copyOf(identities);
    }
}
