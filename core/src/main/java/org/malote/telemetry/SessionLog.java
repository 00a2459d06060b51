package org.malote.telemetry;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.malote.offload.TlsSummary;
import org.malote.queue.MessageId;
import org.malote.smtp.IpAddresses;
import org.malote.smtp.Printable;
import org.malote.smtp.Reply;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/// The log of inbound sessions: one line per event. Whatever a peer sent is escaped here.
public final class SessionLog {
    private static final Logger LOG = LoggerFactory.getLogger("malote.session");

    /// A peer was greeted.
    ///
    /// @param session the session's id
    /// @param listener the listener's configured name
    public void connected(String session, String listener, InetSocketAddress peer) {
        LOG.atInfo()
                .addKeyValue("session", session)
                .addKeyValue("listener", listener)
                .addKeyValue("peer", text(peer))
                .log("connected");
    }

    /// A connection was turned away before its greeting, or its PROXY header was bad.
    public void refused(String listener, InetSocketAddress peer, String reason) {
        LOG.atWarn()
                .addKeyValue("listener", listener)
                .addKeyValue("peer", text(peer))
                .addKeyValue("reason", Printable.escape(reason))
                .log("refused");
    }

    /// The peer has proved who its user is.
    ///
    /// @param mechanism by what, such as `PLAIN`
    public void authenticated(String session, InetAddress peer, String user, String mechanism) {
        LOG.atInfo()
                .addKeyValue("session", session)
                .addKeyValue("peer", IpAddresses.format(peer))
                .addKeyValue("user", Printable.escape(user))
                .addKeyValue("mechanism", mechanism)
                .log("authenticated");
    }

    /// It was found out who a peer is.
    ///
    /// @param greeted the name of EHLO, as the peer wrote it
    /// @param network whose word its certificate rests on: `public`, `private` or `none`
    /// @param operator the name that it is held to; empty when there is none
    /// @param issuer of its certificate; empty when that does not hold
    /// @param verdict `verified`, or what is missing, as with each message
    /// @param fault of the certificate, in its words; empty when there is nothing to say
    public void identified(
            String session,
            InetAddress peer,
            String greeted,
            String network,
            String operator,
            String issuer,
            String verdict,
            String fault) {
        LoggingEventBuilder event =
                LOG.atInfo()
                        .addKeyValue("session", session)
                        .addKeyValue("peer", IpAddresses.format(peer))
                        .addKeyValue("helo", Printable.escape(greeted))
                        .addKeyValue("network", network);
        if (!operator.isEmpty()) {
            event = event.addKeyValue("operator", Printable.escape(operator));
        }
        if (!issuer.isEmpty()) {
            event = event.addKeyValue("issuer", Printable.escape(issuer));
        }
        event = event.addKeyValue("verdict", verdict);
        if (!fault.isEmpty()) {
            event = event.addKeyValue("reason", Printable.escape(fault));
        }
        event.log("identified");
    }

    /// A command, a recipient or a message got a 4xx or 5xx.
    ///
    /// @param stage the command that was refused, such as `RCPT`, or `message`
    /// @param detail what was refused, as the peer wrote it, such as the recipient; null when there
    /// is nothing to show
    public void rejected(
            String session, InetAddress peer, String stage, @Nullable String detail, Reply reply) {
        told(session, peer, stage, detail, reply).log("rejected");
    }

    /// Something was taken that a rule which is only watched would have refused.
    ///
    /// @param stage and the rest as of [#rejected]
    /// @param reply that the rule would have given
    public void watched(
            String session, InetAddress peer, String stage, @Nullable String detail, Reply reply) {
        told(session, peer, stage, detail, reply).log("watched");
    }

    private static LoggingEventBuilder told(
            String session, InetAddress peer, String stage, @Nullable String detail, Reply reply) {
        LoggingEventBuilder event =
                LOG.atInfo()
                        .addKeyValue("session", session)
                        .addKeyValue("peer", IpAddresses.format(peer))
                        .addKeyValue("stage", Printable.escape(stage));
        if (detail != null) {
            event = event.addKeyValue("detail", Printable.escape(detail));
        }
        return event.addKeyValue("reply", Printable.escape(reply.oneLine()));
    }

    /// A message is on stable storage and is about to get its 250.
    ///
    /// @param sender the reverse-path, empty for the null one
    /// @param bytes of the message as it is stored
    /// @param tls null on a connection without TLS
    /// @param user who has sent it, null when nobody has said that
    /// @param code the message's Mail Policy Code, null when it has none
    /// @param hop what was found of who the peer is: its operator, the issuer of its certificate
    /// and
    ///     more, by name; empty when nothing was asked
    /// @param delayMillis from MAIL to the receipt
    public void accepted(
            String session,
            MessageId queue,
            InetAddress peer,
            String sender,
            int recipients,
            long bytes,
            @Nullable TlsSummary tls,
            @Nullable String user,
            @Nullable String code,
            Map<String, String> hop,
            long delayMillis) {
        LoggingEventBuilder event =
                LOG.atInfo()
                        .addKeyValue("session", session)
                        .addKeyValue("queue", queue.toString())
                        .addKeyValue("peer", IpAddresses.format(peer))
                        .addKeyValue("from", Printable.escape(sender))
                        .addKeyValue("size", bytes)
                        .addKeyValue("nrcpt", recipients)
                        .addKeyValue("tls", text(tls));
        if (user != null) {
            event = event.addKeyValue("user", Printable.escape(user));
        }
        if (code != null) {
            event = event.addKeyValue("mpc", Printable.escape(code));
        }
        for (Map.Entry<String, String> each : hop.entrySet()) {
            event = event.addKeyValue(each.getKey(), Printable.escape(each.getValue()));
        }
        event.addKeyValue("delayMillis", delayMillis).log("accepted");
    }

    /// A session ended.
    ///
    /// @param tls null when it ended without TLS
    /// @param reason in a few words: `quit`, `connection lost`, `idle`, `too many errors`
    public void closed(
            String session,
            InetAddress peer,
            @Nullable TlsSummary tls,
            String reason,
            int commands,
            int messages) {
        LOG.atInfo()
                .addKeyValue("session", session)
                .addKeyValue("peer", IpAddresses.format(peer))
                .addKeyValue("tls", text(tls))
                .addKeyValue("reason", Printable.escape(reason))
                .addKeyValue("commands", commands)
                .addKeyValue("messages", messages)
                .log("closed");
    }

    private static String text(@Nullable TlsSummary tls) {
        return tls == null ? "none" : tls.text();
    }

    private static String text(InetSocketAddress peer) {
        InetAddress address = peer.getAddress();
        String host = address == null ? peer.getHostString() : IpAddresses.format(address);
        return "[" + host + "]:" + peer.getPort();
    }
}
