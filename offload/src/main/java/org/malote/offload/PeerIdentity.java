package org.malote.offload;

import java.util.List;

/// Who a peer is, by the certificate that it showed. A resumed session has that of the session that
/// it resumes, judged anew.
public sealed interface PeerIdentity {

    /// It showed no certificate, or none was asked for.
    record Unknown() implements PeerIdentity {}

    /// It showed a certificate whose chain holds.
    ///
    /// @param names the DNS names of the leaf, as they are there
    /// @param subject of the leaf, RFC 4514 form
    record Trusted(List<String> names, String subject) implements PeerIdentity {
        public Trusted {
            names = List.copyOf(names);
        }
    }

    /// It showed one, and has its key, but the chain does not hold.
    ///
    /// @param names that the leaf claims
    /// @param reason for the operator
    record Untrusted(List<String> names, String reason) implements PeerIdentity {
        public Untrusted {
            names = List.copyOf(names);
        }
    }
}
