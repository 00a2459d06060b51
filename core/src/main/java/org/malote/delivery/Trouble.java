package org.malote.delivery;

import java.util.Locale;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Printable;
import org.malote.smtp.Reply;

/// What a host's refusal or silence means: how far it reaches and whether to try again. The one
/// place where this is decided.
final class Trouble {
    private static final EnhancedStatus TOO_MANY_RECIPIENTS = new EnhancedStatus(5, 5, 3);

    /// How a dialogue can end without a reply.
    enum Break {
        /// The host closed or reset the connection.
        LOST,
        /// The host said nothing for too long, or stopped reading.
        TIMED_OUT
    }

    private Trouble() {}

    /// No connection: the host may be down for a while, other hosts may not.
    static Failure unreachable(String host, String cause) {
        return Failure.local(
                FailureScope.HOST, false, "4.4.1", "connect to " + host + ": " + cause);
    }

    /// RFC 5321 §3.1: 554 in place of a 220 is for this connection, and what it holds against us
    /// may
    /// pass; only 521 says that there will never be mail service here (RFC 7504 §3).
    static Failure greeting(String host, Reply reply) {
        return said(FailureScope.HOST, reply.code() == 521, host, "greeting", reply);
    }

    /// Neither EHLO nor HELO, or no LHLO.
    static Failure hello(String host, Reply reply) {
        return said(FailureScope.HOST, reply.isPermanent(), host, "EHLO", reply);
    }

    /// Nothing goes to this host without TLS, and it has none to offer now. RFC 3463 §3.8, X.7.4.
    static Failure insecure(String host) {
        return Failure.local(
                FailureScope.HOST,
                false,
                "4.7.4",
                "TLS is required for " + host + ", which does not offer it");
    }

    /// The host does not accept who we are (draft-weinman-amtp-03 §4.4.2). The operator can cure
    /// that, ours or theirs, so the mail waits. RFC 3463 §3.8, X.7.0.
    static Failure identity(String host, String heloName, Reply reply) {
        return Failure.local(
                FailureScope.HOST,
                false,
                "4.7.0",
                host
                        + " does not accept "
                        + heloName
                        + " with our certificate and address: "
                        + reply.oneLine()
                        + " (malote amtp probe tells more)");
    }

    /// The same by an alert of TLS.
    static Failure certificate(String host, String cause) {
        return Failure.local(
                FailureScope.HOST,
                false,
                "4.7.0",
                host + " does not accept our certificate: " + cause);
    }

    /// AMTP needs a certificate of ours, and the source has none (draft-weinman-amtp-03 §4.2).
    static Failure noCertificate(String source) {
        return Failure.local(
                FailureScope.HOST,
                false,
                "4.7.0",
                "AMTP needs a source with a certificate, and "
                        + source
                        + " has none: name one with [amtp] source");
    }

    /// draft-weinman-amtp-03 §4.4.2: the host says that it takes no such mail.
    static Failure denied(String host, String code) {
        return unsendable("5.7.1", host + " takes no mail of the policy code " + code);
    }

    /// draft-weinman-amtp-03 §4.4.3: there must be a code, and nobody but the sender can say which.
    static Failure noCode() {
        return unsendable(
                "5.7.1",
                "the destination takes mail with a Mail Policy Code alone (AMTP), and this message"
                        + " has none");
    }

    /// draft-weinman-amtp-03 §5.1: never from one public connection to another.
    static Failure publicRelay() {
        return unsendable(
                "5.7.1",
                "the message came over a public AMTP connection, and may not leave over another");
    }

    /// The source of ours has no address that reaches any address of the destination. The operator
    /// can cure it, so the mail waits. RFC 3463 §3.5, X.4.4.
    static Failure noSource(String source, String destination) {
        return Failure.local(
                FailureScope.HOST,
                false,
                "4.4.4",
                "the source "
                        + source
                        + " has no address of the kinds that the hosts of "
                        + destination
                        + " have");
    }

    /// It refused STARTTLS, without which nothing goes to it. That may pass.
    static Failure startTls(String host, Reply reply) {
        return said(FailureScope.HOST, false, host, "STARTTLS, which is required", reply);
    }

