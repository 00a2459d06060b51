package org.malote.auth;

import org.malote.amtp.HopNetwork;
import org.malote.offload.PeerIdentity;

/// EXTERNAL (RFC 4422 appendix A): the user is who the certificate says, or one of those whose
/// certificate it is.
final class ExternalExchange {
    private ExternalExchange() {}

    record Start(PeerIdentity peer, HopNetwork network) implements Exchange.Listening {
        @Override
        public Exchange.Move on(String response) {
            // RFC 4422 appendix A.1: an authorization identity, without a NUL
            return response.indexOf('\0') >= 0
                    ? new Exchange.Move.Fail(Exchange.Fault.MALFORMED)
                    : new Exchange.Move.Ask(
                            new Claim.Certificate(response, peer, network),
                            new Exchange.Asked(Mechanism.EXTERNAL));
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.EXTERNAL;
        }
    }
}
