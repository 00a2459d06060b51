package org.malote.smtp;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The parameters of MAIL that this server knows.
///
/// @param sizeOctets `SIZE=` (RFC 1870), 0 when not given
/// @param body `BODY=`
/// @param isUtf8 `SMTPUTF8` (RFC 6531)
/// @param returnContent `RET=` (RFC 3461 §4.3), null when not given
/// @param envelopeId `ENVID=` decoded from xtext (RFC 3461 §4.4), printable ASCII, null when not
/// given
/// @param statedCode `MPC=` or `XMPC=`, null when not given
/// @param isAuthStated whether `AUTH=` was given (RFC 4954 §5). Who it names is not kept: nobody is
///     trusted to say that, so it counts as `AUTH=<>`
public record MailParameters(
        long sizeOctets,
        BodyType body,
        boolean isUtf8,
        @Nullable ReturnContent returnContent,
        @Nullable String envelopeId,
        @Nullable StatedCode statedCode,
        boolean isAuthStated) {
    /// MAIL without parameters.
    public static final MailParameters NONE =
            new MailParameters(0, BodyType.SEVEN_BIT, false, null, null);

    private static final String BODY = "body";
    private static final String UTF8 = "smtputf8";
    private static final String RET = "ret";
    private static final String ENVID = "envid";

    /// MAIL without a Mail Policy Code.
    public MailParameters(
            long sizeOctets,
            BodyType body,
            boolean isUtf8,
            @Nullable ReturnContent returnContent,
            @Nullable String envelopeId) {
        this(sizeOctets, body, isUtf8, returnContent, envelopeId, null, false);
    }

    /// The same with another size.
    public MailParameters withSize(long octets) {
        return new MailParameters(
                octets, body, isUtf8, returnContent, envelopeId, statedCode, isAuthStated);
    }

    /// A Mail Policy Code as the peer wrote it: any text of a command line.
    ///
    /// @param keyword [Extension#MPC] or [Extension#XMPC]
    public record StatedCode(Extension keyword, String value) {}

    /// What a failure report returns of the message (RFC 3461 §4.3).
    public enum ReturnContent {
        /// `FULL`: the whole message.
        FULL,
        /// `HDRS`: its header section.
        HDRS
    }

    /// The parameters as the queue keeps them beside the envelope. The size is not kept: the queue
    /// knows it. Nor is the policy code: whoever has read it keeps what it means.
    public Map<String, String> toAttributes() {
        Map<String, String> attributes = new LinkedHashMap<>();
        if (body != BodyType.SEVEN_BIT) {
            attributes.put(BODY, body.name());
        }
        if (isUtf8) {
            attributes.put(UTF8, "true");
        }
        if (returnContent != null) {
            attributes.put(RET, returnContent.name());
        }
        if (envelopeId != null) {
            attributes.put(ENVID, envelopeId);
        }
        return attributes;
    }

    /// The inverse of [#toAttributes]. Unknown attributes are left alone.
    ///
    /// @param sizeOctets the message's size in the queue
    public static MailParameters fromAttributes(Map<String, String> attributes, long sizeOctets) {
        String body = attributes.get(BODY);
        String ret = attributes.get(RET);
        return new MailParameters(
                sizeOctets,
                body == null ? BodyType.SEVEN_BIT : BodyType.valueOf(body),
                attributes.containsKey(UTF8),
                ret == null ? null : ReturnContent.valueOf(ret),
                attributes.get(ENVID));
    }
}
