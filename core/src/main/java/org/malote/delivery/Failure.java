package org.malote.delivery;

import org.jspecify.annotations.Nullable;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Reply;

/// Why a recipient did not get a message.
///
/// @param scope how far the failure reaches
/// @param isPermanent whether trying again is useless. A message that was given up for its age is a
///     permanent failure with a 4xx reply
/// @param reply the host's reply, or ours in its place when no host replied
/// @param detail one sentence for the log, with what a host said in the words it used: escape it
///     before it is shown
/// @param host the host whose reply it is, as `mx1.isp.example[192.0.2.1]:25`; null when the reply
///     is ours
public record Failure(
        FailureScope scope,
        boolean isPermanent,
        Reply reply,
        String detail,
        @Nullable String host) {

    /// A failure that no host spoke of.
    public static Failure local(
            FailureScope scope, boolean isPermanent, String status, String sentence) {
        return new Failure(
                scope,
                isPermanent,
                Reply.of(isPermanent ? 554 : 451, status, sentence),
                sentence,
                null);
    }

    /// The same, of a host that could not be talked to at all, where one of a session would be of
    /// its dialogue.
    Failure ofHost() {
        return scope == FailureScope.SESSION
                ? new Failure(FailureScope.HOST, isPermanent, reply, detail, host)
                : this;
    }

    /// The enhanced status: the reply's own, or the class of its code (RFC 3463 §2) when it has
    /// none. A reply outside 4xx and 5xx counts as a protocol error (RFC 3463 §3.6, X.5.0). A 5xx
    /// that we try again counts as 4, so that no log line reads deferred and permanent at once.
    public EnhancedStatus status() {
        EnhancedStatus status = reply.status();
        boolean isRefusal = reply.isTransient() || reply.isPermanent();
        if (status == null || !isRefusal) {
            return new EnhancedStatus(isPermanent ? 5 : 4, isRefusal ? 0 : 5, 0);
        }
        return isPermanent ? status : new EnhancedStatus(4, status.subject(), status.detail());
    }
}
