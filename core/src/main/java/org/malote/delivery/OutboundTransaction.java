package org.malote.delivery;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;
import org.malote.smtp.Ascii;
import org.malote.smtp.BodyType;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Printable;
import org.malote.smtp.RecipientParameters;

/// One message on its way to some recipients at one host.
///
/// @param sender the reverse-path as it stands between angle brackets; empty for the null one
/// @param parameters those of MAIL, with the size of the message
/// @param code its Mail Policy Code, for a host that is told it by MAIL; null when it has none
/// @param recipients at least one
record OutboundTransaction(
        String sender,
        MailParameters parameters,
        @Nullable MailPolicyCode code,
        List<To> recipients) {

    /// One recipient.
    ///
    /// @param index its place in the envelope
    /// @param address the forward-path as it stands between angle brackets
    record To(int index, String address, RecipientParameters parameters) {}

    OutboundTransaction {
        recipients = List.copyOf(recipients);
        if (recipients.isEmpty()) {
            throw new IllegalArgumentException("a transaction has at least one recipient");
        }
        requireOneLine(sender);
        for (To to : recipients) {
            requireOneLine(to.address());
        }
    }

    /// Octets of the message as it is in the queue.
    long octets() {
        return parameters.sizeOctets();
    }

    boolean isBinary() {
        return parameters.body() == BodyType.BINARY_MIME;
    }

    /// RFC 6531 §3.1: whether the host must speak SMTPUTF8.
    boolean needsUtf8() {
        if (parameters.isUtf8() || !Ascii.isAscii(sender)) {
            return true;
        }
        for (To to : recipients) {
            if (!Ascii.isAscii(to.address())) {
                return true;
            }
        }
        return false;
    }

    /// The last guard before the wire: an address with a line end in it would be a command of its
    /// own.
    private static void requireOneLine(String address) {
        for (int i = 0; i < address.length(); i++) {
            if (Ascii.isControl(address.charAt(i))) {
                throw new IllegalArgumentException(
                        "an address has no controls: " + Printable.escape(address));
            }
        }
    }
}
