package org.malote.amtp;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The `MPC:` header: how a code goes on where no parameter can carry it.
public final class CodeHeader {
    private CodeHeader() {}

    /// The field for a message of the queue, to stand before all others at final delivery and
    /// before a relay by another protocol (draft-weinman-amtp-03 §4.4.4). Where it was accepted the
    /// message was seen to have none.
    ///
    /// @param attributes of its envelope
    /// @param lineEnd behind the field
    /// @return the field in ASCII; empty when the message has no code
    public static byte[] of(Map<String, String> attributes, String lineEnd) {
        return of(MailPolicyCode.ofAttributes(attributes), lineEnd);
    }

    /// The same for a code that is known.
    ///
    /// @return the field in ASCII; empty for null
    public static byte[] of(@Nullable MailPolicyCode code, String lineEnd) {
        return code == null
                ? new byte[0]
                : ("MPC: " + code.text() + lineEnd).getBytes(StandardCharsets.US_ASCII);
    }
}
