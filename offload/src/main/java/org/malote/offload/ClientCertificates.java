package org.malote.offload;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Whether a server asks its peers for a certificate, and what it makes of one.
///
/// A certificate that is not trusted never fails a handshake: what follows from it is the caller's
/// to decide, who is told the verdict.
///
/// @param demand whether one is asked for
/// @param authorities a PEM file of the certificates that chains must end in; null: none is trusted
/// @param acceptsServerUse whether a certificate that is good for servers only is trusted. Mail
///     servers show the one they have, and public authorities no longer make others
public record ClientCertificates(
        Demand demand, @Nullable Path authorities, boolean acceptsServerUse) {

    /// Nobody is asked.
    public static final ClientCertificates NONE = new ClientCertificates(Demand.NO, null, false);

    /// Whether a certificate is asked for.
    public enum Demand {
        /// No.
        NO,
        /// Yes, and a peer without one is served.
        REQUEST,
        /// Yes, and a peer without one is refused in the handshake.
        REQUIRE
    }
}
