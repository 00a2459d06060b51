package org.malote.dns;

import java.util.List;

/// How a look-up ended.
public sealed interface DnsAnswer {
    /// There are records.
    ///
    /// @param records at least one, all of the type that was asked for
    /// @param ttlSeconds how long they may be kept, over the whole chain of aliases
    /// @param isAuthentic whether a validating server on this host vouches for them (RFC 6840
    ///     §5.7)
    record Records(List<DnsRecord> records, long ttlSeconds, boolean isAuthentic)
            implements DnsAnswer {
        public Records {
            records = List.copyOf(records);
            if (records.isEmpty()) {
                throw new IllegalArgumentException("an answer without records is NoData");
            }
        }
    }

    /// The name exists and has no record of this type (RFC 2308 §2.2).
    record NoData() implements DnsAnswer {}

    /// The name does not exist (RFC 2308 §2.1), or could not exist.
    record NoSuchName() implements DnsAnswer {}

    /// Nobody could say: a time-out, SERVFAIL, a refusal, nonsense, or our own limits. Never a
    /// reason to give up on mail.
    ///
    /// @param reason one sentence for the log
    record TryLater(String reason) implements DnsAnswer {}
}
