package org.malote.offload;

import java.nio.file.Path;
import java.util.List;

/// By whom the peers of one listener are believed.
///
/// @param files in PEM, with the certificates of authorities
/// @param hasSystem whether the authorities of the system are believed, too
/// @param acceptsServerUse whether a certificate that is good for servers only is believed. Public
///     authorities no longer make others, and mail servers show the one they have
/// @param revocationLists files of RFC 5280 §5, in PEM or DER
public record PeerTrustSettings(
        List<Path> files, boolean hasSystem, boolean acceptsServerUse, List<Path> revocationLists) {

    public PeerTrustSettings {
        files = List.copyOf(files);
        revocationLists = List.copyOf(revocationLists);
    }
}
