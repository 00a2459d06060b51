package org.malote.amtp;

import java.util.List;
import java.util.Map;

/// What was found of the names of an address: as a whole, and name by name.
///
/// @param summary for the log and for what is written into messages
/// @param names that the address has, in lower case and A-labels, without the final dot
public record ReverseFinding(ReverseDns summary, Map<String, Forward> names) {
    /// Nothing was asked.
    public static final ReverseFinding UNASKED = of(new ReverseDns.Unasked());

    /// What a name says of the address in its turn.
    public enum Forward {
        /// It has the address.
        CONFIRMED,
        /// It has others, or none.
        ELSEWHERE,
        /// Nobody could say.
        UNKNOWN
    }

    public ReverseFinding {
        names = Map.copyOf(names);
    }

    /// A finding without names.
    public static ReverseFinding of(ReverseDns summary) {
        return new ReverseFinding(summary, Map.of());
    }

    /// What the names come to (RFC 8601 §3): one that is confirmed is a pass; without one, a name
    /// of which nobody could say anything leaves it open.
    ///
    /// @param names in the order of the answer, at least one
    public static ReverseFinding of(List<String> names, Map<String, Forward> forwards) {
        List<String> confirmed =
                names.stream().filter(name -> forwards.get(name) == Forward.CONFIRMED).toList();
        if (!confirmed.isEmpty()) {
            return new ReverseFinding(new ReverseDns.Confirmed(confirmed), forwards);
        }
        return new ReverseFinding(
                forwards.containsValue(Forward.UNKNOWN)
                        ? new ReverseDns.TryLater("the names of the address could not be looked up")
                        : new ReverseDns.Unconfirmed(names),
                forwards);
    }
}
