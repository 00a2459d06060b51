package org.malote.delivery;

import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;

/// `[amtp]` of the configuration, as far as it is about hosts.
///
/// @param quitsOnDeny whether a message whose code a host denies ends the session, as
///     draft-weinman-amtp-03 §4.4.2 asks; else it is only kept back
/// @param codeForUnknown what a message without a code is said to be; null: it is not sent
/// @param isStrictRelay whether what came over a public connection of AMTP leaves over private ones
///     alone (draft-weinman-amtp-03 §5.1); else it may leave over SMTP, and still not over AMTP
public record AmtpSending(
        boolean quitsOnDeny, @Nullable MailPolicyCode codeForUnknown, boolean isStrictRelay) {
    /// Nothing is invented, and nothing relayed.
    public static final AmtpSending STANDARD = new AmtpSending(false, null, true);
}
