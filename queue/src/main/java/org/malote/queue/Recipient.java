package org.malote.queue;

import java.util.Map;

/// One recipient of a message.
///
/// @param address the forward-path, opaque to the queue
/// @param destination the name of the lane that the recipient waits in: a domain in lower case, or
///     whatever the owner groups attempts by; opaque to the queue
/// @param attributes protocol parameters of this recipient, opaque to the queue; kept in order,
///     copied
public record Recipient(String address, String destination, Map<String, String> attributes) {
    public Recipient {
        attributes = Envelope.copy(attributes);
    }
}
