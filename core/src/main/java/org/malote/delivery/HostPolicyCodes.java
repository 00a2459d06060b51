package org.malote.delivery;

import org.malote.amtp.PolicyMask;
import org.malote.smtp.Reply;

/// What a host says of Mail Policy Codes, for who asks it without sending mail.
public final class HostPolicyCodes {
    private HostPolicyCodes() {}

    /// The codes that a host takes (draft-weinman-amtp-03 §4.4.2).
    ///
    /// @param reply to EHLO
    public static PolicyMask of(Reply reply) {
        return HostFacts.parse(reply).codes();
    }
}
