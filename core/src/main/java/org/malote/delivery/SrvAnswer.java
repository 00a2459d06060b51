package org.malote.delivery;

import java.util.List;

/// Where the mail of a domain goes over AMTP (draft-weinman-amtp-03 §4.3.1).
public sealed interface SrvAnswer {
    /// To these hosts, in the order to try.
    ///
    /// @param ignored a sentence for each record that is no use, for the operator
    record Hosts(List<SrvHost> hosts, List<String> ignored) implements SrvAnswer {
        public Hosts {
            hosts = List.copyOf(hosts);
            ignored = List.copyOf(ignored);
            if (hosts.isEmpty()) {
                throw new IllegalArgumentException("an answer without hosts is another answer");
            }
        }
    }

    /// The domain says nothing of AMTP: no such record.
    record None() implements SrvAnswer {}

    /// The domain says that it takes no AMTP: the target `.` (RFC 2782).
    record Refuses() implements SrvAnswer {}

    /// There are records, and none of them leads to an address.
    ///
    /// @param reasons a sentence for each record that is no use
    record NoAddress(List<String> reasons) implements SrvAnswer {
        public NoAddress {
            reasons = List.copyOf(reasons);
        }
    }

    /// To us, who have no other place for it.
    record LoopToUs() implements SrvAnswer {}

    /// To addresses only that mail must not be sent to.
    record Forbidden() implements SrvAnswer {}

    /// Nobody could say.
    ///
    /// @param reason one sentence for the log
    record TryLater(String reason) implements SrvAnswer {}
}
