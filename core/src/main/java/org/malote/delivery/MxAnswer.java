package org.malote.delivery;

import java.util.List;

/// Where the mail of a domain goes (RFC 5321 §5.1).
public sealed interface MxAnswer {
    /// To these hosts, in the order to try.
    record Hosts(List<MxHost> hosts) implements MxAnswer {
        public Hosts {
            hosts = List.copyOf(hosts);
            if (hosts.isEmpty()) {
                throw new IllegalArgumentException("an answer without hosts is another answer");
            }
        }
    }

    /// Nowhere, and it says so (RFC 7505 §3): permanent, 5.1.10.
    record NullMx() implements MxAnswer {}

    /// The domain does not exist: permanent, 5.1.2.
    record NoSuchDomain() implements MxAnswer {}

    /// The domain exists, and no host that it names has an address: permanent, 5.4.4.
    record NoAddress() implements MxAnswer {}

    /// To us, who have no other place for it (RFC 5321 §5.1): permanent, 5.4.6.
    record LoopToUs() implements MxAnswer {}

    /// To addresses only that mail must not be sent to: permanent, 5.4.4.
    record Forbidden() implements MxAnswer {}

    /// Nobody could say: temporary, 4.4.3.
    ///
    /// @param reason one sentence for the log
    record TryLater(String reason) implements MxAnswer {}
}
