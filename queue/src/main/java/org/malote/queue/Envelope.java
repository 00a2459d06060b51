package org.malote.queue;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Who a message is from and for, beside its bytes.
///
/// @param sender the reverse-path; empty is the null reverse-path
/// @param attributes protocol parameters of the whole message, opaque to the queue; kept in order,
///     copied
/// @param recipients at least one
public record Envelope(String sender, Map<String, String> attributes, List<Recipient> recipients) {
    /// Far above the 100 that RFC 5321 §4.5.3.1.8 asks for, and small enough that an envelope with
    /// the longest addresses (RFC 5321 §4.5.3.1.3) fits in one journal record.
    public static final int RECIPIENTS_MAX = 10_000;

    public Envelope {
        attributes = copy(attributes);
        recipients = List.copyOf(recipients);
        if (recipients.isEmpty() || recipients.size() > RECIPIENTS_MAX) {
            throw new IllegalArgumentException(
                    "an envelope has 1 to "
                            + RECIPIENTS_MAX
                            + " recipients, not "
                            + recipients.size());
        }
    }

    static Map<String, String> copy(Map<String, String> attributes) {
        return attributes.isEmpty()
                ? Map.of()
                : Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
    }
}
