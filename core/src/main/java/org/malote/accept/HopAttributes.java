package org.malote.accept;

import java.util.LinkedHashMap;
import java.util.Map;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.ReverseDns;
import org.malote.amtp.TrustLevel;
import org.malote.smtp.Printable;

/// What was found of a peer, as it is kept with the envelope: for the log, and for an operator who
/// has to know whom to complain to (draft-weinman-amtp-03 §2). Values are printable ASCII, and cut
/// at [Printable#CHARACTERS_MAX].
public final class HopAttributes {
    /// All names begin so.
    private static final String PREFIX = "amtp.";

    private HopAttributes() {}

    /// Puts them in. Nothing, for a peer of which nothing was asked.
    static void put(Map<String, String> attributes, HopIdentity identity, TrustLevel level) {
        if (identity.equals(HopIdentity.UNKNOWN)) {
            return;
        }
        put(attributes, "network", identity.network().word());
        put(attributes, "operator", identity.operator());
        put(attributes, "issuer", identity.issuer());
        put(attributes, "verdict", identity.verdict());
        put(attributes, "reason", identity.fault());
        put(attributes, "reverse", text(identity.reverse()));
        put(attributes, "trust", String.valueOf(level.number()));
    }

    private static void put(Map<String, String> attributes, String name, String value) {
        if (!value.isEmpty()) {
            attributes.put(PREFIX + name, Printable.toAscii(value));
        }
    }

    /// The results of RFC 8601 §2.7.3, each with what was found.
    private static String text(ReverseDns reverse) {
        return switch (reverse) {
            case ReverseDns.Unasked _ -> "";
            case ReverseDns.Confirmed(var names) -> "pass " + String.join(" ", names);
            case ReverseDns.Unconfirmed(var names) -> "fail " + String.join(" ", names);
            case ReverseDns.Nameless _ -> "permerror";
            case ReverseDns.TryLater(var reason) -> "temperror " + reason;
        };
    }

    /// Those of an envelope, without the beginning that all have, in the order in which they were
    /// put in.
    public static Map<String, String> of(Map<String, String> attributes) {
        Map<String, String> found = new LinkedHashMap<>();
        attributes.forEach(
                (name, value) -> {
                    if (name.startsWith(PREFIX)) {
                        found.put(name.substring(PREFIX.length()), value);
                    }
                });
        return found;
    }
}
