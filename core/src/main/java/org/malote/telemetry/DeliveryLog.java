package org.malote.telemetry;

import org.jspecify.annotations.Nullable;
import org.malote.queue.MessageId;
import org.malote.smtp.Printable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/// The log of what became of accepted mail: one line per recipient and attempt, in the shape that
/// mail administrators know from Postfix. Whatever a host sent is escaped here.
public final class DeliveryLog {
    private static final Logger LOG = LoggerFactory.getLogger("malote.delivery");

    /// What an attempt meant for a recipient.
    public enum Status {
        /// The next host, or the mailbox, has it.
        SENT("sent"),
        /// It stays in the queue and is tried again.
        DEFERRED("deferred"),
        /// It failed for good.
        BOUNCED("bounced"),
        /// Its route keeps it until it is released.
        HELD("held");

        private final String word;

        Status(String word) {
            this.word = word;
        }

        /// As the log and the meters spell it.
        public String word() {
            return word;
        }
    }

    /// An attempt ended for one recipient.
    ///
    /// @param relay where it was tried, as `mx1.isp.example[192.0.2.1]:25` or `maildir`; `none`
    /// when no host was reached
    /// @param delayMillis since the message was accepted
    /// @param tls what secured the connection; null where there was none
    /// @param dsn the enhanced status, such as `2.0.0`
    /// @param reply the host's reply or our own sentence
    public void attempt(
            MessageId queue,
            String recipient,
            String relay,
            long delayMillis,
            @Nullable String tls,
            String dsn,
            Status status,
            String reply) {
        LoggingEventBuilder line =
                LOG.atInfo()
                        .addKeyValue("queue", queue.toString())
                        .addKeyValue("to", Printable.escape(recipient))
                        .addKeyValue("relay", Printable.escape(relay))
                        .addKeyValue("delayMillis", delayMillis);
        if (tls != null) {
            line = line.addKeyValue("tls", tls);
        }
        line.addKeyValue("dsn", Printable.escape(dsn))
                .addKeyValue("status", status.word())
                .addKeyValue("reply", Printable.escape(reply))
                .log("attempt");
    }

    /// A connection to a host is ready for mail.
    ///
    /// @param tls the policy and what the handshake agreed on; `none` in the clear
    /// @param source the configured name of where it begins; null for what the system chose
    public void connected(String relay, String tls, @Nullable String source) {
        from(LOG.atInfo().addKeyValue("relay", Printable.escape(relay)), source)
                .addKeyValue("tls", tls)
                .log("connected");
    }

    /// A handshake with a host failed. What becomes of the mail is told when the attempt ends.
    ///
    /// @param policy `opportunistic`, `required` or `verified`
    /// @param source as above
    /// @param cause one of few words
    /// @param reason one sentence, with what the host said in it
    public void handshakeFailed(
            String relay, String policy, @Nullable String source, String cause, String reason) {
        from(LOG.atInfo().addKeyValue("relay", Printable.escape(relay)), source)
                .addKeyValue("policy", policy)
                .addKeyValue("cause", cause)
                .addKeyValue("reason", Printable.escape(reason))
                .log("handshake failed");
    }

    private static LoggingEventBuilder from(LoggingEventBuilder line, @Nullable String source) {
        return source == null ? line : line.addKeyValue("source", source);
    }

    /// A recipient was given up for its age.
    ///
    /// @param ageMillis since the message was accepted
    public void expired(MessageId queue, String recipient, long ageMillis) {
        LOG.atInfo()
                .addKeyValue("queue", queue.toString())
                .addKeyValue("to", Printable.escape(recipient))
                .addKeyValue("ageMillis", ageMillis)
                .log("expired");
    }

    /// A delivery status notification was queued.
    ///
    /// @param queue the message that it speaks of
    /// @param report the notification's own id
    /// @param kind `failure`, `delay` or `success`
    /// @param to its recipient: the sender of the message that it speaks of
    public void reported(MessageId queue, MessageId report, String kind, String to) {
        LOG.atInfo()
                .addKeyValue("queue", queue.toString())
                .addKeyValue("report", report.toString())
                .addKeyValue("kind", kind)
                .addKeyValue("to", Printable.escape(to))
                .log("reported");
    }

    /// A failure that nobody is told of: the sender is null, or asked not to hear.
    public void unreported(MessageId queue, String recipient, String reason) {
        LOG.atInfo()
                .addKeyValue("queue", queue.toString())
                .addKeyValue("to", Printable.escape(recipient))
                .addKeyValue("reason", Printable.escape(reason))
                .log("unreported");
    }

    /// Every recipient of a message is done.
    public void removed(MessageId queue) {
        LOG.atInfo().addKeyValue("queue", queue.toString()).log("removed");
    }
}