    /// The handshake failed. Another connection without TLS may do, where that is allowed.
    static Failure handshake(String host, String cause) {
        return Failure.local(
                FailureScope.SESSION,
                false,
                "4.7.5",
                "TLS handshake with " + host + " failed: " + cause);
    }

    /// Octets came in the clear behind the 220 for STARTTLS: somebody wants them taken for what the
    /// host says inside TLS.
    static Failure injection(String host) {
        return Failure.local(
                FailureScope.SESSION,
                false,
                "4.7.0",
                host + " sent data in the clear behind its reply to STARTTLS");
    }

    /// The sender, the message's size or its kind.
    static Failure mail(String host, Reply reply) {
        return said(FailureScope.MESSAGE, reply.isPermanent(), host, "MAIL FROM", reply);
    }

    /// RFC 5321 §4.5.3.1.10: a 552 for too many recipients is a 452 of old.
    static Failure recipient(String host, Reply reply) {
        boolean tooMany =
                reply.code() == 552
                        && (reply.status() == null || reply.status().equals(TOO_MANY_RECIPIENTS));
        return said(
                FailureScope.RECIPIENT, reply.isPermanent() && !tooMany, host, "RCPT TO", reply);
    }

    /// Whether a recipient was refused only because there were enough already: then the rest go in
    /// another transaction (RFC 5321 §4.5.3.1.10).
    static boolean isTooManyRecipients(Failure failure) {
        int code = failure.reply().code();
        return failure.scope() == FailureScope.RECIPIENT
                && !failure.isPermanent()
                && (code == 452 || code == 552);
    }

    /// DATA, or a chunk before the last.
    static Failure data(String host, Reply reply) {
        return said(FailureScope.MESSAGE, reply.isPermanent(), host, "DATA", reply);
    }

    /// The end of the message.
    ///
    /// @param scope the recipient over LMTP, where each has its own reply
    static Failure end(FailureScope scope, String host, Reply reply) {
        return said(scope, reply.isPermanent(), host, "end of DATA", reply);
    }

    /// RFC 5321 §3.8: 421 may come at any time, and the connection ends with it.
    static Failure leaving(String host, String stage, Reply reply) {
        return said(FailureScope.SESSION, false, host, stage, reply);
    }

    /// A reply that makes no sense there: who knows what the next one would mean.
    static Failure unexpected(String host, String stage, Reply reply) {
        return said(FailureScope.SESSION, false, host, stage, reply);
    }

    /// What came is no reply.
    static Failure garbled(String host, String stage, String detail) {
        return Failure.local(
                FailureScope.SESSION, false, "4.5.0", host + ": " + detail + " (" + stage + ")");
    }

    /// RFC 5321 §4.5.3.2, RFC 3463 §3.5.
    static Failure broken(String host, String stage, Break cause) {
        return switch (cause) {
            case LOST ->
                    Failure.local(
                            FailureScope.SESSION,
                            false,
                            "4.4.2",
                            "lost connection with " + host + " (" + stage + ")");
            case TIMED_OUT ->
                    Failure.local(
                            FailureScope.SESSION,
                            false,
                            "4.4.2",
                            "conversation with " + host + " timed out (" + stage + ")");
        };
    }

    /// The host cannot take a message of this kind; a better host may.
    static Failure unsupported(String status, String sentence) {
        return Failure.local(FailureScope.HOST, true, status, sentence);
    }

    /// The message itself cannot be sent to anybody.
    static Failure unsendable(String status, String sentence) {
        return Failure.local(FailureScope.MESSAGE, true, status, sentence);
    }

    /// Something of ours failed: the disk, memory, a bug. It says nothing about the host.
    static Failure ours(String sentence) {
        return Failure.local(FailureScope.MESSAGE, false, "4.3.0", sentence);
    }

    private static Failure said(
            FailureScope scope, boolean isPermanent, String host, String stage, Reply reply) {
        String detail =
                String.format(
                        Locale.ROOT,
                        "host %s said: %s (in reply to %s)",
                        host,
                        Printable.escape(reply.oneLine()),
                        stage);
        return new Failure(scope, isPermanent, reply, detail, host);
    }
}
